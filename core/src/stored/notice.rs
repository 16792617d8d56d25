//! What a provider says about sessions that it has ended: by a signed token, or by a frame in somebody's browser.

use std::sync::Arc;

use crate::{
    config::Vestibule,
    conversation::Http,
    entropy::Entropy,
    limits::LOGOUT_TOKEN_REMEMBERED,
    provider::{LogoutNotice, Provider, ProviderError},
    secret::Secret,
    store::StoreError,
    stored::{
        end::{Whose, end_for_good, end_listed},
        shelf::Shelf,
    },
};

/// Why a notice was not heeded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unheeded {
    /// It proves nothing, or cannot be checked now.
    Provider(ProviderError),
    /// The store failed: whoever sent it tries again.
    Store(StoreError),
}

impl From<StoreError> for Unheeded {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Which provider it was, and how many sessions have ended.
pub(crate) struct Heeded {
    pub(crate) provider: String,
    pub(crate) sessions: usize,
}

/// Heeds a logout token that is one of `providers`'.
pub(crate) async fn heed_token(
    vestibule: &Vestibule,
    http: &Http,
    entropy: Entropy,
    providers: &[Arc<dyn Provider>],
    token: &Secret,
) -> Result<Heeded, Unheeded> {
    let (provider, notice) = proven(http, providers, token).await.map_err(Unheeded::Provider)?;
    let whose = whose(&notice);
    let key = vestibule.store_key("notice", &[notice.issuer.as_bytes(), notice.id.as_bytes()]);
    let shelf = Shelf { vestibule, http, entropy };
    // A copy of what has been heard does nothing to sessions that began since. It is no error either: whoever sends it
    // may not have got our answer.
    if shelf.loaded(key.clone()).await?.is_some() {
        return Ok(Heeded { provider, sessions: 0 });
    }
    let sessions = end_for_good(&shelf, &whose).await?;
    // Last, so that what fails in between is done when it is sent again.
    shelf.first(key, Vec::new(), LOGOUT_TOKEN_REMEMBERED, Vec::new()).await?;
    Ok(Heeded { provider, sessions })
}

/// What the first of `providers` says whose token it is.
async fn proven(
    http: &Http,
    providers: &[Arc<dyn Provider>],
    token: &Secret,
) -> Result<(String, LogoutNotice), ProviderError> {
    let mut failure = ProviderError::LogoutToken("it is of no provider that has such tokens");
    for provider in providers {
        match provider.logout_token(http, token).await {
            Ok(notice) => {
                notice.check(http.now()).map_err(ProviderError::LogoutToken)?;
                return Ok((provider.id().to_owned(), notice));
            }
            // Another may be set up for the same issuer, with another client.
            Err(error @ ProviderError::LogoutToken(_)) => failure = error,
            Err(ProviderError::Unsupported) => {}
            Err(error) => return Err(error),
        }
    }
    Err(failure)
}

/// A provider's session is one; an account's are all there are (OpenID Connect Back-Channel Logout §2.7).
fn whose(notice: &LogoutNotice) -> Whose {
    let issuer = notice.issuer.clone();
    match (&notice.idp_session, &notice.subject) {
        (Some(sid), _) => Whose::IdpSession { issuer, sid: sid.clone() },
        (None, subject) => Whose::Account { issuer, subject: subject.clone().unwrap_or_default() },
    }
}

/// Heeds a frame. Nobody vouches for it, so that it leaves nothing in the store: it ends what is there, and takes no
/// tokens back.
pub(crate) async fn heed_frame(
    vestibule: &Vestibule,
    http: &Http,
    entropy: Entropy,
    issuer: String,
    sid: String,
) -> Result<usize, StoreError> {
    let shelf = Shelf { vestibule, http, entropy };
    end_listed(&shelf, &Whose::IdpSession { issuer, sid }, None, &mut Vec::new()).await
}
