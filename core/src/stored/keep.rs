//! The first record of a session: what a sign-in leaves in the store.

use crate::{
    attempt::AttemptKey,
    config::Vestibule,
    conversation::Http,
    entropy::Entropy,
    identity::Tokens,
    limits::{ANSWER_REMEMBERED, RECORD_BYTES_MAX},
    session::{ApplicationData, Session, SessionId},
    store::{StoreError, StoreRequest},
    stored::{end, record::Kept, refresh, shelf::Shelf},
    time::Timestamp,
};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Started {
    /// The session is there.
    Now,
    /// There is too much of it.
    TooLarge,
    /// The provider has ended it already.
    EndedMeanwhile,
}

/// A session that is about to begin.
pub(crate) struct Starting {
    pub(crate) session: Session,
    pub(crate) tokens: Tokens,
    /// The session that the same browser had: it ends with this.
    pub(crate) before: Option<SessionId>,
    /// When the callback came.
    pub(crate) answered: Timestamp,
}

impl Vestibule {
    /// What asks the store whether this attempt is answered for the first time; `None` where there is no store. It is
    /// remembered for longer than the attempt can be answered: the store's clock ends the memory, an instance's the
    /// attempt, and either may jump.
    pub(crate) fn shared_claim(
        &self,
        attempt: &AttemptKey,
        began: Timestamp,
        now: Timestamp,
    ) -> Option<StoreRequest> {
        let life = began.after(ANSWER_REMEMBERED).since(now).max(ANSWER_REMEMBERED);
        self.keeps_sessions().then(|| StoreRequest::Insert {
            key: self.store_key("attempt", &[attempt.as_str().as_bytes()]),
            value: Vec::new(),
            life,
            indexes: Vec::new(),
        })
    }
}

/// Other application data in a session: whether there was room, `None` where the session has ended.
pub(crate) async fn change_data(
    vestibule: &Vestibule,
    http: &Http,
    entropy: Entropy,
    id: SessionId,
    data: ApplicationData,
) -> Result<Option<bool>, StoreError> {
    let mut shelf = Shelf { vestibule, http, entropy };
    let Some(found) = shelf.load(vestibule.record_key(id)).await? else { return Ok(None) };
    let mut fits = true;
    let changed = shelf.change(found, |kept| {
        let Some(mut session) = kept.view().map(|view| view.to_session()) else { return false };
        session.application = Some(data.clone());
        let bytes = session.to_bytes();
        fits = bytes.len() <= RECORD_BYTES_MAX;
        if fits {
            kept.session = bytes;
        }
        fits
    });
    let changed = changed.await?.is_some();
    Ok(changed.then_some(fits))
}

/// Writes a session down, and ends the one that the browser had before.
pub(crate) async fn start(
    vestibule: &Vestibule,
    http: &Http,
    entropy: Entropy,
    starting: Starting,
) -> Result<Started, StoreError> {
    let mut shelf = Shelf { vestibule, http, entropy };
    let Starting { session, tokens, before, answered } = starting;
    let kept = Kept::new(&session, refresh::needed(vestibule, tokens), shelf.now());
    if kept.len() > RECORD_BYTES_MAX {
        return Ok(Started::TooLarge);
    }
    let key = vestibule.record_key(session.id);
    shelf.insert(key.clone(), &kept).await?;
    // Whoever ends sessions says so first and then looks for them: one of the two sees the other.
    if end::was_announced(&shelf, &session, answered).await? {
        if let Some(found) = shelf.load(key).await? {
            shelf.remove(&found).await?;
        }
        shelf.take_back(&kept).await;
        return Ok(Started::EndedMeanwhile);
    }
    if let Some(before) = before {
        if let Some(found) = shelf.load(vestibule.record_key(before)).await? {
            shelf.remove(&found).await?;
        }
    }
    Ok(Started::Now)
}
