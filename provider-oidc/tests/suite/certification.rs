//! The rows of OpenID's conformance suite for relying parties: the plans «basic» and «config», named as the suite names
//! them, and those of the comprehensive plan that concern the code flow.

use serde_json::{Value, json};
use vestibule::{exchange::Purpose, provider::ProviderError};
use vestibule_oidc::Oidc;

use crate::{
    mint::{ACCESS_TOKEN, CLIENT, ISSUER, Mint, NONCE, SECRET, SUBJECT, base64url, keyring},
    op::{Op, client, no_session, no_session_for, userinfo},
};

/// The suite's issuers end with a slash, and their key sets are full of keys that nobody can use.
const SUITE: &str = "https://suite.example/test/a/vestibule/";

fn suite() -> Op {
    let mut op = Op::honest();
    op.metadata =
        serde_json::from_str(&op.metadata.to_string().replace("https://op.example", SUITE)).unwrap();
    op.keys(suite_keys(json!("k1"))).minted(&Mint::sound().claim("iss", SUITE))
}

fn suite_keys(key_id: Value) -> Vec<Value> {
    let keys = keyring();
    let named = |name: &str| if key_id.is_null() { Value::Null } else { json!(name) };
    let for_encryption = |mut key: Value| {
        key["use"] = json!("enc");
        key
    };
    vec![
        keys.other_rsa.jwk(named("k0")),
        keys.rsa.jwk(key_id.clone()),
        keys.p256.jwk(named("p1")),
        keys.p256.jwk(named("p2")),
        json!({"kty": "EC", "crv": "secp256k1", "kid": named("s"), "x": base64url([1; 32]), "y": base64url([2; 32])}),
        keys.ed25519.jwk(named("e")),
        for_encryption(keys.other_rsa.jwk(named("k9"))),
        for_encryption(keys.p256.jwk(named("p9"))),
    ]
}

fn suite_client() -> Oidc {
    Oidc::builder(SUITE, CLIENT).client_secret(SECRET).build().unwrap()
}

fn suite_refuses(mint: Mint, case: &str) {
    no_session_for(&suite().minted(&mint), suite_client(), case);
}

fn thin() -> Mint {
    Mint::thin().claim("iss", SUITE)
}

#[test]
fn oidcc_client_test() {
    let op = suite();
    let begun = op.begin(suite_client()).unwrap();
    assert!(begun.location.as_str().starts_with("https://suite.example/test/a/vestibule//authorize?"));
    assert_eq!(op.came(Purpose::Metadata)[0].url, format!("{SUITE}.well-known/openid-configuration"));
    assert!(op.sign_in_to(suite_client()).is_ok());
    assert!(suite().minted(&thin()).sign_in_to(suite_client()).is_ok(), "with userinfo");
}

#[test]
fn oidcc_client_test_invalid_iss() {
    suite_refuses(thin().claim("iss", format!("{SUITE}1")), "iss");
}

#[test]
fn oidcc_client_test_missing_sub() {
    suite_refuses(thin().without("sub"), "sub");
}

#[test]
fn oidcc_client_test_invalid_aud() {
    suite_refuses(thin().claim("aud", format!("{CLIENT}1")), "aud");
}

#[test]
fn oidcc_client_test_missing_aud() {
    suite_refuses(thin().without("aud"), "aud");
}

#[test]
fn oidcc_client_test_missing_iat() {
    suite_refuses(thin().without("iat"), "iat");
}

#[test]
fn oidcc_client_test_kid_absent_single_jwks() {
    let one_of_each =
        [keyring().rsa.jwk(Value::Null), keyring().p256.jwk(Value::Null), keyring().ed25519.jwk(Value::Null)];
    assert!(Op::honest().keys(one_of_each).minted(&Mint::sound().without_header("kid")).sign_in().is_ok());
}

#[test]
fn oidcc_client_test_kid_absent_multiple_jwks() {
    let mint = Mint::sound().claim("iss", SUITE).without_header("kid");
    assert!(suite().keys(suite_keys(Value::Null)).minted(&mint).sign_in_to(suite_client()).is_ok());
}

#[test]
fn oidcc_client_test_idtoken_sig_rs256() {
    assert!(suite().sign_in_to(suite_client()).is_ok());
}

#[test]
fn oidcc_client_test_idtoken_sig_none() {
    let input = thin().header("alg", "none").without_header("kid").signing_input();
    no_session_for(&suite().id_token(format!("{input}.")), suite_client(), "none");
}

#[test]
fn oidcc_client_test_invalid_sig_rs256() {
    let mint = thin();
    let mut signature = keyring().rsa.sign("RS256", mint.signing_input().as_bytes());
    for place in [0, 127, 255] {
        signature[place] ^= 0x5a;
        no_session_for(&suite().id_token(mint.with_signature(&signature)), suite_client(), place);
        signature[place] ^= 0x5a;
    }
}

#[test]
fn oidcc_client_test_invalid_sig_hs256_and_es256() {
    let hs256 = thin().header("alg", "HS256").sign_hmac(SECRET);
    no_session_for(&suite().id_token(hs256), suite_client(), "HS256");
    let es256 = thin().header("alg", "ES256").header("kid", "p1").sign_with(&keyring().p256);
    no_session_for(&suite().id_token(es256), suite_client(), "ES256");
}

