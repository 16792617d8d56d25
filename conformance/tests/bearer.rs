//! Tokens of API clients from end to end: an issuer that can lie, its keys over the network, the driver and its cache.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use vestibule::{
    Vestibule,
    driver::{AdmitAll, Driver},
    request::PlainHead,
    response::Response,
    seal::KeyRing,
};
use vestibule_conformance::{Behaviour, Endpoint, Lie, Log, Secret, Signing, Site, client};
use vestibule_oidc::Oidc;

/// An API that the site's provider issues tokens for: it knows nothing of the site's sessions.
fn api(site: &Site) -> Driver {
    let issuer = || Oidc::builder(site.provider().issuer(), client::ID);
    let vestibule = Vestibule::builder(client::REDIRECT_URI)
        .keys(KeyRing::new(["the secret of an API that lives for one test"]).unwrap())
        .provider(issuer().client_secret(client::SECRET).build().unwrap())
        .bearer(issuer().id("machines").build_bearer().unwrap())
        .build()
        .unwrap();
    Driver::new(vestibule, site.host().clone(), AdmitAll)
}

async fn ask(api: &Driver, token: &str) -> Response {
    let head = PlainHead::fetch("/oauth2/auth").with("authorization", format!("Bearer {token}"));
    let no_body = futures_util::stream::empty::<Result<&[u8], std::convert::Infallible>>();
    api.answer(&head, no_body).await
}

/// The last ID token that the provider issued.
fn id_token(site: &Site) -> String {
    let issued = site.provider().issued().into_iter();
    issued.rev().find(|issued| issued.kind == Secret::IdToken).unwrap().value
}

#[tokio::test]
async fn a_token_lets_its_bearer_in_until_it_ends_and_its_keys_are_fetched_once() {
    let log = Log::listen();
    let site = Site::start().await;
    let signed_in = site.sign_in().await;
    let subject = site.session_of(&signed_in.browser).unwrap().identity.subject;
    let (token, api) = (id_token(&site), api(&site));
    let before = site.asked().len();
    for _ in 0..3 {
        let response = ask(&api, &token).await;
        assert_eq!(response.status, 202, "{response:?}");
        assert_eq!(response.get("x-auth-request-user"), Some(subject.as_str()));
    }
    assert_eq!(site.asked()[before..], [Endpoint::Metadata, Endpoint::Keys]);
    site.wait(100 * 60 * 60);
    let response = ask(&api, &token).await;
    assert_eq!(
        (response.status, response.get("www-authenticate")),
        (401, Some("Bearer error=\"invalid_token\""))
    );
    let log = log.text();
    assert!(log.contains("bearer_invalid") && log.contains("it has ended"), "{log}");
    assert!(!log.contains(&token), "a token stands in the log");
}

#[tokio::test]
async fn jt_01_jt_21_what_the_issuer_did_not_sign_lets_nobody_in() {
    let site = Site::start().await;
    let api = api(&site);
    for signing in [Signing::OtherKey, Signing::Unsigned] {
        site.provider().honest().lie(Lie::from(signing));
        assert!(!site.sign_in().await.is_signed_in());
        let response = ask(&api, &id_token(&site)).await;
        assert_eq!(response.status, 401, "{response:?}");
    }
    site.provider().honest();
    assert!(site.sign_in().await.is_signed_in());
    assert_eq!(ask(&api, &id_token(&site)).await.status, 202, "an honest one after them");
}

#[tokio::test]
async fn nd_05_an_issuer_that_is_down_refuses_nobody_whose_keys_are_known() {
    let site = Site::start().await;
    assert!(site.sign_in().await.is_signed_in());
    let (token, known, unknown) = (id_token(&site), api(&site), api(&site));
    assert_eq!(ask(&known, &token).await.status, 202);
    let down = Behaviour::answer(503, "down");
    site.provider().lie(Lie::At(Endpoint::Keys, down.clone())).lie(Lie::At(Endpoint::Metadata, down));
    assert_eq!(ask(&known, &token).await.status, 202);
    assert_eq!(ask(&unknown, &token).await.status, 503, "an outage is no refusal");
}
