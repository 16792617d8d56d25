//! Sessions end: by their person, here or everywhere; by their provider, which names its own session or the account.

use std::sync::Arc;

use url::Url;

use crate::{
    address::is_safe,
    config::Vestibule,
    conversation::{Conversation, Http},
    entropy::Entropy,
    identity::Tokens,
    limits::{CHANGE_TRIES_MAX, ENDED_REMEMBERED},
    provider::{EndSession, Provider},
    session::{Session, SessionId},
    store::{Record, StoreError, StoreKey},
    stored::{record::Kept, shelf::Shelf},
    time::Timestamp,
    tokens::KeptTokens,
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
    /// The tokens, where they lie in a cookie.
    pub(crate) tokens: Option<KeptTokens>,
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
    async fn run(self, vestibule: &Vestibule, http: &Http) -> Result<Ended, StoreError> {
        let mut id_token = self.tokens.as_ref().and_then(|tokens| tokens.id.clone());
        let mut tokens = self.tokens.and_then(KeptTokens::with_access);
        if let Some(id) = self.ticket {
            let shelf = Shelf { vestibule, http, entropy: self.entropy };
            if let Some(found) = shelf.load(vestibule.record_key(id)).await? {
                shelf.remove(&found).await?;
                tokens = found.kept.tokens;
                id_token = tokens.as_ref().and_then(|tokens| tokens.id_token.clone());
            }
        }
        let Some(provider) = self.provider else { return Ok(Ended::default()) };
        if let Some(tokens) = tokens {
            take_back(http, &*provider, &tokens).await;
        }
        let Some(back) = self.back else { return Ok(Ended::default()) };
        let request = EndSession::new(back).id_token(id_token);
        let onwards = provider.end_session(http, &request).await.ok().flatten().filter(is_safe);
        Ok(Ended { onwards })
    }
}

/// A session has ended, and its provider takes back what it would be refreshed with. It may fail to: then the tokens end
/// by themselves. An access token alone is left: of some providers a person's sessions share it.
pub(super) async fn take_back(http: &Http, provider: &dyn Provider, tokens: &Tokens) {
    if tokens.refresh_token.is_some() {
        let _ = provider.revoke(http, tokens).await;
    }
}

/// Ends sessions of a person's own will: those that are there, and those whose sign-in is under way. Says how many there
/// were. Whatever goes wrong on the way, the providers take back the tokens of those that have ended.
pub(crate) async fn end_all(
    vestibule: &Vestibule,
    http: &Http,
    entropy: Entropy,
    whose: &Whose,
    but: Option<SessionId>,
) -> Result<usize, StoreError> {
    // Whoever has asked for it may close the page.
    http.detach().await;
    let shelf = Shelf { vestibule, http, entropy };
    let announced = announce(&shelf, whose, shelf.now()).await;
    let mut ended = Vec::new();
    let listed = end_listed(&shelf, whose, but, &mut ended).await;
    // Of some providers what is taken back takes along whatever belongs to the same session of theirs.
    let stays = match but {
        Some(id) => shelf
            .load(vestibule.record_key(id))
            .await
            .ok()
            .flatten()
            .and_then(|found| idp_session(&found.kept)),
        None => None,
    };
    for kept in ended.iter().filter(|kept| stays.is_none() || idp_session(kept) != stays) {
        shelf.take_back(kept).await;
    }
    announced?;
    listed
}

/// The provider's own session behind one.
fn idp_session(kept: &Kept) -> Option<(String, String)> {
    let session = kept.view()?;
    Some((session.issuer.to_owned(), session.idp_session?.to_owned()))
}

/// Ends, because their provider says so, those that are there, and those whose sign-in is under way. The provider knows
/// which tokens go with them.
pub(super) async fn end_for_good(shelf: &Shelf<'_>, whose: &Whose) -> Result<usize, StoreError> {
    // A store that takes nothing can still let go.
    let announced = announce(shelf, whose, shelf.now()).await;
    let listed = end_listed(shelf, whose, None, &mut Vec::new()).await;
    announced?;
    listed
}

/// Ends those that are there and says how many; `ended` gets those of them that can be refreshed. What does not open
/// here, by these keys and this clock, may open elsewhere: it ends too, and nobody knows what was in it.
pub(super) async fn end_listed(
    shelf: &Shelf<'_>,
    whose: &Whose,
    but: Option<SessionId>,
    ended: &mut Vec<Kept>,
) -> Result<usize, StoreError> {
    let vestibule = shelf.vestibule;
    let index = whose.index(vestibule);
    let mut number = 0;
    for key in shelf.listed(index.clone()).await? {
        if but.is_some_and(|id| vestibule.record_key(id) == key) {
            continue;
        }
        if let Some(found) = shelf.load(key.clone()).await? {
            if shelf.remove(&found).await? {
                number += 1;
                ended.extend(Some(found.kept).filter(Kept::has_refresh_token));
            }
        } else if shelf.loaded(key.clone()).await?.is_some() {
            number += usize::from(shelf.take_away(key, vec![index.clone()]).await?);
        }
        // What is listed and not there is over, or about to be written down: then the listing must stay.
    }
    Ok(number)
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
    if !is_theirs {
        return Ok(false);
    }
    http.detach().await;
    let removed = shelf.remove(&found).await?;
    if removed {
        shelf.take_back(&found.kept).await;
    }
    Ok(removed)
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
