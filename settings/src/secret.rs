//! What cookies are sealed with, read as oauth2-proxy reads it, so that its environment goes on working.

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use base64::{alphabet, engine::general_purpose::URL_SAFE_NO_PAD};
use vestibule::secret::Secret;

use crate::value::Fault;

const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, ANY_PADDING);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ANY_PADDING);

/// What there is to do about a secret that cannot be used.
const REMEDY: &str = "generate one with `openssl rand -base64 32`";

/// A secret that can seal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CookieSecret {
    /// What the key is made of: the text as it stands, since encoding adds and takes away nothing.
    pub(crate) text: Secret,
    /// Whether it has fewer than 32 bytes.
    pub(crate) is_short: bool,
}

/// Reads a secret. In base64 it counts by what it decodes to, if that has 16, 24 or 32 bytes; otherwise as it stands.
pub(crate) fn parse(bytes: &[u8]) -> Result<CookieSecret, Fault> {
    // What is not text has come out of a file as it is, and may begin or end with any byte.
    let Some(text) = std::str::from_utf8(bytes).ok().map(str::trim) else {
        return measured(bytes, URL_SAFE_NO_PAD.encode(bytes));
    };
    let decoded = [URL_SAFE, STANDARD]
        .iter()
        .find_map(|base64| base64.decode(text).ok().filter(|decoded| matches!(decoded.len(), 16 | 24 | 32)));
    measured(decoded.as_deref().unwrap_or(text.as_bytes()), text.to_owned())
}

fn measured(bytes: &[u8], text: String) -> Result<CookieSecret, Fault> {
    match bytes.len() {
        0 => Err(("it is empty", REMEDY)),
        _ if bytes.iter().all(|byte| *byte == bytes[0]) => Err(("it is one byte again and again", REMEDY)),
        1..16 => Err(("it has fewer than 16 bytes", REMEDY)),
        length => Ok(CookieSecret { text: Secret::new(text), is_short: length < 32 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_what_was_encoded() {
        for (secret, short) in [
            // 32 bytes, in both alphabets, padded and not; `+` and `/` only in the one, `-` and `_` in the other.
            ("c2VlbiBvbiBsb29wYmFjayBvbmx5LCAzMiBieXRlcyE=", Some(false)),
            ("c2VlbiBvbiBsb29wYmFjayBvbmx5LCAzMiBieXRlcyE", Some(false)),
            ("+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/8=", Some(false)),
            ("-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_8", Some(false)),
            ("c2VlbiBvbiBsb29wYmFjayBvbmx5LCAzMiBieXRlcyE=\n", Some(false)),
            // 16 and 24 bytes, encoded.
            ("MDEyMzQ1Njc4OWFiY2RlZg==", Some(true)),
            ("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", Some(true)),
            // As they stand: 16, 31 and 33 bytes.
            ("0123456789abcdef", Some(true)),
            ("0123456789!0123456789!012345678", Some(true)),
            ("0123456789!0123456789!0123456789!", Some(false)),
            ("tooshort", None),
            ("", None),
            ("  ", None),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", None),
            ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", None),
        ] {
            assert_eq!(parse(secret.as_bytes()).ok().map(|secret| secret.is_short), short, "{secret:?}");
        }
    }

    #[test]
    fn bytes_out_of_a_file_count_as_they_are() {
        let mut bytes = [0xff; 32];
        bytes[0] = b' ';
        bytes[31] = b'\n';
        assert!(!parse(&bytes).unwrap().is_short);
        assert!(parse(&bytes[..15]).is_err());
    }
}
