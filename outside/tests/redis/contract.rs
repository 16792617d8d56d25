//! The list of tests that every store passes, with each kind of server.

use std::time::Duration;

use anyhow::Result;
use vestibule::{
    store::{SessionStore as _, StoreError},
    testkit::store_contract,
};
use vestibule_outside::{
    ports,
    redis::{Certificates, Cluster, Redis, Watched},
};
use vestibule_redis::{RedisBuilder, RedisStore};

use crate::{LONG, key};

async fn holds(store: &RedisStore) {
    assert_eq!(store.ping().await, Ok(()));
    store_contract(store, "", Duration::from_secs(2), tokio::time::sleep).await;
}

#[tokio::test]
async fn one_server_is_a_store() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let store = RedisStore::connect(&redis.url())?;
    holds(&store).await;
    assert_eq!(redis.says(&["DBSIZE"])?.trim(), "0", "nothing is left of what was removed");
    assert_eq!(store.insert(&key("one"), b"1", LONG, &[key("index")]).await, Ok(true));
    assert_eq!(store.insert(&key("two"), b"2", LONG / 2, &[key("index")]).await, Ok(true));
    // Whatever is kept ends by itself, the list no sooner than its longest member.
    let life = |name: &str| -> Result<Duration> {
        let name = format!("vestibule:{}", key(name).as_str());
        Ok(Duration::from_millis(redis.says(&["PTTL", &name])?.trim().parse()?))
    };
    assert!(life("one")? <= LONG && life("two")? <= LONG / 2 && life("one")? < life("index")?);
    assert_eq!(redis.says(&["DBSIZE"])?.trim(), "3");
    Ok(())
}

#[tokio::test]
async fn a_socket_a_database_and_a_prefix_are_used() -> Result<()> {
    let socket = tempfile::tempdir()?;
    let path = socket.path().join("redis.sock");
    let redis = Redis::start(&["--unixsocket", &path.to_string_lossy()]).await?;
    let store = RedisBuilder::node(format!("unix://{}?db=3", path.display())).prefix("{app}:").build()?;
    holds(&store).await;
    assert_eq!(store.insert(&key("one"), b"1", LONG, &[key("index")]).await, Ok(true));
    let kept = redis.says(&["-n", "3", "KEYS", "*"])?;
    assert!(
        kept.split_whitespace().count() == 2
            && kept.split_whitespace().all(|name| name.starts_with("{app}:")),
        "{kept}"
    );
    assert_eq!(redis.says(&["DBSIZE"])?.trim(), "0");
    Ok(())
}

/// A server that speaks TLS only, wants to see a certificate, and knows one user with no more rights than documented.
#[tokio::test]
async fn tls_a_client_certificate_and_a_user_with_few_rights_are_enough() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let files = Certificates::make(folder.path())?;
    let port = ports::reserve()?;
    let text = port.to_string();
    let [authority, certificate, key] =
        [&files.authority, &files.server.0, &files.server.1].map(|path| path.to_string_lossy());
    let rights = "on >s3cret ~vestibule:* -@all +ping +get +getrange +set +del +exists +zadd +zrem +zrange +zscore \
                  +zremrangebyscore +pttl +pexpire +time +eval +evalsha +select";
    let user = ["--user", "vestibule"].into_iter().chain(rights.split_whitespace());
    let mut options = vec![
        "--port",
        "0",
        "--tls-port",
        &text,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &authority,
        "--tls-auth-clients",
        "yes",
    ];
    options.extend(user);
    let _redis = Redis::start_on(port, &options).await?;
    let builder = RedisBuilder::node(format!("rediss://127.0.0.1:{port}"))
        .ca_file(&files.authority)
        .username("vestibule")
        .password("s3cret");
    holds(&builder.clone().client_certificate(&files.client.0, &files.client.1).build()?).await;
    // Each of these is a way to be somebody else, or to talk to somebody else.
    let without_certificate = builder.clone().build()?;
    assert_eq!(without_certificate.ping().await, Err(StoreError::Unavailable));
    let other = tempfile::tempdir()?;
    let others = Certificates::make(other.path())?;
    let untrusting =
        builder.ca_file(&others.authority).client_certificate(&files.client.0, &files.client.1).build()?;
    assert_eq!(untrusting.ping().await, Err(StoreError::Unavailable));
    Ok(())
}

#[tokio::test]
async fn a_master_behind_a_sentinel_is_a_store() -> Result<()> {
    let watched = Watched::start(&[]).await?;
    // The first Sentinel is away, as one of several may be.
    let nobody = format!("redis://127.0.0.1:{}", ports::reserve()?);
    holds(&RedisBuilder::sentinel(Watched::MASTER, [nobody, watched.url()]).build()?).await;
    Ok(())
}

#[tokio::test]
async fn a_cluster_is_a_store() -> Result<()> {
    let cluster = Cluster::start().await?;
    holds(&RedisBuilder::cluster([&cluster.urls()[1]].map(String::as_str)).build()?).await;
    // It was a cluster, and not one of its nodes alone.
    for node in &cluster.nodes {
        assert!(
            node.counts("cmdstat_get").is_err()
                && node.says(&["INFO", "commandstats"])?.contains("cmdstat_get")
        );
    }
    Ok(())
}
