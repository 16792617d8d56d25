//! One session for several hosts: `wiki.app.example` beside `app.example`, where sign-ins end.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use vestibule::{
    config::{Builder, Flavour, TokenHeaders},
    request::PlainHead,
    response::Response,
};
use world::{Asked, Browser, ORIGIN, Plain, World, builder};

const SESSION: &str = "__Secure-vestibule";
const SIBLING: &str = "wiki.app.example";

fn site() -> Builder {
    builder().provider(Plain::new("plain")).cookie_domain(".APP.example")
}

fn at_sibling(target: &str) -> PlainHead {
    PlainHead::navigation(target).with("host", SIBLING)
}

fn location(response: &Response) -> String {
    assert_eq!(response.status, 303, "{response:?}");
    response.get("location").unwrap().to_owned()
}

/// What follows the origin of an address of this site.
fn at_home(address: &str) -> String {
    address.strip_prefix(ORIGIN).unwrap_or_else(|| panic!("{address} is elsewhere")).to_owned()
}

#[test]
fn the_session_is_shared_and_a_sign_in_under_way_is_not() {
    let mut world = World::of(site().token_headers(TokenHeaders::none().access_token()));
    let mut browser = Browser::default();
    let remembered = PlainHead::navigation("/oauth2/auth").with("x-auth-request-redirect", "/deep");
    let mut lines: Vec<String> =
        browser.send(&mut world, remembered).set_cookies().map(str::to_owned).collect();
    let begun = browser.visit(&mut world, "/oauth2/sign_in");
    let finished = browser.come_back(&mut world, &Asked::of(&begun));
    let out = browser.visit(&mut world, "/oauth2/sign_out");
    for response in [begun, finished, out] {
        lines.extend(response.set_cookies().map(str::to_owned));
    }
    let mut seen = [0; 5];
    for line in &lines {
        let kinds = [
            SESSION,
            "__Secure-vestibule_tokens",
            "__Secure-vestibule_to",
            "__Host-vestibule_try_",
            "__Host-vestibule_rounds",
        ];
        let name = line.split('=').next().unwrap();
        let kind =
            kinds.iter().rposition(|kind| name == *kind || kind.ends_with("try_") && name.starts_with(kind));
        let kind = kind.unwrap_or_else(|| panic!("{line}"));
        seen[kind] += 1;
        assert_eq!(line.contains("; Domain=app.example"), kind < 3, "{line}");
        assert_eq!(line.matches("Domain").count(), usize::from(kind < 3), "{line}");
        assert!(
            line.contains("; Secure") && line.contains("; HttpOnly") && line.contains("; Path=/;"),
            "{line}"
        );
    }
    // Each is set once and cleared once.
    assert_eq!(seen, [2, 2, 2, 2, 2], "{lines:?}");
    assert!(browser.jar.is_empty(), "what is cleared carries what it was set with");
}

#[test]
fn ck_03_a_sibling_can_toss_a_session_but_no_attempt_and_of_two_sessions_none_counts() {
    let mut world = World::of(site());
    let (mut browser, mut attacker) = (Browser::default(), Browser::default());
    browser.sign_in(&mut world, "/");
    attacker.sign_in(&mut world, "/");
    let both = format!("{SESSION}={}; {SESSION}={}", browser.jar[SESSION], attacker.jar[SESSION]);
    let head = PlainHead::fetch("/oauth2/auth").with("cookie", both);
    assert_eq!(world.handle(head).response.status, 401);
    let asked = attacker.begin(&mut world, "/");
    let (name, value) = attacker.jar.iter().find(|(name, _)| name.contains("_try_")).unwrap();
    assert!(name.starts_with("__Host-"), "{name}");
    let shared = name.replace("__Host-", "__Secure-");
    let mut victim = Browser::default();
    victim.jar.insert(shared, value.clone());
    assert_ne!(victim.come_back(&mut world, &asked).status, 303, "under a name that a sibling could set");
}

#[test]
fn a_sign_in_that_begins_at_a_sibling_goes_on_at_home_and_comes_back() {
    let mut world = World::of(site().allow_return_to("https://*.app.example"));
    let mut browser = Browser::default();
    let home =
        at_home(&location(&browser.send(&mut world, at_sibling("/oauth2/sign_in?rd=/deep?x=1&switch=1"))));
    assert!(home.starts_with("/oauth2/sign_in?rd=https%3A%2F%2Fwiki.app.example%2Fdeep%3Fx%3D1&"), "{home}");
    assert!(home.contains("&switch=1"), "what else was asked for stays: {home}");
    let asked = Asked::of(&browser.visit(&mut world, &home));
    assert_eq!(location(&browser.come_back(&mut world, &asked)), "https://wiki.app.example/deep?x=1");
    let auth = browser.with_cookies(PlainHead::fetch("/oauth2/auth").with("host", SIBLING));
    assert_eq!(world.handle(auth).response.status, 202, "the session counts there");
    // And from the other address at which a sign-in may begin.
    let start = location(&Browser::default().send(&mut world, at_sibling("/oauth2/start/plain?rd=/deep")));
    assert!(
        at_home(&start).starts_with("/oauth2/start/plain?rd=https%3A%2F%2Fwiki.app.example%2Fdeep"),
        "{start}"
    );
}

