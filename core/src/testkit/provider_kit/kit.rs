//! What a provider's author hands over.

use std::{fmt, sync::Arc};

use super::{Asked, OpenId, Report, bench::Bench, rows};
use crate::{
    exchange::{HttpResponse, Purpose},
    provider::Provider,
    time::Timestamp,
};

pub(super) type Recorded = dyn Fn(&Asked) -> HttpResponse + Send + Sync;

/// A provider, and what the real one answers: enough to run it through good and hostile days.
///
/// Give what the provider's interface really sends, recorded once, with tokens and secrets of the test's own: values of
/// at least eight characters that stand nowhere else, since the kit looks for them where they must not be.
#[must_use = "a kit does nothing until `check` or `run`"]
pub struct ProviderKit {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) now: Timestamp,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<String>,
    pub(super) subject_at: Option<String>,
    pub(super) verified_at: Vec<(Purpose, String)>,
    pub(super) always_verified: Option<String>,
    pub(super) replies: Vec<(Purpose, Arc<Recorded>)>,
    pub(super) openid: Option<OpenId>,
    pub(super) printed: Option<String>,
    pub(super) other_protocol: Option<String>,
    pub(super) exempt: Vec<(String, String)>,
}

impl fmt::Debug for ProviderKit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderKit").field("provider", &self.provider.id()).finish_non_exhaustive()
    }
}

impl ProviderKit {
    /// A kit for `provider`, set up as an application would.
    pub fn new(provider: impl Provider) -> Self {
        Self {
            provider: Arc::new(provider),
            now: Timestamp::from_unix(1_800_000_000),
            client_id: None,
            client_secret: None,
            subject_at: None,
            verified_at: Vec::new(),
            always_verified: None,
            replies: Vec::new(),
            openid: None,
            printed: None,
            other_protocol: None,
            exempt: Vec::new(),
        }
    }

    /// The client id that the provider was set up with.
    pub fn client(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// The client's secret that the provider was set up with. Without one the client counts as public.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// Adds a recorded reply. Of several for one purpose, the second answers the second request of a conversation, and
    /// the last one all further ones. Where there is none for [`Purpose::Refresh`], the one for the token answers.
    pub fn reply(self, purpose: Purpose, status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let (media_type, body) = (media_type.to_owned(), body.into());
        self.answer(purpose, move |_| {
            let response = http::Response::builder().status(status).header("content-type", &media_type);
            response.body(body.clone()).unwrap_or_default()
        })
    }

    /// Adds a reply that depends on what is asked, or that has more headers.
    pub fn answer(
        mut self,
        purpose: Purpose,
        answer: impl Fn(&Asked) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        self.replies.push((purpose, Arc::new(answer)));
        self
    }

    /// Where the account's immutable identifier stands in the first reply for [`Purpose::Profile`], as a JSON pointer
    /// (RFC 6901): `/id`, or `/data/id`.
    pub fn subject_at(mut self, pointer: impl Into<String>) -> Self {
        self.subject_at = Some(pointer.into());
        self
    }

    /// Where the provider says whether the e-mail address is verified, as a JSON pointer into the first reply for
    /// `purpose`. Several, where several say so.
    pub fn verified_at(mut self, purpose: Purpose, pointer: impl Into<String>) -> Self {
        self.verified_at.push((purpose, pointer.into()));
        self
    }

    /// For a provider that shows verified addresses only; `because` is what its documentation says, and stands in the
    /// report.
    pub fn always_verified(mut self, because: impl Into<String>) -> Self {
        self.always_verified = Some(because.into());
        self
    }

    /// Makes the token replies carry ID tokens, which the kit mints and the author signs.
    pub fn openid(mut self, openid: OpenId) -> Self {
        self.openid = Some(openid);
        self
    }

    /// What `format!("{provider:?}")` gives, so that no secret is in it.
    pub fn printed(mut self, debug: impl Into<String>) -> Self {
        self.printed = Some(debug.into());
        self
    }

    /// For a provider that does not speak OAuth 2. The rows about its messages are then left out, and `because` stands
    /// in the report.
    pub fn other_protocol(mut self, because: impl Into<String>) -> Self {
        self.other_protocol = Some(because.into());
        self
    }

    /// Leaves a row out; `because` stands in the report.
    pub fn does_not_apply(mut self, row: impl Into<String>, because: impl Into<String>) -> Self {
        self.exempt.push((row.into(), because.into()));
        self
    }

    /// What time it is in the test; recorded replies may say when something ends.
    pub fn now(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// The names of all rows.
    pub fn rows() -> Vec<&'static str> {
        rows::names()
    }

    /// All rows as the page `docs/provider-test-kit.md`.
    pub fn documentation() -> String {
        rows::documentation()
    }

    /// Runs the provider through every row.
    pub fn run(&self) -> Report {
        rows::run(&Bench::new(self))
    }

    /// As [`ProviderKit::run`], for use in a test.
    ///
    /// # Panics
    /// A row failed. The panic's text is the whole report.
    #[track_caller]
    pub fn check(&self) {
        self.run().assert();
    }
}
