//! What a browser's `Cookie` headers say: whose session it is, if it is one.

use std::sync::OnceLock;

use vestibule::{
    limits::{COOKIE_HEADER_BYTES_MAX, COOKIES_MAX},
    request::PlainHead,
};

use crate::{
    Seen,
    outside::{Begun, Outside, session, session_set},
    readers::{base64url, cookies, from_base64url, only_cookie},
    site::{SESSION, plain},
    text::{expand, header_values},
};

/// What the site has sealed for a browser.
struct Sealed {
    session: String,
    attempt: Begun,
    remembered: String,
    rounds: String,
}

impl Sealed {
    fn get() -> &'static Self {
        static SEALED: OnceLock<Sealed> = OnceLock::new();
        SEALED.get_or_init(|| {
            let site = plain();
            let set = |response: &vestibule::response::Response, name: &str| {
                let all = crate::outside::cookies_set(response);
                all.into_iter().find(|(own, _)| own == name).map(|(_, value)| value).unwrap_or_default()
            };
            let asks = PlainHead::navigation("/oauth2/auth").with("x-auth-request-redirect", "/deep");
            let unauthorised = Outside::honest().visit(site, asks, b"").response;
            let attempt = Begun::new(site, "/", 1);
            let callback = PlainHead::navigation(&format!("/oauth2/callback?code=c&state={}", attempt.state))
                .with("cookie", attempt.cookie());
            let finished = Outside::honest().visit(site, callback, b"").response;
            Self {
                session: session(site),
                remembered: set(&unauthorised, &format!("{SESSION}_to")),
                rounds: set(&finished, &format!("{SESSION}_rounds")),
                attempt,
            }
        })
    }

    fn expand(&self, text: &[u8]) -> Vec<u8> {
        let attempt = self.attempt.cookie();
        let values = [
            ("session", self.session.as_str()),
            ("attempt", &attempt),
            ("attempt value", &self.attempt.cookie_value),
            ("remembered", &self.remembered),
            ("rounds", &self.rounds),
        ];
        expand(text, &values)
    }
}

/// `Cookie` headers, a line each.
///
/// Somebody is signed in if a second reader finds exactly one session cookie, with the sealed value, and only then;
/// every endpoint thinks so or none does (CK-02, CK-04 to CK-07, GW-02).
pub fn cookie_header(data: &[u8]) -> Seen {
    let sealed = Sealed::get();
    let data = sealed.expand(data);
    let headers: Vec<&[u8]> = header_values(&data).collect();
    let read = cookies(headers.iter().copied());
    let session = only_cookie(&read, SESSION).filter(|value| *value == sealed.session.as_bytes());
    let is_small = headers.iter().map(|line| line.len() + 1).sum::<usize>() <= COOKIE_HEADER_BYTES_MAX
        && headers.iter().map(|line| line.split(|byte| *byte == b';').count()).sum::<usize>() <= COOKIES_MAX;
    let accepted = whoever_asks(&|head| headers.iter().fold(head, |head, line| head.with("cookie", *line)));
    assert!(!accepted || session.is_some(), "somebody got in without exactly one session cookie");
    assert!(accepted || session.is_none() || !is_small, "whoever is signed in was not recognised");
    Seen::accepted(accepted)
}

/// The value of the session cookie: after `=` as it stands; after `^` as bytes that the bytes of a good one are XORed
/// with, from its beginning; after `$` likewise, up to its end; after `+` as bytes to seal's place, in base64url.
///
/// Only the sealed text itself opens, to the byte (CK-10, CK-11, CK-16, SE-23).
pub fn session_cookie(data: &[u8]) -> Seen {
    let sealed = Sealed::get();
    let good = from_base64url(&sealed.session).expect("the site has written it so");
    let value = match data.split_first() {
        Some((b'^', mask)) => base64url(xor(&good, mask.iter().copied())).into_bytes(),
        Some((b'$', mask)) => {
            let kept = good.len().saturating_sub(mask.len());
            base64url(xor(&good, std::iter::repeat_n(0, kept).chain(mask.iter().copied()))).into_bytes()
        }
        Some((b'+', bytes)) => base64url(bytes).into_bytes(),
        Some((b'=', text)) => sealed.expand(text),
        _ => sealed.expand(data),
    };
    let line = [SESSION.as_bytes(), b"=", &value].concat();
    let accepted = whoever_asks(&|head| head.with("cookie", line.clone()));
    // A header can hold more than a value: then it is the other target's business.
    let is_value = !value.iter().any(|byte| matches!(byte, b';' | b' ' | b'\t'));
    assert!(!is_value || accepted == (value == sealed.session.as_bytes()));
    Seen::accepted(accepted)
}

fn xor(bytes: &[u8], mask: impl Iterator<Item = u8>) -> Vec<u8> {
    bytes.iter().zip(mask.chain(std::iter::repeat(0))).map(|(byte, mask)| byte ^ mask).collect()
}

/// Asks every endpoint with these cookies, and says whether somebody is signed in. All must agree, and none may have
/// more to give than that.
fn whoever_asks(with_cookies: &dyn Fn(PlainHead) -> PlainHead) -> bool {
    let site = plain();
    let mut outside = Outside::honest();
    let mut visit = |head: PlainHead| outside.visit(site, with_cookies(head), b"").response;
    let auth = visit(PlainHead::fetch("/oauth2/auth"));
    let accepted = auth.status == 202;
    assert!(accepted || auth.status == 401, "{auth:?}");
    assert_eq!(auth.get("x-auth-request-user"), accepted.then_some("ada"));
    assert_eq!(auth.set_cookies().count(), 0, "a program is asked to keep nothing");

    let info = visit(PlainHead::fetch("/oauth2/userinfo"));
    assert_eq!(info.status, if accepted { 200 } else { 401 });
    let session = site.session(&with_cookies(PlainHead::fetch("/")), crate::site::NOW);
    assert_eq!(session.is_ok_and(|session| session.identity.subject == "7"), accepted);

    let sign_in = visit(PlainHead::navigation("/oauth2/sign_in?rd=/deep"));
    let begun = Begun::of(&sign_in, String::new()).is_some();
    match sign_in.status {
        303 => assert_eq!(
            (begun, sign_in.get("location") == Some("https://rp.example/deep")),
            (!accepted, accepted)
        ),
        // Too many cookies, or too many rounds without a session.
        status => assert!(!begun && (status == 431 || (status == 400 && !accepted))),
    }
    for head in [
        PlainHead::new("POST", "/oauth2/sign_out").with("sec-fetch-site", "same-origin"),
        PlainHead::navigation("/oauth2/sign_out"),
    ] {
        let ends = visit(head);
        let takes_away = ends.set_cookies().any(|line| line.starts_with(&format!("{SESSION}=; ")));
        assert!(takes_away || !accepted, "{ends:?}");
    }
    let callback = visit(PlainHead::navigation("/oauth2/callback?code=a&state=b"));
    assert_eq!(session_set(&callback), None);
    assert!(outside.is_untouched(), "cookies alone make nobody ask anything");
    accepted
}
