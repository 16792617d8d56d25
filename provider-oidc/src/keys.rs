//! An issuer's public keys: which of them can have signed a token (RFC 7517, RFC 7518 §6).
//!
//! A key that cannot be used, whatever the reason, is passed over; it never spoils the set (OpenID Connect Core
//! §10.1 lets an issuer publish keys for other purposes beside those that it signs with).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::core::CoreJsonWebKey;
use serde_json::{Map, Value, json};
use url::Url;
use vestibule::{
    conversation::Http,
    exchange::{Freshness, Purpose},
    json as clean_json,
    limits::KEYS_MAX,
    provider::ProviderError,
};

use crate::{
    algorithm::{Algorithm, KeyKind},
    jws::Header,
};

/// Bits of an RSA modulus: less is within reach of attackers (NIST SP 800-131A) ...
const RSA_BITS_MIN: usize = 2_048;
/// ... and more costs more to check than anybody may make us spend; it is also what the `rsa` crate takes at most.
const RSA_BITS_MAX: usize = 4_096;
/// Bytes of an RSA exponent: 65537 has three, and the `rsa` crate takes no more than 33 bits.
const RSA_EXPONENT_BYTES_MAX: usize = 4;
/// How many keys are tried on one token.
pub(crate) const VERIFICATIONS_MAX: usize = 4;

/// Members that only a private or a symmetric key has. A published one is no longer anybody's secret.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The keys of a set that can be used at all.
#[derive(Debug)]
pub(crate) struct Keys(Vec<Key>);

#[derive(Debug)]
struct Key {
    kind: KeyKind,
    id: Option<String>,
    /// The only algorithm that it is for, where the issuer said so.
    algorithm: Option<Algorithm>,
    /// Whose it is, in a set that serves many tenants.
    issuer: Option<String>,
    verifies: CoreJsonWebKey,
}

impl Keys {
    pub(crate) async fn fetch(http: &Http, url: &Url, freshness: Freshness) -> Result<Self, ProviderError> {
        let purpose = Purpose::Keys;
        let document = http.document(purpose, url, freshness).await;
        Self::parse(&document.map_err(|failure| ProviderError::Unreachable { purpose, failure })?.body)
    }

    fn parse(body: &[u8]) -> Result<Self, ProviderError> {
        let broken = |fault| ProviderError::Broken { purpose: Purpose::Keys, fault };
        let set: Map<String, Value> =
            clean_json::parse(body).map_err(|_| broken("it is not one clean JSON object"))?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(broken("it has no list of keys"))?;
        Ok(Self(keys.iter().take(KEYS_MAX).filter_map(Key::read).collect()))
    }

    /// The keys that can have signed a token with that header, at most [`VERIFICATIONS_MAX`]. A token that names no
    /// key may be signed with any of the right kind, and two keys may have one name.
    pub(crate) fn fitting<'k>(
        &'k self,
        header: &'k Header,
        lets_sign: impl Fn(Option<&str>) -> bool + 'k,
    ) -> impl Iterator<Item = &'k CoreJsonWebKey> {
        let fits = move |key: &&Key| {
            key.kind == header.algorithm.key_kind()
                && key.algorithm.is_none_or(|algorithm| algorithm == header.algorithm)
                && (header.key_id.is_none() || key.id == header.key_id)
                && lets_sign(key.issuer.as_deref())
        };
        self.0.iter().filter(fits).take(VERIFICATIONS_MAX).map(|key| &key.verifies)
    }
}

impl Key {
    fn read(key: &Value) -> Option<Self> {
        let key = key.as_object()?;
        if PRIVATE_MEMBERS.iter().any(|name| key.contains_key(*name)) || !is_for_signatures(key) {
            return None;
        }
        let algorithm = match key.get("alg") {
            None => None,
            Some(name) => Some(Algorithm::parse(name.as_str()?)?),
        };
        let (kind, mut members) = public_part(key)?;
        let id = text(key, "kid").map(str::to_owned);
        members.insert("kid".into(), json!(id));
        // The crate sees only what was looked at here, so it refuses no key for a member that it does not know.
        let verifies = serde_json::from_value(Value::Object(members)).ok()?;
        Some(Self { kind, id, algorithm, issuer: text(key, "issuer").map(str::to_owned), verifies })
    }
}

/// RFC 7517 §4.2 and §4.3: what says nothing may sign; what says something must say that it signs.
fn is_for_signatures(key: &Map<String, Value>) -> bool {
    key.get("use").is_none_or(|purpose| purpose == "sig")
        && key
            .get("key_ops")
            .is_none_or(|ops| ops.as_array().is_some_and(|ops| ops.contains(&json!("verify"))))
}

fn text<'k>(key: &'k Map<String, Value>, name: &str) -> Option<&'k str> {
    key.get(name)?.as_str()
}

fn bytes(key: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(key, name)?).ok()
}

