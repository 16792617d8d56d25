//! Other application data for a session that there is.

use std::fmt;

use crate::{
    check::Verdict,
    config::Vestibule,
    cookie,
    entropy::{Entropy, Seed},
    limits::{RECORD_BYTES_MAX, SESSION_AND_TOKENS_BYTES_MAX, SESSION_BYTES_MAX},
    refusal::Refusal,
    request::RequestHead,
    response::redacted,
    session::ApplicationData,
    time::Timestamp,
};

/// The header lines that give a browser its session as it is from now on. They go into whatever the application
/// answers; without them nothing has changed.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "the session changes with the answer that these headers are added to"]
pub struct SessionHeaders(pub(super) Vec<(&'static str, String)>);

impl SessionHeaders {
    /// Nothing has to go out.
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// Whether nothing has to go out.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for SessionHeaders {
    type Item = (&'static str, String);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The session is in them, and stays out.
impl fmt::Debug for SessionHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, value)| redacted(name, value))).finish()
    }
}

/// Why application data is not kept. The session stays what it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotKept {
    /// There is no session to keep it in.
    #[error("there is no session to keep application data in ({})", .0.code())]
    NoSession(Refusal),
    /// A cookie has no room for it.
    #[error("the session has {bytes} bytes of {limit} with this data; the largest part is: {largest_part}")]
    TooLarge {
        /// How many bytes the cookie would have.
        bytes: usize,
        /// How many it may have.
        limit: usize,
        /// What takes the most room.
        largest_part: &'static str,
    },
}

impl NotKept {
    pub(crate) fn too_large_for_a_record() -> Self {
        let limit = RECORD_BYTES_MAX;
        Self::TooLarge { bytes: limit + 1, limit, largest_part: "application data" }
    }

    /// What to turn somebody back with who expected it to be kept.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::NoSession(refusal) => *refusal,
            Self::TooLarge { .. } => Refusal::SessionTooLarge,
        }
    }
}

impl Vestibule {
    /// Puts `data` in place of what the application keeps in the session of whoever asks. The session is the same
    /// otherwise: its id, its tokens, and when it ends.
    ///
    /// The session is in the browser's cookie, and nowhere else. So the last answer wins where several requests change it
    /// at once, each from what it has read; an answer that is on its way while the person signs out brings the session
    /// back; and a browser that kept the old cookie can bring it again until it ends. What must be counted exactly, or
    /// must not come back, belongs into a store of the application's, under the account or the session's id.
    ///
    /// # Errors
    /// Nobody is signed in who may enter, or the cookie would be too large.
    pub fn keep_data(
        &self,
        head: &(impl RequestHead + ?Sized),
        data: ApplicationData,
        now: Timestamp,
        seed: Seed,
    ) -> Result<SessionHeaders, NotKept> {
        let session = self.check(head, now, |verdict| match verdict {
            Verdict::SignedIn(session) => Ok(session.to_session()),
            Verdict::Forbidden(refusal, _) => Err(NotKept::NoSession(refusal)),
            Verdict::Anonymous => Err(NotKept::NoSession(Refusal::SignInRequired)),
        });
        let mut session = session?;
        session.application = Some(data);
        let nonce = Entropy::new(seed).bytes();
        let sealed = self.keys.seal(&self.session_binding, nonce, session.expires, &session.to_bytes());
        let bytes = self.session_cookie.len() + sealed.expose().len();
        let tokens = self.cookies.tokens();
        let beside = cookie::only(head, &tokens).map_or(0, |value| tokens.len() + value.len());
        let limit = SESSION_BYTES_MAX.min(SESSION_AND_TOKENS_BYTES_MAX.saturating_sub(beside));
        if bytes > limit {
            return Err(NotKept::TooLarge { bytes, limit, largest_part: session.largest_part() });
        }
        let left = session.expires.since(now);
        let line = self.cookies.set(&self.session_cookie, sealed.expose(), left, false);
        Ok(SessionHeaders(vec![("set-cookie", line)]))
    }
}
