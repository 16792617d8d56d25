//! What goes out to a provider and what comes back, as values: the core sends nothing itself.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A request to a provider.
pub type HttpRequest = http::Request<Vec<u8>>;

/// A provider's answer, whole and within [`crate::limits::PROVIDER_BODY_BYTES_MAX`].
pub type HttpResponse = http::Response<Vec<u8>>;

/// Why a provider is asked: log field, metric label and test assertion in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Purpose {
    /// The provider's own description (OpenID Connect Discovery §4, RFC 8414).
    Metadata,
    /// The keys that it signs with (RFC 7517).
    Keys,
    /// An exchange before the browser is sent away (OAuth 1.0a request token, pushed authorization request).
    Begin,
    /// A code for tokens (RFC 6749 §4.1.3).
    Token,
    /// A refresh token for new tokens (RFC 6749 §6).
    Refresh,
    /// Who signed in.
    Profile,
    /// The person's e-mail addresses.
    Emails,
    /// The groups, organisations or teams that the person belongs to.
    Groups,
    /// The end of a token's life (RFC 7009).
    Revocation,
}

impl Purpose {
    /// The label, as logs and metrics show it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Keys => "keys",
            Self::Begin => "begin",
            Self::Token => "token",
            Self::Refresh => "refresh",
            Self::Profile => "profile",
            Self::Emails => "emails",
            Self::Groups => "groups",
            Self::Revocation => "revocation",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// Why there is no answer from a provider. Says nothing that came from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HttpFailure {
    /// No connection: nothing listens, the name does not resolve, or TLS was refused.
    #[error("no connection could be made")]
    Connect,
    /// The certificate is not one that we trust for that name.
    #[error("the certificate is not trusted")]
    Certificate,
    /// The time for the call, or for the whole conversation, was over.
    #[error("no whole answer within the time allowed")]
    TimedOut,
    /// More than [`crate::limits::PROVIDER_BODY_BYTES_MAX`].
    #[error("the answer is larger than allowed")]
    TooLarge,
    /// The connection broke while the answer was on its way: the provider may have acted on the request.
    #[error("the connection broke before the answer was whole")]
    Broken,
    /// A discovery document or key set was asked for, and something else came: another status, or not that JSON.
    #[error("the answer is not the document that was asked for")]
    NotADocument,
    /// A discovery document or key set was asked for, and the provider says that it cannot answer now: status 429 or
    /// 5xx. Trying later may help.
    #[error("the provider answered with status {0}")]
    Unavailable(u16),
    /// The address is not one that may be asked: not https, and not loopback.
    #[error("the address is not https")]
    AddressRefused,
}

/// A discovery document or key set from the per-process cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Document {
    /// The body as it came. It answered with status 200 and is within the limits, nothing else is known.
    pub body: Arc<Vec<u8>>,
    /// When it was fetched.
    pub fetched: Timestamp,
}

impl Document {
    /// A document fetched at that time.
    pub fn new(body: Vec<u8>, fetched: Timestamp) -> Self {
        Self { body: Arc::new(body), fetched }
    }
}

/// Whether a document serves whoever asks for it: beyond being clean JSON, that only they know. What does not never
/// takes the place of one that does.
#[derive(Clone)]
pub struct Usable(Arc<Serves>);

type Serves = dyn Fn(&[u8]) -> bool + Send + Sync;

impl Usable {
    /// Those of which `serves` says so. It is asked once a fetch, and whoever waits for the document waits for it.
    pub fn if_it(serves: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(serves))
    }

    /// Whether `body` does.
    pub fn serves(&self, body: &[u8]) -> bool {
        (self.0)(body)
    }
}

/// Any document that is what it was asked for as.
impl Default for Usable {
    fn default() -> Self {
        Self::if_it(|_| true)
    }
}

impl fmt::Debug for Usable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Usable")
    }
}

/// How new a cached document has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Freshness {
    /// Whatever is there, refetched after [`crate::limits::DOCUMENT_SOFT_AGE`].
    Cached,
    /// Asked for anew because a token names a key that the last one lacks. Refetches are rationed
    /// ([`crate::limits::DOCUMENT_REFETCH_BURST`]); beyond that, the one that is there comes again.
    Refetched,
}
