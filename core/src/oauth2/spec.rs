//! What is data about a provider, and how it is put together.

use url::Url;

use crate::{
    exchange::Purpose,
    oauth2::{dialect::Dialect, metadata},
    provider::OAuthError,
    secret::Secret,
};

/// Everything that is data about an OAuth 2 provider and the client that is registered there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OAuth2Spec {
    /// The name in paths and sessions.
    pub id: String,
    /// The name that people know it by.
    pub label: String,
    /// Where the browser is sent; `None` where the provider's description says it.
    pub authorization_endpoint: Option<Url>,
    /// Where a code becomes tokens; `None` where the provider's description says it.
    pub token_endpoint: Option<Url>,
    /// Where a token's life ends (RFC 7009), where there is such a place.
    pub revocation_endpoint: Option<Url>,
    /// Where a browser signs out of the provider itself, where there is such a place.
    pub end_session_endpoint: Option<Url>,
    /// Where the provider describes itself (RFC 8414). What is set here wins over what is described there.
    pub metadata_address: Option<Url>,
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
    /// Whether every callback brings `iss`, so that one without it is refused.
    pub issuer_required: bool,
    /// Further parameters of the authorization request.
    pub extra_parameters: Vec<(String, String)>,
    /// Further parameters of the token endpoint's requests. Whoever prints a spec does not see their values.
    pub token_parameters: Vec<(String, Secret)>,
    /// What the provider calls the parameter that says where a browser comes back to from signing out.
    pub end_session_return_parameter: &'static str,
    pub(crate) dialect: Dialect,
}

/// How a client proves who it is to the provider's endpoints. Never two ways at once (RFC 6749 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// The `Authorization` header, id and secret form-encoded first as RFC 6749 §2.3.1 asks: `client_secret_basic`.
    Basic,
    /// The `Authorization` header with id and secret as they are, for providers that do not undo the encoding. It
    /// makes a difference for a secret with characters such as `+`, `/`, `=`, `%` or `~` in it.
    BasicUnencoded,
    /// In the form: `client_secret_post`.
    Post,
    /// Not at all: a public client, which only names itself in the form. PKCE says that it is the one that began.
    None,
}

impl OAuth2Spec {
    /// A provider whose endpoints are known. With a secret it is a confidential client that authenticates by the
    /// `Authorization` header, without one a public client.
    pub fn new(
        id: impl Into<String>,
        label: impl Into<String>,
        authorization_endpoint: Url,
        token_endpoint: Url,
        client_id: impl Into<String>,
        client_secret: Option<Secret>,
    ) -> Self {
        let mut spec = Self::nowhere(id.into(), label.into(), client_id.into(), client_secret);
        spec.authorization_endpoint = Some(authorization_endpoint);
        spec.token_endpoint = Some(token_endpoint);
        spec
    }

    /// A provider that describes itself (RFC 8414): endpoints and whether callbacks bring `iss` are read from there,
    /// when somebody signs in. `issuer` is written as the description writes it, to the letter.
    pub fn discovered(
        id: impl Into<String>,
        label: impl Into<String>,
        issuer: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: Option<Secret>,
    ) -> Self {
        let mut spec = Self::nowhere(id.into(), label.into(), client_id.into(), client_secret);
        let issuer = issuer.into();
        spec.metadata_address = metadata::well_known(&issuer);
        spec.issuer(issuer)
    }

    fn nowhere(id: String, label: String, client_id: String, client_secret: Option<Secret>) -> Self {
        let client_authentication = match &client_secret {
            Some(_) => ClientAuthentication::Basic,
            None => ClientAuthentication::None,
        };
        Self {
            id,
            label,
            authorization_endpoint: None,
            token_endpoint: None,
            revocation_endpoint: None,
            end_session_endpoint: None,
            metadata_address: None,
            client_id,
            client_secret,
            client_authentication,
            scopes: Vec::new(),
            scope_separator: " ",
            issuer: None,
            issuer_required: false,
            extra_parameters: Vec::new(),
            token_parameters: Vec::new(),
            end_session_return_parameter: "post_logout_redirect_uri",
            dialect: Dialect::default(),
        }
    }

    /// Sets where the provider describes itself, if that is not where RFC 8414 says.
    pub fn metadata_address(mut self, url: Url) -> Self {
        self.metadata_address = Some(url);
        self
    }

    /// Sets where a token's life ends (RFC 7009), so that [`Provider::revoke`](crate::provider::Provider::revoke)
    /// works.
    pub fn revocation_endpoint(mut self, url: Url) -> Self {
        self.revocation_endpoint = Some(url);
        self
    }

    /// Sets where a browser signs out of the provider itself, so that
    /// [`Provider::end_session`](crate::provider::Provider::end_session) works. It is sent there with `client_id` and
    /// `post_logout_redirect_uri`, as OpenID Connect's sign-out has it.
    pub fn end_session_endpoint(mut self, url: Url) -> Self {
        self.end_session_endpoint = Some(url);
        self
    }

    /// Sets what the provider calls the parameter that says where the browser comes back to, such as `returnTo`.
    pub fn end_session_return_parameter(mut self, name: &'static str) -> Self {
        self.end_session_return_parameter = name;
        self
    }

    /// Asks for these scopes.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Puts something else than a space between scopes, for providers that ask for a comma.
    pub fn scope_separator(mut self, separator: &'static str) -> Self {
        self.scope_separator = separator;
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

    /// Says that the provider sends `iss` with every callback, so that one without it is refused (RFC 9207 §2.4).
    pub fn issuer_required(mut self) -> Self {
        self.issuer_required = true;
        self
    }

    /// Adds a parameter to the authorization request. One of [`PROTOCOL_PARAMETERS`](super::PROTOCOL_PARAMETERS) is a
    /// problem at construction. `prompt` and `login_hint` give way to what a sign-in asks for itself.
    pub fn extra_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra_parameters.push((name.into(), value.into()));
        self
    }

    /// Adds a parameter to the requests for tokens, with a code and with a refresh token. One of
    /// [`TOKEN_PROTOCOL_PARAMETERS`](super::TOKEN_PROTOCOL_PARAMETERS) is a problem at construction.
    pub fn token_parameter(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.token_parameters.push((name.into(), value.into()));
        self
    }

    /// Takes a token reply without `token_type` for one with a bearer token. RFC 6749 §5.1 asks for it, and a token of
    /// another type must not be used, so that this is for a provider that is known to leave it out.
    pub fn token_type_may_be_missing(mut self) -> Self {
        self.dialect.token_type_may_be_missing = true;
        self
    }

    /// Says what the provider means by an `error` of the token endpoint, where that is not what RFC 6749 §5.2 means by
    /// it: for [`Purpose::Token`] (a code) or [`Purpose::Refresh`] (a refresh token). What is spent must come out as
    /// [`OAuthError::InvalidGrant`]: nothing else ends a session that cannot be refreshed any more.
    pub fn token_error(mut self, purpose: Purpose, error: impl Into<String>, means: OAuthError) -> Self {
        self.dialect.errors.push((purpose, error.into(), means));
        self
    }

    /// Who vouches for accounts: the issuer, or the origin of the authorization endpoint.
    pub fn vouching(&self) -> String {
        let origin = |url: &Url| url.origin().ascii_serialization();
        let issuer = self.issuer.clone();
        issuer.or_else(|| self.authorization_endpoint.as_ref().map(origin)).unwrap_or_default()
    }
}
