//! Which keys of a set count, and what happens when they change.

use serde_json::{Value, json};
use vestibule::{
    exchange::{Freshness, HttpFailure, Purpose},
    limits::KEYS_MAX,
    provider::ProviderError,
};

use crate::{
    mint::{Mint, base64url, keyring},
    op::{Answer, Op, no_session},
};

/// Keys that a set may have beside the one that signs, each of which cannot be used.
fn strange_keys() -> Vec<Value> {
    let keys = keyring();
    let with = |mut key: Value, name: &str, value: Value| {
        key[name] = value;
        key
    };
    let rsa = || keys.other_rsa.jwk("strange");
    vec![
        json!({"kty": "EC", "crv": "secp256k1", "kid": "a", "x": base64url([1; 32]), "y": base64url([2; 32])}),
        json!({"kty": "OKP", "crv": "X25519", "kid": "b", "x": base64url([9; 32])}),
        json!({"kty": "OKP", "crv": "Ed448", "kid": "c", "x": base64url([9; 57])}),
        json!({"kty": "AKP", "alg": "ML-DSA-65", "kid": "d", "pub": "AAAA"}),
        json!({"kty": "oct", "kid": "e", "k": base64url("secret")}),
        json!({"kty": "RSA", "kid": "f"}),
        json!({"kty": "RSA", "kid": "g", "n": "!", "e": "AQAB"}),
        json!({"kty": "EC", "crv": "P-256", "kid": "h", "x": "AA", "y": "AA"}),
        json!({"kty": 1}),
        json!({}),
        json!(null),
        json!("RSA"),
        json!([]),
        with(rsa(), "use", json!("enc")),
        with(rsa(), "use", json!(1)),
        with(rsa(), "key_ops", json!(["encrypt"])),
        with(rsa(), "key_ops", json!("verify")),
        with(rsa(), "alg", json!("RSA-OAEP")),
        with(rsa(), "d", json!("AQAB")),
    ]
}

#[test]
fn keys_that_cannot_be_used_are_passed_over() {
    let mut keys = strange_keys();
    keys.push(keyring().rsa.jwk("k1"));
    let op = Op::honest().keys(keys);
    assert!(op.sign_in().is_ok());
    assert_eq!(op.came(Purpose::Keys).len(), 1, "the key was found at once");
}

#[test]
fn jt_16_an_ecdsa_signature_is_what_the_algorithm_says() {
    let keys = keyring();
    let es256 = || crate::op::builder().algorithms([vestibule_oidc::Algorithm::Es256]).build().unwrap();
    let mint = Mint::thin().header("alg", "ES256");
    let sound = mint.sign_with(&keys.p256);
    let op = |token: String, key: Value| Op::honest().keys([key]).id_token(token);
    let p256 = || keys.p256.jwk("k1");
    assert!(
        op(Mint::sound().header("alg", "ES256").sign_with(&keys.p256), p256()).sign_in_to(es256()).is_ok()
    );
    // The order of the group: r and s must be smaller.
    let order: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
        0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let right = keys.p256.sign("ES256", mint.signing_input().as_bytes());
    let (r, s) = right.split_at(32);
    let zero = [0_u8; 32];
    for (name, signature) in [
        ("r = s = 0", [zero, zero].concat()),
        ("r = 0", [&zero, s].concat()),
        ("s = 0", [r, &zero].concat()),
        ("r = n", [&order, s].concat()),
        ("s = n", [r, &order].concat()),
        ("too short", right[..63].to_vec()),
        ("too long", [right.as_slice(), &[0]].concat()),
        ("empty", Vec::new()),
        ("swapped", [s, r].concat()),
    ] {
        let error = op(mint.with_signature(signature), p256()).sign_in_to(es256());
        assert!(error.is_err(), "{name}");
    }
    let (key, der) = crate::mint::der_signature(&mint.signing_input());
    assert!(op(mint.with_signature(der), key).sign_in_to(es256()).is_err(), "DER");
    let by_p384 = mint.sign_with(&keys.p384);
    assert!(op(by_p384, keys.p384.jwk("k1")).sign_in_to(es256()).is_err(), "a P-384 key");
    assert!(op(sound, keys.p384.jwk("k1")).sign_in_to(es256()).is_err(), "the wrong curve");
}

