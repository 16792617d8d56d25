//! ID tokens: the kit says what is in them, the author signs.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::{ProviderKit, bench::attempt, change::members};
use crate::time::Timestamp;

type Sign = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

/// An OpenID Connect issuer of the author's: who it is, what it says of a person, and how it signs.
#[derive(Clone)]
pub struct OpenId {
    pub(super) issuer: String,
    pub(super) claims: Map<String, Value>,
    pub(super) algorithm: String,
    key_id: Option<String>,
    sign: Arc<Sign>,
}

impl fmt::Debug for OpenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenId").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl OpenId {
    /// An issuer that says `claims` of the person, `sub` among them, and signs with RS256: `sign` turns the bytes that
    /// are signed (header and payload) into the signature's. Its public key is in the reply for
    /// [`Purpose::Keys`](crate::exchange::Purpose::Keys).
    pub fn new(
        issuer: impl Into<String>,
        claims: Value,
        sign: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self {
            issuer: issuer.into(),
            claims: members(claims),
            algorithm: "RS256".into(),
            key_id: None,
            sign: Arc::new(sign),
        }
    }

    /// Sets the algorithm's name (RFC 7518 §3.1).
    pub fn algorithm(mut self, name: impl Into<String>) -> Self {
        self.algorithm = name.into();
        self
    }

    /// Sets the name of the key (`kid`) that tokens carry.
    pub fn key_id(mut self, id: impl Into<String>) -> Self {
        self.key_id = Some(id.into());
        self
    }

    /// A sound token for the first attempt, in the making.
    pub(super) fn mint(&self, kit: &ProviderKit, now: Timestamp) -> Mint {
        let mut header = members(json!({"alg": self.algorithm, "typ": "JWT"}));
        if let Some(key_id) = &self.key_id {
            header.insert("kid".into(), key_id.as_str().into());
        }
        let mut claims = members(json!({
            "iss": self.issuer, "aud": kit.client_id, "nonce": attempt(1).nonce.expose(),
            "iat": now.unix() - 5, "exp": now.unix() + 300,
        }));
        claims.extend(self.claims.clone());
        Mint { header, claims, sign: Some(Arc::clone(&self.sign)), ..Mint::default() }
    }
}

type Edit = dyn Fn(String) -> String;

/// A token in the making: a sound one, until something is changed.
#[derive(Default)]
pub(super) struct Mint {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
    sign: Option<Arc<Sign>>,
    head: Option<Box<Edit>>,
    payload: Option<Box<Edit>>,
    text: Option<Box<Edit>>,
}

impl Mint {
    pub(super) fn claim(&mut self, name: &str, value: impl Into<Value>) {
        self.claims.insert(name.into(), value.into());
    }

    pub(super) fn header(&mut self, name: &str, value: impl Into<Value>) {
        self.header.insert(name.into(), value.into());
    }

    /// Signs otherwise than the issuer.
    pub(super) fn sign_with(&mut self, sign: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) {
        self.sign = Some(Arc::new(sign));
    }

    /// Changes the header's text before it is signed.
    pub(super) fn head(&mut self, change: impl Fn(String) -> String + 'static) {
        self.head = Some(Box::new(change));
    }

    /// Changes the payload's text before it is signed: for what no JSON library would write.
    pub(super) fn payload(&mut self, change: impl Fn(String) -> String + 'static) {
        self.payload = Some(Box::new(change));
    }

    /// Changes the token's text after it was signed.
    pub(super) fn text(&mut self, change: impl Fn(String) -> String + 'static) {
        self.text = Some(Box::new(change));
    }

    /// The token; `None` where the kit mints none.
    pub(super) fn token(&self) -> Option<String> {
        let sign = self.sign.as_ref()?;
        let payload = Value::Object(self.claims.clone()).to_string();
        let payload = self.payload.as_ref().map_or(payload.clone(), |change| change(payload));
        let header = Value::Object(self.header.clone()).to_string();
        let header =
            URL_SAFE_NO_PAD.encode(self.head.as_ref().map_or(header.clone(), |change| change(header)));
        let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
        let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(sign(input.as_bytes())));
        Some(self.text.as_ref().map_or(token.clone(), |change| change(token)))
    }
}
