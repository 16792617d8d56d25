//! Signing out, here and everywhere: what was copied before is dead at every instance.

use std::time::Duration;

use anyhow::Result;
use reqwest::{Method, header::COOKIE};
use serde_json::Value;
use vestibule_outside::Visitor;

use crate::town::{Lives, Town};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ck_14_a_copied_cookie_is_dead_at_axum_and_actix_after_a_sign_out() -> Result<()> {
    let town = Town::start(Lives::LONG).await?;
    let mut ada = town.signed_in("ada").await?;
    let elsewhere = town.signed_in("ada").await?;
    let copy = ada.clone();
    for app in [0, 1] {
        town.data_of(app, &copy).await?.assert_is("ada");
    }
    ada.follow_until(&town.at("/app/oauth2/sign_out"), &town.at("/")).await?;
    for app in [0, 1, 0, 1] {
        town.data_of(app, &copy).await?.assert_is_nobody();
        assert_eq!(town.auth_of(app, &copy).await?.status, 401);
    }
    town.data(&ada).await?.assert_is_nobody();
    town.data(&elsewhere).await?.assert_is("ada");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lo_21_a_person_sees_their_sessions_and_ends_all_of_them_from_any() -> Result<()> {
    let town = Town::start(Lives::LONG).await?;
    let mut adas = Vec::new();
    for _ in 0..3 {
        adas.push(town.signed_in("ada").await?);
    }
    let bob = town.signed_in("bob").await?;
    for app in [0, 1] {
        let listed = ask(&town, app, Method::GET, &adas[1]).await?;
        let listed = listed.as_array().map_or(&[][..], Vec::as_slice);
        assert_eq!(listed.len(), 3, "{listed:?}");
        let own: Vec<_> = listed.iter().filter(|one| one["is_this"] == true).collect();
        assert_eq!(own.len(), 1, "{listed:?}");
    }
    assert_eq!(ask(&town, 1, Method::DELETE, &adas[0]).await?["ended"], 3);
    for app in [0, 1] {
        for ada in &adas {
            town.data_of(app, ada).await?.assert_is_nobody();
        }
        town.data_of(app, &bob).await?.assert_is("bob");
    }
    // That was about the sessions, not about the person; of a sign-in in the same second nobody knows which was first.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let again = town.signed_in("ada").await?;
    town.data(&again).await?.assert_is("ada");
    assert_eq!(ask(&town, 0, Method::GET, &again).await?.as_array().map(Vec::len), Some(1));
    Ok(())
}

/// What the example says to whoever asks about their sessions.
async fn ask(town: &Town, app: usize, method: Method, visitor: &Visitor) -> Result<Value> {
    let address = town.at_app(app, "/app/api/sessions");
    let request = reqwest::Client::new().request(method, address).header(COOKIE, visitor.cookie_header());
    let answer = request.header("sec-fetch-mode", "cors").send().await?.error_for_status()?;
    Ok(serde_json::from_str(&answer.text().await?)?)
}
