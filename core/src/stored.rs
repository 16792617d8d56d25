//! Sessions that are kept in a store: they can be refreshed, ended from elsewhere, listed, and end when nobody uses
//! them.
//!
//! The browser has a **ticket**: the sealed id of a session. The store has a **record**: the sealed session with its
//! tokens, under a hash of the id, listed under hashes of the account and of the provider's own session. One read of the
//! store answers a request; the session is then judged by the same rules as a sealed one (`check.rs`).
//!
//! - `shelf.rs`: records as the rest of this module sees them: load, change, put, remove.
//! - `record.rs`: what a record holds, and its form.
//! - `recognise.rs`: from a ticket to its session, refreshed where that is due.
//! - `refresh.rs`: one refresh at a time, however many ask.
//! - `keep.rs`: the first record of a session.
//! - `end.rs`: sessions end: by their person, by their provider.
//! - `notice.rs`: what a provider says about sessions that it has ended.

pub(crate) mod end;
pub(crate) mod keep;
pub(crate) mod notice;
pub(crate) mod recognise;
mod record;
mod refresh;
mod shelf;

use std::{sync::Arc, time::Duration};

pub use end::SessionSummary;
pub use recognise::{Recognised, Recognition};

use crate::{
    config::{Builder, Problem, Vestibule},
    cookie,
    entropy::Entropy,
    limits::{IDLE_LIMIT_MIN, REFRESH_INTERVAL_MIN},
    provider::Provider,
    request::RequestHead,
    session::SessionId,
    store::{SessionStore, StoreKey},
    time::Timestamp,
};

/// What tickets are sealed for.
pub(crate) const TICKET_PURPOSE: &str = "ticket/1";

/// That sessions are kept in a store, and what that is used for.
#[derive(Clone, Default)]
pub(crate) struct Keeping {
    pub(crate) store: Option<Arc<dyn SessionStore>>,
    pub(crate) idle: Option<Duration>,
    pub(crate) refresh: bool,
    pub(crate) refresh_every: Option<Duration>,
    pub(crate) sign_out_at_provider: bool,
    pub(crate) backchannel_logout: bool,
    pub(crate) frontchannel_logout: bool,
}

impl Builder {
    /// Keeps sessions in `store`; the browser's cookie then only names one. What a cookie alone cannot do needs this:
    /// refreshing, an idle limit, ending sessions from elsewhere, listing them, and a copied cookie that is dead after
    /// sign-out. While the store is out of reach nobody can be told who they are: such requests get 503, and nobody is
    /// signed out.
    pub fn store(mut self, store: Arc<dyn SessionStore>) -> Self {
        self.keeping.store = Some(store);
        self
    }

    /// Ends a session that nobody has used for so long: at least a minute. It needs a store. What is written down of a
    /// session's use may be late by a tenth of this, and by a minute at most.
    pub fn idle_limit(mut self, idle: Duration) -> Self {
        self.keeping.idle = Some(idle);
        self
    }

    /// Gets new tokens before the access token ends, and asks the provider anew who the person is. It needs a store.
    /// Whoever is found to be out of every group that may enter does not enter from then on; a provider that says that
    /// the grant is over ends the session; one that is out of reach does not.
    pub fn refresh_tokens(mut self) -> Self {
        self.keeping.refresh = true;
        self
    }

    /// Sends whoever signs out on to the provider, so that its session ends too, where it has a place for that (OpenID
    /// Connect RP-Initiated Logout). From there the browser comes back to the sign-out address, which has to be
    /// registered as a post-logout redirect URI: many providers show an error otherwise. A session in a store remembers
    /// its ID token for that, which says to the provider who asks; one in a cookie does so if the site keeps it
    /// ([`Builder::keep_token`]).
    pub fn sign_out_at_provider(mut self) -> Self {
        self.keeping.sign_out_at_provider = true;
        self
    }

    /// Lets providers end sessions here when they have ended their own: they send a signed token to
    /// `backchannel_logout`, or to `backchannel_logout/{provider}` where there are several (OpenID Connect Back-Channel
    /// Logout). It needs a store. Either address has to be registered at the provider, and reachable from there.
    pub fn backchannel_logout(mut self) -> Self {
        self.keeping.backchannel_logout = true;
        self
    }

