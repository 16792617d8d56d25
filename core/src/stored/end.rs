//! Sessions end: by their person, here or everywhere; by their provider, which names its own session or the account.

use std::sync::Arc;

use url::Url;

use crate::{
    address::is_safe,
    config::Vestibule,
    conversation::{Conversation, Http},
    entropy::Entropy,
    limits::{CHANGE_TRIES_MAX, ENDED_REMEMBERED},
    provider::{EndSession, Provider},
    secret::Secret,
    session::{Session, SessionId},
    store::{Record, StoreError, StoreKey},
    stored::shelf::Shelf,
    time::Timestamp,
};

/// Whose sessions end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Those behind the provider's own session.
    IdpSession { issuer: String, sid: String },
    /// All of an account.
    Account { issuer: String, subject: String },
}

/// A session of somebody, for a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionSummary {
    /// The name of the session.
    pub id: SessionId,
    /// The id of the provider that it came through.
    pub provider: String,
    /// When the person signed in.
    pub signed_in: Timestamp,
    /// When it was last used; a minute late at most. The time of the sign-in where no idle limit makes it be written.
    pub seen: Timestamp,
    /// When it ends, however busy it is.
    pub expires: Timestamp,
}

impl Whose {
    fn index(&self, vestibule: &Vestibule) -> StoreKey {
        match self {
            Self::IdpSession { issuer, sid } => vestibule.idp_session_key(issuer, sid),
            Self::Account { issuer, subject } => vestibule.account_key(issuer, subject),
        }
    }

    /// Under which it is written down that they have ended, for those that are just beginning.
    fn announcement(&self, vestibule: &Vestibule) -> StoreKey {
        vestibule.store_key("ended", &[self.index(vestibule).as_str().as_bytes()])
    }
}

/// A session that ends because its person says so.
pub(crate) struct Ending {
    pub(crate) provider: Option<Arc<dyn Provider>>,
    /// The session in the store.
    pub(crate) ticket: Option<SessionId>,
    /// The ID token, where it lies in a cookie.
    pub(crate) id_token: Option<Secret>,
    /// Where the provider sends the browser once it has ended its own session; `None` where that is not to end.
    pub(crate) back: Option<Url>,
    pub(crate) entropy: Entropy,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// Where the browser goes so that the provider's session ends too.
    pub(crate) onwards: Option<Url>,
}

impl Ending {
    pub(crate) fn conversation(
        self,
        vestibule: Arc<Vestibule>,
        now: Timestamp,
    ) -> Conversation<Result<Ended, StoreError>> {
        Conversation::new(now, |http| async move { Ok(self.run(&vestibule, &http).await) })
    }

    /// The store first: nobody is to stay signed in because a provider is slow. The provider takes the tokens back if it
    /// can; if it cannot, they end by themselves.
    async fn run(mut self, vestibule: &Vestibule, http: &Http) -> Result<Ended, StoreError> {
        if let Some(id) = self.ticket {
            let shelf = Shelf { vestibule, http, entropy: self.entropy };
            if let Some(found) = shelf.load(vestibule.record_key(id)).await? {
                shelf.remove(&found).await?;
                if let (Some(provider), Some(tokens)) = (&self.provider, found.kept.tokens) {
                    self.id_token = tokens.id_token.clone();
                    if tokens.refresh_token.is_some() {
                        let _ = provider.revoke(http, &tokens).await;
                    }
                }
            }
        }
        let (Some(provider), Some(back)) = (self.provider, self.back) else { return Ok(Ended::default()) };
        let request = EndSession::new(back).id_token(self.id_token);
        let onwards = provider.end_session(http, &request).await.ok().flatten().filter(is_safe);
        Ok(Ended { onwards })
    }
}

/// Ends sessions for good: those that are there, and those whose sign-in is under way. Says how many there were.
pub(crate) async fn end_all(
    vestibule: &Vestibule,
    http: &Http,
    entropy: Entropy,
    whose: &Whose,
    but: Option<SessionId>,
) -> Result<usize, StoreError> {
    end_for_good(&Shelf { vestibule, http, entropy }, whose, but).await
}

/// Ends those that are there, and those whose sign-in is under way.
pub(super) async fn end_for_good(
    shelf: &Shelf<'_>,
    whose: &Whose,
    but: Option<SessionId>,
) -> Result<usize, StoreError> {
    announce(shelf, whose, shelf.now()).await?;
    end_listed(shelf, whose, but).await
}

