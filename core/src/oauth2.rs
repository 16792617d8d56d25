//! Plain OAuth 2 providers: a spec and one mapping.
//!
//! Whoever implements [`OAuth2`] gets `state`, PKCE, `iss` checking, bounded replies, refresh, revocation and errors
//! from here (RFC 6749 §4.1, RFC 7636, RFC 9207, RFC 7009).

mod ask;
mod authorize;
mod client;
mod dialect;
mod metadata;
mod pages;
mod parameters;
mod problems;
mod provider;
mod reply;
mod spec;
mod tokens;

use async_trait::async_trait;
use url::Url;

pub(crate) use self::dialect::Dialect;
pub use self::{
    ask::{expect_ok, json_body},
    pages::next as next_page,
    parameters::{PROTOCOL_PARAMETERS, TOKEN_PROTOCOL_PARAMETERS, is_one_of},
    reply::{Json, changes_hands},
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

    /// Where the browser goes in the end. `authorization` is the whole authorization request; whoever has to tell the
    /// provider something before it, or gets from it where to go, does that here ([`OAuth2Spec::post_form`]).
    async fn before_redirect(&self, _http: &Http, authorization: Url) -> Result<Url, ProviderError> {
        Ok(authorization)
    }

    /// Ends the life of tokens that are no longer needed. Whoever has a revocation endpoint as RFC 7009 describes it
    /// names that in the spec; this is for providers that want to be told in another way.
    async fn take_back(&self, http: &Http, tokens: &Tokens) -> Result<(), ProviderError> {
        self.spec().revoke(http, tokens).await
    }
}
