//! What goes out: the authorization request and the token request.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use vestibule::{
    exchange::{HttpFailure, HttpRequest, Purpose},
    oauth2::ClientAuthentication,
    provider::{OAuthError, Provider as _, ProviderError},
};
use vestibule_oidc::{Builder, Oidc};

use crate::{
    mint::{CLIENT, ISSUER, NONCE, SECRET},
    op::{Answer, Op, builder, client, redirect_uri},
};

fn query(op: &Op, builder: Builder) -> BTreeMap<String, String> {
    let begun = op.begin(builder.build().unwrap()).unwrap();
    let pairs: Vec<(String, String)> = begun.location.query_pairs().into_owned().collect();
    let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(map.len(), pairs.len(), "no parameter twice: {pairs:?}");
    map
}

#[test]
fn the_authorization_request_has_everything() {
    let op = Op::honest();
    let begun = op.begin(client()).unwrap();
    assert!(begun.location.as_str().starts_with("https://op.example/authorize?"));
    assert_eq!((begun.issuer.as_deref(), begun.issuer_required), (Some(ISSUER), false));
    let query = query(&op, builder());
    let expected = [
        ("client_id", CLIENT),
        // RFC 7636, Appendix B.
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("nonce", NONCE),
        ("redirect_uri", "https://app.example/oauth2/callback"),
        ("response_type", "code"),
        ("scope", "openid profile email"),
        ("state", "state-of-this-attempt"),
    ];
    let expected: BTreeMap<_, _> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(query, expected);
    assert_eq!(op.asked(), [Purpose::Metadata, Purpose::Metadata], "one description each, and nothing else");
}

#[test]
fn openid_is_always_asked_for() {
    let op = Op::honest();
    assert_eq!(
        query(&op, builder().scopes(["email", "openid", "offline_access"]))["scope"],
        "openid email offline_access"
    );
    assert_eq!(query(&op, builder().scopes::<String>([]))["scope"], "openid");
}

#[test]
fn pkce_is_never_given_up() {
    for methods in [json!([]), json!(["plain"]), json!(["S256"]), json!(null)] {
        let op = Op::honest().metadata("code_challenge_methods_supported", methods.clone());
        assert_eq!(query(&op, builder())["code_challenge_method"], "S256", "{methods}");
    }
}

#[test]
fn nd_03_a_query_of_the_endpoint_is_kept() {
    let op = Op::honest().metadata("authorization_endpoint", "https://op.example/authorize?tenant=7&x=a%20b");
    let query = query(&op, builder());
    assert_eq!(
        (query["tenant"].as_str(), query["x"].as_str(), query["client_id"].as_str()),
        ("7", "a b", CLIENT)
    );
    for smuggled in
        ["client_id=evil", "redirect_uri=https://evil.example", "scope=x", "state=fixed", "request=x"]
    {
        let op = Op::honest()
            .metadata("authorization_endpoint", format!("https://op.example/authorize?{smuggled}"));
        assert!(matches!(op.begin(client()), Err(ProviderError::Broken { .. })), "{smuggled}");
    }
}

#[test]
fn what_may_be_asked_besides() {
    let op = Op::honest();
    let configured = || {
        builder()
            .extra_parameter("prompt", "consent")
            .extra_parameter("hd", "example.com")
            .acr_values(["a", "b"])
            .max_age(std::time::Duration::from_secs(60))
    };
    let query = query(&op, configured());
    assert_eq!((query["prompt"].as_str(), query["hd"].as_str()), ("consent", "example.com"));
    assert_eq!((query["acr_values"].as_str(), query["max_age"].as_str()), ("a b", "60"));
    let begun = op.begin_with(configured().build().unwrap(), |request| {
        request.prompt = Some("select_account".into());
        request.login_hint = Some("ada@example.com".into());
        request.max_age = Some(0);
    });
    let query: Vec<_> = begun.unwrap().location.query_pairs().into_owned().collect();
    let value =
        |name: &str| query.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect::<Vec<_>>();
    assert_eq!(value("prompt"), ["select_account"], "the application's word wins, and stands once");
    assert_eq!((value("login_hint"), value("max_age")), (vec!["ada@example.com"], vec!["0"]));
}

#[test]
fn form_post_is_asked_for_and_announced() {
    let oidc = builder().form_post();
    assert!(oidc.clone().build().unwrap().answers_by_form_post() && !client().answers_by_form_post());
    assert_eq!(query(&Op::honest(), oidc)["response_mode"], "form_post");
}

#[test]
fn whether_the_callback_must_name_the_issuer_is_the_issuer_s_word() {
    for (word, required) in
        [(json!(true), true), (json!(false), false), (json!("true"), false), (json!(null), false)]
    {
        let op = Op::honest().metadata("authorization_response_iss_parameter_supported", word.clone());
        assert_eq!(op.begin(client()).unwrap().issuer_required, required, "{word}");
    }
}

fn token_request(op: &Op, oidc: Oidc) -> HttpRequest {
    op.sign_in_to(oidc).unwrap();
    let mut came = op.came(Purpose::Token);
    assert_eq!(came.len(), 1);
    came.remove(0).request.unwrap()
}

fn form(request: &HttpRequest) -> BTreeMap<String, String> {
    let pairs: Vec<_> = url::form_urlencoded::parse(request.body()).into_owned().collect();
    let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(map.len(), pairs.len(), "no member twice: {pairs:?}");
    map
}

