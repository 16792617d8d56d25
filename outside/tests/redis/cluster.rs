//! A cluster whose slots move, and whose nodes fail.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use vestibule::store::{Replaced, SessionStore as _};
use vestibule_outside::redis::Cluster;
use vestibule_redis::{RedisBuilder, RedisStore};

use crate::{LONG, key, once_it_is_back, replace, value};

/// The slot of a record, and the place of the node that holds it.
fn slot_of(cluster: &Cluster, name: &str) -> Result<(u16, usize)> {
    let name = format!("vestibule:{}", key(name).as_str());
    let slot: u16 = cluster.nodes[0].says(&["CLUSTER", "KEYSLOT", &name])?.trim().parse()?;
    Ok((slot, usize::from(slot / 5_461)))
}

/// As many records as it takes until each node has some.
async fn fill(store: &RedisStore) -> Vec<String> {
    let names: Vec<String> = (0..30).map(|n| format!("record {n}")).collect();
    for name in &names {
        assert_eq!(store.insert(&key(name), name.as_bytes(), LONG, &[key("index")]).await, Ok(true));
    }
    names
}

#[tokio::test]
async fn records_are_found_while_their_slot_moves_and_when_it_has_moved() -> Result<()> {
    let mut cluster = Cluster::start().await?;
    let store = RedisBuilder::cluster(cluster.urls()).build()?;
    let names = fill(&store).await;
    // To a node that is new, and that no client knows of.
    let to = cluster.join().await?;
    for name in ["record 1", "record 2", "not there yet"] {
        let (slot, from) = slot_of(&cluster, name)?;
        let [slot, port] = [slot.to_string(), cluster.nodes[to].port().to_string()];
        let [from_id, to_id] = [cluster.id(from)?, cluster.id(to)?];
        cluster.nodes[to].says(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id])?;
        cluster.nodes[from].says(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id])?;
        let kept = cluster.nodes[from].says(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"])?;
        for key in kept.split_whitespace() {
            cluster.nodes[from].says(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"])?;
        }
        // Its slot is still the old node's, the record is not.
        if name == "not there yet" {
            assert_eq!(store.insert(&key(name), name.as_bytes(), LONG, &[]).await, Ok(true));
        }
        assert_eq!(value(&store, name).await, Ok(name.as_bytes().to_vec()));
        assert!(matches!(replace(&store, name, name.as_bytes()).await, Ok(Replaced::Now(_))));
        for node in [to, from] {
            cluster.nodes[node].says(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id])?;
        }
        assert_eq!(value(&store, name).await, Ok(name.as_bytes().to_vec()));
    }
    for name in &names {
        assert_eq!(value(&store, name).await, Ok(name.as_bytes().to_vec()));
    }
    assert_eq!(store.listed(&key("index")).await?.len(), names.len());
    assert_eq!(store.remove(&key("record 1"), &[key("index")]).await, Ok(true));
    assert_eq!(store.listed(&key("index")).await?.len(), names.len() - 1);
    Ok(())
}

/// One master falls silent; its replica takes over. What the others hold is there all the time.
#[tokio::test]
async fn a_node_that_falls_silent_is_replaced_and_the_others_serve_on() -> Result<()> {
    let mut cluster = Cluster::start().await?;
    let replica = cluster.join().await?;
    let id = cluster.id(0)?;
    cluster.nodes[replica].says(&["CLUSTER", "REPLICATE", &id])?;
    cluster.nodes[0].comes_to_say(&["INFO", "replication"], "state=online").await?;
    // The cluster stays up for the slots that are served while one of the masters is being replaced.
    for node in &cluster.nodes {
        node.says(&["CONFIG", "SET", "cluster-require-full-coverage", "no"])?;
    }
    let store = RedisBuilder::cluster(cluster.urls()).build()?;
    let names = fill(&store).await;
    let of = |place: usize| {
        let mut names = names.iter();
        names.find(|name| slot_of(&cluster, name).is_ok_and(|at| at.1 == place)).cloned()
    };
    let lost = of(0).context("some record is the first node's")?;
    let other = of(1).context("some record is the second node's")?;
    let size = cluster.nodes[0].says(&["DBSIZE"])?;
    cluster.nodes[replica].comes_to_say(&["DBSIZE"], &size).await?;
    cluster.nodes[0].pause()?;
    let mut away = 0;
    let back = once_it_is_back(async || {
        let found = value(&store, &lost).await;
        away += usize::from(found.is_err());
        found
    });
    assert_eq!(back.await?, lost.as_bytes());
    assert!(away > 0, "the test has seen the node away");
    assert_eq!(value(&store, &other).await, Ok(other.as_bytes().to_vec()));
    assert!(matches!(replace(&store, &lost, b"new").await, Ok(Replaced::Now(_))));
    cluster.nodes[0].go_on()?;
    cluster.nodes[0].comes_to_say(&["ROLE"], "slave").await?;
    assert_eq!(value(&store, &lost).await, Ok(b"new".to_vec()));
    Ok(())
}

/// All of it is gone, one node after another, under load; nobody storms what is not there; all of it comes back.
#[tokio::test]
async fn a_whole_cluster_that_goes_and_comes_back_is_found_again() -> Result<()> {
    let mut cluster = Cluster::start().await?;
    let store = Arc::new(RedisBuilder::cluster(cluster.urls()).build()?);
    let names = fill(&store).await;
    let load = {
        let (store, names) = (Arc::clone(&store), names.clone());
        // Whoever is left serves what it has, or says that the cluster is down.
        tokio::spawn(async move {
            for name in names.iter().cycle() {
                tokio::time::sleep(Duration::from_millis(2)).await;
                let _ = tokio::time::timeout(Duration::from_millis(5), store.load(&key(name))).await;
            }
        })
    };
    for place in [2, 0, 1] {
        cluster.nodes[place].stop().await?;
    }
    // Where a node was, somebody counts who knocks, and lets nobody in.
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", cluster.nodes[0].port())).await?;
    let knocks = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&knocks);
    let door = tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let before = processor_time()?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (spent, knocks) = (processor_time()? - before, knocks.load(Ordering::SeqCst));
    assert!(spent < 150, "{spent} hundredths of a second of computing in three seconds with nobody there");
    assert!(
        (1..100).contains(&knocks),
        "{knocks} attempts in three seconds of load, a few at first and then one a second"
    );
    load.abort();
    door.abort();
    assert!(store.load(&key("record 1")).await.is_err());
    for node in &mut cluster.nodes {
        node.start_again().await?;
    }
    cluster.is_well().await?;
    once_it_is_back(async || store.insert(&key("again"), b"again", LONG, &[]).await).await?;
    for name in &names {
        // They kept nothing on disk.
        assert_eq!(store.load(&key(name)).await, Ok(None));
    }
    Ok(())
}

/// Hundredths of a second that this thread, on which the test and its store run, has computed.
fn processor_time() -> Result<u64> {
    let stat = std::fs::read_to_string("/proc/thread-self/stat")?;
    let fields: Vec<&str> =
        stat.rsplit_once(')').context("a thread has a name")?.1.split_whitespace().collect();
    Ok(fields[11].parse::<u64>()? + fields[12].parse::<u64>()?)
}
