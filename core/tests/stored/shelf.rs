//! A store that keeps an account of what it was asked, and that fails when the test says so.

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use vestibule::store::{MemoryStore, Record, Replaced, SessionStore, StoreError, StoreKey};

type Fails = dyn FnMut(&str, &str) -> Option<StoreError> + Send;

/// Clones are one store.
#[derive(Clone)]
pub struct Shelf {
    store: Arc<MemoryStore>,
    /// Everything that was ever written, keys and values.
    pub written: Arc<Mutex<Vec<Vec<u8>>>>,
    fails: Arc<Mutex<Box<Fails>>>,
    /// Whether it takes nothing away for now.
    holds: Arc<AtomicBool>,
}

impl Shelf {
    pub fn new(store: MemoryStore) -> Self {
        let never: Box<Fails> = Box::new(|_, _| None);
        Self {
            store: Arc::new(store),
            written: Arc::default(),
            fails: Arc::new(Mutex::new(never)),
            holds: Arc::default(),
        }
    }

    /// From now on, a call fails as `fails` says of the method and the key.
    pub fn failing(&self, fails: impl FnMut(&str, &str) -> Option<StoreError> + Send + 'static) {
        *self.fails.lock().unwrap() = Box::new(fails);
    }

    /// Whoever takes something away waits until it no longer `holds`.
    pub fn hold(&self, holds: bool) {
        self.holds.store(holds, Ordering::SeqCst);
    }

    pub fn down(&self, error: StoreError) {
        self.failing(move |_, _| Some(error));
    }

    pub fn up(&self) {
        self.failing(|_, _| None);
    }

    fn asked(&self, method: &str, key: &StoreKey) -> Result<(), StoreError> {
        (self.fails.lock().unwrap())(method, key.as_str()).map_or(Ok(()), Err)
    }

    fn note(&self, key: &StoreKey, value: &[u8], indexes: &[StoreKey]) {
        let mut written = self.written.lock().unwrap();
        written.extend([key.as_str().as_bytes().to_vec(), value.to_vec()]);
        written.extend(indexes.iter().map(|index| index.as_str().as_bytes().to_vec()));
    }
}

#[async_trait]
impl SessionStore for Shelf {
    async fn load(&self, key: &StoreKey) -> Result<Option<Record>, StoreError> {
        self.asked("load", key)?;
        self.store.load(key).await
    }

    async fn insert(
        &self,
        key: &StoreKey,
        value: &[u8],
        life: Duration,
        indexes: &[StoreKey],
    ) -> Result<bool, StoreError> {
        self.asked("insert", key)?;
        self.note(key, value, indexes);
        self.store.insert(key, value, life, indexes).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        version: u64,
        value: &[u8],
        life: Duration,
    ) -> Result<Replaced, StoreError> {
        self.asked("replace", key)?;
        self.note(key, value, &[]);
        self.store.replace(key, version, value, life).await
    }

    async fn remove(&self, key: &StoreKey, indexes: &[StoreKey]) -> Result<bool, StoreError> {
        self.asked("remove", key)?;
        poll_fn(|context| {
            context.waker().wake_by_ref();
            if self.holds.load(Ordering::SeqCst) { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        self.store.remove(key, indexes).await
    }

    async fn listed(&self, index: &StoreKey) -> Result<Vec<StoreKey>, StoreError> {
        self.asked("listed", index)?;
        self.store.listed(index).await
    }
}