#[test]
fn jt_17_an_eddsa_key_that_anybody_can_sign_for_is_no_key() {
    let eddsa = || crate::op::builder().algorithms([vestibule_oidc::Algorithm::EdDsa]).build().unwrap();
    let mint = Mint::thin().header("alg", "EdDSA");
    let mut identity = [0_u8; 32];
    identity[0] = 1;
    // R is the neutral element and S is zero: for a key of order one that is a signature of every message.
    let forged = mint.with_signature([identity, [0; 32]].concat());
    let small_order = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": base64url(identity)});
    assert!(Op::honest().keys([small_order]).id_token(forged).sign_in_to(eddsa()).is_err(), "small order");

    let keys = keyring();
    let sound = keys.ed25519.sign("EdDSA", mint.signing_input().as_bytes());
    let mut non_canonical = sound.clone();
    add_group_order(&mut non_canonical[32..]);
    let op = |signature: Vec<u8>| {
        Op::honest().keys([keys.ed25519.jwk("k1")]).id_token(mint.with_signature(signature))
    };
    assert!(op(non_canonical).sign_in_to(eddsa()).is_err(), "S + L");
    let mut x25519 = keys.ed25519.jwk("k1");
    x25519["crv"] = json!("X25519");
    let op = Op::honest().keys([x25519]).id_token(mint.with_signature(sound));
    assert!(op.sign_in_to(eddsa()).is_err(), "X25519");
}

/// Adds the order of Ed25519's group to a little-endian number.
fn add_group_order(number: &mut [u8]) {
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (byte, add) in number.iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
}

#[test]
fn jt_18_a_key_is_used_for_what_it_is_for() {
    let rsa = keyring().rsa.jwk("k1");
    for (name, value) in [
        ("use", json!("enc")),
        ("use", json!("")),
        ("use", json!(null)),
        ("key_ops", json!(["encrypt"])),
        ("key_ops", json!(["sign"])),
        ("key_ops", json!([])),
        ("alg", json!("PS256")),
        ("alg", json!("RS512")),
        ("alg", json!("RSA-OAEP-256")),
        ("alg", json!("none")),
        ("alg", json!(1)),
        ("kty", json!("EC")),
        ("kty", json!("oct")),
        ("kty", json!("rsa")),
        ("d", json!("AQAB")),
        ("p", json!("AQAB")),
        ("k", json!("AQAB")),
    ] {
        let mut key = rsa.clone();
        key[name] = value.clone();
        no_session(&Op::honest().keys([key]).minted(&Mint::thin()), (name, value));
    }
    for (name, value) in [
        ("use", json!("sig")),
        ("key_ops", json!(["verify"])),
        ("alg", json!("RS256")),
        ("x5t", json!("anything")),
    ] {
        let mut key = rsa.clone();
        key[name] = value.clone();
        assert!(Op::honest().keys([key]).sign_in().is_ok(), "{name} {value}");
    }
    let shared = json!({"kty": "oct", "kid": "k1", "k": base64url("published")});
    let op = || {
        Op::honest()
            .keys([shared.clone()])
            .id_token(Mint::thin().header("alg", "HS256").sign_hmac("published"))
    };
    no_session(&op(), "a shared secret in a public set");
    let pinned = crate::op::builder().algorithms([vestibule_oidc::Algorithm::Hs256]).build().unwrap();
    crate::op::no_session_for(&op(), pinned, "even where HS256 was agreed on: the secret is the client's");
}

#[test]
fn jt_19_a_weak_key_is_no_key() {
    // Signed once with a key of 1,024 bits that was then thrown away.
    let input = crate::mint::signing_input(
        r#"{"alg":"RS256","kid":"k1"}"#,
        r#"{"iss":"https://op.example","sub":"248289761001","aud":"client","nonce":"nonce-of-this-attempt","iat":1699999995,"exp":1700000300}"#,
    );
    let weak = json!({"kty": "RSA", "kid": "k1", "e": "AQAB", "n":
        "txoPnLog6ToDzLKuz4U2e8w4kaGG8lJ8Ltkns8mzhvF-qiiNrX18OOBU-tXx-KHIeIRFuUvxBER41RXAxN7NLUCnSEQUZmrb7ujvCOAYr5gX_6CY\
         PPSK5Gnzo6CiyVXSsZ9zIiAPtph5sxwTg0M4mdKD5RTeO8BAYvbnuwCUXqU"});
    let signature = "lrut63xDWaYq3k2gtgJjvoJd-3JdOBThvdwIUCh4cAkbuSTgx0zQuQN0LpRuqDmJPeJETaziAI0uPI37PVZaYY2V9vSl5C4_McHG6Z\
                     DXQgWlgRR-IVAvtJoUYelYoQdUclpC42St8mIq2e-dNTdrFpbNZfuXNQx4I8-dIhRlZyQ";
    no_session(&Op::honest().keys([weak]).id_token(format!("{input}.{signature}")), "1,024 bits");

    // With exponent 1 a signature is the padded message itself, and anybody can write that.
    let mint = Mint::thin();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, mint.signing_input().as_bytes());
    let info = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
        0x04, 0x20,
    ];
    let padding = vec![0xff_u8; 256 - 3 - info.len() - 32];
    let padded = [&[0, 1], padding.as_slice(), &[0], &info, digest.as_ref()].concat();
    for exponent in ["AQ", "AAE", "", "AA", "Ag", "AQAA"] {
        let mut key = keyring().rsa.jwk("k1");
        key["e"] = json!(exponent);
        no_session(&Op::honest().keys([key]).id_token(mint.with_signature(&padded)), exponent);
    }
    for bytes in [1_024, 2_048] {
        let mut key = keyring().rsa.jwk("k1");
        key["n"] = json!(base64url(vec![0xff; bytes]));
        let op = Op::honest().keys([key]).id_token(mint.with_signature(vec![1; bytes]));
        no_session(&op, bytes);
    }
}

