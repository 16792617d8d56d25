//! Sessions in a real Redis: alone, over TLS, behind Sentinels, as a cluster; and what happens when it is not well.

mod cluster;
mod contract;
mod faults;
mod lost_answers;
mod sentinel;

use std::time::Duration;

use anyhow::{Result, bail};
use vestibule::store::{Replaced, SessionStore as _, StoreError, StoreKey};
use vestibule_outside::PATIENCE;
use vestibule_redis::RedisStore;

/// Longer than any test.
const LONG: Duration = Duration::from_secs(600);

/// A key that no other test of one server has.
fn key(name: &str) -> StoreKey {
    StoreKey::new("test", &[name.as_bytes()])
}

/// The value under `name`, which is there.
async fn value(store: &RedisStore, name: &str) -> Result<Vec<u8>, StoreError> {
    Ok(store.load(&key(name)).await?.expect("the record is there").value)
}

/// Replaces what is there.
async fn replace(store: &RedisStore, name: &str, value: &[u8]) -> Result<Replaced, StoreError> {
    let version = store.load(&key(name)).await?.expect("the record is there").version;
    store.replace(&key(name), version, value, LONG).await
}

/// Does `work` until the store is there again; nothing but its being away may be the matter until then.
async fn once_it_is_back<T>(mut work: impl AsyncFnMut() -> Result<T, StoreError>) -> Result<T> {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        match work().await {
            Ok(done) => return Ok(done),
            Err(StoreError::Unavailable) if std::time::Instant::now() < end => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => bail!("the store does not come back: {error}"),
        }
    }
}