#[test]
fn the_token_request_is_a_form_post_with_code_verifier_and_redirect_uri() {
    let request = token_request(&Op::honest(), client());
    assert_eq!(
        (request.method().as_str(), request.uri().to_string().as_str()),
        ("POST", "https://op.example/token")
    );
    assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(request.headers()["accept"], "application/json");
    let form = form(&request);
    assert_eq!((form["grant_type"].as_str(), form["code"].as_str()), ("authorization_code", "code"));
    assert_eq!(form["redirect_uri"], redirect_uri().as_str());
    assert_eq!(form["code_verifier"], "verifier-verifier-verifier-verifier-verifier");
    assert_eq!(form.len(), 4, "{form:?}");
}

/// RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
#[test]
fn client_secret_basic_is_encoded_twice_and_stands_alone() {
    let (id, secret) = ("a:b%c d+é", "p@ss:/?#[]+ %&=é-and-enough-of-it");
    let op = Op::honest().minted(&crate::mint::Mint::sound().claim("aud", id));
    let request = token_request(&op, Oidc::builder(ISSUER, id).client_secret(secret).build().unwrap());
    let header =
        request.headers()["authorization"].to_str().unwrap().strip_prefix("Basic ").unwrap().to_owned();
    let decoded = String::from_utf8(STANDARD.decode(header).unwrap()).unwrap();
    let (left, right) = decoded.split_once(':').unwrap();
    let decode = |text: &str| url::form_urlencoded::parse(text.as_bytes()).next().unwrap().0.into_owned();
    assert_eq!((decode(left), decode(&right.replace('=', "%3D"))), (id.to_owned(), secret.to_owned()));
    let form = form(&request);
    assert!(
        !form.contains_key("client_id") && !form.contains_key("client_secret"),
        "one method only: {form:?}"
    );
}

#[test]
fn exactly_one_way_of_authenticating() {
    let post = |request: &HttpRequest| {
        let form = form(request);
        assert!(!request.headers().contains_key("authorization"));
        (form.get("client_id").cloned(), form.get("client_secret").cloned())
    };
    let chosen = builder().client_authentication(ClientAuthentication::Post).build().unwrap();
    assert_eq!(post(&token_request(&Op::honest(), chosen)), (Some(CLIENT.into()), Some(SECRET.into())));
    let op = Op::honest()
        .metadata("token_endpoint_auth_methods_supported", json!(["private_key_jwt", "client_secret_post"]));
    assert_eq!(post(&token_request(&op, client())), (Some(CLIENT.into()), Some(SECRET.into())));
    let public = Oidc::builder(ISSUER, CLIENT).build().unwrap();
    assert_eq!(post(&token_request(&Op::honest(), public)), (Some(CLIENT.into()), None));
    let op = Op::honest().without_metadata("token_endpoint_auth_methods_supported");
    assert!(
        token_request(&op, client()).headers().contains_key("authorization"),
        "basic where nothing is said"
    );
    let op = Op::honest().metadata("token_endpoint_auth_methods_supported", json!(["private_key_jwt"]));
    let error = op.sign_in().unwrap_err();
    assert!(matches!(error, ProviderError::Misconfigured { field: "client_authentication", .. }));
    assert!(op.came(Purpose::Token).is_empty(), "the code is not spent on a request that cannot work");
    let all_the_same = builder().client_authentication(ClientAuthentication::Basic).build().unwrap();
    assert!(op.sign_in_to(all_the_same).is_ok());
}

#[test]
fn nd_10_the_code_is_sent_once_whatever_the_answer() {
    let purpose = Purpose::Token;
    let with = |answer: Answer| {
        let mut op = Op::honest();
        op.token = answer;
        let error = op.sign_in().unwrap_err();
        assert_eq!(op.came(Purpose::Token).len(), 1, "{error:?}");
        assert!(op.came(Purpose::Profile).is_empty());
        error
    };
    let body = |status, body: &str| Answer::Body(status, "application/json", body.as_bytes().to_vec());
    for status in [301, 302, 303, 307, 308, 201] {
        assert!(matches!(with(body(status, "")), ProviderError::Broken { .. }), "{status}");
    }
    for status in [429, 500, 502] {
        assert_eq!(with(body(status, "<html>")), ProviderError::Unavailable { purpose, status });
    }
    assert_eq!(with(body(401, "")), ProviderError::Refused(OAuthError::Other));
    for status in [200, 400, 401] {
        let error = with(body(status, r#"{"error":"invalid_client","error_description":"<script>"}"#));
        assert_eq!(error, ProviderError::Refused(OAuthError::InvalidClient), "{status}");
    }
    for failure in [HttpFailure::Broken, HttpFailure::TimedOut, HttpFailure::TooLarge] {
        assert_eq!(with(Answer::Nothing(failure)), ProviderError::Unreachable { purpose, failure });
    }
    for broken in
        ["", "<html>", "[]", r#"{"access_token":"a"}"#, r#"{"access_token":"a","token_type":"mac"}"#]
    {
        assert!(matches!(with(body(200, broken)), ProviderError::Broken { .. }), "{broken}");
    }
}

#[test]
fn a_token_reply_may_be_unusual_and_still_good() {
    let id_token = crate::mint::Mint::sound().sign();
    for (members, expires) in [
        (json!({"token_type": "bEARER"}), None),
        (json!({"token_type": "Bearer", "expires_in": "3600"}), Some(3_600)),
        (json!({"token_type": "Bearer", "expires_in": null, "scope": ["openid"], "x": {"y": [1]}}), None),
    ] {
        let mut reply = members.clone();
        reply["access_token"] = json!(crate::mint::ACCESS_TOKEN);
        reply["id_token"] = json!(id_token);
        let mut op = Op::honest();
        op.token = Answer::json(&reply);
        let tokens = op.sign_in().unwrap().tokens;
        assert_eq!(tokens.expires.map(|at| at.unix() - crate::mint::NOW), expires, "{members}");
        assert_eq!(tokens.id_token.as_ref().map(|token| token.expose()), Some(id_token.as_str()));
    }
}
