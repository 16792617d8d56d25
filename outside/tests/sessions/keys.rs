//! The keys that sessions are sealed with change while two gateways run.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use tempfile::TempDir;
use vestibule_outside::{COOKIE_SECRET, PATIENCE, Visitor};

use crate::town::Town;

/// The secret that takes over.
const NEWER: &str = "c2VlbiBvbiBsb29wYmFjayBvbmx5LCB0aGUgbmV3ZXI=";

/// The two gateways and the file that each reads.
struct Gateways {
    town: Town,
    folder: TempDir,
    reloads: [usize; 2],
}

impl Gateways {
    async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for number in [0, 1] {
            fs::write(folder.path().join(format!("{number}.toml")), keys(COOKIE_SECRET, &[]))?;
        }
        let town = Town::gateways(|number, gateway| {
            let file = folder.path().join(format!("{number}.toml"));
            gateway.config(file).without("OAUTH2_PROXY_COOKIE_SECRET")
        });
        Ok(Self { town: town.await?, folder, reloads: [0; 2] })
    }

    /// One of them reads other keys, and works by them.
    async fn read(&mut self, number: usize, first: &str, others: &[&str]) -> Result<()> {
        fs::write(self.folder.path().join(format!("{number}.toml")), keys(first, others))?;
        let gateway = &self.town.apps[number];
        gateway.hang_up()?;
        self.reloads[number] += 1;
        let end = Instant::now() + PATIENCE;
        while gateway.log().matches("read again and has taken over").count() < self.reloads[number] {
            ensure!(Instant::now() < end, "it does not take over:\n{}", gateway.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Each of them says that this is `login`, and nginx lets them through.
    async fn know(&self, visitor: &Visitor, login: &str) -> Result<()> {
        for number in [0, 1, 0, 1] {
            self.town.auth_of(number, visitor).await?.assert_is(login);
        }
        let page = self.town.page(visitor).await?;
        ensure!(page.status == 200, "{page:?}");
        Ok(())
    }

    /// Every session's record, by its key.
    fn records(&self) -> Result<BTreeMap<String, String>> {
        let keys = self.town.redis.says(&["KEYS", "*session:*"])?;
        let records = keys.lines().filter(|key| !key.is_empty()).map(|key| {
            let value = self.town.redis.says(&["HGETALL", key])? + &self.town.redis.says(&["GET", key])?;
            Ok((key.to_owned(), value))
        });
        records.collect()
    }
}

fn keys(first: &str, others: &[&str]) -> String {
    format!("cookie_secret = \"{first}\"\ncookie_secrets_previous = {others:?}\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_go_on_while_the_keys_change_and_those_of_a_removed_key_end_quietly() -> Result<()> {
    let mut gateways = Gateways::start().await?;
    let ada = gateways.town.signed_in("ada").await?;
    let mut chloe = gateways.town.signed_in("chloe").await?;
    let before = gateways.records()?;
    assert_eq!(before.len(), 2, "{before:?}");
    gateways.know(&ada, "ada").await?;
    assert_eq!(gateways.records()?, before, "nothing is due");

    // First all of them open what the newer key seals, then it seals.
    for number in [0, 1] {
        gateways.read(number, COOKIE_SECRET, &[NEWER]).await?;
        gateways.know(&ada, "ada").await?;
    }
    assert_eq!(gateways.records()?, before);
    for number in [0, 1] {
        gateways.read(number, NEWER, &[COOKIE_SECRET]).await?;
        gateways.know(&ada, "ada").await?;
    }
    let after = gateways.records()?;
    assert!(before.keys().eq(after.keys()) && before != after, "her record is sealed anew");

    // Whoever goes to a page is given the cookie anew as well, where a proxy passes that on.
    let cookie = chloe.cookie_header();
    assert_eq!(chloe.navigate(&gateways.town.at("/app/oauth2/auth")).await?.status(), 202);
    assert_ne!(chloe.cookie_header(), cookie);
    let bob = gateways.town.signed_in("bob").await?;
    for number in [0, 1] {
        gateways.read(number, NEWER, &[]).await?;
        gateways.know(&bob, "bob").await?;
        gateways.know(&chloe, "chloe").await?;
    }
    // Ada has only had a page's requests answered, and her cookie is of the old key still: she is asked to sign in, and
    // nothing else happens.
    for number in [0, 1] {
        let seen = gateways.town.auth_of(number, &ada).await?;
        assert_eq!((seen.status, seen.email.as_deref()), (401, None), "{seen:?}");
    }
    assert_eq!(gateways.town.page(&ada).await?.status, 302);
    for app in &gateways.town.apps {
        let log = app.log();
        assert!(!log.contains("ERROR") && !log.contains(" WARN vestibule::"), "{log}");
    }
    let ada = gateways.town.signed_in("ada").await?;
    gateways.know(&ada, "ada").await?;
    gateways.know(&bob, "bob").await
}
