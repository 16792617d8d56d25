//! Two instances whose clocks are apart, by Debian's `faketime`.

use anyhow::Result;
use vestibule_outside::{AppBuilder, tools};

use crate::town::{Lives, Town, Upstreams};

/// One of the two has a clock that is wrong by so many seconds.
async fn town(wrong: usize, seconds: i64, lives: Lives, upstreams: Upstreams) -> Result<Town> {
    let library = tools::faketime()?.to_string_lossy().into_owned();
    let change = |number, app: AppBuilder| match number == wrong {
        // What measures time without telling the time is left alone: a clock that is wrong runs no faster.
        true => app
            .variable("LD_PRELOAD", &library)
            .variable("FAKETIME", format!("{seconds:+}s"))
            .variable("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        false => app,
    };
    Town::start_with(lives, upstreams, change).await
}

/// That the library works is shown by what the application says itself.
async fn assert_apart(town: &Town, login: &str, apart: i64) -> Result<()> {
    let visitor = town.signed_in(login).await?;
    let mut told = Vec::new();
    for app in [0, 1] {
        let seen = town.data_of(app, &visitor).await?;
        seen.assert_is(login);
        let data: serde_json::Value = serde_json::from_str(&seen.text)?;
        let now: jiff::Timestamp = data["now"].as_str().unwrap_or_default().parse()?;
        told.push(now.as_second());
    }
    let difference = told[1] - told[0];
    assert!((difference - apart).abs() <= 10, "{difference} seconds, and it should be {apart}");
    Ok(())
}

/// Within the minute that is allowed everywhere, all works: sign-ins that begin at one and end at the other, one refresh,
/// sign-out.
async fn half_a_minute(seconds: i64) -> Result<()> {
    let town = town(1, seconds, Lives::FIRST_SHORT, Upstreams::Both).await?;
    assert_apart(&town, "eve", seconds).await?;
    let mut people = Vec::new();
    for login in ["ada", "bob", "chloe", "dora"] {
        people.push((login, town.signed_in(login).await?));
    }
    for app in &town.apps {
        assert!(app.log().contains("signed in provider"), "each has finished some");
    }
    for (login, visitor) in &people {
        for seen in town.at_once(10, visitor).await? {
            seen.assert_is(login);
        }
    }
    Lives::FIRST_SHORT.pass().await;
    for (login, visitor) in &people {
        for seen in town.at_once(20, visitor).await? {
            seen.assert_is(login);
        }
    }
    let calls = town.relay.calls(crate::relay::Grant::Refresh);
    assert!(calls.iter().all(|call| call.status == Some(200)), "no token twice: {calls:?}");
    // An instance that is ahead takes what the other has just got for over; each session is refreshed once all the same.
    assert!((people.len()..=people.len() + 1).contains(&calls.len()), "{calls:?}");

    let (login, mut visitor) = people.remove(0);
    let copy = visitor.clone();
    town.data(&copy).await?.assert_is(login);
    visitor.follow_until(&town.at("/app/oauth2/sign_out"), &town.at("/")).await?;
    for app in [0, 1] {
        town.data_of(app, &copy).await?.assert_is_nobody();
    }
    for (login, visitor) in &people {
        town.data(visitor).await?.assert_is(login);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_34_an_instance_half_a_minute_ahead_works_with_the_other() -> Result<()> {
    half_a_minute(30).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_34_an_instance_half_a_minute_behind_works_with_the_other() -> Result<()> {
    half_a_minute(-30).await
}

/// A clock that is hours wrong can prove nobody's sign-in, and must not end anybody's session all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_34_an_instance_hours_wrong_signs_nobody_out() -> Result<()> {
    for wrong in [7_200, -7_200] {
        let town = town(1, wrong, Lives::FIRST_SHORT, Upstreams::FirstThenSecond).await?;
        assert_apart(&town, "eve", wrong).await?;
        let ada = town.signed_in("ada").await?;
        Lives::FIRST_SHORT.pass().await;
        for app in [1, 0, 1, 0] {
            for seen in [town.data_of(app, &ada).await?, town.data(&ada).await?] {
                seen.assert_is("ada");
            }
        }
        let calls = town.relay.calls(crate::relay::Grant::Refresh);
        assert!(calls.iter().all(|call| call.status == Some(200)), "no token twice: {calls:?}");
    }
    Ok(())
}
