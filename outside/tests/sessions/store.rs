//! Redis is away, silent, or full. Nobody is signed out by that, and nobody waits for long.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use vestibule_outside::{AppBuilder, PATIENCE, Visitor, redis::Watched};

use crate::town::{Lives, Seen, Town, Upstreams};

/// Two seconds a call are documented, and an answer takes few calls. This is for two busy cores, and still far from what
/// a person takes for a hang.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(15);

/// Everybody is told that nobody can be told who they are; cookies stay.
async fn assert_away(town: &Town, visitor: &Visitor) -> Result<()> {
    for app in [0, 1] {
        let asked =
            async { anyhow::Ok([town.auth_of(app, visitor).await?, town.data_of(app, visitor).await?]) };
        for seen in tokio::time::timeout(2 * ANSWER_TIME_MAX, asked).await?? {
            assert_eq!((seen.status, seen.email.as_deref()), (503, None), "{seen:?}");
            assert!(seen.cookies.is_empty(), "{seen:?}");
        }
    }
    let seen = tokio::time::timeout(ANSWER_TIME_MAX, town.data(visitor)).await??;
    // nginx knows no refusal but 401 and 403, and makes an error of its own of every other.
    assert_eq!((seen.status, seen.email.as_deref()), (500, None), "{seen:?}");
    assert!(seen.cookies.is_empty(), "{seen:?}");
    Ok(())
}

/// Both instances come to know `login` again.
async fn comes_back(town: &Town, visitor: &Visitor, login: &str) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    for app in [0, 1] {
        while let seen @ Seen { status: 503, .. } = town.data_of(app, visitor).await? {
            ensure!(Instant::now() < end, "it does not come back: {seen:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        town.data_of(app, visitor).await?.assert_is(login);
    }
    town.data(visitor).await?.assert_is(login);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_stopped_and_started_with_its_data_signs_nobody_out() -> Result<()> {
    let mut town = Town::start(Lives::LONG).await?;
    let ada = town.signed_in("ada").await?;
    for _ in 0..2 {
        town.redis.stop().await?;
        assert_away(&town, &ada).await?;
        town.redis.start_again().await?;
        comes_back(&town, &ada, "ada").await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_that_says_nothing_holds_nobody_up_and_signs_nobody_out() -> Result<()> {
    let town = Town::start(Lives::LONG).await?;
    let ada = town.signed_in("ada").await?;
    let (mut bob, callback) = town.called_back("bob").await?;
    town.redis.pause()?;
    assert_away(&town, &ada).await?;
    let answer = tokio::time::timeout(2 * ANSWER_TIME_MAX, bob.navigate(callback.as_str())).await??;
    assert_eq!(answer.status(), 503);
    assert!(answer.text().await?.contains("store_unreachable"));
    town.redis.go_on()?;
    comes_back(&town, &ada, "ada").await?;
    let bob = town.signed_in("bob").await?;
    town.data(&bob).await?.assert_is("bob");
    Ok(())
}

/// Reading goes on; what would be written waits until there is room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_that_is_full_serves_who_is_signed_in_and_refuses_who_comes() -> Result<()> {
    // With an idle limit every instance writes now and then who was there.
    let change = |_, app: AppBuilder| app.variable("VESTIBULE_IDLE_LIMIT", "1m");
    let town = Town::start_with(Lives::FIRST_SHORT, Upstreams::Both, change).await?;
    let ada = town.signed_in("ada").await?;
    let copy = town.signed_in("chloe").await?;
    town.redis.says(&["CONFIG", "SET", "maxmemory", "1"])?;
    // Both an access token and a note of the last visit are due.
    tokio::time::sleep(Duration::from_secs(8)).await;
    for _ in 0..3 {
        for app in [0, 1] {
            town.data_of(app, &ada).await?.assert_is("ada");
        }
        town.data(&ada).await?.assert_is("ada");
    }
    assert_eq!(town.relay.refreshes(), 0, "no token is sent whose fate could not be written down");
    let (mut bob, callback) = town.called_back("bob").await?;
    let answer = bob.navigate(callback.as_str()).await?;
    assert_eq!(answer.status(), 503);
    let page = answer.text().await?;
    assert!(page.contains("store_"), "{page}");
    // Signing out needs no room.
    let mut chloe = copy.clone();
    chloe.follow_until(&town.at("/app/oauth2/sign_out"), &town.at("/")).await?;
    town.data(&copy).await?.assert_is_nobody();
    town.redis.says(&["CONFIG", "SET", "maxmemory", "0"])?;
    town.data(&ada).await?.assert_is("ada");
    town.relay.comes_to(crate::relay::Grant::Refresh, 1).await?;
    let bob = town.signed_in("bob").await?;
    town.data(&bob).await?.assert_is("bob");
    Ok(())
}

/// The master goes, and a Sentinel makes the replica the master.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_that_fails_over_signs_nobody_out() -> Result<()> {
    let mut watched = Watched::start(&[]).await?;
    let sentinel = watched.url();
    let change = |_, app: AppBuilder| {
        app.without("OAUTH2_PROXY_REDIS_CONNECTION_URL")
            .option("REDIS_USE_SENTINEL", "true")
            .option("REDIS_SENTINEL_MASTER_NAME", Watched::MASTER)
            .option("REDIS_SENTINEL_CONNECTION_URLS", &sentinel)
    };
    let town = Town::start_with(Lives::FIRST_SHORT, Upstreams::Both, change).await?;
    let (ada, bob) = (town.signed_in("ada").await?, town.signed_in("bob").await?);
    for seen in town.at_once(10, &ada).await? {
        seen.assert_is("ada");
    }
    watched.first.stop().await?;
    watched.has_failed_over().await?;
    comes_back(&town, &ada, "ada").await?;
    comes_back(&town, &bob, "bob").await?;
    Lives::FIRST_SHORT.pass().await;
    for (login, visitor) in [("ada", &ada), ("bob", &bob)] {
        for seen in town.at_once(20, visitor).await? {
            seen.assert_is(login);
        }
    }
    assert_eq!(town.relay.refreshes(), 2);
    let chloe = town.signed_in("chloe").await?;
    town.data(&chloe).await?.assert_is("chloe");
    Ok(())
}
