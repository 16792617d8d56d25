//! Where browsers can be sent: the catalogue's open redirects, and random ones, against two readers of URLs (RD).
//!
//! What the code under test accepts is never compared with itself: [`lands_where_allowed`] takes the `Location` apart
//! with the WHATWG parser and with a splitter after RFC 3986 that is written here, and holds both against the allowed
//! origins, which are spelled out here once more.

#![allow(clippy::unwrap_used, reason = "the helpers of a test fail by panicking, as it does")]

use std::collections::BTreeSet;

use proptest::{prelude::*, sample::select};
use url::Url;
use vestibule::{
    limits::RETURN_TARGET_BYTES_MAX,
    return_target::{ReturnPolicy, ReturnTarget},
};

const OWN: &str = "https://rp.example";
const CORPUS: &str = include_str!("redirect_corpus.txt");

fn own() -> Url {
    Url::parse(OWN).unwrap()
}

fn policy() -> ReturnPolicy {
    ReturnPolicy::new(&own().join("/oauth2/callback").unwrap())
        .never("/oauth2", ["/logout".to_owned()])
        .allow("https://*.apps.example")
        .and_then(|policy| policy.allow("https://exact.example:8443"))
        .unwrap()
}

fn parse(text: &str) -> Option<ReturnTarget> {
    ReturnTarget::parse(text, &policy())
}

/// One line of the corpus.
struct Row {
    number: usize,
    class: &'static str,
    text: String,
    /// What it becomes; nothing where it is to be refused.
    becomes: Option<String>,
}

fn corpus() -> impl Iterator<Item = Row> {
    let json = |text: &str| {
        let text: String = serde_json::from_str(text).unwrap();
        let text = text.replace("LONG", &"a".repeat(16_384)).replace("CLIMB", &"../".repeat(5_000));
        text.replace("EV", "evil.example").replace("RP", "rp.example")
    };
    CORPUS.lines().filter(|line| !line.starts_with('#')).map(move |line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let becomes = columns.get(3).map(|text| json(text));
        Row { number: columns[0].parse().unwrap(), class: columns[1], text: json(columns[2]), becomes }
    })
}

/// `text` with everything but letters, digits and what `kept` says percent-encoded.
fn encoded(text: &str, kept: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// The text as it is, encoded once and encoded twice: as a whole, and with what makes it a path or an address kept,
/// so that the encodings come into question at all.
fn encodings(text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    for kept in ["", "/", ":/"] {
        let once = encoded(text, kept);
        let twice = encoded(&once, kept);
        all.extend([format!("/{once}"), format!("/{twice}"), once, twice]);
    }
    all
}

/// What a browser makes of `text` in a `Location` of ours. Browsers skip any number of slashes before a host; the
/// `url` crate (2.5) finds no host after the third one.
fn browser_reads(text: &str) -> Option<Url> {
    let seen = text.trim_start_matches(|c| c <= ' ').replace(['\t', '\n', '\r'], "");
    let host = seen.trim_start_matches(['/', '\\']);
    let seen = if 2 < seen.len() - host.len() { format!("//{host}") } else { seen };
    own().join(&seen).ok()
}

/// Scheme, authority and path after RFC 3986, appendix B.
fn split_3986(text: &str) -> (&str, &str, &str) {
    let hierarchy = text.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match hierarchy.split_once(':') {
        Some((scheme, rest)) if !scheme.contains('/') => (scheme, rest),
        _ => ("", hierarchy),
    };
    match rest.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (scheme, authority, path)
        }
        None => (scheme, "", rest),
    }
}

fn is_allowed(authority: &str) -> bool {
    let of_a_label = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let one_more = authority.strip_suffix(".apps.example").unwrap_or_default();
    ["rp.example", "exact.example:8443"].contains(&authority)
        || (!one_more.is_empty() && one_more.bytes().all(of_a_label))
}