#[test]
fn jt_22_a_key_that_was_withdrawn_signs_nothing() {
    let op = Op::honest().keys([keyring().other_rsa.jwk("k2")]);
    no_session(&op, "withdrawn");
    let freshness: Vec<_> = op.came(Purpose::Keys).into_iter().filter_map(|came| came.freshness).collect();
    assert_eq!(freshness, [Freshness::Cached, Freshness::Refetched], "asked again, once");
}

#[test]
fn nd_07_new_keys_are_fetched_when_a_token_names_one() {
    let keys = keyring();
    let mut op = Op::honest().keys([keys.other_rsa.jwk("old")]);
    op.fresh_keys = Some(json!({"keys": [keys.other_rsa.jwk("old"), keys.rsa.jwk("k1")]}));
    assert!(op.sign_in().is_ok());
    assert_eq!(op.came(Purpose::Keys).len(), 2);
    // Keys without names: nothing in the token says which one it was, only that none of the known ones did.
    let mut op =
        Op::honest().keys([keys.other_rsa.jwk(Value::Null)]).minted(&Mint::sound().without_header("kid"));
    op.fresh_keys = Some(json!({"keys": [keys.rsa.jwk(Value::Null)]}));
    assert!(op.sign_in().is_ok());
}

#[test]
fn a_bad_signature_by_a_known_key_fetches_nothing() {
    let op = Op::honest().id_token(Mint::thin().sign_with(&keyring().other_rsa));
    no_session(&op, "another's signature under a known name");
    assert_eq!(op.came(Purpose::Keys).len(), 1);
}

#[test]
fn nd_06_what_is_no_key_set_is_a_fault_with_a_name() {
    let with = |answer: Answer| {
        let mut op = Op::honest();
        op.keys_answer = Some(answer);
        op.sign_in().unwrap_err()
    };
    let body = |body: &str| Answer::Body(200, "application/json", body.as_bytes().to_vec());
    for broken in ["", "{}", "[]", "{\"keys\":{}}", "{\"keys\":null}", "<html>", "{\"keys\":[],\"keys\":[]}"]
    {
        assert!(
            matches!(with(body(broken)), ProviderError::Broken { purpose: Purpose::Keys, .. }),
            "{broken}"
        );
    }
    assert!(matches!(with(body("{\"keys\":[]}")), ProviderError::IdToken(_)));
    for failure in [HttpFailure::TimedOut, HttpFailure::TooLarge, HttpFailure::Connect] {
        let expected = ProviderError::Unreachable { purpose: Purpose::Keys, failure };
        assert_eq!(with(Answer::Nothing(failure)), expected);
    }
}

#[test]
fn nd_06_only_so_many_keys_are_looked_at() {
    let filled = |before: usize| {
        let fillers = (0..before).map(|number| json!({"kty": "AKP", "kid": number.to_string()}));
        Op::honest().keys(fillers.chain([keyring().rsa.jwk("k1")]))
    };
    assert!(filled(KEYS_MAX - 1).sign_in().is_ok());
    no_session(&filled(KEYS_MAX).minted(&Mint::thin()), "one too many");
}

#[test]
fn nd_08_two_keys_of_one_name_are_both_tried_and_no_more_than_four() {
    let keys = keyring();
    let crowd = |others: usize, key_id: Value| {
        let others = (0..others).map(|_| keys.other_rsa.jwk(key_id.clone())).collect::<Vec<_>>();
        Op::honest().keys(others.into_iter().chain([keys.rsa.jwk(key_id.clone())]))
    };
    assert!(crowd(1, json!("k1")).sign_in().is_ok(), "two of one name");
    assert!(crowd(3, json!("k1")).sign_in().is_ok(), "four of one name");
    no_session(&crowd(4, json!("k1")).minted(&Mint::thin()), "five of one name");
    let nameless = |mint: Mint| mint.without_header("kid");
    assert!(crowd(3, Value::Null).minted(&nameless(Mint::sound())).sign_in().is_ok(), "four without a name");
    no_session(&crowd(4, Value::Null).minted(&nameless(Mint::thin())), "five without a name");
}
