//! Sign-ins against a Gitea below a path, with its replies as they are.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

use provider_gitea::Gitea;
use vestibule::{
    identity::SignIn,
    plugin::*,
    provider::{AuthorizationRequest, Provider as _},
    secret::{CodeVerifier, Nonce, State},
    testkit::{self, Asked, Reaction},
    time::Timestamp,
};

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
const NEXT: &str = r#"<https://git.example/forge/api/v1/user/orgs?page=2>; rel="next",<https://git.example/forge/api/v1/user/orgs?page=2>; rel="last""#;
const JSON: &str = "application/json;charset=utf-8";

fn gitea() -> Gitea {
    let base = Url::parse("https://git.example/forge/").unwrap();
    Gitea::new(&base, "dd7c31b1-6d8a-4b6f-9b26-9a8a3e3b3a3e", "gto_canary")
}

fn redirect_uri() -> Url {
    Url::parse("https://app.example/oauth2/callback").unwrap()
}

/// Everything as it should be.
fn honest(asked: &Asked) -> Reaction {
    let path = asked.url().strip_prefix("https://git.example/forge/").unwrap_or_default().to_owned();
    match &*path {
        "login/oauth/access_token" => asked.answer(200, JSON, include_str!("replies/token.json")),
        "api/v1/user" => asked.answer(200, JSON, include_str!("replies/user.json")),
        "api/v1/user/emails" => asked.answer(200, JSON, include_str!("replies/emails.json")),
        "api/v1/user/orgs" => {
            let page = http::Response::builder().header("link", NEXT).header("x-total-count", "2");
            asked.respond(page.body(include_str!("replies/orgs-1.json").into()).unwrap())
        }
        "api/v1/user/orgs?page=2" => asked.answer(200, JSON, include_str!("replies/orgs-2.json")),
        _ => asked.answer(404, JSON, r#"{"message":"Not Found"}"#),
    }
}

fn sign_in(answer: impl FnMut(&Asked) -> Reaction) -> Result<SignIn, ProviderError> {
    let finish = async |http: Http| {
        let answered = testkit::answered("gta_code", "nonce", "verifier", redirect_uri(), Vec::new());
        gitea().finish(&http, &answered).await
    };
    testkit::converse(NOW, finish, answer)
}

#[test]
fn the_browser_goes_to_the_instance_with_pkce() {
    let verifier = CodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let request = AuthorizationRequest::new(State::new("s"), Nonce::new("n"), verifier, redirect_uri());
    let begin = async move |http: Http| gitea().begin(&http, &request).await;
    let begun = testkit::converse(NOW, begin, |asked| panic!("{} is asked", asked.url())).unwrap();
    let location = begun.location.as_str();
    assert!(location.starts_with("https://git.example/forge/login/oauth/authorize?"), "{location}");
    for part in ["scope=read%3Auser+read%3Aorganization", "code_challenge_method=S256", "state=s"] {
        assert!(location.contains(part), "{part} is not in {location}");
    }
}

#[test]
fn a_person_signs_in_with_proven_address_and_organisations() {
    let sign_in = sign_in(honest).unwrap();
    let identity = &sign_in.identity;
    assert_eq!((&*identity.issuer, &*identity.subject), ("https://git.example/forge", "42"));
    assert_eq!((identity.username.as_deref(), identity.name.as_deref()), (Some("ada"), Some("Ada Lovelace")));
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("ada@example.com"), true));
    assert_eq!(identity.groups, ["engines", "looms"]);
    assert!(identity.picture.as_ref().unwrap().starts_with("https://git.example/forge/avatars/"));
    assert!(sign_in.tokens.expires.is_some() && sign_in.tokens.refresh_token.is_some());
}

#[test]
fn an_address_that_is_not_proven_or_not_the_first_does_not_count() {
    for emails in [
        r#"[{"email":"ada@example.com","verified":false,"primary":true}]"#,
        r#"[{"email":"ada@example.com","verified":true,"primary":false}]"#,
        r#"[{"email":"ada@example.com","verified":"true","primary":true}]"#,
        "[]",
    ] {
        let sign_in = sign_in(|asked| match asked.purpose() {
            Purpose::Emails => asked.answer(200, JSON, emails),
            _ => honest(asked),
        });
        let identity = sign_in.unwrap().identity;
        assert_eq!((identity.email, identity.email_verified), (None, false), "{emails}");
    }
}

#[test]
fn a_refresh_asks_who_the_person_is_now() {
    let before = sign_in(honest).unwrap();
    let refreshed = |answer: fn(&Asked) -> Reaction| {
        let before = before.clone();
        let refresh = async move |http: Http| gitea().refresh(&http, &before).await;
        testkit::converse(NOW, refresh, answer)
    };
    assert_eq!(refreshed(honest).unwrap().identity, before.identity);
    let spent = refreshed(|asked| match asked.purpose() {
        Purpose::Refresh => asked.answer(400, JSON, include_str!("replies/token-spent.json")),
        _ => honest(asked),
    });
    assert_eq!(spent.unwrap_err(), ProviderError::Refused(OAuthError::InvalidGrant));
}

#[test]
fn what_gitea_refuses_is_told_as_what_it_is() {
    let refused = |status: u16, body: &'static str| {
        sign_in(move |asked| match asked.purpose() {
            Purpose::Token => asked.answer(status, JSON, body),
            _ => honest(asked),
        })
        .unwrap_err()
    };
    let spent = r#"{"error":"invalid_grant","error_description":"authorization code already used"}"#;
    assert_eq!(refused(400, spent), ProviderError::Refused(OAuthError::InvalidGrant));
    let secret = r#"{"error":"unauthorized_client","error_description":"invalid client secret"}"#;
    assert_eq!(refused(400, secret), ProviderError::Refused(OAuthError::UnauthorizedClient));
    let down = ProviderError::Unavailable { purpose: Purpose::Token, status: 502 };
    assert_eq!(refused(502, "<html>"), down);
}

#[test]
fn the_set_up_is_sound_and_prints_no_secret() {
    assert!(gitea().problems().is_empty());
    assert!(!format!("{:?}", gitea()).contains("canary"));
}
