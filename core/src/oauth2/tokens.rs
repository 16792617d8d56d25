//! What is asked of token and revocation endpoints (RFC 6749 §4.1.3 and §6, RFC 7009), for every provider that speaks
//! OAuth 2, OpenID Connect's issuers included.

use std::{future::Future, pin::Pin};

use ::oauth2::{
    AccessToken, AsyncHttpClient, AuthType, AuthorizationCode, Client, ClientId, ClientSecret,
    EndpointNotSet, ExtraTokenFields, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError,
    RevocationUrl, StandardRevocableToken, StandardTokenResponse, TokenResponse as _, TokenUrl,
    basic::{
        BasicErrorResponse, BasicRequestTokenError, BasicRevocationErrorResponse,
        BasicTokenIntrospectionResponse, BasicTokenType,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use crate::{
    conversation::Http,
    exchange::{HttpRequest, HttpResponse, Purpose},
    identity::Tokens,
    json,
    oauth2::{ClientAuthentication, OAuth2Spec, expect_ok},
    provider::{Answered, OAuthError, ProviderError},
    secret::Secret,
    time::Timestamp,
    token_reply,
};

/// The member that OpenID Connect adds to a token reply.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct WithIdToken {
    id_token: Option<Secret>,
}

impl ExtraTokenFields for WithIdToken {}

type Reply = StandardTokenResponse<WithIdToken, BasicTokenType>;

/// The client of the `oauth2` crate, before it knows where anything is.
pub(super) type SpecClient = Client<
    BasicErrorResponse,
    Reply,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
>;

/// For whoever implements [`Provider`](crate::provider::Provider) and has a token endpoint like any other.
impl OAuth2Spec {
    /// A code for tokens. It is sent once: a provider may have taken a code whose answer was lost. An ID token among
    /// them is as it came; nobody has looked at it.
    ///
    /// # Errors
    /// The provider refused, is not available, or its reply holds no usable access token.
    pub async fn exchange(&self, http: &Http, answered: &Answered) -> Result<Tokens, ProviderError> {
        let url = self.endpoints(http).await?.token;
        let client = self.client().set_token_uri(TokenUrl::from_url(url.clone()));
        let client = client.set_redirect_uri(RedirectUrl::from_url(answered.redirect_uri.clone()));
        let request = client
            .exchange_code(AuthorizationCode::new(answered.code.expose().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(answered.code_verifier.expose().to_owned()));
        let request = self
            .token_parameters
            .iter()
            .fold(request, |request, (name, value)| request.add_extra_param(name.as_str(), value.expose()));
        let endpoint = Endpoint { http, purpose: Purpose::Token, url: &url, spec: self };
        tokens(request.request_async(&endpoint).await, Purpose::Token, http.now())
    }

    /// A refresh token for new tokens. No new refresh token means that the old one goes on being valid (RFC 6749 §6).
    ///
    /// # Errors
    /// As [`OAuth2Spec::exchange`].
    pub async fn renew(&self, http: &Http, old: &Secret) -> Result<Tokens, ProviderError> {
        let url = self.endpoints(http).await?.token;
        let client = self.client().set_token_uri(TokenUrl::from_url(url.clone()));
        let refresh_token = RefreshToken::new(old.expose().to_owned());
        let request = client.exchange_refresh_token(&refresh_token);
        let request = self
            .token_parameters
            .iter()
            .fold(request, |request, (name, value)| request.add_extra_param(name.as_str(), value.expose()));
        let endpoint = Endpoint { http, purpose: Purpose::Refresh, url: &url, spec: self };
        let mut tokens = tokens(request.request_async(&endpoint).await, Purpose::Refresh, http.now())?;
        tokens.refresh_token = tokens.refresh_token.or_else(|| Some(old.clone()));
        Ok(tokens)
    }

    /// The end of a token's life, where the provider has a place for it.
    ///
    /// # Errors
    /// As [`OAuth2Spec::revoke_at`].
    pub async fn revoke(&self, http: &Http, tokens: &Tokens) -> Result<(), ProviderError> {
        match self.endpoints(http).await?.revocation {
            Some(url) => self.revoke_at(http, &url, tokens).await,
            None => Ok(()),
        }
    }

    /// The end of a token's life at the revocation endpoint `url`; whoever revokes a refresh token ends its access
    /// tokens too (RFC 7009 §2.1).
    ///
    /// # Errors
    /// The provider refused or is not available.
    pub async fn revoke_at(&self, http: &Http, url: &Url, tokens: &Tokens) -> Result<(), ProviderError> {
        let purpose = Purpose::Revocation;
        let token = match &tokens.refresh_token {
            Some(token) => RefreshToken::new(token.expose().to_owned()).into(),
            None => AccessToken::new(tokens.access_token.expose().to_owned()).into(),
        };
        // The crate insists on https. Which address may be asked has been decided before, and `Endpoint` asks that.
        let mut insisted = url.clone();
        let _ = insisted.set_scheme("https");
        let client = self.client().set_revocation_url(RevocationUrl::from_url(insisted));
        let unsound = ProviderError::Broken { purpose, fault: "its address cannot be asked" };
        let request = client.revoke_token(token).map_err(|_| unsound)?;
        request.request_async(&Endpoint { http, purpose, url, spec: self }).await.map_err(|error| match error
        {
            RequestTokenError::Request(error) => error,
            _ => ProviderError::Refused(OAuthError::Other),
        })
    }

    pub(super) fn client(&self) -> SpecClient {
        let client = Client::new(ClientId::new(self.client_id.clone())).set_auth_type(
            match self.client_authentication {
                ClientAuthentication::Basic | ClientAuthentication::BasicUnencoded => AuthType::BasicAuth,
                ClientAuthentication::Post | ClientAuthentication::None => AuthType::RequestBody,
            },
        );
        match &self.client_secret {
            Some(secret) if self.client_authentication != ClientAuthentication::None => {
                client.set_client_secret(ClientSecret::new(secret.expose().to_owned()))
            }
            _ => client,
        }
    }
}

/// What the `oauth2` crate takes for an HTTP client: the conversation's handle, one address, and replies brought into
/// the form that the crate reads.
struct Endpoint<'e> {
    http: &'e Http,
    purpose: Purpose,
    url: &'e Url,
    spec: &'e OAuth2Spec,
}

impl Endpoint<'_> {
    async fn ask(&self, mut request: HttpRequest) -> Result<HttpResponse, ProviderError> {
        let purpose = self.purpose;
        let broken = |fault| ProviderError::Broken { purpose, fault };
        *request.uri_mut() = self.url.as_str().parse().map_err(|_| broken("its address cannot be asked"))?;
        if let Some(header) = self.spec.unencoded_basic()? {
            request.headers_mut().insert(http::header::AUTHORIZATION, header);
        }
        let sent = self.http.send(purpose, request).await;
        let response = sent.map_err(|failure| ProviderError::Unreachable { purpose, failure })?;
        if purpose == Purpose::Revocation {
            return revoked(&response).map(|()| HttpResponse::default());
        }
        let members = token_reply::normalise_from(&self.spec.dialect, purpose, &response)?;
        let mut beside = members.clone();
        beside.retain(|name, _| !matches!(name.as_str(), "access_token" | "refresh_token" | "id_token"));
        self.http.note_token_reply(beside);
        let body = serde_json::to_vec(&members).map_err(|_| broken("it cannot be written as JSON"))?;
        Ok(HttpResponse::new(body))
    }
}

