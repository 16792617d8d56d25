//! `frontchannel_logout`: a provider shows this in a frame to a browser whose session it has ended (OpenID Connect
//! Front-Channel Logout §2). The frame's browser brings no cookie of ours, so that `sid` alone says which session.

use std::sync::Arc;

use url::Url;

use crate::{
    config::Vestibule,
    endpoints::backchannel_logout::ended,
    entropy::Entropy,
    flow::{self, Step},
    limits::LOGOUT_NAME_BYTES_MAX,
    refusal::Refusal,
    request::{self, Asker, RequestHead},
    response::Response,
    stored::notice::heed_frame,
    time::Timestamp,
};

impl Vestibule {
    pub(super) fn frontchannel_logout(
        self: &Arc<Self>,
        head: &(impl RequestHead + ?Sized),
        provider: Option<&str>,
        now: Timestamp,
        entropy: Entropy,
    ) -> Step {
        let asker = request::asker(head);
        if !self.keeping.frontchannel_logout {
            return self.refused(asker, Refusal::NotFound).into();
        }
        if let Some(response) = request::without_effect(head) {
            return flow::Outcome::from(response).into();
        }
        if head.method() != "GET" {
            return self.refused(asker, Refusal::MethodNotAllowed).into();
        }
        let said = |name| {
            let value = request::parameter(request::query(head.target()), name);
            value.filter(|value| (1..=LOGOUT_NAME_BYTES_MAX).contains(&value.len()))
        };
        let (Some(issuer), Some(sid)) = (said("iss"), said("sid")) else {
            return self.refused(asker, Refusal::FrontchannelMalformed).into();
        };
        let providers = self.providers_called(provider);
        let Some(provider) = providers.into_iter().find(|provider| provider.speaks_for(&issuer)) else {
            return self.refused(asker, Refusal::FrontchannelMalformed).into();
        };
        flow::heed(Arc::clone(self), now, |vestibule, http| async move {
            let page = framed(&issuer);
            match heed_frame(&vestibule, &http, entropy, issuer, sid).await {
                Ok(sessions) => ended(page, provider.id().to_owned(), sessions),
                Err(error) => vestibule.store_failed(Asker::Program, error),
            }
        })
    }
}

/// An empty page that its issuer's pages may frame: the only one of ours that anybody may.
fn framed(issuer: &str) -> Response {
    let origin = Url::parse(issuer).map(|url| url.origin().ascii_serialization());
    let ancestors = origin.ok().filter(|origin| origin.starts_with("http"));
    let ancestors = ancestors.as_deref().unwrap_or("'none'");
    let mut response = Response::new(200)
        .header("content-type", "text/html; charset=utf-8")
        .header(
            "content-security-policy",
            format!("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"),
        )
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "no-referrer");
    response.body = b"<!doctype html><title>Signed out</title>".to_vec();
    response
}
