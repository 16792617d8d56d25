//! OAuth 1.0a: what X is asked, what the browser takes along, and whom X names.

use std::collections::HashSet;

use url::Url;
use vestibule::{
    conversation::Http,
    exchange::HttpFailure,
    identity::Identity,
    provider::{AuthorizationRequest, Provider as _},
    secret::{CodeVerifier, Nonce, State},
    testkit::converse,
};

use crate::x::{
    ACCESS_TOKEN, NOW, NUMBER, REQUEST_TOKEN, X, authorization, credentials, oauth1, parameter, refused,
};

const PROFILE: &str = "/1.1/account/verify_credentials.json";

#[test]
fn somebody_signs_in_as_the_number_of_their_account_with_token_and_secret() {
    let mut x = X::oauth1();
    let response = x.sign_in_by_token();
    assert_eq!((response.status, response.get("location")), (303, Some("https://app.example/deep")));
    let identity = x.signed_in.clone().unwrap().identity.clone();
    assert_eq!((&*identity.issuer, &*identity.subject), ("https://x.com", NUMBER));
    assert_eq!(
        (identity.username.as_deref(), identity.name.as_deref()),
        (Some("XDevelopers"), Some("X Dev"))
    );
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("dev@x.example"), true));
    let tokens = x.tokens();
    assert_eq!(tokens.access_token.expose(), "2244994945-canary-kagSNqWge8gB1");
    assert_eq!(tokens.token_secret.unwrap().expose(), "canary-PbKfYqSryyeKDWz4ebtY");
    assert_eq!(tokens.expires, None, "it does not end by itself");
    assert!(x.is_signed_in());
}

#[test]
fn each_request_carries_what_its_step_needs_and_a_nonce_of_its_own() {
    let mut x = X::oauth1();
    let location = x.begin();
    assert_eq!(location.as_str().split('?').next(), Some("https://api.x.com/oauth/authenticate"));
    let token = parameter(&location, "oauth_token");
    assert_eq!(location.query_pairs().count(), 1);
    x.wait(7);
    x.visit(&format!("/oauth2/callback?oauth_token={token}&oauth_verifier=canary-verifier"));
    assert_eq!(x.paths(), ["/oauth/request_token", "/oauth/access_token", PROFILE]);
    let [begin, access, profile] = [0, 1, 2].map(|step| authorization(&x.asked[step]));
    assert_eq!(begin["oauth_callback"], "https://app.example/oauth2/callback");
    assert!(!begin.contains_key("oauth_token"));
    assert_eq!((&access["oauth_token"], &*access["oauth_verifier"]), (&token, "canary-verifier"));
    assert_eq!(profile["oauth_token"], "2244994945-canary-kagSNqWge8gB1");
    assert_eq!(x.asked[2].uri().query(), Some("include_email=true&skip_status=true&include_entities=false"));
    let nonces: HashSet<_> = [&begin, &access, &profile].map(|sent| &sent["oauth_nonce"]).into();
    assert_eq!(nonces.len(), 3);
    let times = [&begin, &access, &profile].map(|sent| &*sent["oauth_timestamp"]);
    assert_eq!(times, ["1800000000", "1800000007", "1800000007"]);
    let methods: Vec<_> = x.asked.iter().map(|request| request.method().as_str()).collect();
    assert_eq!(methods, ["POST", "POST", "GET"]);
    // Somebody else's sign-in in the same second.
    let mut other = X::oauth1();
    other.visit("/");
    other.begin();
    assert_ne!(authorization(&other.asked[0])["oauth_nonce"], begin["oauth_nonce"]);
}

#[test]
fn a_callback_that_x_does_not_confirm_is_not_gone_to() {
    for reply in [
        REQUEST_TOKEN.replace("=true", "=false"),
        REQUEST_TOKEN.replace("&oauth_callback_confirmed=true", ""),
        REQUEST_TOKEN.replace("=true", "=true&oauth_callback_confirmed=true"),
        REQUEST_TOKEN.replace("oauth_token_secret", "other"),
        REQUEST_TOKEN.replace("oauth_token=", "oauth_token=&x="),
        "<html>".to_owned(),
        String::new(),
    ] {
        let mut x = X::oauth1().answering("/oauth/request_token", 200, "text/html", &*reply);
        let response = x.visit("/oauth2/start");
        assert_eq!(refused(&response), (502, "provider_answer_invalid".into()), "{reply}");
        assert_eq!(response.get("location"), None);
    }
}

#[test]
fn a_cancelled_sign_in_is_told_as_one_and_asks_nobody() {
    let mut x = X::oauth1();
    let token = parameter(&x.begin(), "oauth_token");
    let response = x.visit(&format!("/oauth2/callback?denied={token}"));
    assert_eq!(refused(&response), (403, "access_denied".into()));
    assert_eq!(x.paths(), ["/oauth/request_token"]);
}

