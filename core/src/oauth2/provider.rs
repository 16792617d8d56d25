//! A spec and one mapping become a [`Provider`].

use async_trait::async_trait;
use url::Url;

use crate::{
    config::Problem,
    conversation::Http,
    exchange::Purpose,
    identity::{Identity, SignIn, Tokens},
    oauth2::{OAuth2, reply::NO_IDENTIFIER},
    provider::{Answered, AuthorizationRequest, Begun, EndSession, Provider, ProviderError, UserHeader},
};

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

    async fn begin(&self, http: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        let spec = self.spec();
        let endpoints = spec.endpoints(http).await?;
        let asked = spec.authorization_request(endpoints.authorization, request);
        let location = self.before_redirect(http, asked).await?;
        let begun = Begun::at(location);
        Ok(match &spec.issuer {
            Some(issuer) => begun.issuer(issuer, endpoints.sends_issuer),
            None => begun,
        })
    }

    async fn finish(&self, http: &Http, answered: &Answered) -> Result<SignIn, ProviderError> {
        let tokens = self.spec().exchange(http, answered).await?;
        signed_in(self, http, tokens).await
    }

    async fn refresh(&self, http: &Http, sign_in: &SignIn) -> Result<SignIn, ProviderError> {
        let old = sign_in.tokens.refresh_token.as_ref().ok_or(ProviderError::Unsupported)?;
        let mut tokens = self.spec().renew(http, old).await?;
        tokens.id_token = None;
        let refreshed = match signed_in(self, http, tokens.clone()).await {
            // The old refresh token may be spent: who the person is can be asked next time, new tokens cannot.
            Err(ProviderError::Unreachable { .. } | ProviderError::Unavailable { .. }) => {
                return Ok(SignIn { tokens, ..sign_in.clone() });
            }
            refreshed => refreshed?,
        };
        if !refreshed.identity.is_account_of(&sign_in.identity) {
            return Err(ProviderError::SubjectDiffers);
        }
        Ok(refreshed)
    }

    async fn revoke(&self, http: &Http, tokens: &Tokens) -> Result<(), ProviderError> {
        self.take_back(http, tokens).await
    }

    async fn end_session(&self, http: &Http, request: &EndSession) -> Result<Option<Url>, ProviderError> {
        let endpoint = self.spec().endpoints(http).await?.end_session;
        Ok(endpoint.map(|endpoint| self.spec().end_session_request(endpoint, request)))
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
    names_the_account(&identity)?;
    Ok(SignIn::new(&provider.spec().id, identity, tokens))
}

/// What no identifier of an account is, whatever a plugin says. An address can be given up and taken by somebody else.
fn names_the_account(identity: &Identity) -> Result<(), ProviderError> {
    let purpose = Purpose::Profile;
    if identity.subject.is_empty() {
        return Err(ProviderError::Broken { purpose, fault: "the identifier of the account is empty" });
    }
    if identity.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(&identity.subject)) {
        return Err(NO_IDENTIFIER);
    }
    Ok(())
}
