//! The keys of one generation: one of each kind, made together and rotated together.

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    error::Unspecified,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair},
};
use serde_json::{Value, json};

use super::{Alg, base64url};

/// A private key of each kind.
pub(crate) struct KeyRing {
    label: String,
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    p521: EcdsaKeyPair,
    k256: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

impl KeyRing {
    pub(crate) fn generate() -> Result<Self, Unspecified> {
        let mut label = super::random_text();
        label.truncate(8);
        Ok(Self {
            label,
            rsa: RsaKeyPair::generate(KeySize::Rsa2048)?,
            p256: EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING)?,
            p384: EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_FIXED_SIGNING)?,
            p521: EcdsaKeyPair::generate(&signature::ECDSA_P521_SHA512_FIXED_SIGNING)?,
            k256: EcdsaKeyPair::generate(&signature::ECDSA_P256K1_SHA256_FIXED_SIGNING)?,
            ed25519: Ed25519KeyPair::generate()?,
        })
    }

    /// The id of the key for `alg`; a MAC has none.
    pub(crate) fn kid(&self, alg: Alg) -> Option<String> {
        let kind = match alg {
            Alg::Es256 => "p256",
            Alg::Es384 => "p384",
            Alg::Es512 => "p521",
            Alg::Es256k => "k256",
            Alg::EdDsa => "ed25519",
            _ if alg.is_rsa() => "rsa",
            _ => return None,
        };
        Some(format!("{kind}-{}", self.label))
    }

    /// The public key for `alg` as a JWK; `null` for a MAC, whose key is nobody's business.
    pub(crate) fn jwk(&self, alg: Alg) -> Value {
        let mut jwk = match alg {
            Alg::Es256 => ec_jwk("P-256", &self.p256),
            Alg::Es384 => ec_jwk("P-384", &self.p384),
            Alg::Es512 => ec_jwk("P-521", &self.p521),
            Alg::Es256k => ec_jwk("secp256k1", &self.k256),
            Alg::EdDsa => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(self.ed25519.public_key()) })
            }
            _ if alg.is_rsa() => {
                let exponent = self.rsa.public_key().exponent();
                let exponent = base64url(exponent.big_endian_without_leading_zero());
                json!({ "kty": "RSA", "n": base64url(self.rsa_modulus()), "e": exponent })
            }
            _ => return Value::Null,
        };
        jwk["kid"] = json!(self.kid(alg));
        jwk["alg"] = json!(alg.name());
        jwk["use"] = json!("sig");
        jwk
    }

    /// The keys that an honest key set shows. The RSA key bears the name of `alg` where that is an RSA one.
    pub(crate) fn published(&self, alg: Alg) -> Vec<Value> {
        let rsa = if alg.is_rsa() { alg } else { Alg::Rs256 };
        let mut keys = vec![rsa, Alg::Es256, Alg::Es384, Alg::EdDsa];
        if alg.hmac().is_none() && !keys.contains(&alg) {
            keys.push(alg);
        }
        keys.into_iter().map(|alg| self.jwk(alg)).collect()
    }

    /// Signs with the key for `alg`; nothing for a MAC.
    pub(crate) fn sign(&self, alg: Alg, message: &[u8]) -> Vec<u8> {
        match alg {
            Alg::Rs256 => self.sign_rsa(&signature::RSA_PKCS1_SHA256, message),
            Alg::Rs384 => self.sign_rsa(&signature::RSA_PKCS1_SHA384, message),
            Alg::Rs512 => self.sign_rsa(&signature::RSA_PKCS1_SHA512, message),
            Alg::Ps256 => self.sign_rsa(&signature::RSA_PSS_SHA256, message),
            Alg::Ps384 => self.sign_rsa(&signature::RSA_PSS_SHA384, message),
            Alg::Ps512 => self.sign_rsa(&signature::RSA_PSS_SHA512, message),
            Alg::Es256 => sign_ec(&self.p256, message),
            Alg::Es384 => sign_ec(&self.p384, message),
            Alg::Es512 => sign_ec(&self.p521, message),
            Alg::Es256k => sign_ec(&self.k256, message),
            Alg::EdDsa => self.ed25519.sign(message).as_ref().to_vec(),
            Alg::Hs256 | Alg::Hs384 | Alg::Hs512 => Vec::new(),
        }
    }

    /// Signs as ES256, but in the encoding that X.509 uses and JOSE forbids.
    pub(crate) fn sign_es256_der(&self, message: &[u8]) -> Vec<u8> {
        let document = self.p256.to_pkcs8v1().expect("a generated key can be written");
        let signing = &signature::ECDSA_P256_SHA256_ASN1_SIGNING;
        let key = EcdsaKeyPair::from_pkcs8(signing, document.as_ref()).expect("a written key can be read");
        sign_ec(&key, message)
    }

    pub(crate) fn rsa_modulus(&self) -> Vec<u8> {
        self.rsa.public_key().modulus().big_endian_without_leading_zero().to_vec()
    }

    /// The RSA public key as PKCS #1.
    pub(crate) fn rsa_pkcs1(&self) -> Vec<u8> {
        self.rsa.public_key().as_ref().to_vec()
    }

    /// The RSA public key as SubjectPublicKeyInfo.
    pub(crate) fn rsa_spki(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> =
            self.rsa.public_key().as_der().expect("a generated key can be written");
        der.as_ref().to_vec()
    }

    fn sign_rsa(&self, padding: &'static dyn signature::RsaEncoding, message: &[u8]) -> Vec<u8> {
        let mut out = vec![0; self.rsa.public_modulus_len()];
        self.rsa.sign(padding, &SystemRandom::new(), message, &mut out).expect("a generated key signs");
        out
    }
}

fn sign_ec(key: &EcdsaKeyPair, message: &[u8]) -> Vec<u8> {
    key.sign(&SystemRandom::new(), message).expect("a generated key signs").as_ref().to_vec()
}

fn ec_jwk(curve: &str, key: &EcdsaKeyPair) -> Value {
    // An uncompressed point: one byte 0x04, then both coordinates at full length.
    let point = &key.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    json!({ "kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y) })
}