#[test]
fn a_verifier_is_sent_once_whatever_becomes_of_the_answer() {
    for failure in [HttpFailure::TimedOut, HttpFailure::Broken] {
        let mut x = X::oauth1().silent_at("/oauth/access_token", failure);
        assert_eq!(refused(&x.sign_in_by_token()), (503, "provider_unreachable".into()));
        assert_eq!(x.paths(), ["/oauth/request_token", "/oauth/access_token"]);
        assert!(!x.is_signed_in());
    }
}

#[test]
fn an_app_that_may_not_ask_for_more_knows_number_and_name() {
    let reply = r#"{"errors":[{"message":"You currently have access to a subset of X API V2 endpoints","code":453}]}"#;
    let mut x = X::oauth1().answering(PROFILE, 403, "application/json", reply);
    assert_eq!(x.sign_in_by_token().status, 303);
    let identity = x.signed_in.clone().unwrap().identity.clone();
    assert_eq!((&*identity.subject, identity.username.as_deref()), (NUMBER, Some("XDevelopers")));
    assert_eq!((identity.email, identity.email_verified), (None, false));

    let mut unasked = X::with(oauth1().without_profile().build().unwrap());
    assert_eq!(unasked.sign_in_by_token().status, 303);
    assert_eq!(unasked.paths(), ["/oauth/request_token", "/oauth/access_token"]);
    assert_eq!(unasked.signed_in.clone().unwrap().identity, known(NUMBER));
}

fn known(number: &str) -> Identity {
    Identity::new(number).issuer("https://x.com").username("XDevelopers".to_owned())
}

#[test]
fn whoever_the_profile_is_about_is_whoever_the_token_is_from() {
    let other = credentials().replace(NUMBER, "7");
    let mut x = X::oauth1().answering(PROFILE, 200, "application/json", other);
    assert_eq!(refused(&x.sign_in_by_token()), (502, "subject_mismatch".into()));
    assert!(!x.is_signed_in());
    // Where X leaves the number out of the token's reply, as its own page shows it, the profile has it.
    let bare = ACCESS_TOKEN.split("&user_id").next().unwrap();
    let mut x = X::oauth1().answering("/oauth/access_token", 200, "text/html", bare);
    assert_eq!(x.sign_in_by_token().status, 303);
    assert_eq!(x.signed_in.clone().unwrap().identity.subject, NUMBER);
    let mut x = X::with(oauth1().without_profile().build().unwrap()).answering(
        "/oauth/access_token",
        200,
        "text/html",
        bare,
    );
    assert_eq!(refused(&x.sign_in_by_token()), (502, "provider_answer_invalid".into()));
}

#[test]
fn an_address_that_x_does_not_give_is_none() {
    for reply in [
        credentials().replace("\"dev@x.example\"", "null"),
        credentials().replace("dev@x.example", ""),
        credentials().replace("email", "other"),
    ] {
        let mut x = X::oauth1().answering(PROFILE, 200, "application/json", reply);
        assert_eq!(x.sign_in_by_token().status, 303);
        let identity = x.signed_in.clone().unwrap().identity.clone();
        assert_eq!((identity.email, identity.email_verified), (None, false));
    }
}

#[test]
fn somebody_who_shall_say_anew_who_they_are_gives_their_password() {
    for (prompt, hint, expected) in [
        (None, None, vec!["oauth_token"]),
        (Some("none"), None, vec!["oauth_token"]),
        (Some("login"), None, vec!["oauth_token", "force_login"]),
        (Some("select_account"), Some("XDevelopers"), vec!["oauth_token", "force_login", "screen_name"]),
    ] {
        let redirect_uri = Url::parse("https://app.example/oauth2/callback").unwrap();
        let (state, nonce) = (State::new("state"), Nonce::new("nonce"));
        let mut request =
            AuthorizationRequest::new(state, nonce, CodeVerifier::new("verifier"), redirect_uri);
        request.prompt = prompt.map(str::to_owned);
        request.login_hint = hint.map(str::to_owned);
        let provider = oauth1().build().unwrap();
        let begin = async move |http: Http| provider.begin(&http, &request).await;
        let begun = converse(NOW, begin, |asked| asked.answer(200, "text/html", REQUEST_TOKEN)).unwrap();
        let names: Vec<_> = begun.location.query_pairs().map(|(name, _)| name.into_owned()).collect();
        assert_eq!(names, expected);
    }
}

#[test]
fn no_secret_is_ever_printed() {
    let mut x = X::oauth1();
    x.sign_in_by_token();
    assert!(x.printed.contains("/oauth/access_token"));
    assert!(!x.printed.contains("canary"), "{}", x.printed);
}
