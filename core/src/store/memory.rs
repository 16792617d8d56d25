//! Sessions in this process's memory: for one instance, and for tests.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;

use super::{Record, Replaced, SessionStore, StoreError, StoreKey};
use crate::{driver::lock, limits::MEMORY_STORE_RECORDS_MAX, time::Timestamp};

/// Keeps sessions in memory. They end with the process, and no other process sees them.
///
/// It holds [`MEMORY_STORE_RECORDS_MAX`] records at most, and is full beyond that: nobody's session makes room for
/// somebody else's.
pub struct MemoryStore {
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    kept: Mutex<Kept>,
    most: usize,
}

#[derive(Default)]
struct Kept {
    records: HashMap<StoreKey, Entry>,
    /// What is listed under an index: as long as it is there.
    lists: HashMap<StoreKey, HashSet<StoreKey>>,
    /// Everything with its end, the earliest first.
    ends: BTreeSet<(Timestamp, StoreKey)>,
    versions: u64,
}

struct Entry {
    version: u64,
    value: Vec<u8>,
    ends: Timestamp,
    indexes: Vec<StoreKey>,
}

impl MemoryStore {
    /// A store whose time is that of `clock`: the host's.
    pub fn new(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), kept: Mutex::default(), most: MEMORY_STORE_RECORDS_MAX }
    }

    /// Sets how many records it holds at most.
    pub fn at_most(mut self, records: usize) -> Self {
        self.most = records;
        self
    }

    /// How many records it holds that have not ended.
    pub fn len(&self) -> usize {
        self.now().records.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is kept, without what has ended.
    fn now(&self) -> MutexGuard<'_, Kept> {
        let now = (self.clock)();
        let mut kept = lock(&self.kept);
        kept.forget_until(now);
        kept
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("records", &lock(&self.kept).records.len())
            .finish_non_exhaustive()
    }
}

impl Kept {
    fn forget_until(&mut self, now: Timestamp) {
        while let Some((_, key)) = self.ends.first().filter(|(ends, _)| *ends <= now).cloned() {
            self.take(&key);
        }
    }

    fn unlist(&mut self, index: &StoreKey, key: &StoreKey) {
        let Some(list) = self.lists.get_mut(index) else { return };
        list.remove(key);
        if list.is_empty() {
            self.lists.remove(index);
        }
    }

    /// Keeps a record under a key that has none.
    fn put(&mut self, key: &StoreKey, value: &[u8], ends: Timestamp, indexes: Vec<StoreKey>) -> u64 {
        self.versions += 1;
        for index in &indexes {
            self.lists.entry(index.clone()).or_default().insert(key.clone());
        }
        let entry = Entry { version: self.versions, value: value.to_vec(), ends, indexes };
        self.records.insert(key.clone(), entry);
        self.ends.insert((ends, key.clone()));
        self.versions
    }

    /// Takes a record away, and off its lists; says where it was listed.
    fn take(&mut self, key: &StoreKey) -> Option<Vec<StoreKey>> {
        let entry = self.records.remove(key)?;
        self.ends.remove(&(entry.ends, key.clone()));
        entry.indexes.iter().for_each(|index| self.unlist(index, key));
        Some(entry.indexes)
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Record>, StoreError> {
        Ok(self.now().records.get(key).map(|entry| Record::new(entry.version, entry.value.clone())))
    }

    async fn insert(
        &self,
        key: &StoreKey,
        value: &[u8],
        life: Duration,
        indexes: &[StoreKey],
    ) -> Result<bool, StoreError> {
        let ends = (self.clock)().after(life);
        let mut kept = self.now();
        if kept.records.contains_key(key) {
            return Ok(false);
        }
        if kept.records.len() >= self.most {
            return Err(StoreError::Full);
        }
        kept.put(key, value, ends, indexes.to_vec());
        Ok(true)
    }

    async fn replace(
        &self,
        key: &StoreKey,
        version: u64,
        value: &[u8],
        life: Duration,
    ) -> Result<Replaced, StoreError> {
        let ends = (self.clock)().after(life);
        let mut kept = self.now();
        if kept.records.get(key).is_some_and(|entry| entry.version != version) {
            return Ok(Replaced::Changed);
        }
        let Some(indexes) = kept.take(key) else { return Ok(Replaced::Gone) };
        Ok(Replaced::Now(kept.put(key, value, ends, indexes)))
    }

    async fn remove(&self, key: &StoreKey, indexes: &[StoreKey]) -> Result<bool, StoreError> {
        let mut kept = self.now();
        indexes.iter().for_each(|index| kept.unlist(index, key));
        Ok(kept.take(key).is_some())
    }

    async fn listed(&self, index: &StoreKey) -> Result<Vec<StoreKey>, StoreError> {
        Ok(self.now().lists.get(index).map(|list| list.iter().cloned().collect()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    };

    use futures_executor::block_on;

    use super::*;
    use crate::testkit::store_contract;

    /// A store and the hands of its clock.
    fn store() -> (MemoryStore, Arc<AtomicI64>) {
        let clock = Arc::new(AtomicI64::new(1_000));
        let hands = Arc::clone(&clock);
        (MemoryStore::new(move || Timestamp::from_unix(hands.load(Ordering::Relaxed))), clock)
    }

    #[test]
    fn it_does_what_a_store_must_do_and_forgets_what_has_ended() {
        let (store, clock) = store();
        let pass = |time: Duration| {
            clock.fetch_add(time.as_secs().cast_signed(), Ordering::Relaxed);
            std::future::ready(())
        };
        block_on(store_contract(&store, "", Duration::from_secs(5), pass));
        let kept = store.now();
        assert!(kept.records.is_empty() && kept.lists.is_empty() && kept.ends.is_empty());
    }

    #[test]
    fn a_full_store_says_so_and_takes_nothing_away_from_anybody() {
        let (store, clock) = store();
        let store = store.at_most(2);
        let key = |name: &str| StoreKey::new("test", &[name.as_bytes()]);
        let insert = |name| block_on(store.insert(&key(name), b"", Duration::from_secs(9), &[]));
        assert_eq!((insert("a"), insert("b"), insert("c")), (Ok(true), Ok(true), Err(StoreError::Full)));
        assert!(block_on(store.load(&key("a"))).is_ok_and(|record| record.is_some()));
        clock.fetch_add(9, Ordering::Relaxed);
        assert_eq!((insert("c"), store.len()), (Ok(true), 1));
    }

    #[test]
    fn what_is_replaced_stays_listed_whatever_the_clock_does() {
        let (store, clock) = store();
        let (key, index) = (StoreKey::new("test", &[b"key"]), StoreKey::new("test", &[b"index"]));
        let life = Duration::from_secs(9);
        assert_eq!(block_on(store.insert(&key, b"", life, std::slice::from_ref(&index))), Ok(true));
        clock.fetch_add(8, Ordering::Relaxed);
        let version = block_on(store.load(&key)).unwrap().unwrap().version;
        assert!(matches!(block_on(store.replace(&key, version, b"", life)), Ok(Replaced::Now(_))));
        clock.fetch_add(8, Ordering::Relaxed);
        assert_eq!(block_on(store.listed(&index)), Ok(vec![key]));
        clock.fetch_add(1, Ordering::Relaxed);
        assert_eq!(block_on(store.listed(&index)), Ok(Vec::new()));
    }
}
