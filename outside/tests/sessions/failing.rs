//! A refresh that comes to nothing: what ends a session, and what does not.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use vestibule_outside::{Visitor, client};

use crate::{
    relay::{Call, Grant, Way},
    town::{Lives, Town},
};

/// How long the page says that a provider which is away is left alone.
const RETRY: Duration = vestibule::limits::REFRESH_RETRY_INTERVAL;

/// A thief has used a token that was used before, so the provider has taken the whole grant back. That it does so is
/// also what makes the other tests here worth something.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_32_a_grant_that_the_provider_has_taken_back_ends_the_session_everywhere() -> Result<()> {
    let lives = Lives(5, 5);
    let town = Town::start(lives).await?;
    let ada = town.signed_in("ada").await?;
    lives.pass().await;
    town.data_of(0, &ada).await?.assert_is("ada");
    let used = town.relay.calls(Grant::Refresh).remove(0).refresh_token;
    let again = format!("{}/token", town.relay.issuer());
    let fields = [("grant_type", "refresh_token"), ("refresh_token", &*used)];
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let thief = reqwest::Client::new().post(again).body(form);
    let thief = thief.basic_auth(client::ID, Some(client::SECRET));
    let answer = thief.header("content-type", "application/x-www-form-urlencoded").send().await?;
    let said = answer.text().await?;
    ensure!(said.contains("\"invalid_grant\""), "the provider says {said}");
    lives.pass().await;
    for app in [1, 0] {
        town.data_of(app, &ada).await?.assert_is_nobody();
    }
    // It ended once; nobody asks the provider for what is gone.
    let statuses: Vec<_> = town.relay.calls(Grant::Refresh).iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(200), Some(400), Some(400)]);
    Ok(())
}

/// Asks on both instances again and again for so long; every answer is `ada`.
async fn stays(town: &Town, ada: &Visitor, time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        for app in [0, 1] {
            town.data_of(app, ada).await?.assert_is("ada");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

fn gaps(calls: &[Call]) -> Vec<Duration> {
    calls.windows(2).map(|two| two[1].came - two[0].came).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_32_an_outage_keeps_the_session_and_asks_once_in_thirty_seconds() -> Result<()> {
    let town = Town::start(Lives::FIRST_SHORT).await?;
    let ada = town.signed_in("ada").await?;
    town.relay.lets(Grant::Refresh, Way::Says(503, "<h1>We will be back</h1>"));
    Lives::FIRST_SHORT.pass().await;
    town.data(&ada).await?.assert_is("ada");
    stays(&town, &ada, Duration::from_secs(10)).await?;
    town.relay.lets(Grant::Refresh, Way::On);
    stays(&town, &ada, RETRY - Duration::from_secs(8)).await?;
    town.relay.comes_to(Grant::Refresh, 2).await?;
    stays(&town, &ada, Duration::from_secs(2)).await?;
    let calls = town.relay.calls(Grant::Refresh);
    let statuses: Vec<_> = calls.iter().map(|call| call.status).collect();
    assert_eq!(statuses, [None, Some(200)], "{calls:?}");
    // By clocks that show whole seconds.
    ensure!(gaps(&calls).iter().all(|gap| RETRY - Duration::from_secs(1) <= *gap), "{:?}", gaps(&calls));
    Ok(())
}

/// The provider may have given a new token out, and would take everything back if it saw the old one again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_32_an_answer_that_was_lost_costs_nobody_their_session() -> Result<()> {
    let town = Town::start(Lives::FIRST_SHORT).await?;
    let ada = town.signed_in("ada").await?;
    town.relay.lets(Grant::Refresh, Way::AnswerLost);
    Lives::FIRST_SHORT.pass().await;
    town.data(&ada).await?.assert_is("ada");
    town.relay.lets(Grant::Refresh, Way::On);
    stays(&town, &ada, RETRY + Duration::from_secs(5)).await?;
    let calls = town.relay.calls(Grant::Refresh);
    assert_eq!(calls.len(), 1, "it is not sent again: {calls:?}");
    Ok(())
}
