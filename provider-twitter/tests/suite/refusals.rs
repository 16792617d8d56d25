//! What X refuses, and what its answers must not be.

use crate::x::{ACCESS_TOKEN, X, me, refused};

const PROFILE: &str = "/1.1/account/verify_credentials.json";
const CODED: fn(u32) -> String = |code| format!(r#"{{"errors":[{{"code":{code},"message":"canary"}}]}}"#);

#[test]
fn a_spent_code_asks_for_another_sign_in() {
    let reply = r#"{"error":"invalid_request",
        "error_description":"Value passed for the authorization code was invalid."}"#;
    let mut x = X::oauth2().answering("/2/oauth2/token", 400, "application/json", reply);
    assert_eq!(refused(&x.sign_in()), (502, "token_refused".into()));
    assert_eq!(x.detail(), "the provider refused: invalid_grant", "X calls it a malformed request");
    assert_eq!(x.paths(), ["/2/oauth2/token"]);
    assert!(!x.is_signed_in());
}

#[test]
fn a_client_without_its_secret_is_told_so() {
    let reply = r#"{"error":"unauthorized_client","error_description":"Missing valid authorization header"}"#;
    let mut x = X::oauth2().answering("/2/oauth2/token", 401, "application/json", reply);
    assert_eq!(refused(&x.sign_in()).1, "token_refused");
    assert_eq!(x.detail(), "the provider refused: unauthorized_client");
}

#[test]
fn too_many_questions_are_to_be_asked_again_later() {
    let reply =
        r#"{"title":"Too Many Requests","detail":"Too Many Requests","type":"about:blank","status":429}"#;
    let mut x = X::oauth2().answering("/2/users/me", 429, "application/problem+json", reply);
    assert_eq!(refused(&x.sign_in()), (503, "provider_unreachable".into()));
    assert_eq!(x.detail(), "profile: the provider answered with status 429");
    assert_eq!(x.paths().len(), 2, "it is not asked again");

    let limited = CODED(88);
    for path in ["/oauth/access_token", PROFILE] {
        let mut x = X::oauth1().answering(path, 429, "application/json", &*limited);
        assert_eq!(refused(&x.sign_in_by_token()), (503, "provider_unreachable".into()), "{path}");
        assert!(x.detail().ends_with("status 429"), "{}", x.detail());
        assert!(!x.is_signed_in());
    }
    let mut x = X::oauth1().answering("/oauth/request_token", 429, "application/json", limited);
    assert_eq!(refused(&x.visit("/oauth2/start")), (503, "provider_unreachable".into()));
}

#[test]
fn a_profile_that_names_no_account_signs_nobody_in() {
    for reply in [
        r#"{"data":{"id":"","name":"A","username":"a"}}"#.to_owned(),
        r#"{"data":{"id":"seven","name":"A","username":"a"}}"#.to_owned(),
        r#"{"data":{"id":7,"name":"A","username":"a"}}"#.to_owned(),
        r#"{"data":{"name":"A","username":"a"}}"#.to_owned(),
        r#"{"data":{"id":"7"},"data":{"id":"8"}}"#.to_owned(),
        r#"{"errors":[{"title":"Not Found Error"}]}"#.to_owned(),
        me().replace("2244994945", &"9".repeat(21)),
        "<html>".to_owned(),
    ] {
        let mut x = X::oauth2().answering("/2/users/me", 200, "application/json", &*reply);
        assert_eq!(refused(&x.sign_in()), (502, "provider_answer_invalid".into()), "{reply}");
        assert!(!x.is_signed_in());
    }
}

#[test]
fn an_access_token_without_its_account_or_secret_signs_nobody_in() {
    for reply in [
        ACCESS_TOKEN.replace("user_id=2244994945", "user_id=2244994945&user_id=7"),
        ACCESS_TOKEN.replace("user_id=2244994945", "user_id=XDevelopers"),
        ACCESS_TOKEN.replace("oauth_token_secret", "other"),
        "{}".to_owned(),
    ] {
        let mut x = X::oauth1().answering("/oauth/access_token", 200, "text/html", &*reply);
        let refused = refused(&x.sign_in_by_token());
        assert!(
            ["provider_answer_invalid", "subject_mismatch"].contains(&&*refused.1),
            "{reply}: {refused:?}"
        );
        assert!(!x.is_signed_in());
    }
}

#[test]
fn what_x_refuses_before_the_browser_goes_there_is_the_app() {
    let text = "application/json";
    for (status, body, code, detail) in [
        (401, CODED(32), "provider_refused", "the provider refused: invalid_client"),
        (
            401,
            "Failed to validate oauth signature and token".into(),
            "provider_refused",
            "the provider refused: invalid_client",
        ),
        (403, CODED(415), "provider_refused", "the provider refused: redirect_uri_mismatch"),
        (401, CODED(135), "provider_misconfigured", "clock: set this machine's clock"),
        (403, String::new(), "provider_refused", "the provider refused: other"),
        (302, String::new(), "provider_answer_invalid", "begin: it redirects"),
        (500, String::new(), "provider_unreachable", "begin: the provider answered with status 500"),
    ] {
        let mut x = X::oauth1().answering("/oauth/request_token", status, text, &*body);
        assert_eq!(refused(&x.visit("/oauth2/start")).1, code, "{status} {body}");
        assert!(x.detail().starts_with(detail), "{}", x.detail());
        assert!(!x.detail().contains("canary"));
    }
}

#[test]
fn a_signature_that_x_does_not_take_is_not_a_spent_verifier() {
    for (body, detail) in
        [(String::new(), "invalid_grant"), (CODED(89), "invalid_grant"), (CODED(32), "invalid_client")]
    {
        let mut x = X::oauth1().answering("/oauth/access_token", 401, "application/json", &*body);
        x.sign_in_by_token();
        assert_eq!(x.detail(), format!("the provider refused: {detail}"), "{body}");
    }
}

#[test]
fn a_spent_verifier_is_refused_and_a_suspended_account_too() {
    for (path, status, body, code) in [
        ("/oauth/access_token", 401, CODED(89), "token_refused"),
        ("/oauth/access_token", 401, "Error processing your OAuth request".into(), "token_refused"),
        ("/oauth/access_token", 403, String::new(), "token_refused"),
        (PROFILE, 401, CODED(89), "provider_answer_invalid"),
        (PROFILE, 403, CODED(64), "provider_answer_invalid"),
        (PROFILE, 403, "453".into(), "provider_answer_invalid"),
        (PROFILE, 200, CODED(453), "provider_answer_invalid"),
    ] {
        let mut x = X::oauth1().answering(path, status, "application/json", &*body);
        assert_eq!(refused(&x.sign_in_by_token()).1, code, "{path} {status} {body}");
        assert!(!x.is_signed_in());
    }
}
