//! `backchannel_logout`: a provider says, by a signed token, that it has ended somebody's session (OpenID Connect
//! Back-Channel Logout §2.5 to §2.8). No browser is involved: neither cookies nor who asks mean anything here.

use std::sync::Arc;

use crate::{
    config::Vestibule,
    entropy::Entropy,
    flow::{self, Outcome, Step},
    limits::BODY_BYTES_MAX,
    provider::{Provider, ProviderError},
    refusal::Refusal,
    request::{self, Asker, RequestHead, Said},
    response::{Event, Response},
    secret::Secret,
    stored::notice::{Unheeded, heed_token},
    time::Timestamp,
};

impl Vestibule {
    pub(super) fn backchannel_logout(
        self: &Arc<Self>,
        head: &(impl RequestHead + ?Sized),
        body: &[u8],
        provider: Option<&str>,
        now: Timestamp,
        entropy: Entropy,
    ) -> Step {
        let refused = |refusal| Step::Done(self.refused(Asker::Program, refusal));
        if !self.keeping.backchannel_logout {
            return refused(Refusal::NotFound);
        }
        let providers = self.providers_called(provider);
        if providers.is_empty() {
            return refused(Refusal::UnknownProvider);
        }
        if head.method() != "POST" {
            return refused(Refusal::MethodNotAllowed);
        }
        if body.len() > BODY_BYTES_MAX {
            return refused(Refusal::RequestTooLarge);
        }
        let token = match token(head, body) {
            Ok(token) => token,
            Err(fault) => return self.notice_failed(ProviderError::LogoutToken(fault)).into(),
        };
        flow::heed(Arc::clone(self), now, |vestibule, http| async move {
            match heed_token(&vestibule, &http, entropy, &providers, &token).await {
                // One answer, whether anybody was signed in or not.
                Ok(heeded) => ended(Response::new(200), heeded.provider, heeded.sessions),
                Err(Unheeded::Provider(error)) => vestibule.notice_failed(error),
                Err(Unheeded::Store(error)) => vestibule.store_failed(Asker::Program, error),
            }
        })
    }

    /// The provider of that name, or all where none is named.
    pub(super) fn providers_called(&self, name: Option<&str>) -> Vec<Arc<dyn Provider>> {
        let called =
            |provider: &&Arc<dyn Provider>| name.is_none_or(|name| Provider::id(&***provider) == name);
        self.providers.iter().filter(called).cloned().collect()
    }
}

/// The answer to a notice that was heeded, with an event where it made a difference.
pub(super) fn ended(response: Response, provider: String, sessions: usize) -> Outcome {
    let event = (sessions > 0).then_some(Event::EndedByProvider { provider, sessions });
    Outcome { response, event }
}

/// The token, where there is exactly one, and in the body: what stands in an address ends in logs.
fn token(head: &(impl RequestHead + ?Sized), body: &[u8]) -> Result<Secret, &'static str> {
    if !request::query(head.target()).is_empty() {
        return Err("the address has a query");
    }
    let Said::Once(media_type) = request::said(head, "content-type") else {
        return Err("it does not come as a form");
    };
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err("it does not come as a form");
    }
    let mut tokens = url::form_urlencoded::parse(body).filter(|(name, _)| name == "logout_token");
    match (tokens.next(), tokens.next()) {
        (Some((_, token)), None) => Ok(Secret::new(token.into_owned())),
        _ => Err("there is not exactly one"),
    }
}
