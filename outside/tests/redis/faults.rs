//! One server on its bad days: away, restarted, silent, full, loading, a replica, or not what it should be.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use futures_util::future::join_all;
use vestibule::store::{Replaced, SessionStore as _, StoreError};
use vestibule_outside::{PATIENCE, ports, redis::Redis};
use vestibule_redis::{RedisBuilder, RedisStore};

use crate::{LONG, key, once_it_is_back, replace, value};

const AWAY: StoreError = StoreError::Unavailable;

/// Five calls, one of each kind.
async fn five(store: &RedisStore, name: &str) -> [Option<StoreError>; 5] {
    let key = key(name);
    let answers = tokio::join!(
        store.load(&key),
        store.insert(&key, b"five", LONG, std::slice::from_ref(&key)),
        store.replace(&key, 1, b"five", LONG),
        store.remove(&key, &[]),
        store.listed(&key),
    );
    [answers.0.err(), answers.1.err(), answers.2.err(), answers.3.err(), answers.4.err()]
}

#[tokio::test]
async fn an_application_starts_while_the_server_is_away_and_finds_it_when_it_comes() -> Result<()> {
    let port = ports::reserve()?;
    let store = RedisStore::connect(&format!("redis://127.0.0.1:{port}"))?;
    assert_eq!(store.ping().await, Err(AWAY));
    assert_eq!(five(&store, "early").await, [Some(AWAY); 5]);
    let _redis = Redis::start_on(port, &[]).await?;
    once_it_is_back(async || store.ping().await).await?;
    assert_eq!(store.insert(&key("late"), b"", LONG, &[]).await, Ok(true));
    Ok(())
}

#[tokio::test]
async fn a_restart_loses_nothing_that_the_server_keeps() -> Result<()> {
    let mut redis = Redis::start(&["--appendonly", "yes", "--appendfsync", "always"]).await?;
    let store = RedisStore::connect(&redis.url())?;
    assert_eq!(store.insert(&key("kept"), b"kept", LONG, &[key("index")]).await, Ok(true));
    redis.stop().await?;
    assert_eq!(five(&store, "other").await, [Some(AWAY); 5]);
    redis.start_again().await?;
    assert_eq!(once_it_is_back(async || value(&store, "kept").await).await?, b"kept");
    // It has forgotten its scripts.
    assert!(matches!(replace(&store, "kept", b"new").await, Ok(Replaced::Now(_))));
    assert_eq!(store.listed(&key("index")).await, Ok(vec![key("kept")]));
    Ok(())
}

