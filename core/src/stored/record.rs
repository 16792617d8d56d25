//! What is kept of a session in a store.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    identity::{SignIn, Tokens},
    limits::{IDLE_TOUCH_MAX, REFRESH_AHEAD_MAX},
    secret::Secret,
    session::{Session, SessionView},
    stored::Keeping,
    time::Timestamp,
};

/// What records are sealed for. Its number changes with the form of [`Kept`].
pub(super) const RECORD_PURPOSE: &str = "record/1";

/// A session with everything that changes about it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The session in its own form (`session/form.rs`).
    #[serde(deserialize_with = "at_once")]
    pub(super) session: Vec<u8>,
    /// The provider's tokens, as far as something needs them.
    pub(super) tokens: Option<Tokens>,
    /// When the person was last here; not to the second.
    pub(super) seen: Timestamp,
    /// When the tokens were got.
    pub(super) refreshed: Timestamp,
    /// How often they were refreshed.
    pub(super) generation: u32,
    /// What is known about the refresh token.
    pub(super) refresh_token: RefreshToken,
    /// Before this, the provider is not asked again: the last time it could not answer.
    pub(super) retry_after: Option<Timestamp>,
}

/// Whether the refresh token can be used: a provider that sees one for the second time takes everything back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum RefreshToken {
    /// It was never sent, or was heard of by nobody.
    Unused,
    /// It has been sent, and there is no answer yet.
    Sent,
    /// It has been sent, and what came of it is not known. It is not sent again.
    Doubtful,
}

/// Bytes, which are written down as a list of them is, but need not be read one by one.
fn at_once<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<u8>, D::Error> {
    <&[u8]>::deserialize(reader).map(<[u8]>::to_vec)
}

impl Kept {
    pub(super) fn new(session: &Session, tokens: Option<Tokens>, now: Timestamp) -> Self {
        Self {
            session: session.to_bytes(),
            tokens,
            seen: now,
            refreshed: now,
            generation: 0,
            refresh_token: RefreshToken::Unused,
            retry_after: None,
        }
    }

    /// About how many bytes it has.
    pub(super) fn len(&self) -> usize {
        let token = |token: &Option<Secret>| token.as_ref().map_or(0, |token| token.expose().len());
        let tokens = self.tokens.as_ref().map_or(0, |tokens| {
            tokens.access_token.expose().len() + token(&tokens.refresh_token) + token(&tokens.id_token)
        });
        self.session.len() + tokens
    }

    /// Whether there is something to refresh it with.
    pub(super) fn has_refresh_token(&self) -> bool {
        self.tokens.as_ref().is_some_and(|tokens| tokens.refresh_token.is_some())
    }

    /// The session, where it can still be read.
    pub(super) fn view(&self) -> Option<SessionView<'_>> {
        SessionView::from_bytes(&self.session)
    }

    /// Whether nobody has used it for too long.
    pub(super) fn is_idle(&self, keeping: &Keeping, now: Timestamp) -> bool {
        keeping.idle.is_some_and(|idle| now.since(self.seen) >= idle)
    }

    /// Whether its use is worth writing down.
    pub(super) fn wants_touch(&self, keeping: &Keeping, now: Timestamp) -> bool {
        keeping.idle.is_some_and(|idle| now.since(self.seen) >= (idle / 10).min(IDLE_TOUCH_MAX))
    }

    /// Whether it is time to refresh, and can be done.
    pub(super) fn is_due(&self, keeping: &Keeping, now: Timestamp) -> bool {
        let Some(tokens) = self.tokens.as_ref().filter(|_| keeping.refresh) else { return false };
        if tokens.refresh_token.is_none() || self.refresh_token == RefreshToken::Doubtful {
            return false;
        }
        if self.retry_after.is_some_and(|after| now < after) {
            return false;
        }
        let ends_soon = tokens.expires.is_some_and(|expires| {
            let ahead = (expires.since(self.refreshed) / 5).min(REFRESH_AHEAD_MAX);
            expires <= now.after(ahead)
        });
        ends_soon || keeping.refresh_every.is_some_and(|every| now.since(self.refreshed) >= every)
    }

    /// Whether what is kept can no longer be used as it is: then a request waits for the refresh.
    pub(super) fn has_ended(&self, now: Timestamp) -> bool {
        self.tokens.as_ref().and_then(|tokens| tokens.expires).is_some_and(|expires| expires <= now)
    }

    /// What a provider needs to know to refresh it.
    pub(super) fn sign_in(&self) -> Option<SignIn> {
        let session = self.view()?.to_session();
        let sign_in = SignIn::new(session.provider, session.identity, self.tokens.clone()?);
        Some(sign_in.idp_session(session.idp_session))
    }
}
