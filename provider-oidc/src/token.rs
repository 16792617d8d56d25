//! What is asked of the token and revocation endpoints (RFC 6749 §4.1.3 and §6, RFC 7009).

use std::{future::Future, pin::Pin};

use oauth2::{
    AccessToken, AsyncHttpClient, AuthType, AuthorizationCode, Client, ClientId, ClientSecret,
    EndpointNotSet, EndpointSet, ExtraTokenFields, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, RevocationUrl, StandardRevocableToken, StandardTokenResponse, TokenResponse as _,
    TokenUrl,
    basic::{
        BasicErrorResponse, BasicRequestTokenError, BasicRevocationErrorResponse,
        BasicTokenIntrospectionResponse, BasicTokenType,
    },
};
use serde::{Deserialize, Serialize};
use url::Url;
use vestibule::{
    conversation::Http,
    exchange::{HttpRequest, HttpResponse, Purpose},
    identity::Tokens,
    oauth2::{ClientAuthentication, expect_ok},
    provider::{Answered, OAuthError, ProviderError},
    secret::Secret,
    time::Timestamp,
    token_reply,
};

use crate::{config::Config, metadata::Metadata};

/// The member that OpenID Connect adds to a token reply.
#[derive(Debug, Deserialize, Serialize)]
struct WithIdToken {
    id_token: Option<Secret>,
}

impl ExtraTokenFields for WithIdToken {}

type Reply = StandardTokenResponse<WithIdToken, BasicTokenType>;

type TokenClient = Client<
    BasicErrorResponse,
    Reply,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// A code for tokens. It is sent once: a provider may have taken a code whose answer was lost.
pub(crate) async fn exchange(
    http: &Http,
    config: &Config,
    metadata: &Metadata,
    answered: &Answered,
) -> Result<Tokens, ProviderError> {
    let purpose = Purpose::Token;
    let client =
        client(config, metadata)?.set_redirect_uri(RedirectUrl::from_url(answered.redirect_uri.clone()));
    let reply = client
        .exchange_code(AuthorizationCode::new(answered.code.expose().to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(answered.code_verifier.expose().to_owned()))
        .request_async(&Endpoint { http, purpose, url: &metadata.token_endpoint })
        .await;
    tokens(reply, purpose, http.now())
}

/// A refresh token for new tokens. No new refresh token means that the old one goes on being valid.
pub(crate) async fn refresh(
    http: &Http,
    config: &Config,
    metadata: &Metadata,
    old: &Secret,
) -> Result<Tokens, ProviderError> {
    let purpose = Purpose::Refresh;
    let reply = client(config, metadata)?
        .exchange_refresh_token(&RefreshToken::new(old.expose().to_owned()))
        .request_async(&Endpoint { http, purpose, url: &metadata.token_endpoint })
        .await;
    let mut tokens = tokens(reply, purpose, http.now())?;
    tokens.refresh_token = tokens.refresh_token.or_else(|| Some(old.clone()));
    Ok(tokens)
}

/// The end of a token's life; whoever revokes a refresh token ends its access tokens too (RFC 7009 §2.1).
pub(crate) async fn revoke(
    http: &Http,
    config: &Config,
    metadata: &Metadata,
    tokens: &Tokens,
) -> Result<(), ProviderError> {
    let Some(endpoint) = &metadata.revocation_endpoint.clone()? else { return Ok(()) };
    let token = match &tokens.refresh_token {
        Some(token) => RefreshToken::new(token.expose().to_owned()).into(),
        None => AccessToken::new(tokens.access_token.expose().to_owned()).into(),
    };
    // The crate insists on https. Metadata has decided already which address may be asked, and `Endpoint` asks that.
    let mut insisted = endpoint.clone();
    let _ = insisted.set_scheme("https");
    let client = client(config, metadata)?.set_revocation_url(RevocationUrl::from_url(insisted));
    let unsound =
        ProviderError::Broken { purpose: Purpose::Revocation, fault: "its address cannot be asked" };
    let request = client.revoke_token(token).map_err(|_| unsound)?;
    let reply = request.request_async(&Endpoint { http, purpose: Purpose::Revocation, url: endpoint }).await;
    reply.map_err(|error| match error {
        RequestTokenError::Request(error) => error,
        _ => ProviderError::Refused(OAuthError::Other),
    })
}

/// What the `oauth2` crate takes for an HTTP client: the conversation's handle, and one address.
struct Endpoint<'e> {
    http: &'e Http,
    purpose: Purpose,
    url: &'e Url,
}