/// A server that is quick to come back, and one that closes connections that nobody uses: nobody learns of it.
#[tokio::test]
async fn a_connection_that_has_died_meanwhile_is_nobodys_trouble() -> Result<()> {
    let mut redis = Redis::start(&["--appendonly", "yes"]).await?;
    let store = RedisStore::connect(&redis.url())?;
    assert_eq!(store.insert(&key("a"), b"a", LONG, &[]).await, Ok(true));
    for _ in 0..3 {
        // A connection that breaks as soon as it is made is a failed attempt, and is followed by a pause.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        redis.says(&["CLIENT", "KILL", "TYPE", "normal"])?;
        assert_eq!(value(&store, "a").await, Ok(b"a".to_vec()));
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        redis.stop().await?;
        redis.start_again().await?;
        let replaced = replace(&store, "a", b"a").await;
        assert!(matches!(replaced, Ok(Replaced::Now(_))), "{replaced:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_silent_server_holds_nobody_up_and_is_not_stormed() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let store = Arc::new(RedisStore::connect(&redis.url())?);
    assert_eq!(store.insert(&key("a"), b"a", LONG, &[]).await, Ok(true));
    let before = redis.counts("total_connections_received")?;
    redis.pause()?;
    // It stays silent until all of these have come back, so that any that waits for it waits for ever.
    let calls = join_all((0..3).map(|round| {
        let store = Arc::clone(&store);
        async move {
            for call in 0..400 {
                tokio::time::sleep(Duration::from_millis(1)).await;
                if call % 100 == round {
                    assert_eq!(five(&store, "silent").await, [Some(AWAY); 5]);
                }
            }
        }
    }));
    tokio::time::timeout(PATIENCE, calls).await.expect("no call waits for a server that says nothing");
    redis.go_on()?;
    once_it_is_back(async || value(&store, "a").await).await?;
    let made = redis.counts("total_connections_received")? - before;
    assert!(made < 60, "{made} connections for a minute's silence, at most one a second and a few at first");
    Ok(())
}

/// The server itself is slow, as under a long script: whoever cannot wait is told, and the next one is served.
#[tokio::test]
async fn a_server_that_sleeps_is_unavailable_until_it_wakes() -> Result<()> {
    let redis = Redis::start(&["--enable-debug-command", "local"]).await?;
    let store = RedisStore::connect(&redis.url())?;
    assert_eq!(store.insert(&key("a"), b"a", LONG, &[]).await, Ok(true));
    let port = redis.port();
    let sleep = std::thread::spawn(move || vestibule_outside::redis::says(port, &["DEBUG", "SLEEP", "5"]));
    // Until it sleeps, it answers.
    while store.load(&key("a")).await.is_ok() {}
    assert_eq!(five(&store, "other").await, [Some(AWAY); 5]);
    sleep.join().expect("the thread does not panic")?;
    assert_eq!(once_it_is_back(async || value(&store, "a").await).await?, b"a");
    Ok(())
}

#[tokio::test]
async fn a_full_server_takes_no_more_and_gives_what_it_has() -> Result<()> {
    let redis = Redis::start(&["--maxmemory-policy", "noeviction"]).await?;
    let store = RedisStore::connect(&redis.url())?;
    let index = key("index");
    assert_eq!(store.insert(&key("a"), b"a", LONG, std::slice::from_ref(&index)).await, Ok(true));
    assert!(matches!(replace(&store, "a", b"b").await, Ok(Replaced::Now(_))));
    redis.says(&["CONFIG", "SET", "maxmemory", "1"])?;
    for indexes in [&[][..], std::slice::from_ref(&index)] {
        assert_eq!(store.insert(&key("other"), b"", LONG, indexes).await, Err(StoreError::Full));
    }
    assert_eq!(replace(&store, "a", b"c").await, Err(StoreError::Full));
    assert_eq!(value(&store, "a").await, Ok(b"b".to_vec()), "what was not replaced is as it was");
    assert_eq!(store.listed(&index).await, Ok(vec![key("a")]));
    assert_eq!(store.remove(&key("a"), &[index]).await, Ok(true), "people can still sign out");
    redis.says(&["CONFIG", "SET", "maxmemory", "0"])?;
    assert_eq!(store.insert(&key("other"), b"", LONG, &[]).await, Ok(true));
    Ok(())
}

#[tokio::test]
async fn a_replica_gives_what_it_has_and_is_unavailable_for_more() -> Result<()> {
    let master = Redis::start(&[]).await?;
    let port = master.port().to_string();
    let redis = Redis::start(&[]).await?;
    let store = RedisStore::connect(&redis.url())?;
    assert_eq!(store.insert(&key("a"), b"a", LONG, &[]).await, Ok(true));
    redis.says(&["REPLICAOF", "127.0.0.1", &port])?;
    assert_eq!(store.insert(&key("b"), b"b", LONG, &[]).await, Err(AWAY));
    assert_eq!(store.remove(&key("a"), &[]).await, Err(AWAY));
    let before = redis.counts("total_connections_received")?;
    for _ in 0..40 {
        assert_eq!(store.insert(&key("b"), b"b", LONG, &[]).await, Err(AWAY));
    }
    let made = redis.counts("total_connections_received")? - before;
    assert!(made < 60, "{made} connections for 40 refusals: it is looked for elsewhere, with pauses");
    redis.says(&["REPLICAOF", "NO", "ONE"])?;
    once_it_is_back(async || store.insert(&key("b"), b"b", LONG, &[]).await).await?;
    Ok(())
}

#[tokio::test]
async fn a_server_that_waits_for_its_replicas_is_unavailable() -> Result<()> {
    let redis = Redis::start(&["--min-replicas-to-write", "1"]).await?;
    let store = RedisStore::connect(&redis.url())?;
    assert_eq!(store.insert(&key("a"), b"a", LONG, &[]).await, Err(AWAY));
    assert_eq!(store.insert(&key("a"), b"a", LONG, &[key("index")]).await, Err(AWAY));
    redis.says(&["CONFIG", "SET", "min-replicas-to-write", "0"])?;
    assert_eq!(store.insert(&key("a"), b"a", LONG, &[]).await, Ok(true));
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_a_right_that_is_missing_and_foreign_content_do_not_pass_by_themselves() -> Result<()>
{
    const BROKEN: StoreError = StoreError::Broken;
    let redis = Redis::start(&["--requirepass", "right"]).await?;
    for builder in [RedisBuilder::node(redis.url()), RedisBuilder::node(redis.url()).password("wrong")] {
        assert!(builder.build()?.ping().await.is_err());
    }
    let store = RedisBuilder::node(redis.url()).password("right").build()?;
    assert_eq!(store.ping().await, Ok(()));
    let cli = |command: &[&str]| redis.says(&[&["-a", "right", "--no-auth-warning"], command].concat());
    let [name, list] = ["foreign", "list"].map(|name| format!("vestibule:{}", key(name).as_str()));
    cli(&["SET", &name, "short"])?;
    cli(&["SET", &list, "no list"])?;
    assert_eq!(store.load(&key("foreign")).await, Err(BROKEN));
    assert_eq!(store.listed(&key("list")).await, Err(BROKEN));
    cli(&["DEL", &list])?;
    cli(&["ZADD", &list, "inf", "no\nkey"])?;
    assert_eq!(store.listed(&key("list")).await, Err(BROKEN));
    cli(&["ACL", "SETUSER", "few", "on", ">pw", "~vestibule:*", "+get"])?;
    let few = RedisBuilder::node(redis.url()).username("few").password("pw").build()?;
    assert_eq!(few.load(&key("none")).await, Ok(None));
    assert_eq!(few.insert(&key("none"), b"", LONG, &[]).await, Err(BROKEN));
    Ok(())
}
