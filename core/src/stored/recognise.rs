//! From a ticket to its session, as it is now.

use std::{fmt, sync::Arc};

use crate::{
    config::Vestibule,
    conversation::Http,
    entropy::{Entropy, Seed},
    errand::{self, Errand},
    identity::Tokens,
    limits::CHANGE_TRIES_MAX,
    log,
    request::RequestHead,
    response::Event,
    session::{SessionId, SessionView},
    store::{Replaced, StoreError},
    stored::{
        refresh::refresh,
        shelf::{Found, Shelf},
    },
    time::Timestamp,
};

/// The session that a request's ticket names. What it may do is another question: [`Vestibule::check`] answers it.
#[derive(Clone)]
pub struct Recognised {
    session: Vec<u8>,
    pub(crate) tokens: Option<Tokens>,
}

impl Recognised {
    pub(crate) fn view(&self) -> Option<SessionView<'_>> {
        SessionView::from_bytes(&self.session)
    }
}

impl fmt::Debug for Recognised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recognised").field("session", &self.view()).finish_non_exhaustive()
    }
}

/// What came of looking for a session.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Recognition {
    /// The session, where there is one.
    pub session: Option<Arc<Recognised>>,
    /// What happened on the way.
    pub event: Option<Event>,
}

impl Vestibule {
    /// Finds the session of whoever asks, where sessions are kept in a store: `None` where there is nothing to look
    /// for. Refreshes it where that is due. Whoever is found is [`RequestHead::recognised`] from then on.
    pub fn recognise(
        self: &Arc<Self>,
        head: &(impl RequestHead + ?Sized),
        now: Timestamp,
        seed: Seed,
    ) -> Option<Errand<Result<Recognition, StoreError>>> {
        if !self.keeps_sessions() {
            return None;
        }
        let id = self.ticket(head, now)?;
        let (vestibule, entropy) = (Arc::clone(self), Entropy::new(seed));
        Some(errand::run(now, move |http| async move { recognised(&vestibule, &http, id, entropy).await }))
    }
}

/// A store that takes nothing at the moment, being full or a replica, still says who is signed in: what only wants to be
/// written down waits for the next request, and nobody is turned away for that.
pub(super) fn noted<T>(written: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match written {
        Ok(written) => Ok(Some(written)),
        Err(error @ (StoreError::Full | StoreError::Unavailable)) => {
            log::not_noted(error);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn recognised(
    vestibule: &Vestibule,
    http: &Http,
    id: SessionId,
    entropy: Entropy,
) -> Result<Recognition, StoreError> {
    let mut shelf = Shelf { vestibule, http, entropy };
    let keeping = &vestibule.keeping;
    let Some(mut found) = shelf.load(vestibule.record_key(id)).await? else {
        return Ok(Recognition::default());
    };
    if found.kept.is_idle(keeping, shelf.now()) {
        shelf.remove(&found).await?;
        return Ok(Recognition::default());
    }
    let mut event = None;
    if found.kept.is_due(keeping, shelf.now()) {
        // Rare, and large: without a place of its own it would be moved about with every request.
        let (now_found, happened) = Box::pin(refresh(&mut shelf, found)).await?;
        event = happened;
        let Some(now_found) = now_found else { return Ok(Recognition { session: None, event }) };
        found = now_found;
    }
    let Some(found) = touched(&mut shelf, found).await? else {
        return Ok(Recognition { session: None, event });
    };
    let recognised = Recognised { session: found.kept.session, tokens: found.kept.tokens };
    Ok(Recognition { session: Some(Arc::new(recognised)), event })
}

/// Writes down that the session is used, and seals it by the first key, where that is due. Whoever else has just written
/// need not have written this, and may not come to it any more. `None` where the session has ended meanwhile.
async fn touched(shelf: &mut Shelf<'_>, mut found: Found) -> Result<Option<Found>, StoreError> {
    let now = shelf.now();
    for _ in 0..CHANGE_TRIES_MAX {
        if !found.by_older_key && !found.kept.wants_touch(&shelf.vestibule.keeping, now) {
            break;
        }
        found.kept.seen = now.max(found.kept.seen);
        match noted(shelf.put(&mut found).await)? {
            None | Some(Replaced::Now(_)) => break,
            Some(Replaced::Gone) => return Ok(None),
            Some(Replaced::Changed) => match shelf.load(found.key).await? {
                Some(newer) => found = newer,
                None => return Ok(None),
            },
        }
    }
    Ok(Some(found))
}
