//! The store that the instances share: a real one, which can be out of reach, and in which a mistake may be planted.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use vestibule::store::{MemoryStore, Record, Replaced, SessionStore, StoreError, StoreKey};

use crate::{Bug, dice::Dice};

#[derive(Clone)]
pub(crate) struct Shelf {
    store: Arc<MemoryStore>,
    bug: Option<Bug>,
    state: Arc<Mutex<State>>,
}

struct State {
    dice: Dice,
    old: HashMap<StoreKey, Record>,
    /// Nobody reaches it.
    away: bool,
    /// Nothing goes wrong with it.
    calm: bool,
    /// How many answers came too late.
    late: u64,
}

impl Shelf {
    pub(crate) fn new(store: MemoryStore, seed: u64, bug: Option<Bug>) -> Self {
        let state = State { dice: Dice::new(!seed), old: HashMap::new(), away: false, calm: true, late: 0 };
        Self { store: Arc::new(store), bug, state: Arc::new(Mutex::new(state)) }
    }

    pub(crate) fn set_away(&self, away: bool) {
        self.state().away = away;
    }

    pub(crate) fn is_away(&self) -> bool {
        self.state().away
    }

    pub(crate) fn set_calm(&self, calm: bool) {
        self.state().calm = calm;
    }

    /// How many answers came too late so far.
    pub(crate) fn late(&self) -> u64 {
        self.state().late
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self) -> Result<(), StoreError> {
        if self.state().away { Err(StoreError::Unavailable) } else { Ok(()) }
    }

    /// What happened has happened; but whoever asked may not learn it in time.
    fn in_time<T>(&self, answer: T) -> Result<T, StoreError> {
        let mut state = self.state();
        if !state.calm && state.dice.one_in(60) {
            state.late += 1;
            return Err(StoreError::Unavailable);
        }
        Ok(answer)
    }
}

#[async_trait]
impl SessionStore for Shelf {
    async fn load(&self, key: &StoreKey) -> Result<Option<Record>, StoreError> {
        if self.has(Bug::AwayIsEmpty) && self.reach().is_err() {
            return Ok(None);
        }
        self.reach()?;
        let record = self.store.load(key).await?;
        self.in_time(match record {
            Some(record) if self.has(Bug::OldRecords) => {
                Some(self.state().old.insert(key.clone(), record.clone()).unwrap_or(record))
            }
            record => record,
        })
    }

    async fn insert(
        &self,
        key: &StoreKey,
        value: &[u8],
        life: Duration,
        indexes: &[StoreKey],
    ) -> Result<bool, StoreError> {
        self.reach()?;
        let life = if self.has(Bug::LivesCutShort) { life / 10 } else { life };
        let first = self.store.insert(key, value, life, indexes).await?;
        self.in_time(first || self.has(Bug::EverybodyIsFirst))
    }

    async fn replace(
        &self,
        key: &StoreKey,
        version: u64,
        value: &[u8],
        life: Duration,
    ) -> Result<Replaced, StoreError> {
        self.reach()?;
        let there = self.store.load(key).await?;
        if self.has(Bug::WritesLost) && there.as_ref().is_some_and(|record| record.version == version) {
            return self.in_time(Replaced::Now(version));
        }
        let version = match there {
            Some(record) if self.has(Bug::VersionsIgnored) => record.version,
            _ => version,
        };
        let replaced = self.store.replace(key, version, value, life).await?;
        if replaced == Replaced::Gone && self.has(Bug::RemovedComesBack) {
            self.store.insert(key, value, life, &[]).await?;
            return self.in_time(Replaced::Now(version));
        }
        self.in_time(replaced)
    }

    async fn remove(&self, key: &StoreKey, indexes: &[StoreKey]) -> Result<bool, StoreError> {
        self.reach()?;
        if self.has(Bug::NothingIsRemoved) {
            return Ok(true);
        }
        for index in indexes.iter().filter(|_| self.has(Bug::ListsDropped)) {
            for listed in self.store.listed(index).await? {
                let there = self.store.load(&listed).await?;
                self.store.remove(&listed, indexes).await?;
                if let Some(there) = there {
                    self.store.insert(&listed, &there.value, Duration::from_secs(9_999), &[]).await?;
                }
            }
        }
        let removed = self.store.remove(key, indexes).await?;
        self.in_time(removed)
    }

    async fn listed(&self, index: &StoreKey) -> Result<Vec<StoreKey>, StoreError> {
        self.reach()?;
        let mut listed = self.store.listed(index).await?;
        // In one order, whatever the process: a seed decides everything.
        listed.sort();
        if self.has(Bug::OneIsNotListed) {
            listed.pop();
        }
        self.in_time(listed)
    }
}
