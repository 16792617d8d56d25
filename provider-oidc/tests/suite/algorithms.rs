//! Which algorithm and which key: what the header says never decides.

use serde_json::{Value, json};
use vestibule_oidc::Algorithm;

use crate::{
    mint::{Mint, SECRET, base64url, keyring, signing_input},
    op::{Op, accepted, builder, no_session_for, refused},
};

/// The claims of a sound token, under a header of the test's choosing.
fn under(header: &str) -> String {
    signing_input(header, &Value::from(Mint::thin().claims).to_string())
}

#[test]
fn the_baseline_is_accepted() {
    accepted(Mint::sound().sign(), "baseline");
    accepted(Mint::thin().sign(), "baseline without a profile");
}

#[test]
fn jt_01_an_unsigned_token_proves_nothing() {
    let sound = Mint::thin().sign();
    let sound_signature = sound.rsplit_once('.').unwrap().1.to_owned();
    let headers = [
        r#"{"alg":"none","kid":"k1"}"#,
        r#"{"alg":"None","kid":"k1"}"#,
        r#"{"alg":"NONE","kid":"k1"}"#,
        r#"{"alg":"nOnE","kid":"k1"}"#,
        r#"{"alg":"","kid":"k1"}"#,
        r#"{"kid":"k1"}"#,
        r#"{"alg":null,"kid":"k1"}"#,
        r#"{"alg":1,"kid":"k1"}"#,
        r#"{"alg":["RS256"],"kid":"k1"}"#,
        r#"{"alg":["none"],"kid":"k1"}"#,
    ];
    for header in headers {
        let input = under(header);
        // The last one is by the right key, over exactly this header: only its `alg` is wrong.
        let by_the_issuer = base64url(keyring().rsa.sign("RS256", input.as_bytes()));
        for signature in ["", &sound_signature, "cmFuZG9t", &by_the_issuer] {
            refused(format!("{input}.{signature}"), (header, signature));
        }
    }
    for (header, signature) in
        [(r#"{"alg":"RS256","kid":"k1"}"#, ""), (r#"{"alg":"RS256","kid":"k1"}"#, "cmFuZG9t")]
    {
        refused(format!("{}.{signature}", under(header)), signature);
    }
}

#[test]
fn jt_02_a_public_key_is_not_a_shared_secret() {
    for algorithm in ["HS256", "HS384", "HS512"] {
        for secret in keyring().rsa.rsa_public_forms() {
            let token = Mint::thin().header("alg", algorithm).sign_hmac(&secret);
            refused(token, (algorithm, String::from_utf8_lossy(&secret)));
        }
    }
}

#[test]
fn jt_03_hmac_counts_only_where_it_was_agreed_on() {
    let hs256 = Mint::thin().header("alg", "HS256");
    for secret in ["", SECRET] {
        refused(hs256.sign_hmac(secret), secret);
    }
    let pinned = || builder().algorithms([Algorithm::Hs256]).build().unwrap();
    let op = Op::honest().id_token(Mint::sound().header("alg", "HS256").sign_hmac(SECRET));
    assert!(op.sign_in_to(pinned()).is_ok(), "HS256 where HS256 was agreed on");
    no_session_for(&Op::honest().id_token(hs256.sign_hmac("")), pinned(), "the empty secret");
    no_session_for(&Op::honest().id_token(hs256.sign_hmac("another")), pinned(), "another secret");
    no_session_for(&Op::honest().id_token(hs256.header("alg", "HS384").sign_hmac(SECRET)), pinned(), "HS384");
    no_session_for(&Op::honest().minted(&Mint::thin()), pinned(), "RS256 where HS256 was agreed on");
    for secret in keyring().rsa.rsa_public_forms() {
        let token = Mint::thin().header("alg", "HS256").sign_hmac(&secret);
        no_session_for(&Op::honest().id_token(token), pinned(), "the public key");
    }
}

#[test]
fn jt_03_a_code_of_another_length_is_refused_and_nothing_panics() {
    for (name, algorithm) in
        [("HS256", Algorithm::Hs256), ("HS384", Algorithm::Hs384), ("HS512", Algorithm::Hs512)]
    {
        let pinned = || builder().algorithms([algorithm]).build().unwrap();
        let op = || Op::honest().metadata("id_token_signing_alg_values_supported", json!([name]));
        let mint = Mint::thin().header("alg", name);
        let sound = op().id_token(Mint::sound().header("alg", name).sign_hmac(SECRET));
        assert!(sound.sign_in_to(pinned()).is_ok(), "{name}");
        for length in [1, 16, 31, 33, 47, 49, 63, 65, 256] {
            let token = mint.with_signature(vec![0; length]);
            no_session_for(&op().id_token(token), pinned(), (name, length));
        }
    }
}

#[test]
fn jt_04_a_key_that_the_token_brings_along_is_not_used() {
    let attacker = &keyring().other_rsa;
    let embedded = [
        ("jwk", attacker.jwk("k1")),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MIIB"])),
    ];
    for (name, value) in embedded {
        let token = Mint::thin().header(name, value.clone());
        for token in [token.clone(), token.clone().without_header("kid"), token.header("kid", "attacker")] {
            let op = Op::honest().id_token(token.sign_with(attacker));
            no_session_for(&op, builder().build().unwrap(), name);
            let evil = |url: &String| url.contains("evil.example");
            let urls: Vec<_> =
                op.came(vestibule::exchange::Purpose::Keys).into_iter().map(|came| came.url).collect();
            assert!(!urls.iter().any(evil), "{name}: {urls:?}");
        }
        // On a token that the issuer did sign, they change nothing.
        accepted(Mint::sound().header(name, value).sign(), name);
    }
}

#[test]
fn jt_20_another_algorithm_of_the_same_key_is_another_algorithm() {
    for algorithm in ["RS384", "PS256"] {
        let token = Mint::thin().header("alg", algorithm).sign();
        refused(token, algorithm);
    }
    for algorithm in ["RS1", "ES256K", "RS256 ", "rs256", "RSA-OAEP", "dir", "A128KW"] {
        refused(Mint::thin().header("alg", algorithm).sign(), algorithm);
    }
    // Each is accepted where it was agreed on, so it was the agreement that refused it.
    for (algorithm, pinned) in [("RS384", Algorithm::Rs384), ("PS256", Algorithm::Ps256)] {
        let op = Op::honest().id_token(Mint::sound().header("alg", algorithm).sign());
        assert!(op.sign_in_to(builder().algorithms([pinned]).build().unwrap()).is_ok(), "{algorithm}");
    }
}

#[test]
fn every_kind_of_key_signs_where_its_algorithm_was_agreed_on() {
    let keys = keyring();
    for (algorithm, pinned, signer) in [
        ("ES256", Algorithm::Es256, &keys.p256),
        ("ES384", Algorithm::Es384, &keys.p384),
        ("EdDSA", Algorithm::EdDsa, &keys.ed25519),
    ] {
        let all = || [keys.rsa.jwk("k0"), signer.jwk("k1")];
        let sound =
            Op::honest().keys(all()).id_token(Mint::sound().header("alg", algorithm).sign_with(signer));
        let signed_in = sound.sign_in_to(builder().algorithms([pinned]).build().unwrap());
        assert!(signed_in.is_ok(), "{algorithm}: {signed_in:?}");
        // The same token, where RS256 was agreed on: a good key of the same set is not enough.
        let token = Mint::thin().header("alg", algorithm).sign_with(signer);
        no_session_for(&Op::honest().keys(all()).id_token(token), builder().build().unwrap(), algorithm);
    }
}

#[test]
fn jt_03_hmac_and_public_keys_are_not_agreed_on_together() {
    let problems = builder().algorithms([Algorithm::Rs256, Algorithm::Hs256]).build().unwrap_err().problems;
    assert_eq!(problems.iter().map(|problem| problem.field).collect::<Vec<_>>(), ["algorithms"]);
    let public =
        vestibule_oidc::Oidc::builder("https://op.example", "c").algorithms([Algorithm::Hs256]).build();
    assert!(public.is_err(), "a public client has no secret");
    let short = builder().client_secret("short").algorithms([Algorithm::Hs256]).build();
    assert!(short.is_err(), "RFC 7518 asks for as many bytes as the hash has");
}
