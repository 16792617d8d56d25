//! What proxies say about the request that they ask for: `X-Auth-Request-Redirect` and the forwarded headers.

use std::sync::Arc;

use vestibule::{Vestibule, request::PlainHead, response::Response};

use crate::{
    Seen,
    oracle::{Landing, lands},
    outside::{Begun, Outside, cookies_set, session_set},
    site::{SESSION, for_nginx, plain},
    text::{first_line, headers},
};

/// Headers that say where a request came from or went to. Anybody can write them.
const SAYS_NOTHING: [&str; 12] = [
    "host",
    "forwarded",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-for",
    "x-forwarded-uri",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-real-ip",
];

/// The value of `X-Auth-Request-Redirect`, then headers, a line each.
///
/// What `auth` remembers, and what `sign_in` takes from the header itself, leads to the own or an allowed origin after
/// the whole sign-in, and not to our own endpoints; no forwarded header changes a byte of any answer (RD-01, GW-04,
/// GW-07, GW-15, CK-26).
pub fn forwarded_headers(data: &[u8]) -> Seen {
    let (redirect, rest) = first_line(data);
    if http::HeaderValue::from_bytes(redirect).is_err() {
        return Seen::Refused;
    }
    let headers: Vec<_> = headers(rest).collect();
    let said = |path: &str, with: &dyn Fn(&str) -> bool| {
        let head = PlainHead::navigation(path).with("x-auth-request-redirect", redirect);
        headers
            .iter()
            .filter(|(name, _)| with(name))
            .fold(head, |head, (name, value)| head.with(name, *value))
    };
    let mut remembered = false;
    for site in [plain(), for_nginx()] {
        for path in ["/oauth2/auth", "/oauth2/sign_in", "/oauth2/start", "/oauth2/sign_out"] {
            let ask = |head| Outside::honest().visit(site, head, b"").response;
            let response = ask(said(path, &|_| true));
            let without = ask(said(path, &|name| !SAYS_NOTHING.contains(&name)));
            assert_eq!(response, without, "a forwarded header was believed");
            assert!(path != "/oauth2/auth" || ![200, 202].contains(&response.status), "nobody is signed in");
            if path == "/oauth2/auth" {
                assert!(response.set_cookies().count() <= 1, "nginx hands on no more than one");
                remembered |= remembers(site, &response);
            }
            if let Some(begun) = Begun::of(&response, String::new()) {
                finishes(site, &begun);
            }
        }
    }
    Seen::accepted(remembered)
}

/// Goes to `sign_in` with the cookie that `auth` set, if it did.
fn remembers(site: &Arc<Vestibule>, unauthorised: &Response) -> bool {
    let name = format!("{SESSION}_to");
    let cookies = cookies_set(unauthorised);
    let Some((_, value)) = cookies.iter().find(|(own, _)| *own == name) else {
        assert!(cookies.is_empty(), "{unauthorised:?}");
        return false;
    };
    let head = PlainHead::navigation("/oauth2/sign_in").with("cookie", format!("{name}={value}"));
    let response = Outside::honest().visit(site, head, b"").response;
    assert!(cookies_set(&response).contains(&(name, String::new())), "it is used up");
    let begun = Begun::of(&response, String::new()).expect("a visit of sign_in begins a sign-in");
    finishes(site, &begun);
    true
}

/// Comes back from the provider, and lands where it may.
fn finishes(site: &Arc<Vestibule>, begun: &Begun) {
    let head = PlainHead::navigation(&format!("/oauth2/callback?code=c&state={}", begun.state))
        .with("cookie", begun.cookie());
    let response = Outside::honest().visit(site, head, b"").response;
    assert!(session_set(&response).is_some(), "{response:?}");
    match lands(response.get("location").unwrap_or_default()) {
        Landing::Own(path) => assert!(!path.starts_with("/oauth2/"), "round in circles: {path:?}"),
        Landing::Allowed => {}
        Landing::Provider => panic!("to the provider again"),
    }
}
