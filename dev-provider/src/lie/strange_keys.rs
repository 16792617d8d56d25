//! Keys that a client must skip without giving up on the set that they stand in.

use serde_json::{Value, json};

/// One key of each kind that a client can meet and need not know, some of them broken. Honest clients skip every
/// one and go on to the keys behind them.
pub fn strange_keys() -> Vec<Value> {
    // 32 bytes that are a valid encoding everywhere; no signature by any of these keys exists.
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    vec![
        json!({ "kty": "EC", "crv": "secp256k1", "kid": "strange-k256", "x": x, "y": x }),
        json!({ "kty": "EC", "crv": "P-256", "kid": "strange-off-curve", "x": "AQ", "y": "AQ" }),
        json!({ "kty": "OKP", "crv": "Ed448", "kid": "strange-ed448", "x": x }),
        json!({ "kty": "OKP", "crv": "X25519", "kid": "strange-x25519", "x": x, "use": "enc" }),
        json!({ "kty": "RSA", "kid": "strange-rsa-without-modulus", "e": "AQAB" }),
        json!({ "kty": "RSA", "kid": "strange-rsa-exponent-1", "n": x, "e": "AQ" }),
        json!({ "kty": "RSA", "kid": "strange-rsa-numbers", "n": 1, "e": 65537 }),
        json!({ "kty": "RSA", "kid": "strange-rsa-enc", "n": x, "e": "AQAB", "use": "enc", "alg": "RSA-OAEP" }),
        json!({ "kty": "oct", "kid": "strange-oct", "k": x, "alg": "HS256" }),
        json!({ "kty": "AKP", "kid": "strange-akp", "alg": "ML-DSA-44", "pub": x }),
        json!({ "kty": "EC", "crv": "BP-256", "kid": "strange-brainpool", "x": x, "y": x }),
        json!({ "kty": "LWE", "kid": "strange-kind" }),
        json!({ "kid": "strange-without-kind" }),
        json!({ "kty": 7, "kid": 7 }),
        json!({}),
        json!("strange"),
        json!(null),
    ]
}
