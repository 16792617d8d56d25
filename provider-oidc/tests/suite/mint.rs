//! Mints tokens, sound ones and others. Signed with `aws-lc-rs`, so that what signs and what checks are two crates.

use std::sync::OnceLock;

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
        RSA_PKCS1_SHA384, RSA_PSS_SHA256, RsaEncoding,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

pub(crate) const NOW: i64 = 1_700_000_000;
pub(crate) const ISSUER: &str = "https://op.example";
pub(crate) const CLIENT: &str = "client";
pub(crate) const SECRET: &str = "a secret of more than sixty-four bytes, so that every HMAC could take it.";
pub(crate) const NONCE: &str = "nonce-of-this-attempt";
pub(crate) const SUBJECT: &str = "248289761001";
pub(crate) const ACCESS_TOKEN: &str = "access-token";

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A private key. Made once in a test run and never written down.
pub(crate) enum Signer {
    Rsa(KeyPair),
    Ec(EcdsaKeyPair, &'static str, usize),
    Ed(Ed25519KeyPair),
}

/// The keys that tests sign with, by name.
pub(crate) struct Keyring {
    pub(crate) rsa: Signer,
    /// Another RSA key: of the next rotation, of another issuer, or of an attacker.
    pub(crate) other_rsa: Signer,
    pub(crate) p256: Signer,
    pub(crate) p384: Signer,
    pub(crate) ed25519: Signer,
}

pub(crate) fn keyring() -> &'static Keyring {
    static KEYRING: OnceLock<Keyring> = OnceLock::new();
    let rsa = || Signer::Rsa(KeyPair::generate(KeySize::Rsa2048).unwrap());
    let ec = |algorithm: &'static EcdsaSigningAlgorithm, curve, length| {
        Signer::Ec(EcdsaKeyPair::generate(algorithm).unwrap(), curve, length)
    };
    KEYRING.get_or_init(|| Keyring {
        rsa: rsa(),
        other_rsa: rsa(),
        p256: ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256", 32),
        p384: ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384", 48),
        ed25519: Signer::Ed(Ed25519KeyPair::generate().unwrap()),
    })
}

impl Signer {
    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let rsa = |pair: &KeyPair, padding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(padding, &random, message, &mut signature).unwrap();
            signature
        };
        match (self, algorithm) {
            (Self::Rsa(pair), "RS384") => rsa(pair, &RSA_PKCS1_SHA384),
            (Self::Rsa(pair), "PS256") => rsa(pair, &RSA_PSS_SHA256),
            (Self::Rsa(pair), _) => rsa(pair, &RSA_PKCS1_SHA256),
            (Self::Ec(pair, ..), _) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            (Self::Ed(pair), _) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// The public key as a member of a key set.
    pub(crate) fn jwk(&self, key_id: impl Into<Value>) -> Value {
        let mut key = match self {
            Self::Rsa(pair) => {
                let public = pair.public_key();
                json!({
                    "kty": "RSA",
                    "n": base64url(public.modulus().big_endian_without_leading_zero()),
                    "e": base64url(public.exponent().big_endian_without_leading_zero()),
                })
            }
            Self::Ec(pair, curve, length) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at(*length);
                json!({"kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y)})
            }
            Self::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key().as_ref())})
            }
        };
        let key_id = key_id.into();
        if !key_id.is_null() {
            key["kid"] = key_id;
        }
        key
    }

    /// The public RSA key in the forms that an attacker might take for an HMAC secret.
    pub(crate) fn rsa_public_forms(&self) -> Vec<Vec<u8>> {
        let Self::Rsa(pair) = self else { return Vec::new() };
        let pkcs1 = pair.public_key().as_ref().to_vec();
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let pem = |label: &str, der: &[u8]| {
            let text = base64::engine::general_purpose::STANDARD.encode(der);
            let lines: Vec<_> =
                text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", lines.join("\n"))
        };
        let (pkcs1_pem, spki_pem) = (pem("RSA PUBLIC KEY", &pkcs1), pem("PUBLIC KEY", spki.as_ref()));
        let jwk = self.jwk("k1");
        let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
        vec![
            format!("{spki_pem}\n").into_bytes(),
            spki_pem.into_bytes(),
            format!("{pkcs1_pem}\n").into_bytes(),
            pkcs1_pem.into_bytes(),
            spki.as_ref().to_vec(),
            pkcs1,
            jwk.to_string().into_bytes(),
            jwk["n"].as_str().unwrap().as_bytes().to_vec(),
            modulus,
            b"k1".to_vec(),
        ]
    }
}

pub(crate) fn hmac_signature(algorithm: &str, secret: &[u8], message: &str) -> Vec<u8> {
    let algorithm = match algorithm {
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    };
    hmac::sign(&hmac::Key::new(algorithm, secret), message.as_bytes()).as_ref().to_vec()
}

/// An ECDSA signature in the form of X.509, which no JWS has.
pub(crate) fn der_signature(message: &str) -> (Value, Vec<u8>) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec();
    let signer = Signer::Ec(pair, "P-256", 32);
    (signer.jwk("k1"), signature)
}

/// A token in the making: a sound one, until something is changed.
#[derive(Clone)]
pub(crate) struct Mint {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
}

impl Mint {
    /// The baseline of every test: RS256 by the key `k1`, everything as it must be.
    pub(crate) fn sound() -> Self {
        let members = |value: Value| value.as_object().unwrap().clone();
        Self {
            header: members(json!({"alg": "RS256", "kid": "k1", "typ": "JWT"})),
            claims: members(json!({
                "iss": ISSUER, "sub": SUBJECT, "aud": CLIENT, "nonce": NONCE, "iat": NOW - 5, "exp": NOW + 300,
                "name": "Ada Lovelace", "preferred_username": "ada", "email": "ada@example.com", "email_verified": true,
            })),
        }
    }

    /// A sound token that userinfo must complete.
    pub(crate) fn thin() -> Self {
        ["name", "preferred_username", "email", "email_verified"]
            .into_iter()
            .fold(Self::sound(), Self::without)
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    pub(crate) fn signing_input(&self) -> String {
        signing_input(
            &Value::from(self.header.clone()).to_string(),
            &Value::from(self.claims.clone()).to_string(),
        )
    }

    /// Signed with the RSA key `k1`, as the issuer does.
    pub(crate) fn sign(&self) -> String {
        self.sign_with(&keyring().rsa)
    }

    pub(crate) fn sign_with(&self, signer: &Signer) -> String {
        let input = self.signing_input();
        let algorithm = self.header.get("alg").and_then(Value::as_str).unwrap_or_default();
        let signature = signer.sign(algorithm, input.as_bytes());
        format!("{input}.{}", base64url(signature))
    }

    pub(crate) fn sign_hmac(&self, secret: impl AsRef<[u8]>) -> String {
        let input = self.signing_input();
        let algorithm = self.header.get("alg").and_then(Value::as_str).unwrap_or_default();
        let signature = hmac_signature(algorithm, secret.as_ref(), &input);
        format!("{input}.{}", base64url(signature))
    }

    pub(crate) fn with_signature(&self, signature: impl AsRef<[u8]>) -> String {
        format!("{}.{}", self.signing_input(), base64url(signature))
    }
}

pub(crate) fn signing_input(header: &str, payload: &str) -> String {
    format!("{}.{}", base64url(header), base64url(payload))
}

/// Header and payload as texts, signed by the issuer's key: for what no JSON library would write.
pub(crate) fn sign_raw(header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", base64url(header), base64url(payload));
    let signature = keyring().rsa.sign("RS256", input.as_bytes());
    format!("{input}.{}", base64url(signature))
}
