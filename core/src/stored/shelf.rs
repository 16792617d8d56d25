//! Records as values: found, changed, put back, taken away.

use std::time::Duration;

use crate::{
    config::Vestibule,
    conversation::Http,
    entropy::Entropy,
    limits::CHANGE_TRIES_MAX,
    store::{Record, Replaced, StoreError, StoreKey, StoreReply, StoreRequest},
    stored::{
        end,
        record::{Kept, RECORD_PURPOSE},
    },
    time::Timestamp,
};

/// The store, as one errand sees it.
pub(super) struct Shelf<'s> {
    pub(super) vestibule: &'s Vestibule,
    pub(super) http: &'s Http,
    pub(super) entropy: Entropy,
}

/// A record that was found.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) key: StoreKey,
    pub(super) kept: Kept,
    version: u64,
    /// Sealed by a key that is no longer the first.
    pub(super) by_older_key: bool,
}

impl Shelf<'_> {
    pub(super) fn now(&self) -> Timestamp {
        self.http.now()
    }

    /// The session under `key`; what does not open, or has ended, counts as none.
    pub(super) async fn load(&self, key: StoreKey) -> Result<Option<Found>, StoreError> {
        let Some(record) = self.loaded(key.clone()).await? else { return Ok(None) };
        let binding = self.vestibule.binding(RECORD_PURPOSE, key.as_str());
        let Ok(opened) = self.vestibule.keys.open(&binding, &record.value, self.now()) else {
            return Ok(None);
        };
        let Ok(kept) = postcard::from_bytes::<Kept>(opened.payload()) else { return Ok(None) };
        let by_older_key = !self.vestibule.keys.first_sealed(&record.value);
        Ok(Some(Found { key, kept, version: record.version, by_older_key }))
    }

    /// Changes a record, however many change it at once; `change` says whether there is still something to do. `None`
    /// where the session has ended meanwhile: then nothing was written.
    pub(super) async fn change(
        &mut self,
        mut found: Found,
        mut change: impl FnMut(&mut Kept) -> bool,
    ) -> Result<Option<Found>, StoreError> {
        for _ in 0..CHANGE_TRIES_MAX {
            if !change(&mut found.kept) {
                return Ok(Some(found));
            }
            match self.put(&mut found).await? {
                Replaced::Now(_) => return Ok(Some(found)),
                Replaced::Gone => return Ok(None),
                Replaced::Changed => match self.load(found.key).await? {
                    Some(newer) => found = newer,
                    None => return Ok(None),
                },
            }
        }
        Err(StoreError::Unavailable)
    }

    /// Writes a record down, if nobody else has done so since it was read.
    pub(super) async fn put(&mut self, found: &mut Found) -> Result<Replaced, StoreError> {
        let key = found.key.clone();
        let Some((value, life)) = self.sealed(&key, &found.kept) else { return Ok(Replaced::Gone) };
        let request = StoreRequest::Replace { key, version: found.version, value, life };
        let StoreReply::Replaced(replaced) = self.http.store(request).await? else {
            return Err(StoreError::Broken);
        };
        if let Replaced::Now(version) = replaced {
            found.version = version;
            found.by_older_key = false;
        }
        Ok(replaced)
    }

    /// Writes a new session down.
    pub(super) async fn insert(&mut self, key: StoreKey, kept: &Kept) -> Result<(), StoreError> {
        let Some((value, life)) = self.sealed(&key, kept) else { return Err(StoreError::Broken) };
        let indexes = self.indexes(kept);
        match self.first(key, value, life, indexes).await? {
            true => Ok(()),
            // 128 bits that nobody has drawn before: the store answers for another key, or has been written to.
            false => Err(StoreError::Broken),
        }
    }

    /// Takes a session away; says whether it was there.
    pub(super) async fn remove(&self, found: &Found) -> Result<bool, StoreError> {
        self.take_away(found.key.clone(), self.indexes(&found.kept)).await
    }

    /// Takes away what is under `key`, whatever it is.
    pub(super) async fn take_away(&self, key: StoreKey, indexes: Vec<StoreKey>) -> Result<bool, StoreError> {
        match self.http.store(StoreRequest::Remove { key, indexes }).await? {
            StoreReply::Removed(removed) => Ok(removed),
            _ => Err(StoreError::Broken),
        }
    }

    /// What a session that has ended would be refreshed with goes back to its provider.
    pub(super) async fn take_back(&self, kept: &Kept) {
        let provider = kept.view().and_then(|session| self.vestibule.provider(session.provider).cloned());
        if let (Some(provider), Some(tokens)) = (provider, &kept.tokens) {
            end::take_back(self.http, &*provider, tokens).await;
        }
    }

    /// Whether this is the first who writes that key.
    pub(super) async fn first(
        &self,
        key: StoreKey,
        value: Vec<u8>,
        life: Duration,
        indexes: Vec<StoreKey>,
    ) -> Result<bool, StoreError> {
        match self.http.store(StoreRequest::Insert { key, value, life, indexes }).await? {
            StoreReply::Inserted(first) => Ok(first),
            _ => Err(StoreError::Broken),
        }
    }

    /// Puts `value` in the place of `before`; says whether that was still there.
    pub(super) async fn overwrite(
        &self,
        key: StoreKey,
        before: &Record,
        value: Vec<u8>,
        life: Duration,
    ) -> Result<bool, StoreError> {
        let request = StoreRequest::Replace { key, version: before.version, value, life };
        match self.http.store(request).await? {
            StoreReply::Replaced(replaced) => Ok(matches!(replaced, Replaced::Now(_))),
            _ => Err(StoreError::Broken),
        }
    }

    pub(super) async fn loaded(&self, key: StoreKey) -> Result<Option<Record>, StoreError> {
        match self.http.store(StoreRequest::Load(key)).await? {
            StoreReply::Loaded(record) => Ok(record),
            _ => Err(StoreError::Broken),
        }
    }

    pub(super) async fn listed(&self, index: StoreKey) -> Result<Vec<StoreKey>, StoreError> {
        match self.http.store(StoreRequest::Listed(index)).await? {
            StoreReply::Listed(keys) => Ok(keys),
            _ => Err(StoreError::Broken),
        }
    }

    /// Where a session is listed.
    fn indexes(&self, kept: &Kept) -> Vec<StoreKey> {
        let Some(session) = kept.view() else { return Vec::new() };
        let account = self.vestibule.account_key(session.issuer, session.subject);
        let idp_session = session.idp_session.map(|sid| self.vestibule.idp_session_key(session.issuer, sid));
        [Some(account), idp_session].into_iter().flatten().collect()
    }

    /// A record's bytes and how long it lives: to the session's absolute end. `None` where that has come.
    fn sealed(&mut self, key: &StoreKey, kept: &Kept) -> Option<(Vec<u8>, Duration)> {
        let expires = kept.view()?.expires;
        let life = expires.since(self.now());
        if life.is_zero() {
            return None;
        }
        let bytes = zeroize::Zeroizing::new(postcard::to_allocvec(kept).ok()?);
        let binding = self.vestibule.binding(RECORD_PURPOSE, key.as_str());
        let sealed = self.vestibule.keys.seal(&binding, self.entropy.bytes(), expires, &bytes);
        Some((sealed.expose().as_bytes().to_vec(), life))
    }
}
