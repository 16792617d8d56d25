//! While sign-ins hang on a slow provider, whoever is signed in notices nothing.

use std::convert::Infallible;

use futures_util::stream;
use vestibule::request::PlainHead;
use vestibule_conformance::{Behaviour, Browser, Endpoint, Lie, Site, code_of};

/// Enough that any queue or pool that checks shared with sign-ins would be full.
const PENDING: usize = 200;

#[tokio::test]
async fn nd_11_checks_are_answered_while_sign_ins_hang() {
    let site = Site::start().await;
    let signed_in = site.sign_in().await;
    let before = site.provider().requests_to(Endpoint::Token).len();
    let mut hanging = Vec::new();
    for _ in 0..PENDING {
        let round = site.begin().await;
        let callback = round.ask_provider().await;
        let head = round.browser.with_cookies(PlainHead::navigation(&callback));
        hanging.push((site.driver().clone(), head));
    }
    site.provider().lie(Lie::At(Endpoint::Token, Behaviour::Silence));
    let hanging: Vec<_> = hanging
        .into_iter()
        .map(|(driver, head)| {
            let none = stream::empty::<Result<&[u8], Infallible>>();
            tokio::spawn(async move { driver.answer(&head, none).await })
        })
        .collect();
    site.provider().arrival(Endpoint::Token, before + PENDING).await;
    for _ in 0..1_000 {
        assert_eq!(site.auth(&signed_in.browser), 202);
        assert_eq!(site.auth(&Browser::default()), 401);
    }
    assert!(!hanging.iter().any(tokio::task::JoinHandle::is_finished), "they were pending all the while");
    // A sign-in whose provider answers passes all of them.
    site.provider().honest();
    assert!(site.sign_in().await.is_signed_in());
    site.provider().stop().await;
    for hanging in hanging {
        let response = hanging.await.unwrap();
        assert_eq!(code_of(&response).as_deref(), Some("provider_unreachable"));
    }
}

/// The page is asked for by a form where the provider answers so; nobody reads a body of any length for it.
#[tokio::test]
async fn nd_16_a_form_of_ten_megabytes_at_the_callback_is_too_large() {
    let site = Site::builder().client(|client| client.form_post()).start().await;
    let head = PlainHead::new("POST", "/oauth2/callback").with("accept", "text/html");
    assert!(site.driver().vestibule().wants_body(&head));
    for (bytes, code) in [
        (64 * 1_024, "attempt_missing"),
        (64 * 1_024 + 1, "request_too_large"),
        (10 << 20, "request_too_large"),
    ] {
        let mut body = b"state=some&code=".to_vec();
        let code_bytes = if code == "attempt_missing" { 4 } else { bytes };
        body.resize(body.len() + code_bytes, b'x');
        body.extend_from_slice(b"&padding=");
        body.resize(bytes.max(body.len()), b'x');
        let pieces = body.chunks(16 * 1_024).map(Ok::<_, Infallible>);
        let response = site.driver().answer(&head, stream::iter(pieces)).await;
        assert_eq!(code_of(&response).as_deref(), Some(code), "{bytes}");
    }
    assert_eq!(site.asked(), []);
}
