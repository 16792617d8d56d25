//! Plain OAuth 2 providers: a spec and one mapping.
//!
//! Whoever implements [`OAuth2`] gets `state`, PKCE, `iss` checking, bounded replies, refresh and errors from here
//! (RFC 6749 §4.1, RFC 7636, RFC 9207).

mod tokens;

use ::oauth2::{CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope};
use async_trait::async_trait;
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    address::is_safe,
    config::Problem,
    conversation::Http,
    exchange::{HttpResponse, Purpose},
    identity::{Identity, SignIn, Tokens},
    json::{self, JsonFault},
    provider::{Answered, AuthorizationRequest, Begun, Provider, ProviderError, UserHeader},
    secret::Secret,
};

/// A provider that speaks OAuth 2: what it is, and how its answers say who signed in.
#[async_trait]
pub trait OAuth2: Send + Sync + 'static {
    /// The provider's endpoints, the client, and what else a request needs.
    fn spec(&self) -> &OAuth2Spec;

    /// Asks who signed in. The subject must be the provider's immutable identifier of the account.
    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError>;
}

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

/// Parameters of an authorization request that only the core sets.
pub const PROTOCOL_PARAMETERS: [&str; 13] = [
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

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
            client_id: client_id.into(),
            client_secret,
            client_authentication: ClientAuthentication::Basic,
            scopes: Vec::new(),
            scope_separator: " ",
            issuer: None,
            extra_parameters: Vec::new(),
        }
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

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (field, url) in [
            ("authorization_endpoint", &self.authorization_endpoint),
            ("token_endpoint", &self.token_endpoint),
        ] {
            if !is_safe(url) || url.fragment().is_some() {
                let fault = format!("that of `{}` is not a plain https address", self.id);
                problems.push(Problem::new(
                    field,
                    fault,
                    "use https, without a fragment; plain http is for loopback only",
                ));
            }
        }
        if self.client_id.is_empty() {
            let fault = format!("that of `{}` is empty", self.id);
            problems.push(Problem::new(
                "client_id",
                fault,
                "give the client id that the provider registered",
            ));
        }
        if let Some((name, _)) =
            self.extra_parameters.iter().find(|(name, _)| PROTOCOL_PARAMETERS.contains(&name.as_str()))
        {
            let fault = format!("`{name}` is the protocol's own");
            problems.push(Problem::new("extra_parameter", fault, "leave it out: it is set for each sign-in"));
        }
        problems
    }

    /// Who vouches for accounts: the issuer, or the origin of the authorization endpoint.
    pub fn vouching(&self) -> String {
        self.issuer.clone().unwrap_or_else(|| self.authorization_endpoint.origin().ascii_serialization())
    }

    fn authorization_request(&self, request: &AuthorizationRequest) -> Url {
        let client = self.client().set_redirect_uri(RedirectUrl::from_url(request.redirect_uri.clone()));
        let verifier = PkceCodeVerifier::new(request.code_verifier.expose().to_owned());
        let mut builder = client
            .authorize_url(|| CsrfToken::new(request.state.expose().to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        if self.scope_separator == " " {
            builder = builder.add_scopes(self.scopes.iter().cloned().map(Scope::new));
        } else {
            builder = builder.add_extra_param("scope", self.scopes.join(self.scope_separator));
        }
        let once = [("prompt", &request.prompt), ("login_hint", &request.login_hint)];
        for (name, value) in &self.extra_parameters {
            // What is asked for this once wins over what is configured.
            if !once.iter().any(|(asked, value)| asked == name && value.is_some()) {
                builder = builder.add_extra_param(name, value);
            }
        }
        for (name, value) in once {
            if let Some(value) = value {
                builder = builder.add_extra_param(name, value);
            }
        }
        builder.url().0
    }
}

#[async_trait]
impl<T: OAuth2> Provider for T {
    fn id(&self) -> &str {
        &self.spec().id
    }

    fn label(&self) -> &str {
        &self.spec().label
    }

    fn user_header(&self) -> UserHeader {
        UserHeader::Username
    }

    fn problems(&self) -> Vec<Problem> {
        self.spec().problems()
    }

    async fn begin(&self, _http: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        let begun = Begun::at(self.spec().authorization_request(request));
        Ok(match &self.spec().issuer {
            Some(issuer) => begun.issuer(issuer, false),
            None => begun,
        })
    }

    async fn finish(&self, http: &Http, answered: &Answered) -> Result<SignIn, ProviderError> {
        let tokens = self.spec().exchange(http, answered).await?;
        signed_in(self, http, tokens).await
    }

    async fn refresh(&self, http: &Http, sign_in: &SignIn) -> Result<SignIn, ProviderError> {
        let old = sign_in.tokens.refresh_token.as_ref().ok_or(ProviderError::Unsupported)?;
        let tokens = self.spec().renew(http, old).await?;
        let refreshed = signed_in(self, http, tokens).await?;
        let (now, before) = (&refreshed.identity, &sign_in.identity);
        if (&now.issuer, &now.subject) != (&before.issuer, &before.subject) {
            return Err(ProviderError::SubjectDiffers);
        }
        Ok(refreshed)
    }
}

async fn signed_in<T: OAuth2>(
    provider: &T,
    http: &Http,
    mut tokens: Tokens,
) -> Result<SignIn, ProviderError> {
    // Nobody proves it here.
    tokens.id_token = None;
    let mut identity = provider.identify(http, &tokens).await?;
    if identity.issuer.is_empty() {
        identity.issuer = provider.spec().vouching();
    }
    Ok(SignIn::new(&provider.spec().id, identity, tokens))
}

impl Http {
    /// Asks a provider's interface for JSON, with the access token in the `Authorization` header (RFC 6750 §2.1).
    ///
    /// # Errors
    /// No answer, a status other than 200, or JSON of another shape than `T`.
    pub async fn get_json<D: DeserializeOwned>(
        &self,
        purpose: Purpose,
        url: &Url,
        tokens: &Tokens,
    ) -> Result<D, ProviderError> {
        let response = self.get_with_token(purpose, url, tokens).await?;
        expect_ok(purpose, &response)?;
        json_body(purpose, &response)
    }

    /// As [`Http::get_json`], for whoever wants to look at status and headers first.
    ///
    /// # Errors
    /// No answer.
    pub async fn get_with_token(
        &self,
        purpose: Purpose,
        url: &Url,
        tokens: &Tokens,
    ) -> Result<HttpResponse, ProviderError> {
        let request = http::Request::get(url.as_str())
            .header(http::header::ACCEPT, "application/json")
            .header(http::header::AUTHORIZATION, format!("Bearer {}", tokens.access_token.expose()))
            .body(Vec::new())
            .map_err(|_| ProviderError::Broken {
                purpose,
                fault: "its access token cannot stand in a header",
            })?;
        self.send(purpose, request).await.map_err(|failure| ProviderError::Unreachable { purpose, failure })
    }
}

/// Accepts status 200 and says of any other whose fault it is.
///
/// # Errors
/// Any other status.
pub fn expect_ok(purpose: Purpose, response: &HttpResponse) -> Result<(), ProviderError> {
    match response.status().as_u16() {
        200 => Ok(()),
        status @ (429 | 500..=599) => Err(ProviderError::Unavailable { purpose, status }),
        300..=399 => {
            Err(ProviderError::Broken { purpose, fault: "it redirects, and redirects are not followed" })
        }
        401 => Err(ProviderError::Broken { purpose, fault: "it does not accept the access token" }),
        403 => Err(ProviderError::Broken { purpose, fault: "the access token may not do this" }),
        _ => Err(ProviderError::Broken { purpose, fault: "its status is not 200" }),
    }
}

/// Reads a body as JSON of the shape `D`.
///
/// # Errors
/// See [`JsonFault`].
pub fn json_body<D: DeserializeOwned>(purpose: Purpose, response: &HttpResponse) -> Result<D, ProviderError> {
    json::parse(response.body()).map_err(|fault| ProviderError::Broken {
        purpose,
        fault: match fault {
            JsonFault::Syntax => "it is not JSON",
            JsonFault::DuplicateName => "its JSON has two members of one name",
            JsonFault::TooDeep => "its JSON is nested too deep",
            JsonFault::Shape => "a member is missing or of the wrong type",
        },
    })
}
