//! The end of a token's life, by either protocol.

use vestibule::{
    conversation::Http,
    exchange::{HttpRequest, Purpose},
    identity::Tokens,
    provider::{OAuthError, Provider, ProviderError},
    testkit::converse,
};

use crate::x::{NOW, authorization, oauth1, response, twitter};

/// What becomes of it, and what was asked.
fn revoke(
    provider: impl Provider,
    tokens: Tokens,
    status: u16,
    body: &str,
) -> (Result<(), ProviderError>, Vec<HttpRequest>) {
    let mut asked = Vec::new();
    let part = async move |http: Http| provider.revoke(&http, &tokens).await;
    let outcome = converse(NOW, part, |question| {
        assert_eq!(question.purpose(), Purpose::Revocation);
        asked.push(question.request().unwrap().clone());
        question.respond(response(status, "application/json", body))
    });
    (outcome, asked)
}

fn pair() -> Tokens {
    let mut tokens = Tokens::new("access");
    tokens.token_secret = Some("secret".into());
    tokens
}

#[test]
fn a_token_of_oauth_2_is_taken_back_by_the_client_that_has_it() {
    let mut tokens = Tokens::new("access");
    tokens.refresh_token = Some("refresh".into());
    let (outcome, asked) = revoke(twitter().build().unwrap(), tokens, 200, r#"{"revoked":true}"#);
    assert_eq!(outcome, Ok(()));
    let [asked] = &asked[..] else { panic!() };
    assert_eq!(asked.uri(), "https://api.x.com/2/oauth2/revoke");
    assert!(String::from_utf8_lossy(asked.body()).contains("token=refresh"));
    assert!(asked.headers()["authorization"].to_str().unwrap().starts_with("Basic "));
}

#[test]
fn a_token_of_oauth_1_signs_its_own_end() {
    let (outcome, asked) = revoke(oauth1().build().unwrap(), pair(), 200, r#"{"access_token":"access"}"#);
    assert_eq!(outcome, Ok(()));
    let [asked] = &asked[..] else { panic!() };
    assert_eq!(asked.uri(), "https://api.x.com/1.1/oauth/invalidate_token");
    assert_eq!(authorization(asked)["oauth_token"], "access");
}

#[test]
fn a_token_that_has_ended_already_has_ended() {
    let ended = r#"{"errors":[{"code":89,"message":"Invalid or expired token."}]}"#;
    assert_eq!(revoke(oauth1().build().unwrap(), pair(), 401, ended).0, Ok(()));
    let (outcome, _) = revoke(oauth1().build().unwrap(), pair(), 401, "");
    assert_eq!(outcome, Err(ProviderError::Refused(OAuthError::InvalidClient)), "a signature, perhaps");
    let (outcome, _) = revoke(oauth1().build().unwrap(), pair(), 503, "");
    assert_eq!(outcome, Err(ProviderError::Unavailable { purpose: Purpose::Revocation, status: 503 }));
    let (outcome, asked) = revoke(oauth1().build().unwrap(), Tokens::new("access"), 200, "");
    assert_eq!((outcome, asked.len()), (Err(ProviderError::Unsupported), 0), "there is nothing to sign with");
}
