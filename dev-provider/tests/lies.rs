//! Lies about what is said: claims, headers, signatures, keys, metadata, callbacks.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod support;

use serde_json::{Value, json};
use support::*;
use vestibule_dev_provider::{Alg, Edit, Endpoint, HmacKey, Lie, Object, Running, Signing, strange_keys};

/// The tokens of a sign-in under one lie.
async fn under(provider: &Running, lie: impl Into<Lie>) -> Value {
    provider.honest().lie(lie);
    tokens(provider).await
}

#[tokio::test]
async fn claims_are_wrong_missing_doubled_or_of_the_wrong_type() {
    let provider = provider().await;
    assert_eq!(claims(&under(&provider, Lie::claim("aud", json!(["x"]))).await)["aud"], json!(["x"]));
    assert!(claims(&under(&provider, Lie::no_claim("sub")).await).get("sub").is_none());

    let append = Lie::member(Object::Claims, "iss", Edit::Append("1".into()));
    assert_eq!(claims(&under(&provider, append).await)["iss"], format!("{}1", provider.issuer()));
    let double = Lie::member(Object::Claims, "sub", Edit::Double(json!("1002")));
    assert_eq!(segment(&under(&provider, double).await, 1).matches("\"sub\"").count(), 2);
    let text = Lie::member(Object::Claims, "exp", Edit::Text("1e999".into()));
    assert!(segment(&under(&provider, text).await, 1).contains("\"exp\":1e999"));

    let raw = Lie::RawPayload(r#"{"nonce":{{nonce}},"nonce":1} trailing"#.into());
    assert_eq!(segment(&under(&provider, raw).await, 1), r#"{"nonce":"the nonce","nonce":1} trailing"#);
}

#[tokio::test]
async fn lies_add_up_and_honesty_returns() {
    let provider = provider().await;
    provider.lie(Lie::claim("sub", "1002")).lie(Lie::claim("exp", "soon"));
    let told = claims(&tokens(&provider).await);
    assert_eq!((&told["sub"], &told["exp"]), (&json!("1002"), &json!("soon")));
    provider.honest();
    assert_eq!(claims(&tokens(&provider).await)["sub"], "1001");
}

#[tokio::test]
async fn headers_and_signatures_lie() {
    let provider = provider().await;
    let told = under(&provider, Signing::Unsigned).await;
    assert_eq!(header(&told)["alg"], "none");
    assert!(told["id_token"].as_str().unwrap().ends_with('.'));

    let told = under(&provider, Signing::Hmac(Alg::Hs256, HmacKey::PublicPem)).await;
    assert_eq!(header(&told)["alg"], "HS256");
    let told = under(&provider, Signing::With(Alg::Es256)).await;
    assert_eq!(header(&told)["kid"], provider.public_key(Alg::Es256)["kid"]);
    let told = under(&provider, Signing::EmbeddedKey).await;
    assert_eq!(header(&told)["jwk"]["kty"], "RSA");

    let kid = |edit: Edit| Lie::member(Object::Header, "kid", edit);
    assert!(header(&under(&provider, kid(Edit::Remove)).await).get("kid").is_none());
    assert_eq!(header(&under(&provider, kid(Edit::Set(json!("unknown")))).await)["kid"], "unknown");

    let told = under(&provider, Lie::RawIdToken("Bearer {{header}}=.{{payload}}.".into())).await;
    assert!(told["id_token"].as_str().unwrap().starts_with("Bearer ey"));
}

#[tokio::test]
async fn keys_of_every_kind_stand_before_the_honest_ones() {
    let provider = provider().await;
    provider.lie(Lie::ExtraKeys(strange_keys()));
    let keys = get(&provider, Endpoint::Keys).await;
    let keys = keys["keys"].as_array().unwrap();
    assert_eq!(keys.len(), strange_keys().len() + 4);
    assert_eq!(keys[keys.len() - 4], provider.public_key(Alg::Rs256));

    provider.honest().lie(Lie::member(Object::Key, "use", Edit::Set(json!("enc"))));
    assert_eq!(get(&provider, Endpoint::Keys).await["keys"][0]["use"], "enc");
    provider.honest().lie(Lie::RawKeys("{\"keys\":[]}".into()));
    assert_eq!(get(&provider, Endpoint::Keys).await, json!({ "keys": [] }));
}

#[tokio::test]
async fn keys_rotate_just_before_signing() {
    let provider = provider().await;
    let before = get(&provider, Endpoint::Keys).await;
    let told = under(&provider, Lie::RotateBeforeSigning).await;
    let after = get(&provider, Endpoint::Keys).await;
    let kid = header(&told)["kid"].clone();
    assert_eq!(after["keys"][0]["kid"], kid);
    assert_ne!(before["keys"][0]["kid"], kid);
}

#[tokio::test]
async fn metadata_names_another_issuer() {
    let provider = provider().await;
    provider.lie(Lie::member(Object::Metadata, "issuer", Edit::Append("INVALID".into())));
    provider.lie(Lie::member(Object::Metadata, "jwks_uri", Edit::Remove));
    let metadata = get(&provider, Endpoint::Metadata).await;
    assert_eq!(metadata["issuer"], format!("{}INVALID", provider.issuer()));
    assert!(metadata.get("jwks_uri").is_none());
}

#[tokio::test]
async fn callbacks_lie_about_the_issuer() {
    let provider = provider().await;
    let issuers = async |values: &[&str]| -> Vec<String> {
        provider.honest().lie(Lie::callback("iss", values.iter().copied()));
        let parameters = authorize(&provider, "demo", &[("login_hint", "alice")]).await;
        parameters.into_iter().filter(|(name, _)| name == "iss").map(|(_, value)| value).collect()
    };
    assert!(issuers(&[]).await.is_empty());
    assert_eq!(issuers(&["https://evil.example"]).await, ["https://evil.example"]);
    assert_eq!(issuers(&[provider.issuer(), "x"]).await, [provider.issuer(), "x"]);
}

#[tokio::test]
async fn codes_of_any_shape_stay_valid() {
    let provider = provider().await;
    let suffix = format!("%2B/=+~ &{}", "x".repeat(2_000));
    provider.lie(Lie::CodeSuffix(suffix.clone()));
    let code = code(&provider).await;
    assert!(code.ends_with(&suffix));
    assert_eq!(redeem(&provider, &code).await.status(), 200);
}

#[tokio::test]
async fn the_token_answer_and_refusals_lie() {
    let provider = provider().await;
    let told =
        under(&provider, Lie::member(Object::TokenAnswer, "token_type", Edit::Set(json!("mac")))).await;
    assert_eq!(told["token_type"], "mac");

    let refuse = Lie::Refuse { error: "server_error".into(), description: "<script>".into() };
    provider.honest().lie(refuse);
    let parameters = authorize(&provider, "demo", &[("login_hint", "alice")]).await;
    assert_eq!(value(&parameters, "error"), Some("server_error"));
    assert_eq!(value(&parameters, "error_description"), Some("<script>"));
}

#[tokio::test]
async fn userinfo_is_of_somebody_else_or_signed() {
    let provider = provider().await;
    let honest = tokens(&provider).await;
    let body = async |lie: Lie| {
        provider.honest().lie(lie);
        let response = userinfo(&provider, &honest).await;
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        (kind, response.text().await.unwrap())
    };
    assert!(body(Lie::UserinfoOf("1002".into())).await.1.contains("bob@example.com"));
    let appended = body(Lie::member(Object::Userinfo, "sub", Edit::Append("invalid".into()))).await.1;
    assert!(appended.contains("\"sub\":\"1001invalid\""));
    let (kind, token) = body(Lie::SignedUserinfo(Signing::OtherKey)).await;
    assert_eq!((kind.as_str(), token.split('.').count()), ("application/jwt", 3));
}

#[tokio::test]
async fn any_payload_can_be_signed() {
    let provider = provider().await;
    let payload = json!({ "events": {} });
    let token = provider.sign("demo", "logout+jwt", &payload, &Signing::With(Alg::Rs256));
    let told = json!({ "id_token": token });
    assert_eq!(header(&told)["typ"], "logout+jwt");
    assert_eq!(claims(&told), payload);
}
