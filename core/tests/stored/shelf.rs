//! A store that keeps an account of what it was asked, and that fails when the test says so.

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    thread,
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
    /// What happens once between the listing of a record and the record.
    between: Arc<Mutex<Option<Box<Between>>>>,
    /// What is listed and has no record yet.
    listed_first: Arc<Mutex<Option<Listed>>>,
}

type Between = dyn FnOnce() + Send;
type Listed = (StoreKey, Vec<StoreKey>);

impl Shelf {
    pub fn new(store: MemoryStore) -> Self {
        let never: Box<Fails> = Box::new(|_, _| None);
        Self {
            store: Arc::new(store),
            written: Arc::default(),
            fails: Arc::new(Mutex::new(never)),
            holds: Arc::default(),
            between: Arc::default(),
            listed_first: Arc::default(),
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

    /// The next record that is listed is so before it is there, as in Redis, and `happens` comes in between.
    pub fn between_listing_and_record(&self, happens: impl FnOnce() + Send + 'static) {
        *self.between.lock().unwrap() = Some(Box::new(happens));
    }

    /// Lists a record, lets happen what is to happen, and says where it is still listed.
    fn list_first(&self, key: &StoreKey, indexes: &[StoreKey]) -> Vec<StoreKey> {
        let happens = if indexes.is_empty() { None } else { self.between.lock().unwrap().take() };
        let Some(happens) = happens else { return indexes.to_vec() };
        *self.listed_first.lock().unwrap() = Some((key.clone(), indexes.to_vec()));
        thread::spawn(happens).join().unwrap();
        self.listed_first.lock().unwrap().take().map_or_else(Vec::new, |(_, left)| left)
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
        let indexes = self.list_first(key, indexes);
        self.store.insert(key, value, life, &indexes).await
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
        if let Some((_, left)) = self.listed_first.lock().unwrap().as_mut().filter(|(own, _)| own == key) {
            left.retain(|index| !indexes.contains(index));
        }
        self.store.remove(key, indexes).await
    }

    async fn listed(&self, index: &StoreKey) -> Result<Vec<StoreKey>, StoreError> {
        self.asked("listed", index)?;
        let first = self.listed_first.lock().unwrap().clone();
        let first = first.filter(|(_, indexes)| indexes.contains(index)).map(|(key, _)| key);
        Ok(self.store.listed(index).await?.into_iter().chain(first).collect())
    }
}
