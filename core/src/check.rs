//! The hot path: who is it that asks? A plain function on the request's head; no future, no provider, no lock.

use std::net::IpAddr;

use crate::{
    config::Vestibule,
    cookie,
    refusal::Refusal,
    request::RequestHead,
    session::{Session, SessionView},
    stored::Recognised,
    time::Timestamp,
};

/// What a request's session cookie says.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict<'c> {
    /// Somebody who may enter.
    SignedIn(SessionView<'c>),
    /// Somebody who is signed in and may not enter.
    Forbidden(Refusal, SessionView<'c>),
    /// Nobody: no cookie, or none that opens.
    Anonymous,
}

impl Vestibule {
    /// Reads the session cookie and decides. What does not open counts as absent: the browser is told no more.
    pub fn check<T>(
        &self,
        head: &(impl RequestHead + ?Sized),
        now: Timestamp,
        then: impl FnOnce(Verdict<'_>) -> T,
    ) -> T {
        if self.keeps_sessions() {
            let session = head.recognised().and_then(Recognised::view);
            return then(session.map_or(Verdict::Anonymous, |session| self.judge(session, now)));
        }
        let Some(sealed) = cookie::only(head, &self.session_cookie) else { return then(Verdict::Anonymous) };
        let Ok(opened) = self.keys.open(&self.session_binding, sealed, now) else {
            return then(Verdict::Anonymous);
        };
        let Some(session) = SessionView::read(&opened) else { return then(Verdict::Anonymous) };
        then(self.judge(session, now))
    }

    /// What a session is good for at this moment, by the configuration of this moment.
    #[inline]
    fn judge<'c>(&self, session: SessionView<'c>, now: Timestamp) -> Verdict<'c> {
        let known = self.provider(session.provider).is_some();
        // A limit that was shortened since counts too.
        if !known || session.expires <= now || now.since(session.signed_in) >= self.session_age {
            return Verdict::Anonymous;
        }
        match self.rules.admit(session.email, session.email_verified, &session.groups) {
            Ok(()) => Verdict::SignedIn(session),
            Err(refusal) => Verdict::Forbidden(refusal, session),
        }
    }

    /// Where a request comes from, for logs: its peer, or what a trusted proxy says about that. `None` where it is not
    /// known. Rules do not take an unknown peer for a client.
    pub fn client(&self, head: &(impl RequestHead + ?Sized)) -> Option<IpAddr> {
        self.proxies.client(head, &self.client_header)
    }

    /// The session of whoever asks.
    ///
    /// # Errors
    /// [`Refusal::SignInRequired`] where nobody is signed in, or the rule by which somebody may not enter.
    pub fn session(&self, head: &(impl RequestHead + ?Sized), now: Timestamp) -> Result<Session, Refusal> {
        self.check(head, now, |verdict| match verdict {
            Verdict::SignedIn(session) => Ok(session.to_session()),
            Verdict::Forbidden(refusal, _) => Err(refusal),
            Verdict::Anonymous => Err(Refusal::SignInRequired),
        })
    }
}
