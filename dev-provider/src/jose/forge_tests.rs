//! Every way to sign, checked by the verifier of the library that signed.

use aws_lc_rs::{hmac, signature};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::*;

static KEYS: LazyLock<KeyRing> = LazyLock::new(|| KeyRing::generate().unwrap());
static IMPOSTOR: LazyLock<KeyRing> = LazyLock::new(|| KeyRing::generate().unwrap());

fn decode(segment: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(segment).unwrap()
}

fn token(alg: Alg, signing: &Signing) -> String {
    token_with(alg, signing, &|header| header.to_json())
}

fn token_with(alg: Alg, signing: &Signing, header: &dyn Fn(Members) -> String) -> String {
    let workshop = Workshop { alg, keys: &KEYS, impostor: &IMPOSTOR, secret: Some("secret") };
    let payload = br#"{"sub":"1"}"#.to_vec();
    let draft = Draft { typ: "JWT", honest_payload: payload.clone(), payload, header };
    draft.sign(&workshop, signing).into_text()
}

fn header(token: &str) -> Value {
    serde_json::from_slice(&decode(token.split('.').next().unwrap())).unwrap()
}

/// Verifies as a stranger would: from the published JWK alone.
fn verifies(token: &str, alg: Alg, keys: &KeyRing) -> bool {
    let (input, sent) = token.rsplit_once('.').unwrap();
    let sent = decode(sent);
    let jwk = keys.jwk(alg);
    let member = |name: &str| decode(jwk[name].as_str().unwrap());
    let rsa = |parameters: &'static signature::RsaParameters| {
        let key = signature::RsaPublicKeyComponents { n: member("n"), e: member("e") };
        key.verify(parameters, input.as_bytes(), &sent).is_ok()
    };
    let ec = |algorithm: &'static signature::EcdsaVerificationAlgorithm| {
        let point = [vec![4], member("x"), member("y")].concat();
        signature::UnparsedPublicKey::new(algorithm, point).verify(input.as_bytes(), &sent).is_ok()
    };
    match alg {
        Alg::Rs256 => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        Alg::Rs384 => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        Alg::Rs512 => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        Alg::Ps256 => rsa(&signature::RSA_PSS_2048_8192_SHA256),
        Alg::Ps384 => rsa(&signature::RSA_PSS_2048_8192_SHA384),
        Alg::Ps512 => rsa(&signature::RSA_PSS_2048_8192_SHA512),
        Alg::Es256 => ec(&signature::ECDSA_P256_SHA256_FIXED),
        Alg::Es384 => ec(&signature::ECDSA_P384_SHA384_FIXED),
        Alg::Es512 => ec(&signature::ECDSA_P521_SHA512_FIXED),
        Alg::Es256k => ec(&signature::ECDSA_P256K1_SHA256_FIXED),
        Alg::EdDsa => signature::UnparsedPublicKey::new(&signature::ED25519, member("x"))
            .verify(input.as_bytes(), &sent)
            .is_ok(),
        Alg::Hs256 | Alg::Hs384 | Alg::Hs512 => {
            let key = hmac::Key::new(alg.hmac().unwrap(), b"secret");
            hmac::verify(&key, input.as_bytes(), &sent).is_ok()
        }
    }
}

const ASYMMETRIC: [Alg; 11] = [
    Alg::Rs256,
    Alg::Rs384,
    Alg::Rs512,
    Alg::Ps256,
    Alg::Ps384,
    Alg::Ps512,
    Alg::Es256,
    Alg::Es384,
    Alg::Es512,
    Alg::Es256k,
    Alg::EdDsa,
];

#[test]
fn honest_signatures_verify_from_the_published_key_alone() {
    for alg in ASYMMETRIC {
        let token = token(alg, &Signing::With(alg));
        assert!(verifies(&token, alg, &KEYS), "{alg:?}");
        assert_eq!(header(&token)["alg"], alg.name());
        assert_eq!(header(&token)["kid"], KEYS.jwk(alg)["kid"]);
    }
}

#[test]
fn coordinates_keep_their_leading_zeros() {
    // P-521 coordinates are 66 bytes, and the first is nearly always 0 or 1.
    for (alg, length) in [(Alg::Es256, 32), (Alg::Es384, 48), (Alg::Es512, 66), (Alg::Es256k, 32)] {
        let jwk = KEYS.jwk(alg);
        assert_eq!(decode(jwk["x"].as_str().unwrap()).len(), length, "{alg:?}");
        assert_eq!(decode(jwk["y"].as_str().unwrap()).len(), length, "{alg:?}");
    }
}

