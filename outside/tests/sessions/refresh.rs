//! Tokens are refreshed once, however many ask, wherever they ask.

use std::{collections::HashSet, time::Duration};

use anyhow::Result;
use serde_json::json;
use vestibule_outside::AppBuilder;

use crate::{
    relay::{Grant, Way},
    town::{Lives, Town, Upstreams},
};

/// Fifty at once, at both instances, with an access token that has ended: and then fifty more.
async fn fifty_at_once(way: Way) -> Result<()> {
    let town = Town::start(Lives::FIRST_SHORT).await?;
    let ada = town.signed_in("ada").await?;
    town.relay.lets(Grant::Refresh, way);
    Lives::FIRST_SHORT.pass().await;
    for _ in 0..2 {
        for seen in town.at_once(50, &ada).await? {
            seen.assert_is("ada");
        }
    }
    let statuses: Vec<_> = town.relay.calls(Grant::Refresh).iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(200)], "one refresh");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_31_fifty_requests_at_axum_and_actix_make_one_refresh() -> Result<()> {
    fifty_at_once(Way::On).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_31_fifty_requests_wait_for_a_token_call_of_eight_seconds() -> Result<()> {
    fifty_at_once(Way::Slow(Duration::from_secs(8))).await
}

/// By way of nginx each request meets both instances: one lets it through, the other answers it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_30_round_after_round_the_newest_refresh_token_is_used_and_none_twice() -> Result<()> {
    let lives = Lives(5, 5);
    let mut town = Town::start(lives).await?;
    let ada = town.signed_in("ada").await?;
    for round in 1..=4 {
        lives.pass().await;
        if round == 3 {
            let mut again = Vec::new();
            for app in town.apps.drain(..) {
                again.push(app.restart().await?);
            }
            town.apps = again;
        }
        for seen in town.at_once(10, &ada).await? {
            seen.assert_is("ada");
        }
        for _ in 0..5 {
            town.data(&ada).await?.assert_is("ada");
        }
    }
    let calls = town.relay.calls(Grant::Refresh);
    assert!(4 <= calls.len(), "{calls:?}");
    assert!(calls.iter().all(|call| call.status == Some(200)), "{calls:?}");
    let tokens: HashSet<&str> = calls.iter().map(|call| call.refresh_token.as_str()).collect();
    assert_eq!(tokens.len(), calls.len(), "none was sent twice");
    Ok(())
}

/// Every refresh asks anew who the person is. The next decision goes by that, at both instances.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_42_what_changes_at_the_provider_counts_from_the_refresh_on() -> Result<()> {
    let lives = Lives(5, 5);
    let change = |_, app: AppBuilder| app.option("ALLOWED_GROUPS", "staff,night");
    let town = Town::start_with(lives, Upstreams::Both, change).await?;
    let ada = town.signed_in("ada").await?;
    for app in [0, 1] {
        assert_eq!(town.auth_of(app, &ada).await?.groups.as_deref(), Some("staff"));
    }
    town.claims(&json!({ "groups": ["visitors", "night"], "email": "lovelace@example.com" }))?;
    lives.pass().await;
    for app in [0, 1] {
        assert_eq!(town.auth_of(app, &ada).await?.groups.as_deref(), Some("night"));
        town.data_of(app, &ada).await?.assert_is("lovelace");
    }
    // Out of every group: signed in still, and nothing is theirs.
    town.claims(&json!({ "groups": ["visitors"] }))?;
    lives.pass().await;
    for app in [1, 0] {
        for seen in [town.auth_of(app, &ada).await?, town.data_of(app, &ada).await?] {
            assert_eq!((seen.status, seen.email.as_deref()), (403, None), "{seen:?}");
        }
    }
    town.claims(&json!({}))?;
    lives.pass().await;
    town.data(&ada).await?.assert_is("ada");
    Ok(())
}
