//! Who signed in, and what goes wrong on the way.

use serde_json::{Value, json};
use vestibule::{
    exchange::{HttpFailure, Purpose},
    provider::{OAuthError, ProviderError},
};

use crate::hub::{Answer, Hub, begin, github, redirect_uri, token, user};

const TOKEN: &str = "https://github.com/login/oauth/access_token";
const USER: &str = "https://api.github.com/user";
const EMAILS: &str = "https://api.github.com/user/emails";

#[test]
fn somebody_signs_in() {
    let hub = Hub::honest();
    let signed_in = hub.sign_in(github()).unwrap();
    let identity = signed_in.identity;
    assert_eq!(
        (identity.issuer.as_str(), identity.subject.as_str()),
        ("https://github.com/login/oauth", "583231")
    );
    assert_eq!(
        (identity.username.as_deref(), identity.name.as_deref()),
        (Some("octocat"), Some("The Octocat"))
    );
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("octocat@github.com"), true));
    assert_eq!(identity.picture.as_deref(), Some("https://avatars.githubusercontent.com/u/583231?v=4"));
    assert!(identity.groups.is_empty());
    assert_eq!(signed_in.tokens.scopes, ["read:user", "user:email"]);
    let urls: Vec<_> = hub.asked().into_iter().map(|(_, url)| url).collect();
    assert_eq!(urls, [TOKEN, USER, EMAILS]);
}

#[test]
fn a_renamed_login_is_the_same_account_and_a_reused_one_is_not() {
    let sign_in = |login: &str, id: u64| {
        let mut user = user();
        user["login"] = json!(login);
        user["id"] = json!(id);
        Hub::honest().at(USER, &Answer::json(&user)).sign_in(github()).unwrap().identity
    };
    let before = sign_in("octocat", 583_231);
    let renamed = sign_in("octodog", 583_231);
    let reused = sign_in("octocat", 999_999);
    assert_eq!((&before.issuer, &before.subject), (&renamed.issuer, &renamed.subject));
    assert_ne!(before.subject, reused.subject);
    assert_eq!(before.username, reused.username);
}

#[test]
fn only_the_primary_address_counts_and_only_if_it_is_verified() {
    let with = |emails: &Value| {
        let identity = Hub::honest().at(EMAILS, &Answer::json(emails)).sign_in(github()).unwrap().identity;
        (identity.email, identity.email_verified)
    };
    let public = (Some("public@octocat.example".to_owned()), false);
    let address =
        |verified, primary| json!([{"email": "a@x.example", "verified": verified, "primary": primary}]);
    assert_eq!(with(&address(true, true)), (Some("a@x.example".to_owned()), true));
    assert_eq!(with(&address(false, true)), public);
    assert_eq!(with(&address(true, false)), public);
    assert_eq!(with(&json!([])), public);
}

