//! A provider that describes itself (RFC 8414).

use serde_json::{Value, json};
use vestibule::{
    exchange::{HttpFailure, Purpose},
    identity::Tokens,
    oauth2::OAuth2Spec,
    provider::{EndSession, Provider as _, ProviderError},
    testkit::{Asked, Reaction},
};

use crate::op::{JSON, Plain, at, begin, finish, honest, problems, redirect_uri, talk};

fn discovered(issuer: &str) -> OAuth2Spec {
    OAuth2Spec::discovered("op", "OP", issuer, "client", Some("secret".into()))
}

fn description() -> Value {
    json!({
        "issuer": "https://op.example",
        "authorization_endpoint": "https://op.example/go?tenant=7",
        "token_endpoint": "https://op.example/tokens",
        "revocation_endpoint": "https://op.example/revoke",
        "end_session_endpoint": "https://op.example/end",
        "authorization_response_iss_parameter_supported": true,
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut description = description();
    description[name] = value;
    description
}

fn answering(description: &Value) -> impl Fn(&Asked) -> Reaction {
    let body = description.to_string();
    move |asked| match asked.purpose() {
        Purpose::Metadata => asked.answer(200, JSON, body.clone()),
        Purpose::Revocation => asked.answer(200, JSON, ""),
        _ => honest(asked),
    }
}

#[test]
fn everything_is_found_where_the_provider_says() {
    let spec = || discovered("https://op.example");
    let (begun, sent) = begin(Plain(spec()), answering(&description()));
    let begun = begun.unwrap();
    assert_eq!(sent[0].url, "https://op.example/.well-known/oauth-authorization-server");
    assert!(begun.location.as_str().starts_with("https://op.example/go?tenant=7&response_type=code"));
    assert_eq!((begun.issuer.as_deref(), begun.issuer_required), (Some("https://op.example"), true));

    let (sign_in, sent) = finish(Plain(spec()), answering(&description()));
    assert_eq!(sent[1].url, "https://op.example/tokens");
    assert_eq!(sign_in.unwrap().identity.issuer, "https://op.example");

    let revoke = async move |http| Plain(spec()).revoke(&http, &Tokens::new("a")).await;
    let (result, sent) = talk(revoke, answering(&description()));
    assert_eq!((result, &*sent[1].url), (Ok(()), "https://op.example/revoke"));

    let end = async move |http| Plain(spec()).end_session(&http, &EndSession::new(redirect_uri())).await;
    let location = talk(end, answering(&description())).0.unwrap().unwrap();
    assert!(location.as_str().starts_with("https://op.example/end?client_id=client&"), "{location}");
}

#[test]
fn what_the_spec_names_itself_wins() {
    let mut spec = discovered("https://op.example").revocation_endpoint(at("mine"));
    spec.token_endpoint = Some(at("token"));
    let (_, sent) = finish(Plain(spec.clone()), answering(&description()));
    assert_eq!(sent[1].url, "https://op.example/token");
    let revoke = async move |http| Plain(spec).revoke(&http, &Tokens::new("a")).await;
    assert_eq!(talk(revoke, answering(&description())).1[1].url, "https://op.example/mine");
}

#[test]
fn an_issuer_with_a_path_describes_itself_below_the_host() {
    for (issuer, address) in [
        ("https://op.example/t/1", "https://op.example/.well-known/oauth-authorization-server/t/1"),
        ("https://op.example/t/1/", "https://op.example/.well-known/oauth-authorization-server/t/1"),
    ] {
        let (_, sent) = begin(Plain(discovered(issuer)), answering(&with("issuer", issuer.into())));
        assert_eq!(sent[0].url, address);
    }
    let elsewhere = discovered("https://op.example").metadata_address(at("about"));
    assert_eq!(begin(Plain(elsewhere), answering(&description())).1[0].url, "https://op.example/about");
    for issuer in ["op.example", "http://op.example", "https://op.example?x", ""] {
        assert_eq!(problems(discovered(issuer)), ["issuer"], "{issuer}");
    }
}

#[test]
fn a_description_that_could_lead_astray_is_refused() {
    let long_way = |address: &str| Value::from(address);
    for (name, value) in [
        ("issuer", long_way("https://op.example/")),
        ("issuer", long_way("https://evil.example")),
        ("issuer", Value::Null),
        ("authorization_endpoint", Value::Null),
        ("authorization_endpoint", long_way("http://op.example/go")),
        ("authorization_endpoint", long_way("javascript:alert(1)")),
        ("authorization_endpoint", long_way("https://op.example/go?redirect_uri=https://evil.example")),
        ("token_endpoint", long_way("http://127.0.0.1/tokens")),
        ("token_endpoint", long_way("https://op.example/#x")),
        ("token_endpoint", json!(["https://op.example/tokens"])),
        ("revocation_endpoint", long_way("https://u:p@op.example/revoke")),
        ("end_session_endpoint", long_way("/end")),
    ] {
        let description = with(name, value);
        let (result, _) = begin(Plain(discovered("https://op.example")), answering(&description));
        let broken = matches!(result, Err(ProviderError::Broken { purpose: Purpose::Metadata, .. }));
        assert!(broken, "{description}: {result:?}");
    }
    let (result, _) =
        begin(Plain(discovered("https://op.example")), |asked| asked.fail(HttpFailure::Connect));
    assert!(matches!(result, Err(ProviderError::Unreachable { purpose: Purpose::Metadata, .. })));
}
