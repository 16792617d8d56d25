//! A signed token in its compact form, taken apart: bounded and well-formed, not yet believed (RFC 7515 §3.1, §7.1).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use vestibule::{json, limits::ID_TOKEN_BYTES_MAX};

use crate::algorithm::Algorithm;

/// Bytes of a decoded header.
const HEADER_BYTES_MAX: usize = 8 * 1_024;

/// Header parameters that change what a token is. None of them is understood here, so none of them may be there:
/// `crit` and `b64` by RFC 7515 §4.1.11 and RFC 7797 §6, `cty` means a token in a token, the others encryption.
const UNSUPPORTED_PARAMETERS: [&str; 5] = ["crit", "b64", "cty", "enc", "zip"];

/// A token whose parts can be read. That somebody signed it is still to be shown.
#[derive(Debug)]
pub(crate) struct Jws<'t> {
    pub(crate) header: Header,
    pub(crate) claims: Map<String, Value>,
    /// What the signature is over: header and payload as they came.
    pub(crate) signing_input: &'t str,
    pub(crate) signature: Vec<u8>,
}

/// What is read of a header. Keys that it brings along (`jwk`, `jku`, `x5c`, `x5u`) are not: the sender of a token
/// does not say by which key it is to be checked.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<String>,
}

/// What a token is for. One that says that it is of another kind is not taken for this one (RFC 8725 §3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An ID token, or userinfo.
    Jwt,
    /// What an API client brings: an access token (RFC 9068 §2.1), or an ID token.
    Bearer,
    /// A logout token (OpenID Connect Back-Channel Logout §2.4): explicitly typed ones say so.
    Logout,
}

impl Kind {
    fn fits(self, typ: &str) -> bool {
        let also: &[&str] = match self {
            Self::Jwt => &[],
            Self::Bearer => &["at+jwt", "application/at+jwt"],
            Self::Logout => &["logout+jwt", "application/logout+jwt"],
        };
        typ.eq_ignore_ascii_case("JWT") || also.iter().any(|kind| typ.eq_ignore_ascii_case(kind))
    }
}

impl<'t> Jws<'t> {
    /// Takes `text` apart; `algorithms` are the only ones that its header may name.
    ///
    /// # Errors
    /// What is wrong with it, in words of ours.
    pub(crate) fn parse(text: &'t str, kind: Kind, algorithms: &[Algorithm]) -> Result<Self, &'static str> {
        if text.len() > ID_TOKEN_BYTES_MAX {
            return Err("it is larger than allowed");
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(NOT_THREE)?;
        let (header, payload) = signing_input.split_once('.').ok_or(NOT_THREE)?;
        if payload.contains('.') || [header, payload, signature].iter().any(|part| part.is_empty()) {
            return Err(NOT_THREE);
        }
        let header = decode(header)?;
        if header.len() > HEADER_BYTES_MAX {
            return Err("its header is larger than allowed");
        }
        let header = json::parse(&header).map_err(|_| "its header is not one clean JSON object")?;
        let header = Header::read(&header, kind, algorithms)?;
        let claims =
            json::parse(&decode(payload)?).map_err(|_| "its payload is not one clean JSON object")?;
        let signature = decode(signature)?;
        // The crate that compares codes panics where one is longer or shorter than the other.
        if header.algorithm.code_bytes().is_some_and(|bytes| bytes != signature.len()) {
            return Err("its signature is not as long as those of its algorithm");
        }
        Ok(Self { header, claims, signing_input, signature })
    }
}

const NOT_THREE: &str = "it does not have three parts";

/// The one canonical spelling: no padding, no other alphabet, no stray bits, or one token would have many texts.
fn decode(part: &str) -> Result<Vec<u8>, &'static str> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| "a part of it is not base64url")
}

impl Header {
    fn read(header: &Map<String, Value>, kind: Kind, algorithms: &[Algorithm]) -> Result<Self, &'static str> {
        if UNSUPPORTED_PARAMETERS.iter().any(|name| header.contains_key(*name)) {
            return Err("its header asks for something that is not supported");
        }
        if !header.get("typ").is_none_or(|typ| typ.as_str().is_some_and(|typ| kind.fits(typ))) {
            return Err("its header says that it is a token of another kind");
        }
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::parse);
        let algorithm = algorithm.filter(|algorithm| algorithms.contains(algorithm));
        let algorithm = algorithm.ok_or("it is not signed with an algorithm that was agreed on")?;
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(key_id)) => Some(key_id.clone()),
            Some(_) => return Err("its key id is not a text"),
        };
        Ok(Self { kind, algorithm, key_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    fn fault(text: &str) -> Option<&'static str> {
        Jws::parse(text, Kind::Jwt, &[Algorithm::Rs256]).err()
    }

    #[test]
    fn a_well_formed_token_is_taken_apart() {
        let text = token(r#"{"alg":"RS256","kid":"k","typ":"jwt","jwk":{"kty":"oct"}}"#, r#"{"sub":"a"}"#);
        let jws = Jws::parse(&text, Kind::Jwt, &[Algorithm::Rs256]).unwrap();
        assert_eq!((jws.header.algorithm, jws.header.key_id.as_deref()), (Algorithm::Rs256, Some("k")));
        assert_eq!((jws.claims["sub"].as_str(), jws.signature.as_slice()), (Some("a"), b"sig".as_slice()));
        assert_eq!(format!("{}.c2ln", jws.signing_input), text);
    }

    #[test]
    fn jt_27_the_size_is_looked_at_before_anything_is_decoded() {
        let header = format!(r#"{{"alg":"RS256","x":"{}"}}"#, "x".repeat(HEADER_BYTES_MAX));
        assert_eq!(fault(&token(&header, "{}")), Some("its header is larger than allowed"));
        // Not base64 at all: had it been decoded first, the fault would be another.
        assert_eq!(fault(&"!".repeat(ID_TOKEN_BYTES_MAX + 1)), Some("it is larger than allowed"));
    }
}
