//! The store that the instances share: a real one, in which a mistake may be planted.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use vestibule::store::{MemoryStore, Record, Replaced, SessionStore, StoreError, StoreKey};

use crate::Bug;

#[derive(Clone)]
pub(crate) struct Shelf {
    store: Arc<MemoryStore>,
    bug: Option<Bug>,
    old: Arc<Mutex<HashMap<StoreKey, Record>>>,
}

impl Shelf {
    pub(crate) fn new(store: MemoryStore, bug: Option<Bug>) -> Self {
        Self { store: Arc::new(store), bug, old: Arc::default() }
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }
}

#[async_trait]
impl SessionStore for Shelf {
    async fn load(&self, key: &StoreKey) -> Result<Option<Record>, StoreError> {
        let record = self.store.load(key).await?;
        Ok(match record {
            Some(record) if self.has(Bug::OldRecords) => {
                let mut old = self.old.lock().unwrap_or_else(PoisonError::into_inner);
                Some(old.insert(key.clone(), record.clone()).unwrap_or(record))
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
        let first = self.store.insert(key, value, life, indexes).await?;
        Ok(first || self.has(Bug::EverybodyIsFirst))
    }

    async fn replace(
        &self,
        key: &StoreKey,
        version: u64,
        value: &[u8],
        life: Duration,
    ) -> Result<Replaced, StoreError> {
        let replaced = self.store.replace(key, version, value, life).await?;
        if replaced == Replaced::Gone && self.has(Bug::RemovedComesBack) {
            self.store.insert(key, value, life, &[]).await?;
            return Ok(Replaced::Now(version));
        }
        Ok(replaced)
    }

    async fn remove(&self, key: &StoreKey, indexes: &[StoreKey]) -> Result<bool, StoreError> {
        if self.has(Bug::NothingIsRemoved) {
            return Ok(true);
        }
        self.store.remove(key, indexes).await
    }

    async fn listed(&self, index: &StoreKey) -> Result<Vec<StoreKey>, StoreError> {
        let mut listed = self.store.listed(index).await?;
        if self.has(Bug::OneIsNotListed) {
            listed.pop();
        }
        Ok(listed)
    }
}
