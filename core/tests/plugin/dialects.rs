//! Token replies as providers really send them.

use vestibule::{
    exchange::Purpose,
    identity::{Identity, SignIn, Tokens},
    oauth2::OAuth2Spec,
    provider::{OAuthError, ProviderError},
    testkit::Asked,
};

use crate::op::{JSON, NOW, Plain, finish, honest, refresh, spec};

const FORM: &str = "application/x-www-form-urlencoded";

fn tokens(spec: OAuth2Spec, status: u16, media_type: &str, body: &str) -> Result<Tokens, ProviderError> {
    let answer = |asked: &Asked| match asked.purpose() {
        Purpose::Token | Purpose::Refresh => asked.answer(status, media_type, body),
        _ => honest(asked),
    };
    finish(Plain(spec), answer).0.map(|sign_in| sign_in.tokens)
}

#[test]
fn replies_that_say_the_same_come_out_the_same() {
    let mut expected = Tokens::new("a");
    expected.expires = Some(NOW.after(std::time::Duration::from_secs(3_600)));
    expected.scopes = vec!["x".into(), "y".into()];
    for (media_type, body) in [
        (JSON, r#"{"access_token":"a","token_type":"bearer","expires_in":3600,"scope":"x y"}"#),
        (JSON, r#"{"access_token":"a","token_type":"Bearer","expires_in":"3600","scope":"x,y"}"#),
        (JSON, r#"{"access_token":"a","token_type":"BEARER","expires_in":3600,"scope":["x","y"]}"#),
        ("text/plain", r#"{"access_token":"a","token_type":"bearer","expires_in":3600,"scope":"x y"}"#),
        (FORM, "access_token=a&token_type=bearer&expires_in=3600&scope=x%2Cy"),
    ] {
        assert_eq!(tokens(spec(), 200, media_type, body).as_ref(), Ok(&expected), "{body}");
    }
}

#[test]
fn an_error_is_one_whatever_its_status_and_form() {
    for (status, media_type, body) in [
        (400, JSON, r#"{"error":"invalid_grant"}"#),
        (200, JSON, r#"{"error":"invalid_grant","access_token":"a","token_type":"bearer"}"#),
        (200, FORM, "error=bad_verification_code"),
    ] {
        let expected = Err(ProviderError::Refused(OAuthError::InvalidGrant));
        assert_eq!(tokens(spec(), status, media_type, body), expected, "{body}");
    }
}

#[test]
fn a_reply_without_a_token_type_counts_where_the_plugin_says_so() {
    let reply = r#"{"access_token":"a"}"#;
    assert!(matches!(tokens(spec(), 200, JSON, reply), Err(ProviderError::Broken { .. })));
    let lenient = || spec().token_type_may_be_missing();
    assert_eq!(tokens(lenient(), 200, JSON, reply), Ok(Tokens::new("a")));
    for other in ["mac", "DPoP", "N_A"] {
        let reply = format!(r#"{{"access_token":"a","token_type":"{other}"}}"#);
        let result = tokens(lenient(), 200, JSON, &reply);
        assert!(matches!(result, Err(ProviderError::Broken { .. })), "{other}: {result:?}");
    }
}

#[test]
fn an_error_means_what_the_plugin_says_it_means_there_and_nowhere_else() {
    let reply = r#"{"error":"unauthorized_client"}"#;
    let spec = || spec().token_error(Purpose::Refresh, "unauthorized_client", OAuthError::InvalidGrant);
    let refused = |error| Err(ProviderError::Refused(error));
    assert_eq!(tokens(spec(), 400, JSON, reply), refused(OAuthError::UnauthorizedClient));
    let before = || {
        let mut tokens = Tokens::new("a");
        tokens.refresh_token = Some("r".into());
        SignIn::new("op", Identity::new(7), tokens)
    };
    let at_refresh = |body: &'static str| {
        refresh(Plain(spec()), before(), move |asked| asked.answer(400, JSON, body))
            .0
            .map(|sign_in| sign_in.tokens)
    };
    assert_eq!(at_refresh(reply), refused(OAuthError::InvalidGrant));
    assert_eq!(at_refresh(r#"{"error":"invalid_client"}"#), refused(OAuthError::InvalidClient));
}
