//! A network that loses answers: the command was carried out, and nobody was told.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use vestibule::store::{Replaced, SessionStore as _, StoreError};
use vestibule_outside::redis::{Cluster, Redis};
use vestibule_redis::{RedisBuilder, RedisStore};

use crate::{LONG, key, value};

/// Stands between a store and a server, and closes a connection in place of an answer.
struct Lossy {
    port: u16,
    /// How many commands to lose the answer of.
    to_lose: Arc<AtomicUsize>,
    lost: Arc<AtomicUsize>,
}

impl Lossy {
    /// Loses answers to commands that contain `word`.
    async fn before(server: u16, word: &'static str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let (to_lose, lost) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (left, count) = (Arc::clone(&to_lose), Arc::clone(&lost));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (left, count) = (Arc::clone(&left), Arc::clone(&count));
                // Either side closing ends it, which is all that a relay has to say.
                tokio::spawn(async move { drop(relay(client, server, word, &left, &count).await) });
            }
        });
        Ok(Self { port, to_lose, lost })
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The answers to the next `count` of those commands are lost.
    fn lose(&self, count: usize) {
        self.to_lose.store(count, Ordering::SeqCst);
        self.lost.store(0, Ordering::SeqCst);
    }

    fn lost(&self) -> usize {
        self.lost.load(Ordering::SeqCst)
    }
}

async fn relay(
    mut client: TcpStream,
    server: u16,
    word: &str,
    left: &AtomicUsize,
    lost: &AtomicUsize,
) -> std::io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", server)).await?;
    let (mut asked, mut answered) = (vec![0; 64 * 1_024], vec![0; 64 * 1_024]);
    let mut loses = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let command = &asked[..read?];
                if command.is_empty() {
                    return Ok(());
                }
                let meant = command.windows(word.len()).any(|window| window == word.as_bytes());
                loses |= meant
                    && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
                server.write_all(command).await?;
            }
            read = server.read(&mut answered) => {
                let answer = &answered[..read?];
                if answer.is_empty() {
                    return Ok(());
                }
                if loses {
                    lost.fetch_add(1, Ordering::SeqCst);
                    return Ok(());
                }
                client.write_all(answer).await?;
            }
        }
    }
}

#[tokio::test]
async fn an_insert_whose_answer_was_lost_says_that_it_happened() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let network = Lossy::before(redis.port(), "SET").await?;
    let store = RedisStore::connect(&network.url())?;
    store.ping().await?;
    network.lose(1);
    assert_eq!(store.insert(&key("a"), b"mine", LONG, &[]).await, Ok(true), "it was this very call");
    assert_eq!(network.lost(), 1);
    assert_eq!(value(&store, "a").await, Ok(b"mine".to_vec()));
    // Where somebody else was there before, it did not happen, lost answer or not.
    network.lose(1);
    assert_eq!(store.insert(&key("a"), b"other", LONG, &[]).await, Ok(false));
    assert_eq!(network.lost(), 1);
    assert_eq!(value(&store, "a").await, Ok(b"mine".to_vec()));
    Ok(())
}

#[tokio::test]
async fn a_replace_whose_answer_was_lost_says_that_it_happened_and_happens_once() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let network = Lossy::before(redis.port(), "EVAL").await?;
    let store = RedisStore::connect(&network.url())?;
    assert_eq!(store.insert(&key("a"), b"a", LONG, &[]).await, Ok(true));
    let version = store.load(&key("a")).await?.expect("the record is there").version;
    // Seen once, so that the next is one command.
    let Replaced::Now(version) = store.replace(&key("a"), version, b"b", LONG).await? else {
        panic!("the version is the one that was read")
    };
    network.lose(1);
    let replaced = store.replace(&key("a"), version, b"c", LONG).await;
    assert_eq!(network.lost(), 1);
    let record = store.load(&key("a")).await?.expect("the record is there");
    assert_eq!((replaced, &record.value[..]), (Ok(Replaced::Now(record.version)), &b"c"[..]));
    Ok(())
}

#[tokio::test]
async fn a_remove_whose_answer_was_lost_does_not_say_that_nothing_was_there() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let network = Lossy::before(redis.port(), "DEL").await?;
    let store = RedisStore::connect(&network.url())?;
    assert_eq!(store.insert(&key("a"), b"a", LONG, &[]).await, Ok(true));
    network.lose(1);
    assert_eq!(
        store.remove(&key("a"), &[]).await,
        Err(StoreError::Unavailable),
        "nobody knows who removed it"
    );
    assert_eq!(network.lost(), 1);
    assert_eq!(store.load(&key("a")).await, Ok(None));
    assert_eq!(store.remove(&key("a"), &[]).await, Ok(false));
    Ok(())
}

/// A cluster's client sends again what it has had no answer to, without being asked.
#[tokio::test]
async fn in_a_cluster_it_is_the_same() -> Result<()> {
    let cluster = Cluster::start().await?;
    // The node that holds the key is known to the client by the address of the network in front of it.
    for (word, place) in [("NX", 0), ("DEL", 0)] {
        let network = Lossy::before(cluster.nodes[place].port(), word).await?;
        let port = network.port.to_string();
        cluster.nodes[place].says(&["CONFIG", "SET", "cluster-announce-port", &port])?;
        for node in &cluster.nodes {
            node.comes_to_say(&["CLUSTER", "NODES"], &format!("127.0.0.1:{port}@")).await?;
        }
        let store = RedisBuilder::cluster([network.url()]).build()?;
        let here = (0..).map(|n| format!("{word} {n}")).find(|name| {
            let name = format!("vestibule:{}", key(name).as_str());
            let slot = cluster.nodes[place].says(&["CLUSTER", "KEYSLOT", &name]);
            slot.is_ok_and(|slot| slot.trim().parse::<u16>().is_ok_and(|slot| slot <= 5_460))
        });
        let here = here.expect("every node has some keys");
        store.ping().await?;
        if word == "NX" {
            network.lose(1);
            assert_eq!(store.insert(&key(&here), b"mine", LONG, &[]).await, Ok(true));
        } else {
            assert_eq!(store.insert(&key(&here), b"mine", LONG, &[]).await, Ok(true));
            network.lose(1);
            assert_eq!(store.remove(&key(&here), &[]).await, Err(StoreError::Unavailable));
            assert_eq!(store.remove(&key(&here), &[]).await, Ok(false));
        }
        assert_eq!(network.lost(), 1, "{word}");
    }
    Ok(())
}
