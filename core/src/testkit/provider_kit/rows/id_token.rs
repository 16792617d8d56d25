//! ID tokens that the issuer has not signed, or not so.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Row, row, token::ELSEWHERE};
use crate::{
    exchange::Purpose,
    testkit::provider_kit::{
        bench::{Bench, Not, Outcome, ensure, left_out},
        openid::Mint,
        play::Play,
    },
};

pub(super) const ROWS: &[Row] = &[
    row("id_token_missing", "Without an ID token nobody signs in.", "require `Tokens::id_token`", |bench| {
        openid(bench)?;
        [Value::Null, json!(""), json!(7), json!(["x"])].into_iter().try_for_each(|value| {
            bench.refused(
                bench.play().member(Purpose::Token, "id_token", value.clone()),
                &format!("`id_token`: {value}"),
            )
        })
    }),
    row(
        "jt_01_unsigned",
        "An unsigned token proves nothing, however `none` is spelled.",
        "pin the algorithms, and never `none`",
        |bench| {
            for alg in
                [json!("none"), json!("None"), json!("NONE"), json!("nOnE"), json!(""), Value::Null, json!(0)]
            {
                for signed in [false, true] {
                    each(bench, &format!("`alg`: {alg}"), |mint| {
                        if !signed {
                            mint.sign_with(|_| Vec::new());
                        }
                        mint.header("alg", alg.clone());
                    })?;
                }
            }
            each(bench, "no `alg`", |mint| drop(mint.header.remove("alg")))
        },
    ),
    row(
        "oidcc_invalid_signature",
        "A token with a broken signature proves nothing.",
        "verify the signature, always",
        |bench| {
            each(bench, "a bit of the signature is flipped", |mint| {
                mint.text(|token| resigned(&token, |signature| signature[7] ^= 1));
            })?;
            each(bench, "the signature is empty", |mint| mint.sign_with(|_| Vec::new()))?;
            for length in [1, 31, 33, 64, 256, 4_000] {
                each(bench, &format!("a signature of {length} zeros"), |mint| {
                    mint.sign_with(move |_| vec![0; length])
                })?;
            }
            each(bench, "the signature is another token's", |mint| {
                let sound = mint.token().unwrap_or_default();
                let signature = sound.rsplit('.').next().unwrap_or_default().to_owned();
                mint.claim("sub", "somebody-else");
                mint.text(move |token| {
                    format!("{}.{signature}", token.rsplit_once('.').unwrap_or_default().0)
                });
            })
        },
    ),
    row(
        "jt_02_hmac_with_the_public_key",
        "The public key is no shared secret: a token that is keyed with it proves nothing (CVE-2015-9235).",
        "pin the algorithms; do not go by the header's `alg`",
        |bench| {
            asymmetric(bench)?;
            let keys = bench.recorded_keys();
            for key in &keys {
                each(bench, "HS256 with the public key", |mint| hmac(mint, key.clone()))?;
            }
            ensure(!keys.is_empty(), || {
                "there is no key in the recorded reply for `Purpose::Keys`".to_owned()
            })
        },
    ),
    row(
        "jt_03_hmac_with_the_secret",
        "Where public keys were agreed on, neither the client's secret nor an empty one signs (CVE-2026-45363).",
        "pin the algorithms; do not go by the header's `alg`",
        |bench| {
            asymmetric(bench)?;
            let secret = bench.kit.client_secret.clone().unwrap_or_default();
            for key in [secret.into_bytes(), Vec::new()] {
                each(bench, "HS256 with the client's secret, or an empty one", |mint| {
                    hmac(mint, key.clone())
                })?;
            }
            Ok(())
        },
    ),
    row(
        "jt_20_other_algorithm",
        "A token of another algorithm than agreed proves nothing, by whatever key.",
        "pin the algorithms; do not go by the header's `alg`",
        |bench| {
            let agreed = &openid(bench)?.algorithm;
            let others = ["RS1", "RS384", "RS512", "PS256", "ES256K", "ES256", "ES384", "EdDSA"];
            others
                .into_iter()
                .filter(|other| other != agreed)
                .try_for_each(|other| each(bench, other, |mint| mint.header("alg", other)))
        },
    ),
    row(
        "jt_04_key_in_the_header",
        "Addresses of keys in a header (`jku`, `x5u`) are not asked: the sender does not say by which key it is checked.",
        "ask the issuer's own `jwks_uri` only",
        |bench| {
            openid(bench)?;
            for name in ["jku", "x5u"] {
                let play = bench.play().mint(|mint| {
                    mint.header(name, format!("{ELSEWHERE}keys"));
                    mint.header("kid", "a-key-from-there");
                });
                let asked = play.finish().seen.iter().any(|seen| seen.url.starts_with(ELSEWHERE));
                ensure(!asked, || format!("`{name}` is asked"))?;
            }
            Ok(())
        },
    ),
];

/// ID tokens are in use.
pub(super) fn openid<'k>(bench: &'k Bench<'k>) -> Result<&'k super::super::OpenId, Not> {
    let openid = bench.openid()?;
    bench.signed_in()?;
    Ok(openid)
}

/// Nobody signs in by a token that is changed so.
pub(super) fn each(bench: &Bench<'_>, case: &str, change: impl FnOnce(&mut Mint)) -> Outcome {
    openid(bench)?;
    bench.refused(minted(bench, change), case)
}

pub(super) fn minted<'k>(bench: &'k Bench<'k>, change: impl FnOnce(&mut Mint)) -> Play<'k> {
    bench.play().mint(change)
}

fn asymmetric(bench: &Bench<'_>) -> Outcome {
    let shared = openid(bench)?.algorithm.starts_with("HS");
    if shared { Err(left_out("the algorithm that was agreed on takes a shared secret")) } else { Ok(()) }
}

/// Changes the bytes of a token's signature.
fn resigned(token: &str, change: impl Fn(&mut Vec<u8>)) -> String {
    let Some((input, signature)) = token.rsplit_once('.') else { return token.to_owned() };
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    signature.resize(signature.len().max(8), 0);
    change(&mut signature);
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn hmac(mint: &mut Mint, key: Vec<u8>) {
    mint.header("alg", "HS256");
    mint.sign_with(move |message| hmac_sha256(&key, message));
}

/// What an attacker computes; nothing here relies on it (RFC 2104).
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    let hashed;
    let key = if key.len() > block.len() {
        hashed = Sha256::digest(key);
        hashed.as_slice()
    } else {
        key
    };
    block[..key.len()].copy_from_slice(key);
    let pad = |byte: u8| block.map(|of_key| of_key ^ byte);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

impl Bench<'_> {
    /// The public keys in the forms that somebody may take for a secret.
    fn recorded_keys(&self) -> Vec<Vec<u8>> {
        let kept = std::cell::RefCell::new(Vec::new());
        let keep = |keys: &mut Value| {
            for key in keys["keys"].as_array().into_iter().flatten() {
                kept.borrow_mut().push(key.to_string().into_bytes());
                for text in ["n", "x", "k", "kid"].iter().filter_map(|name| key.get(name)?.as_str()) {
                    kept.borrow_mut().push(text.as_bytes().to_vec());
                    kept.borrow_mut().extend(URL_SAFE_NO_PAD.decode(text).ok());
                }
            }
        };
        self.play().json(Purpose::Keys, keep).finish();
        kept.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_that_of_rfc_4231() {
        let code = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        let hex: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let long = hmac_sha256(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(&long[..4], [0x60, 0xe4, 0x31, 0x59]);
    }
}
