//! The end of tokens. The end of the issuer's own session is looked at beside the code.

use vestibule::{
    exchange::Purpose,
    identity::Tokens,
    provider::{Provider as _, ProviderError},
    secret::Secret,
    testkit,
};
use vestibule_oidc::Oidc;

use crate::{
    mint::{CLIENT, ISSUER},
    op::{Answer, Op, client},
};

fn revoke(op: &Op, oidc: Oidc, tokens: Tokens) -> Result<(), ProviderError> {
    testkit::converse(op.now(), async move |http| oidc.revoke(&http, &tokens).await, |asked| op.answer(asked))
}

fn tokens() -> Tokens {
    let mut tokens = Tokens::new("access-token");
    tokens.refresh_token = Some(Secret::new("refresh-token"));
    tokens
}

fn form(op: &Op) -> Vec<(String, String)> {
    let request = op.came(Purpose::Revocation).remove(0).request.unwrap();
    url::form_urlencoded::parse(request.body()).into_owned().collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn the_refresh_token_is_revoked_and_with_it_the_others() {
    let op = Op::honest();
    revoke(&op, client(), tokens()).unwrap();
    assert_eq!(form(&op), [pair("token", "refresh-token"), pair("token_type_hint", "refresh_token")]);
    let request = op.came(Purpose::Revocation).remove(0).request.unwrap();
    assert_eq!(request.uri().to_string(), "https://op.example/revoke");
    assert!(request.headers()["authorization"].to_str().unwrap().starts_with("Basic "));
    let op = Op::honest();
    revoke(&op, client(), Tokens::new("access-token")).unwrap();
    assert_eq!(form(&op), [pair("token", "access-token"), pair("token_type_hint", "access_token")]);
}

#[test]
fn an_issuer_without_revocation_is_not_asked() {
    let op = Op::honest().without_metadata("revocation_endpoint");
    assert_eq!(revoke(&op, client(), tokens()), Ok(()));
    assert!(op.came(Purpose::Revocation).is_empty());
    let op = Op::honest().metadata("revocation_endpoint", "http://op.example/revoke");
    assert!(revoke(&op, client(), tokens()).is_err());
    assert!(op.came(Purpose::Revocation).is_empty());
}

#[test]
fn a_revocation_that_fails_says_so() {
    let mut op = Op::honest();
    op.revocation = Answer::Body(503, "text/plain", Vec::new());
    let expected = ProviderError::Unavailable { purpose: Purpose::Revocation, status: 503 };
    assert_eq!(revoke(&op, client(), tokens()), Err(expected));
}

#[test]
fn a_development_issuer_on_this_machine_is_asked_over_http() {
    let mut op = Op::honest();
    op.metadata =
        serde_json::from_str(&op.metadata.to_string().replace(ISSUER, "http://127.0.0.1:9000")).unwrap();
    revoke(&op, Oidc::builder("http://127.0.0.1:9000", CLIENT).build().unwrap(), tokens()).unwrap();
    assert_eq!(op.came(Purpose::Revocation)[0].url, "http://127.0.0.1:9000/revoke");
}
