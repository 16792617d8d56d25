//! Sign-ins against answers of the provider. Replace them by what it has really given, with the secrets taken out.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

use provider_template::Example;
use vestibule::{
    identity::SignIn,
    plugin::*,
    provider::Provider as _,
    testkit::{self, Asked, Reaction},
    time::Timestamp,
};

const JSON: &str = "application/json";
const TOKENS: &str =
    r#"{"access_token":"access","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh"}"#;
const USER: &str = r#"{"id":7,"login":"ada","name":"Ada","email":"ada@example.com","email_verified":true}"#;
const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

fn example() -> Example {
    Example::new(&Url::parse("https://op.example").unwrap(), "client", "client secret")
}

fn honest(asked: &Asked) -> Reaction {
    match &*asked.url() {
        "https://op.example/oauth/token" => asked.answer(200, JSON, TOKENS),
        "https://op.example/api/user" => asked.answer(200, JSON, USER),
        other => panic!("the provider has no {other}"),
    }
}

fn sign_in(answer: impl FnMut(&Asked) -> Reaction) -> Result<SignIn, ProviderError> {
    let finish = async |http: Http| {
        let back_to = Url::parse("https://app.example/oauth2/callback").unwrap();
        let answered = testkit::answered("code", "nonce", "verifier", back_to, Vec::new());
        example().finish(&http, &answered).await
    };
    testkit::converse(NOW, finish, answer)
}

#[test]
fn the_set_up_is_sound() {
    assert_eq!(example().problems().len(), 0, "{:?}", example().problems());
}

#[test]
fn a_person_signs_in() {
    let identity = sign_in(honest).unwrap().identity;
    assert_eq!((&*identity.issuer, &*identity.subject), ("https://op.example", "7"));
    assert_eq!((identity.username.as_deref(), identity.name.as_deref()), (Some("ada"), Some("Ada")));
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("ada@example.com"), true));
}

#[test]
fn an_address_is_verified_by_the_provider_s_word_alone() {
    for word in ["false", "null", "1", "\"true\""] {
        let user = USER.replace("\"email_verified\":true", &format!("\"email_verified\":{word}"));
        let sign_in = sign_in(|asked| match asked.purpose() {
            Purpose::Profile => asked.answer(200, JSON, user.clone()),
            _ => honest(asked),
        });
        assert!(!sign_in.unwrap().identity.email_verified, "{word}");
    }
}

#[test]
fn a_refresh_asks_again_who_it_is() {
    let before = sign_in(honest).unwrap();
    let refreshed = |user: &'static str| {
        let before = before.clone();
        let refresh = async move |http: Http| example().refresh(&http, &before).await;
        testkit::converse(NOW, refresh, move |asked| match asked.purpose() {
            Purpose::Profile => asked.answer(200, JSON, user),
            _ => honest(asked),
        })
    };
    assert_eq!(refreshed(USER).unwrap().identity, before.identity);
    assert_eq!(refreshed(r#"{"id":8}"#).unwrap_err(), ProviderError::SubjectDiffers);
}