impl<'c> AsyncHttpClient<'c> for Endpoint<'_> {
    type Error = ProviderError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, ProviderError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

/// A token that the provider does not know any more is no error (RFC 7009 §2.2). The RFC asks for status 200; that of
/// an answer without a body says the same.
fn revoked(response: &HttpResponse) -> Result<(), ProviderError> {
    match response.status().as_u16() {
        204 => Ok(()),
        400 | 401 => {
            let members = json::parse::<Map<String, Value>>(response.body()).unwrap_or_default();
            let error = members.get("error").and_then(Value::as_str);
            Err(ProviderError::Refused(error.map_or(OAuthError::Other, OAuthError::parse)))
        }
        _ => expect_ok(Purpose::Revocation, response),
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

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::{
        identity::Identity,
        oauth2::OAuth2,
        provider::Provider as _,
        testkit::{answered, converse},
    };

    struct Plain(OAuth2Spec);

    #[async_trait]
    impl OAuth2 for Plain {
        fn spec(&self) -> &OAuth2Spec {
            &self.0
        }

        async fn identify(&self, _http: &Http, _tokens: &Tokens) -> Result<Identity, ProviderError> {
            Ok(Identity::new(7))
        }
    }

    fn plain() -> Plain {
        let at = |path: &str| Url::parse(&format!("https://op.example/{path}")).unwrap();
        Plain(OAuth2Spec::new(
            "plain",
            "Plain",
            at("authorize"),
            at("token"),
            "client",
            Some("secret".into()),
        ))
    }

    const REPLY: &str =
        r#"{"access_token":"a","token_type":"bearer","refresh_token":"r","id_token":"i","expires_in":60}"#;

    #[test]
    fn an_id_token_that_nobody_proves_is_not_among_the_tokens_of_a_plain_provider() {
        let callback = || {
            let redirect_uri = Url::parse("https://a.example/oauth2/callback").unwrap();
            answered("c", "n", "v", redirect_uri, Vec::new())
        };
        let now = Timestamp::from_unix(1_000);
        let finish = async move |http: Http| plain().finish(&http, &callback()).await;
        let sign_in = converse(now, finish, |asked| asked.answer(200, "application/json", REPLY)).unwrap();
        assert_eq!(sign_in.tokens.id_token, None);
        assert_eq!(sign_in.tokens.refresh_token, Some("r".into()));
        assert_eq!(sign_in.tokens.expires, Some(Timestamp::from_unix(1_060)));
        let exchange = async move |http: Http| plain().0.exchange(&http, &callback()).await;
        let tokens = converse(now, exchange, |asked| asked.answer(200, "application/json", REPLY)).unwrap();
        assert_eq!(tokens.id_token, Some("i".into()), "whoever proves it finds it");
    }

    #[test]
    fn a_token_is_revoked_at_the_address_that_is_named_and_the_longest_lived_one_of_them() {
        let url = Url::parse("http://127.0.0.1:9/revoke").unwrap();
        for (refresh_token, sent) in [(Some("r"), "token=r"), (None, "token=a")] {
            let mut tokens = Tokens::new("a");
            tokens.refresh_token = refresh_token.map(Secret::from);
            let (own, mut asked_for) = (url.clone(), Vec::new());
            let revoke = async move |http: Http| plain().0.revoke_at(&http, &own, &tokens).await;
            let revoked = converse(Timestamp::from_unix(0), revoke, |asked| {
                asked_for.push((asked.url(), asked.request().unwrap().body().clone()));
                asked.answer(200, "text/plain", "")
            });
            assert_eq!(revoked, Ok(()));
            let [(asked, body)] = asked_for.as_slice() else { panic!("{asked_for:?}") };
            assert_eq!(asked, url.as_str());
            assert!(String::from_utf8_lossy(body).contains(sent), "{refresh_token:?}");
        }
    }
}