#[test]
fn what_the_profile_shows_is_never_a_verified_address() {
    for status in [403, 404] {
        let hub = Hub::honest().at(EMAILS, &Answer::new(status, r#"{"message":"Not Found"}"#));
        let identity = hub.sign_in(github()).unwrap().identity;
        assert_eq!(
            (identity.email.as_deref(), identity.email_verified),
            (Some("public@octocat.example"), false)
        );
        let mut private = user();
        private["email"] = Value::Null;
        private["name"] = Value::Null;
        let identity = hub.at(USER, &Answer::json(&private)).sign_in(github()).unwrap().identity;
        assert_eq!((identity.email, identity.email_verified, identity.name), (None, false, None));
    }
}

#[test]
fn the_interface_is_asked_as_github_wants_it() {
    let hub = Hub::honest();
    hub.sign_in(github()).unwrap();
    for purpose in [Purpose::Profile, Purpose::Emails] {
        let request = hub.request(purpose);
        let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("authorization"), "Bearer gho_16C7e42F292c6912E7710c838347Ae178B4a");
        assert_eq!(
            (header("accept"), header("x-github-api-version")),
            ("application/vnd.github+json".into(), "2022-11-28".into())
        );
        assert!(!header("user-agent").is_empty());
        assert!(request.uri().query().is_none(), "no token in an address");
    }
}

#[test]
fn the_secret_travels_in_the_form_once() {
    let hub = Hub::honest();
    hub.sign_in(github()).unwrap();
    let request = hub.request(Purpose::Token);
    assert!(!request.headers().contains_key("authorization"));
    assert_eq!(request.headers()["accept"], "application/json");
    let form: Vec<_> = url::form_urlencoded::parse(request.body()).into_owned().collect();
    let value =
        |name: &str| form.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect::<Vec<_>>();
    assert_eq!((value("client_id"), value("client_secret")), (vec!["Iv1.client"], vec!["the secret"]));
    assert_eq!((value("code"), value("code_verifier")), (vec!["code"], vec!["verifier"]));
    assert_eq!(value("redirect_uri"), [redirect_uri().as_str()]);
}

#[test]
fn errors_with_status_200_are_errors() {
    for (error, expected) in [
        ("bad_verification_code", OAuthError::InvalidGrant),
        ("incorrect_client_credentials", OAuthError::InvalidClient),
        ("redirect_uri_mismatch", OAuthError::RedirectUriMismatch),
        ("unverified_user_email", OAuthError::Other),
    ] {
        let body =
            json!({"error": error, "error_description": "<b>", "error_uri": "/apps/managing-oauth-apps"});
        let hub = Hub::honest().at(TOKEN, &Answer::json(&body));
        assert_eq!(hub.sign_in(github()).unwrap_err(), ProviderError::Refused(expected), "{error}");
        assert_eq!(hub.asked().len(), 1, "{error}: the interface was asked");
    }
    let form = Answer {
        headers: vec![("content-type", "application/x-www-form-urlencoded".into())],
        ..Answer::new(200, "error=bad_verification_code")
    };
    let error = Hub::honest().at(TOKEN, &form).sign_in(github()).unwrap_err();
    assert_eq!(error, ProviderError::Refused(OAuthError::InvalidGrant));
}

#[test]
fn a_github_app_s_token_can_be_refreshed() {
    let mut app = token();
    app["expires_in"] = json!(28_800);
    app["refresh_token"] = json!("ghr_1");
    app["refresh_token_expires_in"] = json!(15_811_200);
    app["scope"] = json!("");
    let tokens = Hub::honest().at(TOKEN, &Answer::json(&app)).sign_in(github()).unwrap().tokens;
    assert_eq!(tokens.refresh_token.map(|token| token.expose().to_owned()).as_deref(), Some("ghr_1"));
    assert_eq!(tokens.expires.map(vestibule::time::Timestamp::unix), Some(crate::hub::NOW + 28_800));
    assert!(tokens.scopes.is_empty());
}

#[test]
fn what_goes_wrong_at_the_interface_is_named() {
    let at = |url: &str, answer: &Answer| Hub::honest().at(url, answer).sign_in(github()).unwrap_err();
    for (url, purpose) in [(USER, Purpose::Profile), (EMAILS, Purpose::Emails)] {
        let broken = |error: ProviderError| matches!(error, ProviderError::Broken { purpose: named, .. } if named == purpose);
        assert!(broken(at(url, &Answer::new(401, r#"{"message":"Bad credentials"}"#))));
        assert!(broken(at(url, &Answer::new(302, ""))));
        assert!(broken(at(url, &Answer::new(200, "<html>"))));
        assert!(broken(at(url, &Answer::new(200, "{\"id\":1,\"id\":2,\"login\":\"a\"}"))));
        for status in [429, 500, 502, 503] {
            assert_eq!(at(url, &Answer::new(status, "")), ProviderError::Unavailable { purpose, status });
        }
        let rationed =
            Answer::new(403, "{}").header("x-ratelimit-remaining", "0").header("x-ratelimit-reset", "1");
        assert_eq!(at(url, &rationed), ProviderError::Unavailable { purpose, status: 403 });
        let secondary = Answer::new(403, "{}").header("retry-after", "60");
        assert_eq!(at(url, &secondary), ProviderError::Unavailable { purpose, status: 403 });
        let failure = HttpFailure::TimedOut;
        let error = Hub::honest().silent_at(url, failure).sign_in(github()).unwrap_err();
        assert_eq!(error, ProviderError::Unreachable { purpose, failure });
    }
    for id in [json!("583231"), json!(-1), json!(1.5), json!(null), json!([])] {
        let mut user = user();
        user["id"] = id.clone();
        assert!(matches!(at(USER, &Answer::json(&user)), ProviderError::Broken { .. }), "{id}");
    }
}

#[test]
fn the_browser_goes_to_github_and_may_come_back_with_its_issuer() {
    let begun = begin(github().extra_parameter("allow_signup", "false"));
    assert!(begun.location.as_str().starts_with("https://github.com/login/oauth/authorize?"));
    assert_eq!(
        (begun.issuer.as_deref(), begun.issuer_required),
        (Some("https://github.com/login/oauth"), false)
    );
    let query: Vec<_> = begun.location.query_pairs().into_owned().collect();
    let value =
        |name: &str| query.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect::<Vec<_>>();
    assert_eq!(value("scope"), ["read:user user:email"]);
    assert_eq!((value("code_challenge_method"), value("allow_signup")), (vec!["S256"], vec!["false"]));
    assert_eq!(value("redirect_uri"), [redirect_uri().as_str()]);
}
