//! What is data about a provider, and how it is put together.

use url::Url;

use crate::secret::Secret;

/// Everything that is data about an OAuth 2 provider and the client that is registered there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OAuth2Spec {
    /// The name in paths and sessions.
    pub id: String,
    /// The name that people know it by.
    pub label: String,
    /// Where the browser is sent.
    pub authorization_endpoint: Url,
    /// Where a code becomes tokens.
    pub token_endpoint: Url,
    /// Where a token's life ends (RFC 7009), where there is such a place.
    pub revocation_endpoint: Option<Url>,
    /// The client as registered.
    pub client_id: String,
    /// The client's secret; `None` for a public client.
    pub client_secret: Option<Secret>,
    /// How the client proves who it is.
    pub client_authentication: ClientAuthentication,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// What stands between scopes: a space by RFC 6749 §3.3.
    pub scope_separator: &'static str,
    /// Who vouches for accounts, and the `iss` that a callback may bring (RFC 9207).
    pub issuer: Option<String>,
    /// Further parameters of the authorization request. One of the protocol's own is a problem at construction.
    pub extra_parameters: Vec<(String, String)>,
}

/// How a client proves who it is to the token endpoint. Never both (RFC 6749 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// The `Authorization` header: `client_secret_basic`.
    Basic,
    /// In the form: `client_secret_post`.
    Post,
}

impl OAuth2Spec {
    /// A confidential client that authenticates by the `Authorization` header.
    pub fn new(
        id: impl Into<String>,
        label: impl Into<String>,
        authorization_endpoint: Url,
        token_endpoint: Url,
        client_id: impl Into<String>,
        client_secret: Option<Secret>,
    ) -> Self {
        Self {
            id: id.into(),
            label: label.into(),
            authorization_endpoint,
            token_endpoint,
            revocation_endpoint: None,
            client_id: client_id.into(),
            client_secret,
            client_authentication: ClientAuthentication::Basic,
            scopes: Vec::new(),
            scope_separator: " ",
            issuer: None,
            extra_parameters: Vec::new(),
        }
    }

    /// Sets where a token's life ends (RFC 7009), so that [`Provider::revoke`](crate::provider::Provider::revoke)
    /// works.
    pub fn revocation_endpoint(mut self, url: Url) -> Self {
        self.revocation_endpoint = Some(url);
        self
    }

    /// Asks for these scopes.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets how the client proves who it is.
    pub fn client_authentication(mut self, by: ClientAuthentication) -> Self {
        self.client_authentication = by;
        self
    }

    /// Sets who vouches for accounts, and the `iss` that a callback may bring.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Adds a parameter to the authorization request. One of [`PROTOCOL_PARAMETERS`] is a problem at construction.
    pub fn extra_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra_parameters.push((name.into(), value.into()));
        self
    }

    /// Who vouches for accounts: the issuer, or the origin of the authorization endpoint.
    pub fn vouching(&self) -> String {
        self.issuer.clone().unwrap_or_else(|| self.authorization_endpoint.origin().ascii_serialization())
    }
}