impl Endpoint<'_> {
    async fn ask(&self, mut request: HttpRequest) -> Result<HttpResponse, ProviderError> {
        let purpose = self.purpose;
        let broken = |fault| ProviderError::Broken { purpose, fault };
        *request.uri_mut() = self.url.as_str().parse().map_err(|_| broken("its address cannot be asked"))?;
        let sent = self.http.send(purpose, request).await;
        let response = sent.map_err(|failure| ProviderError::Unreachable { purpose, failure })?;
        if purpose == Purpose::Revocation {
            return expect_ok(purpose, &response).map(|()| response);
        }
        let members = token_reply::normalise(purpose, &response)?;
        Ok(HttpResponse::new(
            serde_json::to_vec(&members).map_err(|_| broken("it cannot be written as JSON"))?,
        ))
    }
}

impl<'c> AsyncHttpClient<'c> for Endpoint<'_> {
    type Error = ProviderError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, ProviderError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

fn tokens(
    reply: Result<Reply, BasicRequestTokenError<ProviderError>>,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Tokens, ProviderError> {
    let reply = reply.map_err(|error| match error {
        RequestTokenError::Request(error) => error,
        _ => ProviderError::Broken { purpose, fault: "a member is missing or of the wrong type" },
    })?;
    let mut tokens = Tokens::new(reply.access_token().secret().clone());
    tokens.refresh_token = reply.refresh_token().map(|token| Secret::new(token.secret().clone()));
    tokens.id_token.clone_from(&reply.extra_fields().id_token);
    tokens.expires = reply.expires_in().map(|seconds| now.after(seconds));
    tokens.scopes = reply.scopes().into_iter().flatten().map(|scope| scope.to_string()).collect();
    Ok(tokens)
}

fn client(config: &Config, metadata: &Metadata) -> Result<TokenClient, ProviderError> {
    let client = Client::new(ClientId::new(config.settings.client_id.clone()))
        .set_token_uri(TokenUrl::from_url(metadata.token_endpoint.clone()));
    let Some(secret) = &config.settings.client_secret else { return Ok(client) };
    let by = match authentication(config, metadata)? {
        ClientAuthentication::Post => AuthType::RequestBody,
        _ => AuthType::BasicAuth,
    };
    Ok(client.set_client_secret(ClientSecret::new(secret.expose().to_owned())).set_auth_type(by))
}

/// What was configured; else what the issuer says that it takes, `client_secret_basic` first: it is what an issuer
/// takes that says nothing (OpenID Connect Discovery §3).
fn authentication(config: &Config, metadata: &Metadata) -> Result<ClientAuthentication, ProviderError> {
    if let Some(by) = config.settings.client_authentication {
        return Ok(by);
    }
    let Some(methods) = &metadata.authentication_methods else { return Ok(ClientAuthentication::Basic) };
    let takes = |method: &str| methods.iter().any(|listed| listed == method);
    if takes("client_secret_basic") {
        Ok(ClientAuthentication::Basic)
    } else if takes("client_secret_post") {
        Ok(ClientAuthentication::Post)
    } else {
        Err(ProviderError::Misconfigured {
            field: "client_authentication",
            remedy: "the issuer lists neither client_secret_basic nor client_secret_post: choose one if it takes it all the same",
        })
    }
}
