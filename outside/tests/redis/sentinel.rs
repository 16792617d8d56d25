//! A master fails, its replica takes over, and it comes back as a replica.

use anyhow::Result;
use vestibule::store::{SessionStore as _, StoreError};
use vestibule_outside::redis::Watched;
use vestibule_redis::RedisBuilder;

use crate::{LONG, key, once_it_is_back, value};

#[tokio::test]
async fn the_store_follows_the_master_and_keeps_what_was_replicated() -> Result<()> {
    let mut watched = Watched::start(&[]).await?;
    let store = RedisBuilder::sentinel(Watched::MASTER, [watched.url()]).build()?;
    assert_eq!(store.insert(&key("before"), b"before", LONG, &[]).await, Ok(true));
    watched.second.comes_to_say(&["DBSIZE"], "1").await?;
    watched.first.stop().await?;
    assert_eq!(store.insert(&key("early"), b"", LONG, &[]).await, Err(StoreError::Unavailable));
    watched.has_failed_over().await?;
    once_it_is_back(async || store.insert(&key("after"), b"after", LONG, &[]).await).await?;
    assert_eq!(value(&store, "before").await, Ok(b"before".to_vec()));
    // The old master, back again and believing itself one until the Sentinel tells it otherwise, is not asked.
    watched.first.start_again().await?;
    assert_eq!(value(&store, "after").await, Ok(b"after".to_vec()));
    assert_eq!(store.remove(&key("after"), &[]).await, Ok(true));
    Ok(())
}

/// The master is not dead but silent, and wakes up as a master when there is another.
#[tokio::test]
async fn a_master_that_falls_silent_is_left_and_its_writes_are_not_believed() -> Result<()> {
    let mut watched = Watched::start(&[]).await?;
    let store = RedisBuilder::sentinel(Watched::MASTER, [watched.url()]).build()?;
    assert_eq!(store.insert(&key("a"), b"a", LONG, &[]).await, Ok(true));
    watched.second.comes_to_say(&["DBSIZE"], "1").await?;
    watched.first.pause()?;
    assert_eq!(store.load(&key("a")).await, Err(StoreError::Unavailable));
    watched.has_failed_over().await?;
    assert_eq!(once_it_is_back(async || value(&store, "a").await).await?, b"a");
    watched.first.go_on()?;
    assert_eq!(store.insert(&key("b"), b"b", LONG, &[]).await, Ok(true));
    assert_eq!(watched.second.says(&["DBSIZE"])?.trim(), "2");
    assert_eq!(value(&store, "b").await, Ok(b"b".to_vec()));
    Ok(())
}

/// A planned change: the old master is well, and refuses to write.
#[tokio::test]
async fn a_failover_on_command_is_followed() -> Result<()> {
    let mut watched = Watched::start(&[]).await?;
    let store = RedisBuilder::sentinel(Watched::MASTER, [watched.url()]).build()?;
    assert_eq!(store.insert(&key("a"), b"a", LONG, &[]).await, Ok(true));
    watched.fail_over().await?;
    watched.has_failed_over().await?;
    // What the old master takes until it is told is lost, as Redis says; from then on it takes nothing.
    watched.first.comes_to_say(&["ROLE"], "slave").await?;
    once_it_is_back(async || store.insert(&key("b"), b"b", LONG, &[]).await).await?;
    assert_eq!(watched.second.says(&["DBSIZE"])?.trim(), "2");
    Ok(())
}
