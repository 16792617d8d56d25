//! OAuth 1.0a: a request token before the browser is sent away, an access token when it has come back.

use async_trait::async_trait;
use http::Method;
use url::Url;
use vestibule::{
    address::below,
    conversation::Http,
    exchange::{HttpRequest, HttpResponse, Purpose},
    identity::{Identity, SignIn, Tokens},
    oauth2::expect_ok,
    provider::{Answered, AuthorizationRequest, Begun, OAuthError, Provider, ProviderError, UserHeader},
    secret::{RequestToken, Secret},
};

use crate::{
    account,
    oauth1::{Consumer, Credentials, Members, Moment},
    oauth1_config::OAuth1Builder,
    refused,
    verify_credentials::Profile,
};

/// X by OAuth 1.0a, and the app that is registered there.
#[derive(Debug)]
pub struct TwitterOAuth1 {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) consumer: Consumer,
    pub(crate) asks_for_profile: bool,
    /// Where the browser is sent.
    pub(crate) site: Url,
    pub(crate) api: Url,
}

impl TwitterOAuth1 {
    /// Begins to configure an app by its API key and secret, which OAuth 1.0a calls a consumer's: not the client id and
    /// secret, which are for OAuth 2.0.
    pub fn builder(consumer_key: impl Into<String>, consumer_secret: impl Into<Secret>) -> OAuth1Builder {
        OAuth1Builder::new(consumer_key.into(), consumer_secret.into())
    }

    /// Where the browser is sent. Somebody who shall say anew who they are has to give their password.
    fn authenticate(&self, request: &AuthorizationRequest, token: &str) -> Url {
        let mut location = below(&self.site, "oauth/authenticate");
        let mut query = location.query_pairs_mut();
        query.append_pair("oauth_token", token);
        if request.prompt.as_deref().is_some_and(|prompt| matches!(prompt, "login" | "select_account")) {
            query.append_pair("force_login", "true");
        }
        if let Some(name) = &request.login_hint {
            query.append_pair("screen_name", name);
        }
        drop(query);
        location
    }

    /// The access token, and what comes with it about the account.
    async fn access_token(
        &self,
        http: &Http,
        answered: &Answered,
    ) -> Result<(Credentials, Members), ProviderError> {
        let purpose = Purpose::Token;
        let broken = |fault| ProviderError::Broken { purpose, fault };
        let sealed = Credentials::from_bytes(&answered.private);
        let sealed = sealed.ok_or(broken("the request token that was sealed for it cannot be read"))?;
        let url = below(&self.api, "oauth/access_token");
        let more = [("oauth_verifier", answered.code.expose())];
        let moment = Moment { now: http.now(), secret: answered.code_verifier.expose() };
        let request = self.consumer.request(Method::POST, &url, Some(&sealed), &more, &moment);
        let members = Members::read(purpose, &self.ask(http, purpose, request).await?)?;
        let credentials = members.credentials().ok_or(broken("it holds no token with a secret"))?;
        Ok((credentials, members))
    }

    /// What X says about the person beyond the number and the name, where it does: apps without access to this part of
    /// the interface are told nothing.
    async fn profile(
        &self,
        http: &Http,
        credentials: &Credentials,
        answered: &Answered,
    ) -> Result<Option<Profile>, ProviderError> {
        if !self.asks_for_profile {
            return Ok(None);
        }
        let url = Profile::address(&self.api);
        let moment = Moment { now: http.now(), secret: answered.code_verifier.expose() };
        let request = self.consumer.request(Method::GET, &url, Some(credentials), &[], &moment);
        let purpose = Purpose::Profile;
        let sent = http.send(purpose, request).await;
        Profile::read(&sent.map_err(|failure| ProviderError::Unreachable { purpose, failure })?)
    }

    /// One exchange, of which status 200 is expected.
    async fn ask(
        &self,
        http: &Http,
        purpose: Purpose,
        request: HttpRequest,
    ) -> Result<HttpResponse, ProviderError> {
        let sent = http.send(purpose, request).await;
        let response = sent.map_err(|failure| ProviderError::Unreachable { purpose, failure })?;
        match response.status().as_u16() {
            400..=499 if response.status() != http::StatusCode::TOO_MANY_REQUESTS => {
                Err(refused::by(purpose, &response))
            }
            _ => expect_ok(purpose, &response).map(|()| response),
        }
    }
}

#[async_trait]
impl Provider for TwitterOAuth1 {
    fn id(&self) -> &str {
        &self.id
    }

    fn label(&self) -> &str {
        &self.label
    }

    fn user_header(&self) -> UserHeader {
        UserHeader::Username
    }

    async fn begin(&self, http: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        let purpose = Purpose::Begin;
        let url = below(&self.api, "oauth/request_token");
        let more = [("oauth_callback", request.redirect_uri.as_str())];
        let moment = Moment { now: http.now(), secret: request.code_verifier.expose() };
        let signed = self.consumer.request(Method::POST, &url, None, &more, &moment);
        let members = Members::read(purpose, &self.ask(http, purpose, signed).await?)?;
        let broken = |fault| ProviderError::Broken { purpose, fault };
        // Of OAuth 1.0 without the a, where anybody could finish what somebody else began (RFC 5849 §2.1).
        if members.get("oauth_callback_confirmed") != Some("true") {
            return Err(broken("it does not confirm where the browser comes back to"));
        }
        let credentials = members.credentials().ok_or(broken("it holds no token with a secret"))?;
        let token = credentials.token.expose();
        Ok(Begun::at(self.authenticate(request, token))
            .request_token(RequestToken::new(token))
            .private(credentials.to_bytes()))
    }

    async fn finish(&self, http: &Http, answered: &Answered) -> Result<SignIn, ProviderError> {
        let (credentials, members) = self.access_token(http, answered).await?;
        let profile = self.profile(http, &credentials, answered).await?;
        let identity = identity(&members, profile)?;
        let mut tokens = Tokens::new(credentials.token);
        tokens.token_secret = Some(credentials.secret);
        Ok(SignIn::new(&self.id, identity, tokens))
    }

    async fn revoke(&self, http: &Http, tokens: &Tokens) -> Result<(), ProviderError> {
        let secret = tokens.token_secret.clone().ok_or(ProviderError::Unsupported)?;
        let credentials = Credentials { token: tokens.access_token.clone(), secret };
        let url = below(&self.api, "1.1/oauth/invalidate_token");
        let moment = Moment { now: http.now(), secret: credentials.secret.expose() };
        let request = self.consumer.request(Method::POST, &url, Some(&credentials), &[], &moment);
        match self.ask(http, Purpose::Revocation, request).await {
            // It has ended already.
            Err(ProviderError::Refused(OAuthError::InvalidGrant)) => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

/// Who signed in: what came with the token says so, and the profile must not say otherwise.
fn identity(members: &Members, profile: Option<Profile>) -> Result<Identity, ProviderError> {
    let number = members.get("user_id");
    let identity = match (number, &profile) {
        (Some(number), Some(profile)) if number != profile.number() => {
            return Err(ProviderError::SubjectDiffers);
        }
        (Some(number), _) => account::identity(Purpose::Token, number)?,
        (None, Some(profile)) => account::identity(Purpose::Profile, profile.number())?,
        (None, None) => {
            let fault = "it does not say whose token it is";
            return Err(ProviderError::Broken { purpose: Purpose::Token, fault });
        }
    };
    let identity = identity.username(members.get("screen_name").map(str::to_owned));
    Ok(match profile {
        Some(profile) => profile.added_to(identity),
        None => identity,
    })
}