#[test]
fn the_clients_secret_keys_an_honest_mac() {
    for alg in [Alg::Hs256, Alg::Hs384, Alg::Hs512] {
        let (input, sent) = {
            let token = token(alg, &Signing::With(alg));
            let (input, sent) = token.rsplit_once('.').unwrap();
            (input.to_owned(), decode(sent))
        };
        let key = hmac::Key::new(alg.hmac().unwrap(), b"secret");
        assert!(hmac::verify(&key, input.as_bytes(), &sent).is_ok(), "{alg:?}");
    }
}

#[test]
fn every_false_signature_is_false() {
    for signing in [
        Signing::Unsigned,
        Signing::Hmac(Alg::Hs256, HmacKey::PublicPem),
        Signing::OtherKey,
        Signing::EmbeddedKey,
        Signing::Corrupted,
        Signing::Bytes(vec![0; 256]),
    ] {
        assert!(!verifies(&token(Alg::Rs256, &signing), Alg::Rs256, &KEYS), "{signing:?}");
    }
    let der = token(Alg::Es256, &Signing::Es256Der);
    assert_eq!(header(&der)["alg"], "ES256");
    assert!(!verifies(&der, Alg::Es256, &KEYS));
}

#[test]
fn an_embedded_key_fits_its_token() {
    let token = token(Alg::Rs256, &Signing::EmbeddedKey);
    assert!(verifies(&token, Alg::Rs256, &IMPOSTOR));
    assert_eq!(header(&token)["jwk"], IMPOSTOR.jwk(Alg::Rs256));
    assert!(header(&token).get("kid").is_none());
}

#[test]
fn another_key_hides_behind_the_honest_name() {
    let token = token(Alg::Es256, &Signing::OtherKey);
    assert_eq!(header(&token)["kid"], KEYS.jwk(Alg::Es256)["kid"]);
    assert!(verifies(&token, Alg::Es256, &IMPOSTOR));
}

#[test]
fn the_public_pem_really_is_the_key_of_the_confused_mac() {
    let token = token(Alg::Rs256, &Signing::Hmac(Alg::Hs256, HmacKey::PublicPem));
    let (input, sent) = token.rsplit_once('.').unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &HmacKey::PublicPem.bytes(&KEYS, None));
    assert!(hmac::verify(&key, input.as_bytes(), &decode(sent)).is_ok());
    assert_eq!(header(&token)["kid"], KEYS.jwk(Alg::Rs256)["kid"]);
}

#[test]
fn a_signature_covers_the_header_that_is_sent_or_the_honest_one_on_request() {
    let lie = |_: Members| r#"{"alg":"none"}"#.to_owned();
    let covering = token_with(Alg::EdDsa, &Signing::With(Alg::EdDsa), &lie);
    assert!(verifies(&covering, Alg::EdDsa, &KEYS));

    let pasted = token_with(Alg::EdDsa, &Signing::OfHonestToken, &lie);
    assert!(!verifies(&pasted, Alg::EdDsa, &KEYS));
    let signature = |token: &str| token.rsplit_once('.').unwrap().1.to_owned();
    // Ed25519 is deterministic, so the honest token's signature can be recognised.
    assert_eq!(signature(&pasted), signature(&token(Alg::EdDsa, &Signing::With(Alg::EdDsa))));
}

#[test]
fn a_template_takes_the_segments() {
    let workshop = Workshop { alg: Alg::EdDsa, keys: &KEYS, impostor: &IMPOSTOR, secret: None };
    let header = |header: Members| header.to_json();
    let draft = Draft { typ: "JWT", honest_payload: vec![], payload: b"{}".to_vec(), header: &header };
    let compact = draft.sign(&workshop, &Signing::With(Alg::EdDsa));
    let doubled = compact.fill("{{payload}}.{{payload}}");
    assert_eq!(doubled, "e30.e30");
}

#[test]
fn at_hash_is_the_left_half() {
    // The example of OpenID Connect Core, Appendix A.3.
    let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    assert_eq!(Alg::Rs256.left_half(token), "77QmUPtjPfzWtF2AnpK9RQ");
    assert_eq!(decode(&Alg::EdDsa.left_half(token)).len(), 32);
}