/// RD-02: both readers see an allowed origin in the `Location`, and nothing in it could end a header or an attribute.
/// Besides, whoever decodes or resolves the target afterwards is still with us.
fn lands_where_allowed(target: &ReturnTarget) {
    let location = target.location(&own());
    assert!(location.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{location:?}");
    assert!(!location.contains(['"', '<', '>']), "{location:?}");

    let (scheme, authority, path) = split_3986(&location);
    assert!(scheme == "https" && is_allowed(authority), "{location:?}");
    let url = browser_reads(&location).unwrap();
    assert_eq!(url.origin().ascii_serialization(), format!("https://{authority}"), "{location:?}");
    assert_eq!(url.as_str(), location, "written again by the parser, it stays");

    // Careless hands: the text that is sealed lands raw in a `Location`, or its path does after decoding.
    assert_eq!(browser_reads(target.as_str()), Some(url), "{location:?}");
    let decoded = (0..6).fold(path.to_owned(), |text, _| percent_decoded(&text));
    for text in [&decoded, path] {
        let read = browser_reads(text).unwrap();
        assert_eq!(read.origin(), own().origin(), "{text:?} of {location:?}");
        assert!(!text.contains('\\') && !read.path().starts_with("//"), "{text:?} of {location:?}");
    }
}

fn percent_decoded(text: &str) -> String {
    // The reader of forms decodes percents; the rest of its grammar is kept from it.
    let form = format!("={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(form.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

/// RD-03: what was sealed is read again as the same.
fn comes_back(target: &ReturnTarget) {
    assert_eq!(parse(target.as_str()).as_ref(), Some(target));
}

#[test]
fn rd_01_every_row_is_refused_or_rewritten_as_the_corpus_says() {
    for Row { number, text, becomes, .. } in corpus() {
        let target = parse(&text);
        assert_eq!(target.as_ref().map(ReturnTarget::as_str), becomes.as_deref(), "row {number}: {text:?}");
    }
}

#[test]
fn rd_01_the_corpus_is_whole_and_dangerous() {
    let numbers: BTreeSet<usize> = corpus().map(|row| row.number).collect();
    assert!(numbers.into_iter().eq(1..=110));
    for Row { number, class, text, becomes } in corpus() {
        assert!(becomes.is_none() || ["X", "D", "P"].contains(&class), "row {number}: {text:?}");
        // A typing error must not make the corpus harmless. Row 84's host is one that parsers no longer read at all.
        let leaves = || browser_reads(&text).map_or(number == 84, |url| url.origin() != own().origin());
        assert!(class != "B" || leaves(), "row {number}: {text:?}");
    }
}

#[test]
fn rd_02_no_encoding_of_any_row_leads_elsewhere() {
    let mut accepted = 0;
    for text in corpus().flat_map(|row| encodings(&row.text)) {
        if let Some(target) = parse(&text) {
            accepted += 1;
            lands_where_allowed(&target);
            comes_back(&target);
        }
    }
    assert!(50 < accepted, "the oracle has had {accepted} targets to look at");
}

#[test]
fn rd_03_a_sealed_target_is_measured_by_the_policy_of_the_day() {
    let target = parse("https://one.apps.example/p").unwrap();
    assert_eq!(ReturnTarget::parse(target.as_str(), &ReturnPolicy::new(&own())), None);
    let target = parse("/later/ours").unwrap();
    assert_eq!(ReturnTarget::parse(target.as_str(), &policy().never("/later", [])), None);
    comes_back(&ReturnTarget::root());
}

#[test]
fn rd_04_honest_targets_survive_to_the_byte() {
    let long = format!("/search?q={}", "x".repeat(2_000));
    let most = format!("/{}", "x".repeat(RETURN_TARGET_BYTES_MAX - 1));
    for text in "/ /a/b?x=1&y=%2F%2Fz#frag /a?u=https://x.test/ /%E2%9C%93 /a?b=% https://one.apps.example/p?q=1 \
                 https://exact.example:8443/x#y /a+b%20c?d=1+2%203 /a//b /web/https://x.test/ /@name /-/x /~me /a.b/.well \
                 /search?q=\\d+ /?text=a%0D%0Ab /files/%E3%80%80x/100%25 /oauth2x /a?rd=/oauth2/start#/route/x?y /:80/;a=b"
        .split(' ')
        .chain([long.as_str(), most.as_str()])
    {
        let target = parse(text).unwrap_or_else(|| panic!("{text:?} is honest"));
        assert_eq!(target.as_str(), text);
        lands_where_allowed(&target);
        comes_back(&target);
    }
}

#[test]
fn rd_05_of_the_own_origin_only_what_follows_it_is_kept() {
    for (text, kept, location) in [
        ("https://rp.example", "/", "https://rp.example/"),
        ("HTTPS://RP.example:443/a/../b?c#d", "/b?c#d", "https://rp.example/b?c#d"),
        ("/my file.pdf", "/my%20file.pdf", "https://rp.example/my%20file.pdf"),
        ("/caf\u{e9}?\u{e9}", "/caf%C3%A9?%C3%A9", "https://rp.example/caf%C3%A9?%C3%A9"),
        ("https://One.Apps.Example:443", "https://one.apps.example/", "https://one.apps.example/"),
    ] {
        let target = parse(text).unwrap();
        assert_eq!((target.as_str(), target.location(&own())), (kept, location.to_owned()), "{text:?}");
    }
}

#[test]
fn rd_05_another_spelling_of_an_allowed_place_is_refused() {
    for text in "//rp.example/ ///rp.example/ //one.apps.example/ /\\rp.example/ https:\\\\rp.example/ https:/rp.example/ \
                 https:rp.example /a\\b https://one.apps.example\\a https://@rp.example/ https://rp.example./ \
                 http://exact.example:8443/ http://one.apps.example:443/ http://rp.example:443/ a/b ?a #a ./a ../a"
        .split(' ')
    {
        assert_eq!(parse(text), None, "{text:?}");
    }
}

#[test]
fn rd_05_what_grows_too_long_by_encoding_is_refused() {
    assert_eq!(parse(&format!("/{}", "\u{e9}".repeat(RETURN_TARGET_BYTES_MAX / 3))), None);
}

/// Texts of pieces of which open redirects have been made.
fn nasty() -> impl Strategy<Value = String> {
    const STARTS: &str =
        "|/|//|https://|https://|https://|http://|https://rp.example|https://one.apps.example";
    const HOSTS: &str =
        "rp.example|exact.example|apps.example|.apps.example|one|evil|@|:443|:8443|*|.|%2e|\\|://|//|a";
    const PIECES: &str = "/|/|\\|//|:|@|?|#|.|..|%|%2f|%2F|%5c|%252f|%09|%00|%2e|%25|%40|2f|5c| |\t|\r\n|\0|\u{a0}|\u{ad}|\
        \u{200b}|\u{3002}|\u{ff0f}|\u{ff3c}|\u{2028}|\u{e9}|%ff|*|-|_|+|&|=|;|'|\"|<|[::1]|443|:8443|a|one|rp.example|\
        evil.example|apps.example|.apps.example|exact.example|https:|http:|javascript:|xn--|oauth2";
    let one_of = |texts: &'static str| select(texts.split('|').collect::<Vec<_>>());
    let hosts = prop::collection::vec(one_of(HOSTS), 0..4);
    let rest = prop::collection::vec(one_of(PIECES), 0..12);
    (one_of(STARTS), hosts, one_of("|/|?|#"), rest)
        .prop_map(|(start, hosts, end, rest)| start.to_owned() + &hosts.concat() + end + &rest.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rd_05_no_nasty_text_leads_elsewhere(text in nasty()) {
        if let Some(target) = parse(&text) {
            lands_where_allowed(&target);
            comes_back(&target);
        }
    }

    #[test]
    fn rd_05_no_text_leads_elsewhere(start in "/?", text in any::<String>()) {
        if let Some(target) = parse(&(start + &text)) {
            lands_where_allowed(&target);
            comes_back(&target);
        }
    }

    /// So that the two above are not about nothing.
    #[test]
    fn rd_05_every_ordinary_path_is_accepted(path in "(/[a-z0-9][a-z0-9._~-]{0,8}){1,6}(\\?[a-z0-9=&%+/:.]{0,20})?") {
        prop_assume!(!path.starts_with("/oauth2") && !path.starts_with("/logout"));
        prop_assert_eq!(parse(&path).map(|target| target.as_str().to_owned()), Some(path));
    }
}
