//! Plain OAuth 2 providers: a spec and one mapping.
//!
//! Whoever implements [`OAuth2`] gets `state`, PKCE, `iss` checking, bounded replies, refresh, revocation and errors
//! from here (RFC 6749 §4.1, RFC 7636, RFC 9207, RFC 7009).

mod ask;
mod authorize;
mod parameters;
mod problems;
mod provider;
mod spec;
mod tokens;

use async_trait::async_trait;

pub use self::{
    ask::{expect_ok, json_body},
    parameters::PROTOCOL_PARAMETERS,
    spec::{ClientAuthentication, OAuth2Spec},
};
use crate::{
    conversation::Http,
    identity::{Identity, Tokens},
    provider::ProviderError,
};

/// A provider that speaks OAuth 2: what it is, and how its answers say who signed in.
#[async_trait]
pub trait OAuth2: Send + Sync + 'static {
    /// The provider's endpoints, the client, and what else a request needs.
    fn spec(&self) -> &OAuth2Spec;

    /// Asks who signed in. The subject must be the provider's immutable identifier of the account.
    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError>;
}
