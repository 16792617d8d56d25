//! Which key may have signed.

use serde_json::json;
use vestibule_conformance::{Alg, Edit, Endpoint, HmacKey, Lie, Object, Signing, Site, client};

use crate::{accepts, now};

/// Longer than keys are used without asking again.
const UNTIL_KEYS_ARE_OLD: i64 = 3_700;

#[tokio::test]
async fn jt_18_end_to_end_a_key_is_used_for_what_it_is_for() {
    let site = Site::start().await;
    for (name, value) in [
        ("use", json!("enc")),
        ("key_ops", json!(["encrypt"])),
        ("alg", json!("RS384")),
        ("alg", json!("RSA-OAEP")),
        ("kty", json!("EC")),
        ("d", json!("AQAB")),
    ] {
        site.wait(UNTIL_KEYS_ARE_OLD);
        site.provider().honest().lie(Lie::member(Object::Key, name, Edit::Set(value.clone())));
        site.sign_in().await.refused_id_token((name, value));
    }
    let published = json!({"keys": [{
        "kty": "oct", "alg": "HS256", "k": "cHVibGlzaGVk", "kid": site.provider().public_key(Alg::Rs256)["kid"],
    }]});
    for alg in [Alg::Hs256, Alg::Hs512] {
        site.wait(UNTIL_KEYS_ARE_OLD);
        site.provider().honest().lie(Lie::RawKeys(published.to_string()));
        site.provider().lie(Signing::Hmac(alg, HmacKey::Bytes(b"published".to_vec())));
        site.sign_in().await.refused_id_token("a shared secret that everybody knows");
    }
    site.wait(UNTIL_KEYS_ARE_OLD);
    accepts(&site, Lie::member(Object::Key, "alg", Edit::Remove), "a key that does not say for what").await;
}

#[tokio::test]
async fn jt_19_end_to_end_a_modulus_of_16384_bits_is_not_worked_with() {
    let site = Site::start().await;
    let kid = site.provider().public_key(Alg::Rs256)["kid"].clone();
    for (modulus, exponent) in [("_".repeat(2_731), "AQAB"), ("_".repeat(171), "AQAB")] {
        site.wait(UNTIL_KEYS_ARE_OLD);
        let keys = json!({"keys": [{"kty": "RSA", "n": modulus, "e": exponent, "kid": kid}]});
        site.provider().honest().lie(Lie::RawKeys(keys.to_string()));
        site.sign_in().await.refused_id_token((modulus.len(), exponent));
    }
    for exponent in ["AQ", "Ag", "AA", ""] {
        site.wait(UNTIL_KEYS_ARE_OLD);
        site.provider().honest().lie(Lie::member(Object::Key, "e", Edit::Set(json!(exponent))));
        site.sign_in().await.refused_id_token(exponent);
    }
}

#[tokio::test]
async fn jt_22_end_to_end_a_key_that_was_withdrawn_signs_nothing_once_the_cache_is_old() {
    let site = Site::start().await;
    assert!(site.sign_in().await.is_signed_in());
    let by_the_old_key = async |wait: i64| {
        let round = site.begin().await;
        let issued = now() + wait;
        let claims = json!({
            "iss": site.provider().issuer(), "sub": "1001", "aud": client::ID, "exp": issued + 60, "iat": issued,
            "nonce": round.parameter("nonce"),
        });
        (site.provider().sign(client::ID, "JWT", &claims, &Signing::With(Alg::Rs256)), round)
    };
    // Within the cache's time the key still counts. That is the price of not asking for keys at every sign-in.
    let (token, round) = by_the_old_key(0).await;
    site.provider().lie(Lie::RawIdToken(token));
    let outcome = round.finish().await;
    assert!(outcome.is_signed_in() && !outcome.asked.contains(&Endpoint::Keys));

    site.wait(UNTIL_KEYS_ARE_OLD);
    let (token, round) = by_the_old_key(UNTIL_KEYS_ARE_OLD).await;
    site.provider().honest().rotate_keys().lie(Lie::RawIdToken(token));
    let outcome = round.finish().await;
    outcome.refused_id_token("withdrawn");
    assert!(outcome.asked.contains(&Endpoint::Keys));
    site.provider().honest();
    assert!(site.sign_in().await.is_signed_in(), "the new key");
}
