//! X's part in every row of `vestibule::testkit::ProviderKit`.

use serde_json::json;
use vestibule::{exchange::Purpose, testkit::ProviderKit};
use vestibule_twitter::{Builder, Twitter, TwitterOAuth1};

use crate::x::{credentials, me, response};

const CLIENT: &str = "the-client-of-the-kit";
const SECRET: &str = "the secret of the client of the kit";

fn token(refreshable: bool) -> String {
    let mut reply = json!({
        "token_type": "bearer",
        "expires_in": 7200,
        "access_token": "an-access-token-of-x",
        "scope": "users.read tweet.read users.email",
    });
    if refreshable {
        reply["refresh_token"] = json!("a-refresh-token-of-x");
    }
    reply.to_string()
}

fn oauth2(builder: Builder, refreshable: bool) -> ProviderKit {
    let x = builder.build().unwrap();
    let printed = format!("{x:?}");
    ProviderKit::new(x)
        .printed(printed)
        .client(CLIENT)
        .reply(Purpose::Token, 200, "application/json", token(refreshable))
        .reply(Purpose::Profile, 200, "application/json", me())
        .reply(Purpose::Revocation, 200, "application/json", r#"{"revoked":true}"#)
        .subject_at("/data/id")
        .always_verified("X gives out addresses that it has confirmed, and no others")
}

fn oauth1() -> ProviderKit {
    let x = TwitterOAuth1::builder(CLIENT, SECRET).build().unwrap();
    let printed = format!("{x:?}");
    let form = "text/html; charset=utf-8";
    ProviderKit::new(x)
        .printed(printed)
        .client(CLIENT)
        .client_secret(SECRET)
        .other_protocol("it is OAuth 1.0a")
        .reply(
            Purpose::Begin,
            200,
            form,
            "oauth_token=a-request-token&oauth_token_secret=the-secret-of-the-request-token&\
             oauth_callback_confirmed=true",
        )
        .reply(
            Purpose::Token,
            200,
            form,
            // As X's own page shows it, so that the profile alone says whose it is.
            "oauth_token=an-access-token-of-x&oauth_token_secret=the-secret-of-the-access-token",
        )
        .answer(Purpose::Profile, |_| response(200, "application/json", &credentials()))
        .reply(Purpose::Revocation, 200, "application/json", "{}")
        .subject_at("/id_str")
        .always_verified("X gives out addresses that it has verified, and no others")
        .does_not_apply("rfc7009_token_in_the_body", "the token is signed, in the `Authorization` header")
}

#[test]
fn oauth_2_passes_the_kit_with_a_secret_and_without() {
    oauth2(Twitter::builder(CLIENT).client_secret(SECRET), false).client_secret(SECRET).check();
    oauth2(Twitter::builder(CLIENT), false).check();
    oauth2(Twitter::builder(CLIENT).client_secret(SECRET).offline_access(), true)
        .client_secret(SECRET)
        .check();
}

#[test]
fn oauth_1_passes_the_kit() {
    oauth1().check();
}

#[test]
fn only_what_another_protocol_does_otherwise_is_left_out() {
    let report = oauth1().run();
    let text = report.to_string();
    let reasons = [
        "not OAuth 2",
        "not OpenID Connect",
        "there is no refresh token",
        "X gives out",
        "the token is signed",
    ];
    let others: Vec<_> = report
        .not_applicable()
        .into_iter()
        .filter(|row| !reasons.iter().any(|reason| text.contains(&format!("{row}: {reason}"))))
        .collect();
    let ending = ["nd_03_end_session_address", "end_session_returns", "lk_04_end_session_without_secrets"];
    assert_eq!(others, [&ending[..], &["lo_03_huge_hint"]].concat(), "{report}");
}