#[test]
fn what_auth_remembers_at_a_sibling_leads_back_to_the_sibling() {
    let mut world = World::of(site().allow_return_to("https://wiki.app.example"));
    let mut browser = Browser::default();
    let question = at_sibling("/oauth2/auth").with("x-auth-request-redirect", "/deep");
    assert_eq!(browser.send(&mut world, question).status, 401);
    let asked = Asked::of(&browser.visit(&mut world, "/oauth2/sign_in"));
    assert_eq!(location(&browser.come_back(&mut world, &asked)), "https://wiki.app.example/deep");

    let mut world = World::of(site().allow_return_to("https://wiki.app.example").flavour(Flavour::Nginx));
    let question = at_sibling("/oauth2/auth").with("x-auth-request-redirect", "/deep");
    let response = world.handle(question).response;
    let way_in = at_home(response.get("location").unwrap());
    assert_eq!(way_in, "/oauth2/sign_in?rd=https%3A%2F%2Fwiki.app.example%2Fdeep");
    let sign_in_required = vestibule::refusal::Refusal::SignInRequired;
    let turned_back = world.vestibule.turn_back(&at_sibling("/deep"), sign_in_required).response;
    assert_eq!(at_home(&location(&turned_back)), way_in, "from an application of our own too");
}

#[test]
fn gw_07_a_host_decides_nothing_else() {
    // A sibling that may not be returned to, a port, and hosts that are none of ours.
    let mut world = World::of(site());
    let home = at_home(&location(&world.handle(at_sibling("/oauth2/sign_in?rd=/deep")).response));
    assert!(home.starts_with("/oauth2/sign_in?rd=%2Fdeep&"), "{home}");
    let ported = PlainHead::navigation("/oauth2/sign_in").with("host", "app.example:8443");
    assert!(at_home(&location(&world.handle(ported).response)).contains("sibling=1"));
    for host in [
        "app.example",
        "app.example:443",
        "evil.example",
        "badapp.example",
        "app.example.evil.example",
        "app",
        "@",
        "a b",
        "",
    ] {
        let head = PlainHead::navigation("/oauth2/sign_in").with("host", host);
        let asked = Asked::of(&world.handle(head).response);
        assert_eq!(asked.parameter("redirect_uri"), "https://app.example/oauth2/callback", "{host}");
    }
    let fetch = PlainHead::fetch("/oauth2/sign_in").with("host", SIBLING);
    assert_eq!(world.handle(fetch).response.status, 400, "a script begins nothing there either");
    // Without a domain, nobody has siblings.
    let asked = Asked::of(&World::new().handle(at_sibling("/oauth2/sign_in")).response);
    assert!(asked.url.as_str().starts_with("https://plain.example/"));
}

#[test]
fn a_proxy_that_rewrites_the_host_sends_nobody_round_in_circles() {
    let mut world = World::of(site());
    let mut browser = Browser::default();
    let home = at_home(&location(&browser.send(&mut world, at_sibling("/oauth2/sign_in?rd=/deep"))));
    let asked = Asked::of(&browser.send(&mut world, at_sibling(&home)));
    assert_eq!(location(&browser.come_back(&mut world, &asked)), "https://app.example/deep");
}

#[test]
fn ck_18_a_domain_that_is_too_wide_foreign_or_insecure_is_refused() {
    for domain in
        ["example", "other.example", "ple.example", "wiki.app.example", "127.0.0.1", "", "app.example; x"]
    {
        let built = builder().provider(Plain::new("plain")).cookie_domain(domain).build();
        let problems = built.unwrap_err().problems;
        assert_eq!(
            problems.iter().map(|problem| problem.field).collect::<Vec<_>>(),
            ["cookie_domain"],
            "{domain}"
        );
    }
    let http = vestibule::Vestibule::builder("http://app.localhost:8080/oauth2/callback")
        .keys(vestibule::seal::KeyRing::new([world::SECRET]).unwrap())
        .provider(Plain::new("plain"))
        .cookie_domain("app.localhost");
    let problems = http.build().unwrap_err().problems;
    let found = problems.iter().find(|problem| problem.field == "cookie_domain");
    assert!(found.is_some_and(|problem| problem.fault.contains("https")), "{problems:?}");
}

#[test]
fn a_domain_is_said_to_weaken_what_it_weakens() {
    let cautions = |builder: Builder| builder.build().unwrap().cautions();
    assert!(cautions(builder().provider(Plain::new("plain"))).is_empty());
    let [caution] = &cautions(site())[..] else { panic!("one option, one caution") };
    assert!(caution.contains("cookie_domain") && caution.contains("app.example"), "{caution}");
    let unverified = site().email_domains(["a.example"]).insecure_unverified_email();
    assert_eq!(cautions(unverified).len(), 2);
}
