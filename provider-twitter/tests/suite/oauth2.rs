//! OAuth 2.0: what X is asked, how often, and whom it names.

use vestibule::exchange::HttpFailure;
use vestibule_twitter::Twitter;

use crate::x::{NUMBER, X, me, parameter, refused, token_reply, twitter};

#[test]
fn somebody_signs_in_as_the_number_of_their_account() {
    let mut x = X::oauth2();
    let response = x.sign_in();
    assert_eq!((response.status, response.get("location")), (303, Some("https://app.example/deep")));
    let sign_in = x.signed_in.clone().unwrap();
    let identity = &sign_in.identity;
    assert_eq!((&*identity.issuer, &*identity.subject), ("https://x.com", NUMBER));
    assert_eq!(
        (identity.username.as_deref(), identity.name.as_deref()),
        (Some("XDevelopers"), Some("X Dev"))
    );
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("dev@x.example"), true));
    assert!(identity.picture.as_deref().unwrap().starts_with("https://pbs.twimg.com/"));
    assert_eq!(sign_in.tokens.scopes, ["users.read", "tweet.read", "users.email"]);
    assert_eq!(sign_in.tokens.expires.unwrap().since(x.now).as_secs(), 7200);
    assert_eq!((sign_in.tokens.refresh_token.as_ref(), sign_in.tokens.token_secret.as_ref()), (None, None));
}

#[test]
fn the_browser_goes_to_x_with_pkce_and_a_state_that_x_takes() {
    let mut x = X::oauth2();
    let location = x.begin();
    assert_eq!(location.as_str().split('?').next(), Some("https://x.com/i/oauth2/authorize"));
    assert_eq!(parameter(&location, "scope"), "tweet.read users.read users.email");
    assert_eq!(parameter(&location, "code_challenge_method"), "S256");
    assert_eq!(parameter(&location, "code_challenge").len(), 43);
    assert_eq!(parameter(&location, "response_type"), "code");
    assert_eq!(parameter(&location, "redirect_uri"), "https://app.example/oauth2/callback");
    // However long the address is that the browser wanted to see, it is not in there.
    let long = format!("/oauth2/start?rd=/{}", "long".repeat(400));
    let location = url::Url::parse(x.visit(&long).get("location").unwrap()).unwrap();
    let state = parameter(&location, "state");
    assert!((43..=500).contains(&state.len()), "{} characters", state.len());
    let refreshed = X::with(twitter().offline_access().build().unwrap()).begin();
    assert_eq!(parameter(&refreshed, "scope"), "tweet.read users.read users.email offline.access");
}

#[test]
fn the_token_call_comes_first_and_is_never_repeated() {
    let mut x = X::oauth2();
    x.sign_in();
    assert_eq!(x.paths(), ["/2/oauth2/token", "/2/users/me"]);
    for failure in [HttpFailure::TimedOut, HttpFailure::Broken, HttpFailure::Connect] {
        let mut x = X::oauth2().silent_at("/2/oauth2/token", failure);
        assert_eq!(refused(&x.sign_in()), (503, "provider_unreachable".into()));
        assert_eq!(x.paths(), ["/2/oauth2/token"], "{failure}");
    }
    let mut x = X::oauth2().answering("/2/oauth2/token", 503, "text/html", "Over capacity");
    x.sign_in();
    assert_eq!(x.paths(), ["/2/oauth2/token"]);
}

#[test]
fn who_signed_in_is_asked_once_a_sign_in_and_never_for_a_session() {
    let mut x = X::oauth2();
    x.sign_in();
    for _ in 0..20 {
        assert!(x.is_signed_in());
        assert_eq!(x.visit("/oauth2/userinfo").status, 200);
    }
    let asked: Vec<_> = x.asked.iter().filter(|request| request.uri().path() == "/2/users/me").collect();
    let [only] = asked[..] else { panic!("{} questions", asked.len()) };
    assert_eq!(only.uri().query(), Some("user.fields=confirmed_email%2Cprofile_image_url"));
    assert_eq!(only.headers()["authorization"], "Bearer canary-access-token");
}

#[test]
fn a_confidential_client_shows_its_secret_in_the_header_only() {
    let mut x = X::oauth2();
    x.sign_in();
    let body = String::from_utf8(x.asked[0].body().clone()).unwrap();
    let header = x.asked[0].headers()["authorization"].to_str().unwrap();
    assert!(header.starts_with("Basic "), "{header}");
    assert!(!body.contains("canary-client-secret") && body.contains("code=canary-code"), "{body}");
    assert!(body.contains("code_verifier="), "{body}");
}

#[test]
fn a_public_client_names_itself_in_the_form() {
    let mut x = X::with(Twitter::builder("client-id").build().unwrap());
    assert_eq!(x.sign_in().status, 303);
    let body = String::from_utf8(x.asked[0].body().clone()).unwrap();
    assert!(body.contains("client_id=client-id"), "{body}");
    assert!(!x.asked[0].headers().contains_key("authorization"));
}

#[test]
fn an_address_is_verified_where_x_has_confirmed_one_and_missing_otherwise() {
    let without = me().replace("confirmed_email", "email");
    let null = me().replace("\"dev@x.example\"", "null");
    let empty = me().replace("dev@x.example", "");
    for reply in [without, null, empty] {
        let mut x = X::oauth2().answering("/2/users/me", 200, "application/json", reply);
        assert_eq!(x.sign_in().status, 303);
        let identity = x.signed_in.clone().unwrap().identity.clone();
        assert_eq!((identity.email, identity.email_verified), (None, false));
    }
    let without_email = twitter().scopes(["tweet.read", "users.read"]).build().unwrap();
    let mut x = X::with(without_email);
    x.sign_in();
    assert_eq!(x.asked[1].uri().query(), Some("user.fields=profile_image_url"), "it is not asked for");
}

#[test]
fn what_is_wrong_with_a_single_field_is_not_what_is_wrong_with_the_person() {
    let reply = r#"{"data":{"id":"7","name":"A","username":"a"},
        "errors":[{"title":"Field Authorization Error","parameter":"confirmed_email",
        "type":"https://api.x.com/2/problems/not-authorized-for-field"}]}"#;
    let mut x = X::oauth2().answering("/2/users/me", 200, "application/json", reply);
    assert_eq!(x.sign_in().status, 303);
    assert_eq!(x.signed_in.clone().unwrap().identity.subject, "7");
}

#[test]
fn no_secret_is_ever_printed() {
    let mut x = X::oauth2();
    x.sign_in();
    assert!(!token_reply().is_empty() && x.printed.contains("/2/users/me"));
    assert!(!x.printed.contains("canary"), "{}", x.printed);
}
