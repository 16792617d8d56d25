//! An OpenID Connect issuer's part in every row of `vestibule::testkit::ProviderKit`, for each kind of key.

use serde_json::{Value, json};
use vestibule::{
    exchange::Purpose,
    testkit::{OpenId, ProviderKit},
    time::Timestamp,
};
use vestibule_oidc::{Algorithm, Builder, UserInfo};

use crate::{
    mint::{CLIENT, ISSUER, NOW, SECRET, SUBJECT, Signer, hmac_signature, keyring},
    op::{Op, builder, userinfo},
};

fn kit(builder: Builder, openid: OpenId, key: &Value) -> ProviderKit {
    let oidc = builder.build().unwrap();
    let printed = format!("{oidc:?}");
    let token = json!({
        "access_token": "the-access-token", "token_type": "Bearer", "expires_in": 3600,
        "refresh_token": "the-refresh-token", "scope": "openid profile email",
    });
    let json = "application/json";
    ProviderKit::new(oidc)
        .printed(printed)
        .now(Timestamp::from_unix(NOW))
        .client(CLIENT)
        .client_secret(SECRET)
        .openid(openid)
        .reply(Purpose::Metadata, 200, json, Op::honest().metadata.to_string())
        .reply(Purpose::Keys, 200, json, json!({"keys": [key]}).to_string())
        .reply(Purpose::Token, 200, json, token.to_string())
        .reply(Purpose::Profile, 200, json, userinfo().to_string())
        .reply(Purpose::Revocation, 200, "text/plain", "")
        .verified_at(Purpose::Profile, "/email_verified")
}

fn signed(algorithm: &'static str, signer: &'static Signer, claims: Value) -> OpenId {
    OpenId::new(ISSUER, claims, move |input| signer.sign(algorithm, input)).algorithm(algorithm).key_id("k1")
}

/// Everything but who it is stands in userinfo.
fn thin() -> Value {
    json!({"sub": SUBJECT})
}

/// An address is in the ID token, and the rest in userinfo.
fn with_email() -> Value {
    json!({"sub": SUBJECT, "email": "ada@example.com", "email_verified": true})
}

#[test]
fn an_issuer_passes_the_kit_with_each_kind_of_key() {
    let keys = keyring();
    for (algorithm, pinned, signer) in [
        ("RS256", Algorithm::Rs256, &keys.rsa),
        ("PS256", Algorithm::Ps256, &keys.rsa),
        ("RS384", Algorithm::Rs384, &keys.rsa),
        ("ES256", Algorithm::Es256, &keys.p256),
        ("ES384", Algorithm::Es384, &keys.p384),
        ("EdDSA", Algorithm::EdDsa, &keys.ed25519),
    ] {
        let openid = signed(algorithm, signer, with_email());
        kit(builder().algorithms([pinned]), openid, &signer.jwk("k1")).check();
    }
}

#[test]
fn so_does_one_that_says_everything_in_userinfo() {
    let rsa = &keyring().rsa;
    kit(builder(), signed("RS256", rsa, thin()), &rsa.jwk("k1")).check();
    kit(builder().user_info(UserInfo::Always), signed("RS256", rsa, with_email()), &rsa.jwk("k1")).check();
}

#[test]
fn so_does_one_that_says_everything_in_the_id_token() {
    let rsa = &keyring().rsa;
    let claims = userinfo();
    kit(builder().user_info(UserInfo::Never), signed("RS256", rsa, claims), &rsa.jwk("k1")).check();
}

#[test]
fn so_does_one_that_signs_with_the_client_s_secret() {
    let openid = OpenId::new(ISSUER, with_email(), |input| {
        hmac_signature("HS256", SECRET.as_bytes(), std::str::from_utf8(input).unwrap())
    });
    let builder = builder().algorithms([Algorithm::Hs256]);
    kit(builder, openid.algorithm("HS256"), &keyring().rsa.jwk("k1")).check();
}

#[test]
fn nothing_but_an_exchange_beforehand_is_left_out() {
    let rsa = &keyring().rsa;
    let report = kit(builder(), signed("RS256", rsa, with_email()), &rsa.jwk("k1")).run();
    let beforehand = ["nd_10_begin_refused", "nd_10_begin_unavailable", "nd_10_begin_silence"];
    assert_eq!(report.not_applicable(), beforehand, "{report}");
}
