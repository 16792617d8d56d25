//! What the session of this application holds, and who puts it there.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use vestibule::{
    driver::{HookError, OnSignIn},
    flow::Decision,
    identity::SignIn,
    secret::Secret,
    session::{ApplicationData, Session},
};

/// The version of [`TwitterSession`]: raised when its form changes, so that what older sessions hold counts as absent.
const VERSION: u32 = 1;

/// The content of a session, as the original system had it. It travels sealed: the browser cannot read it.
#[derive(Clone, Serialize, Deserialize)]
pub struct TwitterSession {
    /// The number of the account, which never changes.
    pub user_id: String,
    /// The name that it goes by at present.
    pub screen_name: String,
    /// What X's interfaces ask for.
    pub oauth_token: Secret,
    /// What requests there are signed with, beside the app's own secret. OAuth 2.0 has no such thing.
    pub oauth_token_secret: Option<Secret>,
}

/// Neither token is shown.
impl fmt::Debug for TwitterSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwitterSession").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

impl TwitterSession {
    /// That of whoever is signed in.
    pub fn of(session: &Session) -> Option<Self> {
        session.data(VERSION)
    }

    /// What a session holds that begins with `sign_in`.
    pub fn begun_by(sign_in: &SignIn) -> Self {
        let identity = &sign_in.identity;
        Self {
            user_id: identity.subject.clone(),
            screen_name: identity.username.clone().unwrap_or_default(),
            oauth_token: sign_in.tokens.access_token.clone(),
            oauth_token_secret: sign_in.tokens.token_secret.clone(),
        }
    }
}

/// What `registerOnLoggin` was in the original: called with everybody who has signed in at X, before there is a session.
/// An application that knows its users would look this one up here, or say why they may not enter.
pub(crate) struct RegisterOnLogin;

#[async_trait]
impl OnSignIn for RegisterOnLogin {
    async fn decide(&self, sign_in: &SignIn) -> Result<Decision, HookError> {
        let session = TwitterSession::begun_by(sign_in);
        Ok(Decision::allow_with(ApplicationData::new(VERSION, &session)?))
    }
}
