//! A client as plain as can be: it believes everything, so that tests see what was really sent.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Client, Response, redirect::Policy};
use serde_json::Value;
use url::Url;
use vestibule_dev_provider::{Builder, DevProvider, Endpoint, Running};

pub(crate) const CALLBACK: &str = "http://127.0.0.1:4180/oauth2/callback";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The challenge that RFC 7636, Appendix B derives from [`VERIFIER`].
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) fn builder() -> Builder {
    DevProvider::builder().client("demo", Some("secret"), [CALLBACK]).client("public", None, [CALLBACK])
}

pub(crate) async fn provider() -> Running {
    builder().start().await.unwrap()
}

pub(crate) fn http() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

pub(crate) fn authorize_url(provider: &Running, client: &str, more: &[(&str, &str)]) -> Url {
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile email offline_access"),
        ("state", "the state"),
        ("nonce", "the nonce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    parameters.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    parameters.extend(more.iter().filter(|(_, value)| !value.is_empty()));
    Url::parse_with_params(&provider.url(Endpoint::Authorize), parameters).unwrap()
}

/// The parameters that an answer sends to the callback.
pub(crate) fn callback(response: &Response) -> Vec<(String, String)> {
    assert_eq!(response.status(), 303);
    let location = response.headers()["location"].to_str().unwrap();
    assert!(location.starts_with(&format!("{CALLBACK}?")), "{location}");
    Url::parse(location).unwrap().query_pairs().into_owned().collect()
}

pub(crate) fn value<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

pub(crate) async fn authorize(
    provider: &Running,
    client: &str,
    more: &[(&str, &str)],
) -> Vec<(String, String)> {
    callback(&http().get(authorize_url(provider, client, more)).send().await.unwrap())
}

pub(crate) async fn code(provider: &Running) -> String {
    let parameters = authorize(provider, "demo", &[("login_hint", "alice")]).await;
    value(&parameters, "code").unwrap().to_owned()
}

pub(crate) async fn exchange(provider: &Running, form: &[(&str, &str)]) -> Response {
    let request = http().post(provider.url(Endpoint::Token)).basic_auth("demo", Some("secret"));
    request.form(form).send().await.unwrap()
}

pub(crate) async fn redeem(provider: &Running, code: &str) -> Response {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    exchange(provider, &form).await
}

pub(crate) async fn refresh(provider: &Running, token: &str) -> Response {
    exchange(provider, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

/// The token endpoint's answer for a whole sign-in of alice.
pub(crate) async fn tokens(provider: &Running) -> Value {
    let response = redeem(provider, &code(provider).await).await;
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

pub(crate) async fn userinfo(provider: &Running, tokens: &Value) -> Response {
    let request = http().get(provider.url(Endpoint::Userinfo));
    request.bearer_auth(tokens["access_token"].as_str().unwrap()).send().await.unwrap()
}

/// The text of one segment of the ID token: 0 the header, 1 the payload.
pub(crate) fn segment(tokens: &Value, index: usize) -> String {
    let token = tokens["id_token"].as_str().unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

pub(crate) fn claims(tokens: &Value) -> Value {
    serde_json::from_str(&segment(tokens, 1)).unwrap()
}

pub(crate) fn header(tokens: &Value) -> Value {
    serde_json::from_str(&segment(tokens, 0)).unwrap()
}

pub(crate) async fn get(provider: &Running, endpoint: Endpoint) -> Value {
    http().get(provider.url(endpoint)).send().await.unwrap().json().await.unwrap()
}

pub(crate) async fn error_of(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["error"].as_str().unwrap_or_default().to_owned())
}
