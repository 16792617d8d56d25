//! What must be true of every response, whatever was asked: nothing leads elsewhere, nothing ends a header, a cookie
//! or an attribute before its time, and nothing is kept by a cache (catalogue RD-02, CK-01, CK-19, LK-12, LK-15).

use serde_json::Value;
use url::Url;
use vestibule::response::Response;

use crate::{
    readers::{from_base64url, percent_decoded, split_address},
    site::{ATTEMPTS, OWN, SESSION},
};

/// Every status that a response may have.
const STATUSES: [u16; 13] = [200, 202, 303, 400, 401, 403, 404, 405, 413, 431, 500, 502, 503];

/// Elements that our pages are made of. Any other would have come from outside.
const ELEMENTS: [&str; 15] = [
    "!doctype", "html", "head", "meta", "title", "style", "body", "main", "h1", "p", "a", "form", "button",
    "small", "code",
];

/// Where a `Location` leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Landing {
    /// To a page of the site itself: its path.
    Own(String),
    /// To another origin that was allowed.
    Allowed,
    /// To a provider, which is asked to sign somebody in.
    Provider,
}

/// Holds a response against all of it.
pub(crate) fn sound(response: &Response) {
    assert!(STATUSES.contains(&response.status), "status {}", response.status);
    for (name, value) in &response.headers {
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name:?}");
        assert!(!value.contains(char::is_control), "{name}: {value:?}");
    }
    assert_eq!(response.get("cache-control"), Some("no-store"), "{response:?}");
    let locations: Vec<_> = response.headers.iter().filter(|(name, _)| *name == "location").collect();
    assert!(locations.len() <= 1, "{response:?}");
    assert!(locations.is_empty() || [303, 401].contains(&response.status), "{response:?}");
    assert!(response.status != 303 || locations.len() == 1, "{response:?}");
    for (_, location) in locations {
        lands(location);
    }
    response.set_cookies().for_each(set_cookie);
    match response.get("content-type") {
        Some("text/html; charset=utf-8") => page(response),
        Some(json) if json.starts_with("application/") => {
            let body: Result<Value, _> = serde_json::from_slice(&response.body);
            assert!(body.is_ok_and(|body| body.is_object()), "{response:?}");
        }
        other => assert!(other.is_none() && response.body.is_empty(), "{response:?}"),
    }
}

/// Where an address leads, after two readers that must agree. Panics where it may not lead there.
pub(crate) fn lands(location: &str) -> Landing {
    assert!(location.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{location:?}");
    assert!(!location.contains(['"', '<', '>']), "{location:?}");
    let (scheme, authority, path) = split_address(location);
    assert_eq!(scheme, "https", "{location:?}");
    let url = Url::parse(location).expect("the first reader takes it apart too");
    assert_eq!(url.origin().ascii_serialization(), format!("https://{authority}"), "{location:?}");
    let landing = match authority {
        "rp.example" => Landing::Own(path.to_owned()),
        "plain.example" | "other.example" if path == "/authorize" => Landing::Provider,
        "api.x.com" if path == "/oauth/authenticate" => Landing::Provider,
        "exact.example:8443" => Landing::Allowed,
        _ => {
            let label = authority.strip_suffix(".apps.example").unwrap_or_default();
            let belongs = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            assert!(!label.is_empty() && label.bytes().all(belongs), "{location:?} is not allowed");
            Landing::Allowed
        }
    };
    careless_hands(path);
    landing
}

/// A path stays with us for whoever puts it into a `Location` by itself, or decodes it first.
fn careless_hands(path: &str) {
    let own = Url::parse(OWN).expect("the site's origin is an address");
    let mut bytes = path.as_bytes().to_vec();
    for _ in 0..6 {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains('\\') && !text.starts_with("//"), "{path:?}");
        let read = own.join(&text).expect("a path can be resolved");
        assert!(read.origin() == own.origin() && !read.path().starts_with("//"), "{path:?}");
        bytes = percent_decoded(&bytes);
    }
}

