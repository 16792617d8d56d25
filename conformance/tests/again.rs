//! A guard that asks for a fresh sign-in, before a provider that asks the person again, and before one that does not.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::time::Duration;

use vestibule::{guarded::Condition, request::PlainHead, session::Session};
use vestibule_conformance::{Browser, Lie, Outcome, Site, code_of};

/// What somebody gets at a page behind the guard: their session, or where they are sent.
fn at_the_page(site: &Site, browser: &Browser) -> Result<Session, String> {
    let condition = Condition::new().signed_in_within(Duration::from_secs(300));
    let head = browser.with_cookies(PlainHead::navigation("/pay"));
    let at_once = site.driver().admit_at_once(&head, &condition).unwrap();
    at_once.map_err(|response| {
        let location = response.get("location").unwrap_or_else(|| panic!("{:?}", code_of(&response)));
        location.strip_prefix("https://app.example").unwrap().to_owned()
    })
}

/// Goes where the guard sends, and comes back from the provider.
async fn again(site: &Site, browser: &Browser) -> Outcome {
    let start = at_the_page(site, browser).unwrap_err();
    let round = site.begin_at(browser.clone(), &start).await;
    assert_eq!(
        (round.parameter("max_age"), round.parameter("prompt")),
        ("300".to_owned(), "login".to_owned())
    );
    round.finish().await
}

#[tokio::test]
async fn se_29_end_to_end_the_provider_asks_again_or_nothing_comes_of_it() {
    let site = Site::start().await;
    let ada = site.sign_in().await.browser;
    assert!(at_the_page(&site, &ada).is_ok());
    site.wait(361);

    let long_ago = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    for lie in [Lie::claim("auth_time", long_ago), Lie::no_claim("auth_time")] {
        site.provider().honest().lie(lie);
        let outcome = again(&site, &ada).await;
        assert_eq!(outcome.code().as_deref(), Some("id_token_invalid"));
        // The session is what it was, and the guard's answer too.
        assert_eq!(outcome.browser.cookie("__Host-vestibule"), ada.cookie("__Host-vestibule"));
        assert!(outcome.is_signed_in() && at_the_page(&site, &outcome.browser).is_err());
    }

    site.provider().honest();
    let outcome = again(&site, &ada).await;
    assert_eq!(outcome.response.get("location"), Some("https://app.example/pay"));
    let session = at_the_page(&site, &outcome.browser).unwrap();
    assert!(session.authenticated.is_some());
    assert_ne!(session.id, site.session_of(&ada).unwrap().id, "and it is a new session");
}

#[tokio::test]
async fn se_29_end_to_end_somebody_else_does_not_sign_in_again() {
    let site = Site::start().await;
    let ada = site.sign_in().await.browser;
    site.wait(361);
    site.provider().sign_in_as(Some("bob"));
    let outcome = again(&site, &ada).await;
    assert_eq!(outcome.code().as_deref(), Some("other_account"));
    assert_eq!(outcome.browser.cookie("__Host-vestibule"), ada.cookie("__Host-vestibule"));
}
