//! Writes compact JWS, honest or not. Everything that a token can lie about passes through [`Draft::sign`].

use std::sync::LazyLock;

use super::{Alg, HmacKey, KeyRing, Signing, base64url, hmac_key::mac};
use crate::json::Members;

/// What tokens are made with.
pub(crate) struct Workshop<'a> {
    /// The algorithm that the provider and its clients agreed on.
    pub(crate) alg: Alg,
    pub(crate) keys: &'a KeyRing,
    /// Keys that nobody was ever told about; only lies ask for them, so honest providers never make them.
    pub(crate) impostor: &'a LazyLock<KeyRing>,
    pub(crate) secret: Option<&'a str>,
}

/// A token before it is signed.
pub(crate) struct Draft<'a> {
    pub(crate) typ: &'a str,
    pub(crate) honest_payload: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    /// Turns the header that belongs to the signature into the header that is sent.
    pub(crate) header: &'a dyn Fn(Members) -> String,
}

/// The three segments of a compact JWS.
pub(crate) struct Compact {
    header: String,
    payload: String,
    signature: String,
}

impl Draft<'_> {
    pub(crate) fn sign(&self, with: &Workshop<'_>, signing: &Signing) -> Compact {
        let header = (self.header)(with.header(self.typ, signing));
        let input = signing_input(&header, &self.payload);
        let signature = match signing {
            Signing::OfHonestToken => {
                let header = with.header(self.typ, signing).to_json();
                with.honest_signature(with.alg, &signing_input(&header, &self.honest_payload))
            }
            other => with.signature(other, &input),
        };
        Compact {
            header: base64url(header),
            payload: base64url(&self.payload),
            signature: base64url(signature),
        }
    }
}

impl Compact {
    /// Fills `{{header}}`, `{{payload}}` and `{{signature}}` in.
    pub(crate) fn fill(&self, template: &str) -> String {
        template
            .replace("{{header}}", &self.header)
            .replace("{{payload}}", &self.payload)
            .replace("{{signature}}", &self.signature)
    }

    pub(crate) fn into_text(self) -> String {
        format!("{}.{}.{}", self.header, self.payload, self.signature)
    }
}

impl Workshop<'_> {
    fn header(&self, typ: &str, signing: &Signing) -> Members {
        let (alg, kid) = match signing {
            Signing::With(alg) => (alg.name(), self.keys.kid(*alg)),
            Signing::Unsigned => ("none", None),
            Signing::Hmac(alg, _) => (alg.name(), self.keys.kid(Alg::Rs256)),
            Signing::Es256Der => (Alg::Es256.name(), self.keys.kid(Alg::Es256)),
            Signing::EmbeddedKey => (self.alg.name(), None),
            _ => (self.alg.name(), self.keys.kid(self.alg)),
        };
        let mut header = Members::new().with("alg", alg).with_some("kid", kid).with("typ", typ);
        if *signing == Signing::EmbeddedKey {
            header = header.with("jwk", self.impostor.jwk(self.alg));
        }
        header
    }

    fn signature(&self, signing: &Signing, input: &[u8]) -> Vec<u8> {
        match signing {
            Signing::With(alg) => self.honest_signature(*alg, input),
            Signing::Unsigned => Vec::new(),
            Signing::Hmac(alg, key) => mac(*alg, &key.bytes(self.keys, self.secret), input),
            Signing::OtherKey | Signing::EmbeddedKey => self.impostor_signature(input),
            Signing::Corrupted => {
                let mut signature = self.honest_signature(self.alg, input);
                // The middle, so that no encoding of the ends can hide the flip.
                let middle = signature.len() / 2;
                signature[middle] ^= 1;
                signature
            }
            Signing::Bytes(bytes) => bytes.clone(),
            Signing::OfHonestToken => self.honest_signature(self.alg, input),
            Signing::Es256Der => self.keys.sign_es256_der(input),
        }
    }

    fn honest_signature(&self, alg: Alg, input: &[u8]) -> Vec<u8> {
        match alg.hmac() {
            Some(_) => mac(alg, &HmacKey::ClientSecret.bytes(self.keys, self.secret), input),
            None => self.keys.sign(alg, input),
        }
    }

    fn impostor_signature(&self, input: &[u8]) -> Vec<u8> {
        match self.alg.hmac() {
            Some(_) => mac(self.alg, b"a secret that this client was never given", input),
            None => self.impostor.sign(self.alg, input),
        }
    }
}

fn signing_input(header: &str, payload: &[u8]) -> Vec<u8> {
    format!("{}.{}", base64url(header), base64url(payload)).into_bytes()
}

#[cfg(test)]
#[path = "forge_tests.rs"]
mod tests;