    /// Lets providers end a session here by a frame in the browser that shows `frontchannel_logout` with `iss` and `sid`
    /// (OpenID Connect Front-Channel Logout). It needs a store. Nobody signs such a request: whoever knows the name of
    /// the provider's session can make it. Where the provider can do both, [`Builder::backchannel_logout`] is better.
    pub fn frontchannel_logout(mut self) -> Self {
        self.keeping.frontchannel_logout = true;
        self
    }

    /// As [`Builder::refresh_tokens`], and at least so often, even where access tokens live longer or for ever: it is
    /// how old what is known about a person can get. At least a minute.
    pub fn refresh_every(mut self, interval: Duration) -> Self {
        self.keeping.refresh = true;
        self.keeping.refresh_every = Some(interval);
        self
    }
}

impl Keeping {
    pub(crate) fn problems(&self, providers: &[Arc<dyn Provider>]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut needs_store = |field, wanted: bool| {
            if wanted && self.store.is_none() {
                let fault = "a cookie alone cannot do it";
                problems.push(Problem::new(field, fault, "give a session store, or leave it away"));
            }
        };
        needs_store("idle_limit", self.idle.is_some());
        needs_store("refresh_tokens", self.refresh);
        needs_store("backchannel_logout", self.backchannel_logout);
        needs_store("frontchannel_logout", self.frontchannel_logout);
        // That there is no provider at all is said elsewhere.
        let nobody_tells =
            !providers.is_empty() && !providers.iter().any(|provider| provider.tells_of_logout());
        for (field, wanted) in [
            ("backchannel_logout", self.backchannel_logout),
            ("frontchannel_logout", self.frontchannel_logout),
        ] {
            if wanted && self.store.is_some() && nobody_tells {
                let fault = "no provider here can say that it has ended a session";
                problems.push(Problem::new(field, fault, "add an OpenID Connect provider, or leave it away"));
            }
        }
        for (field, time, least) in [
            ("idle_limit", self.idle, IDLE_LIMIT_MIN),
            ("refresh_every", self.refresh_every, REFRESH_INTERVAL_MIN),
        ] {
            if let Some(time) = time.filter(|time| *time < least) {
                problems.push(Problem::new(field, format!("{time:?} is too short"), "give a minute or more"));
            }
        }
        problems
    }
}

/// The names of what is in the store.
impl Vestibule {
    /// Whether sessions are kept in a store. Then a request's session is not known before [`Vestibule::recognise`] has
    /// looked it up.
    pub fn keeps_sessions(&self) -> bool {
        self.keeping.store.is_some()
    }

    /// The key of what `parts` name on this site: several sites may share a store.
    fn store_key(&self, kind: &'static str, parts: &[&[u8]]) -> StoreKey {
        let mut all = vec![self.origin.as_bytes(), self.session_cookie.as_bytes()];
        all.extend(parts);
        StoreKey::new(kind, &all)
    }

    fn record_key(&self, id: SessionId) -> StoreKey {
        self.store_key("session", &[&id.bytes()])
    }

    /// What the sessions of an account are listed under.
    fn account_key(&self, issuer: &str, subject: &str) -> StoreKey {
        self.store_key("account", &[issuer.as_bytes(), subject.as_bytes()])
    }

    /// What the sessions are listed under that a provider's own session `sid` is behind.
    fn idp_session_key(&self, issuer: &str, sid: &str) -> StoreKey {
        self.store_key("sid", &[issuer.as_bytes(), sid.as_bytes()])
    }

    /// The session that a request's ticket names, whether or not there still is one.
    pub(crate) fn ticket(&self, head: &(impl RequestHead + ?Sized), now: Timestamp) -> Option<SessionId> {
        let sealed = cookie::only(head, &self.session_cookie)?;
        let opened = self.keys.open(&self.ticket_binding, sealed, now).ok()?;
        opened.payload().try_into().ok().map(SessionId::new)
    }

    /// The `Set-Cookie` that gives a browser its ticket.
    pub(crate) fn ticket_cookie(&self, id: SessionId, expires: Timestamp, entropy: &mut Entropy) -> String {
        let sealed = self.keys.seal(&self.ticket_binding, entropy.bytes(), expires, &id.bytes());
        self.cookies.set(&self.session_cookie, sealed.expose(), self.session_age, false)
    }
}