/// What of a key verifies signatures, if it can be used.
fn public_part(key: &Map<String, Value>) -> Option<(KeyKind, Map<String, Value>)> {
    let (kind, names, usable): (_, &[&str], bool) = match (text(key, "kty")?, text(key, "crv")) {
        ("RSA", _) => (KeyKind::Rsa, &["kty", "n", "e"], is_usable_rsa(&bytes(key, "n")?, &bytes(key, "e")?)),
        ("EC", Some("P-256")) => (KeyKind::P256, &["kty", "crv", "x", "y"], is_point(key, 32)),
        ("EC", Some("P-384")) => (KeyKind::P384, &["kty", "crv", "x", "y"], is_point(key, 48)),
        ("OKP", Some("Ed25519")) => {
            (KeyKind::Ed25519, &["kty", "crv", "x"], is_usable_ed25519(&bytes(key, "x")?))
        }
        _ => return None,
    };
    let members =
        names.iter().filter_map(|name| Some(((*name).to_owned(), key.get(*name)?.clone()))).collect();
    usable.then_some((kind, members))
}

fn is_usable_rsa(modulus: &[u8], exponent: &[u8]) -> bool {
    let strip = |number: &[u8]| number.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<_>>();
    let (modulus, exponent) = (strip(modulus), strip(exponent));
    let Some(first) = modulus.first() else { return false };
    let bits = modulus.len() * 8 - first.leading_zeros() as usize;
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    // An even modulus or exponent is no RSA key at all, and with exponent 1 a signature is the message.
    (RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits)
        && odd(&modulus)
        && odd(&exponent)
        && exponent != [1]
        && exponent.len() <= RSA_EXPONENT_BYTES_MAX
}

fn is_point(key: &Map<String, Value>, length: usize) -> bool {
    ["x", "y"].iter().all(|name| bytes(key, name).is_some_and(|coordinate| coordinate.len() == length))
}

/// Points of small order, the sign bit left out: for such a key anybody can make a signature that fits.
/// They are the ones that libsodium refuses (`ge25519_has_small_order`), non-canonical spellings included.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    first_and_rest(1, 0, 0),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    first_and_rest(0xec, 0xff, 0x7f),
    first_and_rest(0xed, 0xff, 0x7f),
    first_and_rest(0xee, 0xff, 0x7f),
];

const fn first_and_rest(first: u8, rest: u8, last: u8) -> [u8; 32] {
    let mut bytes = [rest; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

fn is_usable_ed25519(point: &[u8]) -> bool {
    let Ok(mut point) = <[u8; 32]>::try_from(point) else { return false };
    point[31] &= 0x7f;
    !SMALL_ORDER.contains(&point)
}

#[cfg(test)]
mod tests {
    use openidconnect::{JsonWebKey as _, core::CoreJwsSigningAlgorithm};

    use super::*;

    #[test]
    fn jt_17_for_each_point_of_small_order_the_crate_underneath_takes_a_forgery() {
        for point in SMALL_ORDER {
            let key = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(point)});
            let unscreened: CoreJsonWebKey = serde_json::from_value(key.clone()).unwrap();
            // R is the neutral element and S is zero: right for one message in eight at least, whoever wrote it.
            let forged = [first_and_rest(1, 0, 0), [0; 32]].concat();
            let taken = (0..200_u32).any(|message| {
                let message = message.to_be_bytes();
                unscreened.verify_signature(&CoreJwsSigningAlgorithm::EdDsa, &message, &forged).is_ok()
            });
            // Were this to fail, the crate would refuse such keys itself, and the list could go.
            assert!(taken, "{point:02x?}");
            for sign in [0, 0x80] {
                let mut signed = point;
                signed[31] |= sign;
                assert!(
                    Key::read(&json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(signed)}))
                        .is_none()
                );
            }
        }
        let sound = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"; // RFC 8037, Appendix A.2
        assert!(Key::read(&json!({"kty": "OKP", "crv": "Ed25519", "x": sound})).is_some());
    }

    #[test]
    fn jt_19_sizes_of_rsa_keys_have_limits() {
        let modulus = |bits: usize| {
            let mut modulus = vec![0xff; bits.div_ceil(8)];
            modulus[0] >>= modulus.len() * 8 - bits;
            modulus
        };
        let usable = |bits| is_usable_rsa(&modulus(bits), &[1, 0, 1]);
        assert!(usable(2_048) && usable(3_072) && usable(4_096));
        assert!(!usable(1_024) && !usable(2_047) && !usable(4_097) && !usable(16_384));
        let mut even = modulus(2_048);
        even[255] = 0xfe;
        assert!(!is_usable_rsa(&even, &[1, 0, 1]));
        assert!(is_usable_rsa(&[&[0], modulus(2_048).as_slice()].concat(), &[0, 1, 0, 1]), "leading zeros");
        for exponent in [&[][..], &[0], &[1], &[0, 1], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
            assert!(!is_usable_rsa(&modulus(2_048), exponent), "{exponent:?}");
        }
        assert!(is_usable_rsa(&modulus(2_048), &[3]));
    }
}
