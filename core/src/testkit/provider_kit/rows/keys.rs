//! The keys that an issuer signs with.

use serde_json::{Value, json};

use super::{Row, row, token::SILENCES};
use crate::{
    exchange::{Freshness, Purpose},
    provider::ProviderError,
    testkit::provider_kit::{
        bench::{Bench, Not, Outcome, ensure, left_out},
        change::{changed, set},
    },
};

const KEYS: Purpose = Purpose::Keys;

pub(super) const ROWS: &[Row] = &[
    row(
        "rp_00h_unknown_keys",
        "Keys of kinds that nobody knows, and broken ones, are passed over; the sound one beside them counts.",
        "read keys one by one, and leave out what cannot be read",
        |bench| {
            ready(bench)?;
            let play = bench.play().json(KEYS, |set| {
                if let Some(keys) = set.pointer_mut("/keys").and_then(Value::as_array_mut) {
                    keys.splice(0..0, strange());
                }
            });
            bench.accepted(play, "strange keys before the sound one")
        },
    ),
    row(
        "jt_22_withdrawn_key",
        "A key that is no longer in the set signs nothing.",
        "look for the key in the set that the issuer shows",
        |bench| {
            ready(bench)?;
            bench.refused(
                bench.play().json(KEYS, |set| set["keys"] = strange().into()),
                "a set without the key",
            )
        },
    ),
    row(
        "jt_18_key_for_something_else",
        "A key that is for encryption, or for another algorithm, signs nothing.",
        "heed `use`, `key_ops` and `alg` of a key",
        |bench| {
            ready(bench)?;
            for (name, value) in
                [("use", json!("enc")), ("key_ops", json!(["encrypt"])), ("alg", json!("PS512"))]
            {
                let play = bench.play().json(KEYS, |keys| {
                    for key in keys["keys"].as_array_mut().into_iter().flatten() {
                        set(key, &format!("/{name}"), value.clone());
                    }
                });
                bench.refused(play, &format!("a key with `{name}`: {value}"))?;
            }
            Ok(())
        },
    ),
    row(
        "nd_07_rotated_key",
        "A key that the issuer has begun to use a moment ago is fetched when a token names it.",
        "ask again with `Freshness::Refetched` where no key fits",
        |bench| {
            ready(bench)?;
            let play = bench.play().replies(|seen, response| {
                let old = seen.purpose == KEYS && seen.freshness == Some(Freshness::Cached);
                Ok(if old { changed(response, rename_keys) } else { response })
            });
            bench.accepted(play, "the cached set knows the key by no such name, a fresh one does")
        },
    ),
    row(
        "nd_09_refetched_once",
        "Where no key fits, the keys are fetched anew once, not again and again.",
        "ask with `Freshness::Refetched` once",
        |bench| {
            ready(bench)?;
            let play = bench.play().mint(|mint| mint.header("kid", "a-key-that-nobody-has"));
            let count = play.json(KEYS, |set| set["keys"] = strange().into()).finish().asked(KEYS).count();
            ensure(count <= 2, || format!("they are asked for {count} times"))
        },
    ),
    row(
        "nd_06_keys_silence",
        "No answer is `ProviderError::Unreachable`, with the purpose and the failure.",
        "hand `HttpFailure` on as it is",
        |bench| {
            ready(bench)?;
            SILENCES.into_iter().try_for_each(|failure| {
                let unreachable = ProviderError::Unreachable { purpose: KEYS, failure };
                Bench::ends_as(bench.play().silent(KEYS, failure), unreachable, &failure.to_string())
            })
        },
    ),
];

/// The provider asks for keys.
pub(super) fn ready(bench: &Bench<'_>) -> Result<(), Not> {
    bench.openid()?;
    bench.signed_in()?;
    let asks: Outcome = match bench.base_finish().asked(KEYS).next() {
        Some(_) => Ok(()),
        None => Err(left_out("no keys are asked for")),
    };
    asks
}

/// What the set was before: no key of the name that tokens carry now.
fn rename_keys(keys: &mut Value) {
    for key in keys["keys"].as_array_mut().into_iter().flatten() {
        set(key, "/kid", "an-older-key".into());
    }
}

/// Keys that are unknown or broken, and none of which is the issuer's.
fn strange() -> Vec<Value> {
    vec![
        json!({"kty": "AKP", "alg": "ML-DSA-44", "kid": "new", "pub": "AAAA"}),
        json!({"kty": "OKP", "crv": "X448", "kid": "x448", "x": "AAAA"}),
        json!({"kty": "EC", "crv": "secp256k1", "kid": "k1-curve", "x": "AAAA", "y": "AAAA"}),
        json!({"kty": "RSA", "kid": "broken", "n": 7, "e": null}),
        json!({"kty": "RSA", "kid": "empty", "n": "", "e": ""}),
        json!({"kty": 7}),
        json!("a text"),
        json!(null),
        json!([]),
    ]
}