fn set_cookie(line: &str) {
    assert!(line.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) && line.len() <= 4_096, "{line:?}");
    let mut parts = line.split("; ");
    let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a cookie has a name");
    let known = [
        SESSION.to_owned(),
        format!("{SESSION}_to"),
        format!("{SESSION}_rounds"),
        format!("{SESSION}_tokens"),
    ];
    // The browser says which of its attempts there are; what is not spelled like one of ours is none.
    let of_a_hash = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let of_an_attempt = name.strip_prefix(ATTEMPTS).is_some_and(|hash| hash.bytes().all(of_a_hash));
    assert!(known.iter().any(|known| known == name) || of_an_attempt, "{line:?}");
    assert!(from_base64url(value).is_some(), "{line:?}");
    let (mut attributes, mut max_age) = (parts.collect::<Vec<_>>(), None);
    attributes.retain(|attribute| match attribute.strip_prefix("Max-Age=") {
        Some(seconds) => {
            max_age = seconds.parse::<u64>().ok();
            false
        }
        None => true,
    });
    assert!(max_age.is_some_and(|max_age| (max_age == 0) == value.is_empty()), "{line:?}");
    attributes.sort_unstable();
    let by_form = attributes.contains(&"SameSite=None") && name.starts_with(ATTEMPTS);
    let same_site = if by_form { "SameSite=None" } else { "SameSite=Lax" };
    assert_eq!(attributes, ["HttpOnly", "Path=/", same_site, "Secure"], "{line:?}");
}

fn page(response: &Response) {
    let policy = response.get("content-security-policy").unwrap_or_default();
    for directive in policy.split("; ") {
        match directive.split_once(' ') {
            Some(("default-src" | "base-uri" | "frame-ancestors", "'none'")) => {}
            // A logo stands in the page itself.
            Some(("img-src", "data:")) => {}
            Some(("style-src", hash)) => assert!(hash.starts_with("'sha256-"), "{policy}"),
            // A form may lead to the site itself, and from there to one place that a browser may be sent to.
            Some(("form-action", places)) => {
                let elsewhere = places.strip_prefix("'self'").expect("a form leads to the site itself");
                elsewhere.split_ascii_whitespace().for_each(|origin| drop(lands(&format!("{origin}/"))));
            }
            _ => panic!("{policy}"),
        }
    }
    assert_eq!(policy.split("; ").count(), 6, "{policy}");
    assert_eq!(response.get("x-frame-options"), Some("DENY"));
    assert!(matches!(response.get("referrer-policy"), Some("no-referrer" | "same-origin")));
    let html = std::str::from_utf8(&response.body).expect("a page says that it is UTF-8");
    for element in html.split('<').skip(1) {
        let name = element.trim_start_matches('/');
        let name = &name[..name.find([' ', '>']).unwrap_or(name.len())];
        assert!(ELEMENTS.contains(&name), "<{element}");
    }
    for (attribute, _) in html.match_indices("href=\"").chain(html.match_indices("action=\"")) {
        let rest = &html[attribute..];
        let value = rest.split('"').nth(1).unwrap_or_default();
        let address = unescaped(value);
        let absolute = if address.starts_with('/') { format!("{OWN}{address}") } else { address.clone() };
        assert_ne!(lands(&absolute), Landing::Provider, "{address:?}");
    }
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    text.replace("&amp;", "&")
}

/// The refusal's code that a page or a problem shows.
pub(crate) fn refusal(response: &Response) -> Option<String> {
    let body = std::str::from_utf8(&response.body).ok()?;
    if response.get("content-type") == Some("application/problem+json") {
        let problem: Value = serde_json::from_str(body).ok()?;
        return problem["code"].as_str().map(str::to_owned);
    }
    Some(body.split_once("<code>")?.1.split_once("</code>")?.0.to_owned())
}
