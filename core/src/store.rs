//! Where sessions are kept when a cookie alone is not enough: what the core asks of a store, in five methods.
//!
//! A store keeps bytes under keys, each with a version and an end. It knows nothing of sessions: what it keeps is
//! sealed, and its keys are hashes, so that whoever reads a store can neither be anybody nor learn who somebody is.
//! Everything that must happen once however many instances there are (using up an attempt, taking the turn to refresh,
//! seeing a logout token for the first time) is an [`SessionStore::insert`], which only one of them can win; everything
//! that changes is a [`SessionStore::replace`] of one version, which never brings back what was removed.
//!
//! [`MemoryStore`] serves one process and tests; `vestibule-redis` serves many. Whoever writes another runs
//! `testkit::store_contract` against it.

mod memory;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

pub use memory::MemoryStore;

/// Keeps records for as long as they live.
///
/// Each method is one step: what another instance does happens before it or after it. A call that takes longer than
/// [`STORE_CALL_TIME_MAX`](crate::limits::STORE_CALL_TIME_MAX) is given up, and counts as [`StoreError::Unavailable`];
/// it may have happened all the same.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// The record under `key`, unless there is none or its life is over.
    ///
    /// # Errors
    /// The store cannot be asked; never because there is no such record.
    async fn load(&self, key: &StoreKey) -> Result<Option<Record>, StoreError>;

    /// Keeps a record for `life`, where there is none under `key`; says whether it did. The record is listed under each
    /// of `indexes` for at least as long, and as long as what takes its place is there
    /// ([`CLOCK_JUMP_MAX`](crate::limits::CLOCK_JUMP_MAX) longer is enough).
    ///
    /// # Errors
    /// The store cannot be asked, or has no room. The record may be listed then, without being there.
    async fn insert(
        &self,
        key: &StoreKey,
        value: &[u8],
        life: Duration,
        indexes: &[StoreKey],
    ) -> Result<bool, StoreError>;

    /// Puts `value` in the place of the record that has this `version`, to live for `life` from now on.
    ///
    /// # Errors
    /// The store cannot be asked, or has no room. Then the record is as it was.
    async fn replace(
        &self,
        key: &StoreKey,
        version: u64,
        value: &[u8],
        life: Duration,
    ) -> Result<Replaced, StoreError>;

    /// Removes a record, and takes it off `indexes`; says whether it was there.
    ///
    /// # Errors
    /// The store cannot be asked.
    async fn remove(&self, key: &StoreKey, indexes: &[StoreKey]) -> Result<bool, StoreError>;

    /// The keys of all records that are listed under `index`, in no order. Some may have ended.
    ///
    /// # Errors
    /// The store cannot be asked.
    async fn listed(&self, index: &StoreKey) -> Result<Vec<StoreKey>, StoreError>;
}

/// What a record is kept under: its kind, and a hash.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreKey(String);

impl StoreKey {
    /// The key of a record of this `kind` that `parts` name. Nobody can tell the parts from the key.
    pub fn new(kind: &'static str, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // Framed, so that moving a boundary makes another key.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(format!("{kind}:{}", URL_SAFE_NO_PAD.encode(hash.finalize())))
    }

    /// A key that a store has given out: what it was told, to the letter.
    pub fn known(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text: visible ASCII, at most 64 bytes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shows enough to tell two records apart in a log.
impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, hash) = self.0.split_once(':').unwrap_or_default();
        write!(f, "StoreKey({kind}:{}..)", hash.get(..6).unwrap_or_default())
    }
}

/// A record as it is now.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// Changes with every [`SessionStore::replace`], and never comes back.
    pub version: u64,
    /// What was kept.
    pub value: Vec<u8>,
}

impl Record {
    /// A record with that version and content.
    pub fn new(version: u64, value: Vec<u8>) -> Self {
        Self { version, value }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record {{ version: {}, bytes: {} }}", self.version, self.value.len())
    }
}

/// What became of a [`SessionStore::replace`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// The record is replaced, and has this version now.
    Now(u64),
    /// It has another version by now, and stays as it is.
    Changed,
    /// It is not there any more, and does not come back.
    Gone,
}

/// Why a store could not do what it was asked. Whoever depends on it gets 503, and stays signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It does not answer, or not in time.
    #[error("the session store does not answer")]
    Unavailable,
    /// There is none: the site's sessions are in cookies.
    #[error("there is no session store: give the builder one")]
    Missing,
    /// It has no room for more.
    #[error("the session store is full")]
    Full,
    /// It answers with something that makes no sense.
    #[error("the session store's answer makes no sense")]
    Broken,
}

/// What a run asks of a store. Its `Debug` print shows no content.
#[derive(Clone)]
#[non_exhaustive]
pub enum StoreRequest {
    /// [`SessionStore::load`].
    Load(StoreKey),
    /// [`SessionStore::insert`].
    Insert {
        /// Under which key.
        key: StoreKey,
        /// What.
        value: Vec<u8>,
        /// For how long.
        life: Duration,
        /// Where it is listed.
        indexes: Vec<StoreKey>,
    },
    /// [`SessionStore::replace`].
    Replace {
        /// Under which key.
        key: StoreKey,
        /// The version that it must have.
        version: u64,
        /// With what.
        value: Vec<u8>,
        /// For how long.
        life: Duration,
    },
    /// [`SessionStore::remove`].
    Remove {
        /// Under which key.
        key: StoreKey,
        /// Where it is listed.
        indexes: Vec<StoreKey>,
    },
    /// [`SessionStore::listed`].
    Listed(StoreKey),
}

impl StoreRequest {
    /// Asks `store`.
    ///
    /// # Errors
    /// The store's.
    pub async fn ask(&self, store: &dyn SessionStore) -> Result<StoreReply, StoreError> {
        Ok(match self {
            Self::Load(key) => StoreReply::Loaded(store.load(key).await?),
            Self::Insert { key, value, life, indexes } => {
                StoreReply::Inserted(store.insert(key, value, *life, indexes).await?)
            }
            Self::Replace { key, version, value, life } => {
                StoreReply::Replaced(store.replace(key, *version, value, *life).await?)
            }
            Self::Remove { key, indexes } => StoreReply::Removed(store.remove(key, indexes).await?),
            Self::Listed(index) => StoreReply::Listed(store.listed(index).await?),
        })
    }
}

impl fmt::Debug for StoreRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(key) => write!(f, "load {key:?}"),
            Self::Insert { key, value, life, .. } => {
                write!(f, "insert {key:?}, {} bytes for {life:?}", value.len())
            }
            Self::Replace { key, version, value, life } => {
                write!(f, "replace {key:?} version {version}, {} bytes for {life:?}", value.len())
            }
            Self::Remove { key, .. } => write!(f, "remove {key:?}"),
            Self::Listed(index) => write!(f, "list {index:?}"),
        }
    }
}

/// A store's answer, of the kind of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreReply {
    /// To [`StoreRequest::Load`].
    Loaded(Option<Record>),
    /// To [`StoreRequest::Insert`].
    Inserted(bool),
    /// To [`StoreRequest::Replace`].
    Replaced(Replaced),
    /// To [`StoreRequest::Remove`].
    Removed(bool),
    /// To [`StoreRequest::Listed`].
    Listed(Vec<StoreKey>),
}
