//! The conversations with an issuer, each readable from top to bottom.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Map;
use url::Url;
use vestibule::{
    conversation::Http,
    identity::{Identity, SignIn, Tokens},
    provider::{Answered, AuthorizationRequest, Begun, EndSession, LogoutNotice, Provider, ProviderError},
    secret::{Secret, State},
};

use crate::{
    authorize,
    config::{Builder, Config},
    id_token::{self, Proven},
    identify, logout_token,
    metadata::Metadata,
    rules::Occasion,
    sign_out, token,
    userinfo::{self, Account},
};

/// An OpenID Connect issuer, and the client that is registered there.
#[derive(Debug)]
pub struct Oidc {
    config: Arc<Config>,
}

impl Oidc {
    /// Begins to configure the issuer `issuer`, written as its own metadata writes it, a final slash included.
    pub fn builder(issuer: impl Into<String>, client_id: impl Into<String>) -> Builder {
        Builder::new(issuer.into(), client_id.into())
    }

    pub(crate) fn new(config: Config) -> Self {
        Self { config: Arc::new(config) }
    }

    /// The ID token's claims, with userinfo's where something is missing. The ID token is proven by now, nonce
    /// included: until it is, no token of the reply may be used (RFC 9700 §4.5.3.2).
    async fn identify(
        &self,
        http: &Http,
        metadata: &Metadata,
        tokens: &Tokens,
        proven: &Proven,
        before: Option<&Identity>,
    ) -> Result<Identity, ProviderError> {
        let account = Account { issuer: &proven.issuer, subject: &proven.subject };
        let identity =
            |claims| identify::identity(&self.config.settings, account.issuer, account.subject, claims);
        let Some(endpoint) = userinfo::endpoint(&self.config, metadata, &proven.claims, before)? else {
            return Ok(identity(&proven.claims));
        };
        match (userinfo::fetch(http, &self.config, metadata, &endpoint, tokens, account).await, before) {
            (Ok(added), _) => Ok(identity(&identify::merge(proven.claims.clone(), added))),
            (Err(error), Some(before)) if is_outage(error) => Ok(identify::complete(
                identity(&proven.claims),
                before,
                &self.config.settings,
                &proven.claims,
            )),
            (Err(error), _) => Err(error),
        }
    }

    fn signed_in(&self, identity: Identity, tokens: Tokens, proven: &Proven) -> SignIn {
        SignIn::new(&self.config.settings.id, identity, tokens)
            .idp_session(proven.idp_session.clone())
            .authenticated(proven.authenticated)
    }

    /// A refresh without an ID token: userinfo, where there is one, says who the person is now.
    async fn refreshed_without_id_token(
        &self,
        http: &Http,
        metadata: &Metadata,
        tokens: Tokens,
        old: &SignIn,
    ) -> Result<SignIn, ProviderError> {
        let mut new = old.clone();
        new.tokens = tokens;
        let Some(endpoint) = userinfo::endpoint(&self.config, metadata, &Map::new(), Some(&old.identity))?
        else {
            return Ok(new);
        };
        let account = Account { issuer: &old.identity.issuer, subject: &old.identity.subject };
        match userinfo::fetch(http, &self.config, metadata, &endpoint, &new.tokens, account).await {
            Ok(claims) => {
                let identity =
                    identify::identity(&self.config.settings, account.issuer, account.subject, &claims);
                new.identity = identify::with_names_of(identity, &old.identity);
                Ok(new)
            }
            Err(error) if is_outage(error) => Ok(new),
            Err(error) => Err(error),
        }
    }
}

/// Whether userinfo is only out of reach. At a refresh that must not cost the new tokens: the old refresh token may be
/// spent, and losing the new one would turn an outage into a sign-out.
fn is_outage(error: ProviderError) -> bool {
    matches!(error, ProviderError::Unreachable { .. } | ProviderError::Unavailable { .. })
}

#[async_trait]
impl Provider for Oidc {
    fn id(&self) -> &str {
        &self.config.settings.id
    }

    fn label(&self) -> &str {
        &self.config.settings.label
    }

    async fn begin(&self, http: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        let metadata = Metadata::fetch(http, &self.config).await?;
        Ok(authorize::begin(&self.config, &metadata, request))
    }

    async fn finish(&self, http: &Http, answered: &Answered) -> Result<SignIn, ProviderError> {
        let metadata = Metadata::fetch(http, &self.config).await?;
        let tokens = token::exchange(http, &self.config, &metadata, answered).await?;
        let id_token = tokens.id_token.as_ref().ok_or(ProviderError::IdToken("the token reply has none"))?;
        let max_age = answered.max_age.or(self.config.settings.max_age);
        let occasion = Occasion::SignIn { nonce: &answered.nonce, max_age };
        let proven = id_token::prove(http, &self.config, &metadata, &tokens, id_token, occasion).await?;
        let identity = self.identify(http, &metadata, &tokens, &proven, None).await?;
        Ok(self.signed_in(identity, tokens, &proven))
    }

    async fn refresh(&self, http: &Http, old: &SignIn) -> Result<SignIn, ProviderError> {
        let refresh_token = old.tokens.refresh_token.as_ref().ok_or(ProviderError::Unsupported)?;
        let metadata = Metadata::fetch(http, &self.config).await?;
        let mut tokens = token::refresh(http, &self.config, &metadata, refresh_token).await?;
        let Some(id_token) = tokens.id_token.clone() else {
            // The old one is still the hint for the sign-out.
            tokens.id_token.clone_from(&old.tokens.id_token);
            return self.refreshed_without_id_token(http, &metadata, tokens, old).await;
        };
        let occasion = Occasion::Refresh(old);
        let proven = id_token::prove(http, &self.config, &metadata, &tokens, &id_token, occasion).await?;
        let identity = self.identify(http, &metadata, &tokens, &proven, Some(&old.identity)).await?;
        let mut new = self.signed_in(identify::with_names_of(identity, &old.identity), tokens, &proven);
        new.idp_session = new.idp_session.or_else(|| old.idp_session.clone());
        new.authenticated = new.authenticated.or(old.authenticated);
        Ok(new)
    }

    async fn revoke(&self, http: &Http, tokens: &Tokens) -> Result<(), ProviderError> {
        let metadata = Metadata::fetch(http, &self.config).await?;
        token::revoke(http, &self.config, &metadata, tokens).await
    }

    async fn end_session(&self, http: &Http, request: &EndSession) -> Result<Option<Url>, ProviderError> {
        let metadata = Metadata::fetch(http, &self.config).await?;
        let hint = request.id_token.as_ref().map(Secret::expose);
        let state = request.state.as_ref().map(State::expose);
        let back_to = &request.post_logout_redirect_uri;
        let client_id = &self.config.settings.client_id;
        let endpoint = metadata.end_session_endpoint?;
        Ok(endpoint.map(|endpoint| sign_out::location(&endpoint, client_id, back_to, hint, state)))
    }

    async fn logout_token(&self, http: &Http, token: &Secret) -> Result<LogoutNotice, ProviderError> {
        logout_token::prove(http, &self.config, token).await
    }

    fn tells_of_logout(&self) -> bool {
        true
    }

    fn speaks_for(&self, issuer: &str) -> bool {
        self.config.issuer.describes_itself_as(issuer)
    }

    fn answers_by_form_post(&self) -> bool {
        self.config.settings.form_post
    }
}
