//! OAuth 2.0: from an access token to an identity.

use async_trait::async_trait;
use serde::Deserialize;
use url::Url;
use vestibule::{
    address::below,
    conversation::Http,
    exchange::Purpose,
    identity::{Identity, Tokens},
    oauth2::{OAuth2, OAuth2Spec},
    provider::ProviderError,
};

use crate::{account, config::Builder};

/// X by OAuth 2.0, and the app that is registered there.
#[derive(Debug)]
pub struct Twitter {
    spec: OAuth2Spec,
    /// Where X says whose a token is, with the fields that are wanted: it counts and sells each question.
    me: Url,
}

/// What `GET /2/users/me` answers: what is wrong with single fields stands beside this, in `errors`.
#[derive(Deserialize)]
struct Reply {
    data: User,
}

#[derive(Deserialize)]
struct User {
    id: String,
    username: String,
    name: Option<String>,
    profile_image_url: Option<String>,
    /// Only ever an address that X has confirmed.
    confirmed_email: Option<String>,
}

impl Twitter {
    /// Begins to configure an app by its client id: not the API key, which is for OAuth 1.0a.
    pub fn builder(client_id: impl Into<String>) -> Builder {
        Builder::new(client_id.into())
    }

    pub(crate) fn new(spec: OAuth2Spec, api: &Url, may_see_email: bool) -> Self {
        let fields = if may_see_email { "confirmed_email,profile_image_url" } else { "profile_image_url" };
        let mut me = below(api, "2/users/me");
        me.query_pairs_mut().append_pair("user.fields", fields);
        Self { spec, me }
    }
}

#[async_trait]
impl OAuth2 for Twitter {
    fn spec(&self) -> &OAuth2Spec {
        &self.spec
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let Reply { data: user } = http.get_json(Purpose::Profile, &self.me, tokens).await?;
        Ok(account::identity(Purpose::Profile, &user.id)?
            .username(user.username)
            .name(user.name)
            .picture(user.profile_image_url)
            .verified_email(user.confirmed_email.filter(|address| !address.is_empty())))
    }
}