#[test]
fn oidcc_client_test_userinfo_invalid_sub() {
    let mut answer = userinfo();
    answer["sub"] = json!(format!("{SUBJECT}invalid"));
    let op = suite().minted(&thin()).userinfo(&answer);
    assert_eq!(op.sign_in_to(suite_client()).unwrap_err(), ProviderError::SubjectDiffers);
}

#[test]
fn oidcc_client_test_nonce_invalid() {
    suite_refuses(thin().claim("nonce", format!("{NONCE}1")), "nonce");
}

#[test]
fn oidcc_client_test_nonce_unless_code_flow() {
    // The suite lets a client leave the nonce out in the code flow. This one sends it always, and misses it.
    suite_refuses(thin().without("nonce"), "no nonce");
}

#[test]
fn oidcc_client_test_scope_userinfo_claims() {
    let mut answer = userinfo();
    answer["address"] = json!({"country": "GB"});
    answer["phone_number"] = json!("+44 20 7946 0000");
    answer["phone_number_verified"] = json!(true);
    let all =
        Oidc::builder(SUITE, CLIENT).client_secret(SECRET).scopes(["profile", "email", "phone", "address"]);
    let identity =
        suite().minted(&thin()).userinfo(&answer).sign_in_to(all.build().unwrap()).unwrap().identity;
    assert_eq!(identity.claims["address"]["country"], "GB");
    assert_eq!(identity.claims["phone_number"], "+44 20 7946 0000");
    assert_eq!(identity.email.as_deref(), Some("ada@example.com"));
}

#[test]
fn oidcc_client_test_client_secret_basic() {
    let op = suite();
    op.sign_in_to(suite_client()).unwrap();
    let request = op.came(Purpose::Token).remove(0).request.unwrap();
    assert!(request.headers()["authorization"].to_str().unwrap().starts_with("Basic "));
    assert!(!String::from_utf8_lossy(request.body()).contains("client_secret"));
}

#[test]
fn oidcc_client_test_invalid_athash_and_missing_athash() {
    suite_refuses(thin().claim("at_hash", base64url(ACCESS_TOKEN)), "at_hash");
    assert!(suite().minted(&thin()).sign_in_to(suite_client()).is_ok(), "no at_hash");
}

#[test]
fn oidcc_client_test_aggregated_and_distributed_claims() {
    let mut answer = userinfo();
    answer["_claim_names"] = json!({"shipping_address": "src1"});
    answer["_claim_sources"] =
        json!({"src1": {"endpoint": "https://evil.example/claims", "access_token": "x"}});
    let op = suite().minted(&thin()).userinfo(&answer);
    assert!(op.sign_in_to(suite_client()).is_ok());
    assert_eq!(op.asked().len(), 4, "nobody follows them");
}

#[test]
fn oidcc_client_test_discovery_jwks_uri_keys() {
    for run in ["a1b2", "c3d4"] {
        let address = format!("https://suite.example/{run}/jwks");
        let op = suite().metadata("jwks_uri", address.clone());
        op.sign_in_to(suite_client()).unwrap();
        assert_eq!(op.came(Purpose::Keys)[0].url, address);
    }
}

#[test]
fn oidcc_client_test_discovery_issuer_mismatch() {
    let op = suite().metadata("issuer", format!("{SUITE}INVALID"));
    assert!(op.begin(suite_client()).is_err(), "no authorization request at all");
}

#[test]
fn oidcc_client_test_signing_key_rotation_just_before_signing() {
    let mut op = suite().keys([keyring().other_rsa.jwk("old")]);
    op.fresh_keys = Some(json!({"keys": suite_keys(json!("k1"))}));
    assert!(op.sign_in_to(suite_client()).is_ok());
    assert_eq!(op.came(Purpose::Keys).len(), 2, "once, immediately");
}

#[test]
fn oidcc_client_test_signing_key_rotation() {
    let mut op = suite();
    assert!(op.sign_in_to(suite_client()).is_ok());
    let rotated = Mint::sound().claim("iss", SUITE).header("kid", "next");
    op = op.id_token(rotated.sign_with(&keyring().other_rsa));
    op.fresh_keys = Some(json!({"keys": [keyring().other_rsa.jwk("next")]}));
    assert!(op.sign_in_to(suite_client()).is_ok());
}

#[test]
fn fapi_rows_that_the_code_flow_shares() {
    assert!(
        Op::honest().minted(&Mint::sound().claim("aud", json!([CLIENT]))).sign_in().is_ok(),
        "aud as an array"
    );
    let secondary = Mint::thin().claim("aud", json!([CLIENT, "unknown"]));
    no_session(&Op::honest().minted(&secondary), "secondary aud without azp");
    no_session(&Op::honest().minted(&secondary.claim("azp", CLIENT)), "secondary aud with azp");
    for missing in ["exp", "aud", "iss", "nonce"] {
        no_session(&Op::honest().minted(&Mint::thin().without(missing)), missing);
    }
    assert!(Op::honest().sign_in_to(client()).unwrap().identity.issuer == ISSUER);
}
