//! From an access token to an identity.

use async_trait::async_trait;
use serde::Deserialize;
use url::Url;
use vestibule::{
    conversation::Http,
    exchange::Purpose,
    identity::{Identity, Tokens},
    oauth2::{OAuth2, OAuth2Spec, expect_ok, json_body},
    provider::ProviderError,
    secret::Secret,
};

use crate::{api::Api, config::Builder, membership::Restriction};

/// GitHub, or a GitHub Enterprise, and the application that is registered there.
#[derive(Debug)]
pub struct GitHub {
    spec: OAuth2Spec,
    api: Url,
    restriction: Restriction,
}

/// What `GET /user` says of the person.
#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    name: Option<String>,
    /// What the person shows on their profile. Nobody says that it is theirs.
    email: Option<String>,
    avatar_url: Option<String>,
}

/// An item of `GET /user/emails`.
#[derive(Deserialize)]
struct Email {
    email: String,
    primary: bool,
    verified: bool,
}

impl GitHub {
    /// Begins to configure an OAuth App or a GitHub App of github.com.
    pub fn builder(client_id: impl Into<String>, client_secret: impl Into<Secret>) -> Builder {
        Builder::new(client_id.into(), client_secret.into())
    }

    pub(crate) fn new(spec: OAuth2Spec, api: Url, restriction: Restriction) -> Self {
        Self { spec, api, restriction }
    }
}

#[async_trait]
impl OAuth2 for GitHub {
    fn spec(&self) -> &OAuth2Spec {
        &self.spec
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let api = Api { http, base: &self.api, tokens };
        let user: User = api.get(Purpose::Profile, "user").await?;
        let groups = self.restriction.groups(&api).await?;
        // The login can be renamed and given to somebody else; the number cannot.
        let identity = Identity::new(user.id)
            .username(user.login)
            .name(user.name)
            .picture(user.avatar_url)
            .groups(groups);
        Ok(match primary_email(&api).await? {
            Some(email) => identity.verified_email(email),
            None => identity.email(user.email),
        })
    }
}

/// The primary address, if GitHub has verified it. An application that may not see addresses gets none.
async fn primary_email(api: &Api<'_>) -> Result<Option<String>, ProviderError> {
    let response = api.ask(Purpose::Emails, "user/emails").await?;
    if matches!(response.status().as_u16(), 403 | 404) {
        return Ok(None);
    }
    expect_ok(Purpose::Emails, &response)?;
    let emails: Vec<Email> = json_body(Purpose::Emails, &response)?;
    Ok(emails.into_iter().find(|email| email.primary && email.verified).map(|email| email.email))
}
