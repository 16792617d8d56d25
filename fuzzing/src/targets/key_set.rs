//! A key set.

use serde_json::Value;
use vestibule::limits::KEYS_MAX;

use crate::{
    Seen,
    issuer::{Issuer, eddsa, pinned},
    outside::reply,
    readers::{clean_json, from_base64url},
    text::{expand, first_line},
};

/// The algorithm of the token that is to be proven in the first line; the rest is the set. `<RS256>`, `<ES256>` and
/// `<EdDSA>` are the issuer's keys.
///
/// Nobody is signed in unless the issuer's own key is in the set, as a key that is for this: no other key, and no other
/// member of it, makes the token sound (JT-18, JT-19, ND-06, ND-08).
pub fn key_set(data: &[u8]) -> Seen {
    let (name, rest) = first_line(data);
    let wanted = pinned().iter().find(|pinned| pinned.name.as_bytes() == name).unwrap_or(eddsa());
    let keys: Vec<String> = pinned().iter().map(|pinned| pinned.key.to_string()).collect();
    let body = expand(rest, &[("RS256", &keys[0]), ("ES256", &keys[1]), ("EdDSA", &keys[2])]);
    let mut issuer = Issuer::honest(wanted);
    issuer.keys = reply(200, b"application/json", body.clone());
    let accepted = issuer.finish(&wanted.client).is_ok();
    if accepted {
        let set = clean_json(&body).expect("an accepted set is JSON");
        let listed = set["keys"].as_array().expect("a set has a list of keys");
        assert!(listed.iter().take(KEYS_MAX).any(|key| is_the_one(key, &wanted.key)));
    }
    Seen::accepted(accepted)
}

/// Whether a key is the issuer's own, by its numbers, and may be used.
fn is_the_one(key: &Value, own: &Value) -> bool {
    let number = |key: &Value, name: &str| {
        let bytes = from_base64url(key[name].as_str()?)?;
        Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect::<Vec<_>>())
    };
    let same = |name: &str| number(key, name) == number(own, name);
    let says =
        |name: &str, values: &[&str]| key.get(name).is_none_or(|value| values.iter().any(|own| value == own));
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    let algorithm = own["kid"].as_str().unwrap_or_default();
    ["n", "e", "x", "y"].iter().filter(|name| own.get(**name).is_some()).all(|name| same(name))
        && (key["kty"] == own["kty"] && (own["crv"].is_null() || key["crv"] == own["crv"]))
        && key["kid"] == own["kid"]
        && says("use", &["sig"])
        && key
            .get("alg")
            .is_none_or(|name| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(algorithm)))
        && key
            .get("key_ops")
            .is_none_or(|ops| ops.as_array().is_some_and(|ops| ops.contains(&"verify".into())))
        && private.iter().all(|name| key.get(*name).is_none())
}
