//! Who signed, and how.

use serde_json::json;
use vestibule_conformance::{Alg, Edit, Endpoint, HmacKey, Lie, Object, Signing, Site, Trap, client};
use vestibule_oidc::{Algorithm, Oidc};

use crate::{accepts, accepts_the_truth, now, refuses};

#[tokio::test]
async fn the_order_is_token_then_keys_then_userinfo() {
    use Endpoint::{Authorize, Keys, Metadata, Token, Userinfo};
    let site = Site::start().await;
    let outcome = site.sign_in().await;
    assert_eq!(outcome.session().identity.subject, "1001");
    // RFC 9700 §4.5.3.2: no token is used before the ID token is proven, and it takes the keys to prove it.
    assert_eq!(outcome.asked, [Metadata, Authorize, Token, Keys, Userinfo]);
    assert_eq!(outcome.response.get("location"), Some("https://app.example/deep"));
    assert_eq!((outcome.me.status, site.auth(&outcome.browser)), (200, 202));
}

#[tokio::test]
async fn jt_01_end_to_end_an_unsigned_token_signs_nobody_in() {
    let site = Site::start().await;
    refuses(&site, Signing::Unsigned, "alg none").await;
    let spellings = [r#""none""#, r#""None""#, r#""nOnE""#, r#""""#, "null", "1", r#"["RS256"]"#];
    for alg in spellings {
        for signing in [Signing::Bytes(Vec::new()), Signing::OfHonestToken, Signing::Bytes(vec![7; 256])] {
            site.provider().honest().lie(signing.clone());
            site.provider().lie(Lie::RawHeader(format!(r#"{{"alg":{alg},"kid":{{{{kid}}}},"typ":"JWT"}}"#)));
            site.sign_in().await.refused_id_token((alg, signing));
        }
    }
    refuses(&site, Lie::member(Object::Header, "alg", Edit::Remove), "no alg").await;
    accepts_the_truth(&site).await;
}

#[tokio::test]
async fn jt_02_end_to_end_the_public_key_is_no_secret_to_sign_with() {
    use HmacKey::{Kid, Modulus, PublicDer, PublicJwk, PublicPem, PublicPemTrimmed, PublicPkcs1Pem};
    let site = Site::start().await;
    for alg in [Alg::Hs256, Alg::Hs384, Alg::Hs512] {
        for key in [PublicPem, PublicPemTrimmed, PublicPkcs1Pem, PublicDer, PublicJwk, Modulus, Kid] {
            refuses(&site, Signing::Hmac(alg, key.clone()), (alg, key)).await;
        }
    }
    accepts_the_truth(&site).await;
}

#[tokio::test]
async fn jt_03_end_to_end_a_secret_signs_only_where_that_was_agreed_on() {
    let site = Site::start().await;
    for key in [HmacKey::Bytes(Vec::new()), HmacKey::ClientSecret] {
        refuses(&site, Signing::Hmac(Alg::Hs256, key.clone()), key).await;
    }
    let by_secret = Site::builder()
        .provider(|provider| provider.id_token_alg(Alg::Hs256))
        .client(|client| client.algorithms([Algorithm::Hs256]))
        .start()
        .await;
    accepts_the_truth(&by_secret).await;
    for signing in [
        Signing::Hmac(Alg::Hs256, HmacKey::Bytes(Vec::new())),
        Signing::Hmac(Alg::Hs256, HmacKey::PublicPem),
        Signing::With(Alg::Rs256),
        Signing::OtherKey,
        Signing::Unsigned,
    ] {
        refuses(&by_secret, signing.clone(), signing).await;
    }
}

#[tokio::test]
async fn jt_04_end_to_end_a_key_that_the_token_brings_along_is_neither_used_nor_fetched() {
    let site = Site::start().await;
    refuses(&site, Signing::EmbeddedKey, "jwk").await;
    for name in ["jku", "x5u"] {
        let trap = Trap::set().await;
        for signing in [Signing::OtherKey, Signing::With(Alg::Rs256)] {
            site.provider().honest().lie(signing.clone());
            site.provider().lie(Lie::member(Object::Header, name, Edit::Set(json!(trap.url("keys")))));
            let outcome = site.sign_in().await;
            assert_eq!(outcome.elsewhere, [], "{name}");
            // A token that the provider did sign may say where else keys lie; nobody goes there.
            assert_eq!(outcome.is_signed_in(), signing != Signing::OtherKey, "{name} {signing:?}");
            if signing == Signing::OtherKey {
                outcome.refused_id_token((name, signing));
            }
        }
        trap.untouched(name).await;
    }
    site.provider().honest().lie(Signing::OtherKey);
    site.provider().lie(Lie::member(Object::Header, "x5c", Edit::Set(json!(["MIIB"]))));
    site.sign_in().await.refused_id_token("x5c");
}

#[tokio::test]
async fn jt_34_end_to_end_a_signature_is_over_the_bytes_that_came() {
    let site = Site::start().await;
    for lie in
        [Signing::Corrupted, Signing::OtherKey, Signing::Bytes(Vec::new()), Signing::Bytes(vec![0; 256])]
    {
        refuses(&site, lie.clone(), lie).await;
    }
    for lie in [
        Lie::claim("sub", "1002"),
        Lie::member(Object::Header, "extra", Edit::Set(json!(1))),
        // The same JSON in other bytes.
        Lie::RawHeader(r#"{"typ":"JWT","kid":{{kid}},"alg":{{alg}}}"#.into()),
        Lie::RawHeader(r#"{ "alg":{{alg}},"kid":{{kid}},"typ":"JWT"}"#.into()),
    ] {
        site.provider().honest().lie(Signing::OfHonestToken).lie(lie.clone());
        site.sign_in().await.refused_id_token(lie);
    }
    accepts(&site, Signing::OfHonestToken, "over exactly what was sent").await;
}

#[tokio::test]
async fn jt_16_end_to_end_an_ecdsa_signature_is_two_numbers_in_range() {
    let site = Site::builder()
        .provider(|provider| provider.id_token_alg(Alg::Es256))
        .client(|client| client.algorithms([Algorithm::Es256]))
        .start()
        .await;
    accepts_the_truth(&site).await;
    // The order of P-256: as large as no number of a signature may be.
    let order = b"\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\
                  \xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";
    let (one, zero) = ([[0; 31].as_slice(), &[1]].concat(), [0; 32]);
    let pairs =
        [(&zero[..], &zero[..]), (&order[..], &one[..]), (&one[..], &order[..]), (&zero[..], &one[..])];
    for (r, s) in pairs {
        refuses(&site, Signing::Bytes([r, s].concat()), (r, s)).await;
    }
    for signing in [
        Signing::Es256Der,
        Signing::Bytes(vec![1; 63]),
        Signing::Bytes(vec![1; 65]),
        Signing::Bytes(vec![1; 96]),
        Signing::With(Alg::Es384),
        Signing::With(Alg::Rs256),
        Signing::Corrupted,
    ] {
        refuses(&site, signing.clone(), signing).await;
    }
}

#[tokio::test]
async fn jt_17_end_to_end_an_ed25519_key_that_anybody_can_sign_for_is_no_key() {
    let site = Site::builder()
        .provider(|provider| provider.id_token_alg(Alg::EdDsa))
        .client(|client| client.algorithms([Algorithm::EdDsa]))
        .start()
        .await;
    accepts_the_truth(&site).await;
    for signing in
        [Signing::Bytes(vec![0; 64]), Signing::Corrupted, Signing::OtherKey, Signing::With(Alg::Es256)]
    {
        refuses(&site, signing.clone(), signing).await;
    }
    // The neutral element as the key: with it R = neutral, S = 0 signs every message.
    let neutral = [[1].as_slice(), &[0; 31]].concat();
    let text = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, &neutral);
    let kid = site.provider().public_key(Alg::EdDsa)["kid"].clone();
    for curve in ["Ed25519", "X25519"] {
        site.wait(4_000); // until the keys are fetched anew
        let keys = json!({"keys": [{"kty": "OKP", "crv": curve, "x": text, "kid": kid}]});
        site.provider().honest().lie(Lie::RawKeys(keys.to_string()));
        site.provider().lie(Signing::Bytes([neutral.as_slice(), &[0; 32]].concat()));
        site.sign_in().await.refused_id_token(curve);
    }
}

#[tokio::test]
async fn jt_20_end_to_end_the_header_does_not_choose_the_algorithm() {
    let site = Site::start().await;
    for alg in [Alg::Rs384, Alg::Rs512, Alg::Ps256, Alg::Es256, Alg::Es384, Alg::Es256k, Alg::EdDsa] {
        refuses(&site, Signing::With(alg), alg).await;
    }
    for name in ["RS1", "RSA1_5", "rs256", "RS256 "] {
        refuses(&site, Lie::member(Object::Header, "alg", Edit::Set(json!(name))), name).await;
    }
    accepts_the_truth(&site).await;
}

#[tokio::test]
async fn jt_21_end_to_end_another_configured_issuer_signs_nothing_here() {
    let other = Site::start().await;
    let (other_issuer, other) = (other.provider().issuer().to_owned(), other.provider().clone());
    let site = Site::builder()
        .site(move |site| {
            let second = Oidc::builder(other_issuer, client::ID).client_secret(client::SECRET).id("other");
            site.provider(second.build().unwrap())
        })
        .start()
        .await;
    let provider = site.provider();
    for (signer, issuer, signed_in) in [
        (provider, provider.issuer(), true),
        (&other, provider.issuer(), false),
        (&other, other.issuer(), false),
        (provider, other.issuer(), false),
    ] {
        let round = site.begin().await;
        let claims = json!({
            "iss": issuer, "sub": "1001", "aud": client::ID, "exp": now() + 60, "iat": now(),
            "nonce": round.parameter("nonce"),
        });
        let token = signer.sign(client::ID, "JWT", &claims, &Signing::With(Alg::Rs256));
        provider.honest().lie(Lie::RawIdToken(token));
        let outcome = round.finish().await;
        assert_eq!(outcome.is_signed_in(), signed_in, "{signer:?} for {issuer}");
        if !signed_in {
            outcome.refused_id_token((signer, issuer));
        }
    }
}