/// Ends those that are there.
pub(super) async fn end_listed(
    shelf: &Shelf<'_>,
    whose: &Whose,
    but: Option<SessionId>,
) -> Result<usize, StoreError> {
    let vestibule = shelf.vestibule;
    let mut ended = 0;
    for key in shelf.listed(whose.index(vestibule)).await? {
        if but.is_some_and(|id| vestibule.record_key(id) == key) {
            continue;
        }
        if let Some(found) = shelf.load(key).await? {
            ended += usize::from(shelf.remove(&found).await?);
        }
    }
    Ok(ended)
}

/// Ends one session of an account; somebody else's is none.
pub(crate) async fn end_one_of(
    vestibule: &Vestibule,
    http: &Http,
    entropy: Entropy,
    (issuer, subject): (&str, &str),
    id: SessionId,
) -> Result<bool, StoreError> {
    let shelf = Shelf { vestibule, http, entropy };
    let Some(found) = shelf.load(vestibule.record_key(id)).await? else { return Ok(false) };
    let is_theirs =
        found.kept.view().is_some_and(|session| session.issuer == issuer && session.subject == subject);
    if is_theirs { shelf.remove(&found).await } else { Ok(false) }
}

/// Writes down that sessions have ended, where those that are just beginning look. An earlier announcement gives way to
/// this one in a single step: at no time is there none.
async fn announce(shelf: &Shelf<'_>, whose: &Whose, now: Timestamp) -> Result<(), StoreError> {
    let key = whose.announcement(shelf.vestibule);
    for _ in 0..CHANGE_TRIES_MAX {
        let written = match shelf.loaded(key.clone()).await? {
            Some(before) if instant(&before).unix() > now.unix() => true,
            Some(before) => shelf.overwrite(key.clone(), &before, stamp(now), ENDED_REMEMBERED).await?,
            None => shelf.first(key.clone(), stamp(now), ENDED_REMEMBERED, Vec::new()).await?,
        };
        if written {
            return Ok(());
        }
    }
    Err(StoreError::Unavailable)
}

fn stamp(now: Timestamp) -> Vec<u8> {
    now.unix().to_be_bytes().to_vec()
}

/// When it was; of what cannot be read, at any time.
fn instant(record: &Record) -> Timestamp {
    let bytes = record.value.as_slice().try_into();
    Timestamp::from_unix(bytes.map_or(i64::MAX, i64::from_be_bytes))
}

/// Whether sessions such as this one were ended after `answered`, when its callback came.
pub(super) async fn was_announced(
    shelf: &Shelf<'_>,
    session: &Session,
    answered: Timestamp,
) -> Result<bool, StoreError> {
    let issuer = &session.identity.issuer;
    if let Some(sid) = &session.idp_session {
        let whose = Whose::IdpSession { issuer: issuer.clone(), sid: sid.clone() };
        // The provider's session is over, whenever that was.
        if shelf.loaded(whose.announcement(shelf.vestibule)).await?.is_some() {
            return Ok(true);
        }
    }
    let whose = Whose::Account { issuer: issuer.clone(), subject: session.identity.subject.clone() };
    let Some(record) = shelf.loaded(whose.announcement(shelf.vestibule)).await? else { return Ok(false) };
    Ok(answered <= instant(&record))
}

/// The sessions of an account, in the order in which they began.
pub(crate) async fn list(
    vestibule: &Vestibule,
    http: &Http,
    entropy: Entropy,
    issuer: &str,
    subject: &str,
) -> Result<Vec<SessionSummary>, StoreError> {
    let shelf = Shelf { vestibule, http, entropy };
    let mut sessions = Vec::new();
    for key in shelf.listed(vestibule.account_key(issuer, subject)).await? {
        let Some(found) = shelf.load(key).await? else { continue };
        let Some(session) = found.kept.view() else { continue };
        if found.kept.is_idle(&vestibule.keeping, shelf.now()) {
            continue;
        }
        sessions.push(SessionSummary {
            id: session.id,
            provider: session.provider.to_owned(),
            signed_in: session.signed_in,
            seen: found.kept.seen,
            expires: session.expires,
        });
    }
    sessions.sort_by_key(|session| session.signed_in);
    Ok(sessions)
}
