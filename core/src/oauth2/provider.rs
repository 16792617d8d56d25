//! A spec and one mapping become a [`Provider`].

use async_trait::async_trait;

use crate::{
    config::Problem,
    conversation::Http,
    identity::{SignIn, Tokens},
    oauth2::OAuth2,
    provider::{Answered, AuthorizationRequest, Begun, Provider, ProviderError, UserHeader},
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

    async fn revoke(&self, http: &Http, tokens: &Tokens) -> Result<(), ProviderError> {
        match &self.spec().revocation_endpoint {
            Some(url) => self.spec().revoke_at(http, url, tokens).await,
            None => Ok(()),
        }
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
