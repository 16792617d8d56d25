//! Somebody signs out here, and at the provider: in which order, and what does not stop it.

use std::sync::{Arc, Mutex};

use url::Url;
use vestibule::{exchange::HttpFailure, request::PlainHead};

use crate::site::{Browser, ENDED, ISSUER, Issuer, Site, builder, issuer, refused};

const SIGN_OUT: &str = "/oauth2/sign_out";

fn site() -> Site {
    Site::of(builder().provider(issuer()).refresh_tokens().sign_out_at_provider())
}

/// A copy of a browser's cookies, as somebody has who stole them.
fn copied(browser: &Browser) -> Browser {
    Browser { site: browser.site.clone(), jar: browser.jar.clone() }
}

#[test]
fn signing_out_ends_the_provider_s_session_too_and_comes_back() {
    let site = site();
    let mut browser = site.signed_in("ada:1");
    let copy = copied(&browser);
    site.asked();
    let away = browser.visit(SIGN_OUT);
    let location = Url::parse(away.get("location").unwrap()).unwrap();
    assert_eq!(location.as_str().split('?').next(), Some("https://op.example/end"));
    let query: Vec<_> = location.query_pairs().into_owned().collect();
    assert_eq!(query[0], ("hint".to_owned(), "an-id-token".to_owned()));
    assert_eq!(query[1], ("back".to_owned(), format!("https://app.example{SIGN_OUT}")));
    assert_eq!(site.asked(), ["/revoke", "/metadata"]);
    assert!(!browser.is_signed_in() && !copy.is_signed_in(), "a copied cookie is dead");
    assert_eq!(browser.visit(SIGN_OUT).status, 200);
}

#[test]
fn lo_02_a_provider_that_is_down_or_fails_keeps_nobody_signed_in() {
    type Case = fn(&str) -> Result<u16, HttpFailure>;
    let cases: [Case; 3] = [|_| Err(HttpFailure::Connect), |_| Err(HttpFailure::TimedOut), |_| Ok(500)];
    for case in cases {
        let site = site();
        let mut browser = site.signed_in("ada:1");
        let copy = copied(&browser);
        site.answering(case);
        let response = browser.visit(SIGN_OUT);
        assert_eq!((response.status, response.get("location")), (303, Some(ENDED)));
        assert!(!browser.is_signed_in() && !copy.is_signed_in());
        assert_eq!(browser.visit(&format!("{SIGN_OUT}?ended")).status, 200);
    }
}

#[test]
fn lo_04_coming_back_with_any_state_or_none_shows_the_page_and_is_no_sign_in() {
    let site = site();
    for query in ["", "?state=another", "?state=a&state=b", "?state=%00%ff", "?error=x&state="] {
        let mut browser = site.signed_in("ada:1");
        browser.visit(SIGN_OUT);
        let back = browser.visit(&format!("{SIGN_OUT}{query}"));
        assert_eq!(back.status, 200, "{query}");
        assert!(String::from_utf8(back.body).unwrap().contains("Signed out"), "{query}");
        assert!(!browser.is_signed_in());
    }
}

#[test]
fn lo_05_the_record_is_gone_before_anybody_is_asked_or_sent_away() {
    let site = site();
    let mut browser = site.signed_in("ada:1");
    let (copy, seen) = (Mutex::new(copied(&browser)), Arc::new(Mutex::new(Vec::new())));
    let see = Arc::clone(&seen);
    site.answering(move |path| {
        // Another thread, because this one is in the middle of the sign-out.
        let alive =
            std::thread::scope(|scope| scope.spawn(|| copy.lock().unwrap().is_signed_in()).join().unwrap());
        see.lock().unwrap().push((path.to_owned(), alive));
        Ok(200)
    });
    let away = browser.visit(SIGN_OUT);
    let expected = ["/revoke", "/metadata"].map(|path| (path.to_owned(), false));
    assert_eq!(*seen.lock().unwrap(), expected);
    assert!(away.set_cookies().any(|line| line.starts_with("__Host-vestibule=;")), "with the redirect");
}

#[test]
fn lo_05_where_the_store_fails_nobody_is_told_that_they_are_signed_out() {
    let site = site();
    let mut browser = site.signed_in("ada:1");
    site.asked();
    site.store.fail("session:");
    assert_eq!(refused(&browser.visit(SIGN_OUT)), (503, "store_unreachable".into()));
    site.store.work();
    assert!(browser.is_signed_in());
    assert!(site.asked().is_empty());
}

#[test]
fn lo_06_a_revocation_that_fails_is_tried_once_and_stops_nothing() {
    let site = site();
    let mut browser = site.signed_in("ada:1");
    site.asked();
    site.answering(|path| Ok(if path == "/revoke" { 503 } else { 200 }));
    let away = browser.visit(SIGN_OUT);
    assert!(away.get("location").unwrap().starts_with("https://op.example/end?"));
    assert_eq!(site.asked(), ["/revoke", "/metadata"]);
    assert!(!browser.is_signed_in());
}

#[test]
fn without_that_option_nobody_leaves_the_site() {
    let site = Site::of(builder().provider(issuer()));
    let mut browser = site.signed_in("ada:1");
    assert_eq!(browser.visit(SIGN_OUT).get("location"), Some(ENDED));
    assert!(!browser.is_signed_in());
}

#[test]
fn se_08_a_sign_in_by_form_ends_the_session_that_it_began_beside() {
    let by_form = Issuer { id: "op", issuer: ISSUER, by_form: true, tells: true };
    let site = Site::of(builder().provider(by_form));
    let mut browser = Browser { site: site.clone(), jar: Default::default() };
    let mut sign_in = |code: &str| {
        let state = browser.begin("op");
        // What a browser adds to a form of another site: cookies that are SameSite=None.
        let cookies: Vec<_> = browser
            .jar
            .keys()
            .filter(|name| name.contains("_try_"))
            .map(|name| format!("{name}={}", browser.jar.get(name).unwrap()))
            .collect();
        let head = PlainHead::new("POST", "/oauth2/callback")
            .with("content-type", "application/x-www-form-urlencoded")
            .with("sec-fetch-site", "cross-site")
            .with("sec-fetch-mode", "navigate")
            .with("sec-fetch-dest", "document")
            .with("cookie", cookies.join("; "));
        let landed = site.send(&head, &format!("state={state}&code={code}"));
        browser.jar.take(landed.set_cookies());
        assert!(browser.is_signed_in());
        copied(&browser)
    };
    let first = sign_in("ada:1");
    let second = sign_in("bob:2");
    assert!(!first.is_signed_in(), "the record of the old session is gone");
    assert!(second.is_signed_in());
}
