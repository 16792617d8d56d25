//! Keys for a MAC that a verifier might be talked into using.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Alg, KeyRing};

/// What to key a MAC with. All but the first are things that everybody knows.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HmacKey {
    /// The client's secret: honest where HS256 is agreed, a lie where RS256 is pinned.
    ClientSecret,
    /// The RSA public key as PEM (`BEGIN PUBLIC KEY`), with the newline at its end.
    PublicPem,
    /// The same without the newline at its end.
    PublicPemTrimmed,
    /// The RSA public key as PEM of the older kind (`BEGIN RSA PUBLIC KEY`).
    PublicPkcs1Pem,
    /// The RSA public key as DER (SubjectPublicKeyInfo).
    PublicDer,
    /// The RSA public key as JWK, in the bytes of the key set.
    PublicJwk,
    /// The bytes of the RSA modulus.
    Modulus,
    /// The RSA key's id.
    Kid,
    /// These bytes; none at all is an empty key.
    Bytes(Vec<u8>),
}

impl HmacKey {
    pub(crate) fn bytes(&self, keys: &KeyRing, secret: Option<&str>) -> Vec<u8> {
        match self {
            Self::ClientSecret => secret.unwrap_or_default().as_bytes().to_vec(),
            Self::PublicPem => pem("PUBLIC KEY", &keys.rsa_spki()).into_bytes(),
            Self::PublicPemTrimmed => pem("PUBLIC KEY", &keys.rsa_spki()).trim_end().as_bytes().to_vec(),
            Self::PublicPkcs1Pem => pem("RSA PUBLIC KEY", &keys.rsa_pkcs1()).into_bytes(),
            Self::PublicDer => keys.rsa_spki(),
            Self::PublicJwk => keys.jwk(Alg::Rs256).to_string().into_bytes(),
            Self::Modulus => keys.rsa_modulus(),
            Self::Kid => keys.kid(Alg::Rs256).unwrap_or_default().into_bytes(),
            Self::Bytes(bytes) => bytes.clone(),
        }
    }
}

/// The MAC of `message`; nothing where `alg` is not a MAC.
pub(crate) fn mac(alg: Alg, key: &[u8], message: &[u8]) -> Vec<u8> {
    let Some(algorithm) = alg.hmac() else { return Vec::new() };
    hmac::sign(&hmac::Key::new(algorithm, key), message).as_ref().to_vec()
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let encoded = STANDARD.encode(der);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = tail;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pem_has_lines_of_64_and_one_newline_at_its_end() {
        let text = pem("PUBLIC KEY", &[7; 100]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.first(), Some(&"-----BEGIN PUBLIC KEY-----"));
        assert_eq!(lines[1].len(), 64);
        assert_eq!(lines.last(), Some(&"-----END PUBLIC KEY-----"));
        assert!(text.ends_with("-----\n"));
    }

    #[test]
    fn an_empty_key_is_a_key() {
        assert_eq!(mac(Alg::Hs256, &[], b"message").len(), 32);
        assert_eq!(mac(Alg::Hs512, &[], b"message").len(), 64);
        assert!(mac(Alg::Rs256, &[], b"message").is_empty());
    }
}
