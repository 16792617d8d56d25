//! An instance is killed in the middle of something. nginx asks the other one.

use anyhow::{Context, Result};
use vestibule_outside::{Visited, Visitor};

use crate::{
    relay::{Grant, Way},
    town::{Lives, Town, Upstreams},
};

async fn town() -> Result<Town> {
    Town::start_with(Lives::FIRST_SHORT, Upstreams::FirstThenSecond, |_, app| app).await
}

/// The page is one of ours, says what to do, and what it offers leads to a session.
async fn goes_on_from(town: &Town, visited: &Visited, visitor: &mut Visitor, login: &str) -> Result<()> {
    let act = visited.text.split("class=\"act\"").nth(1).context("the page has something to press")?;
    assert!(act.contains("href=\"") || visited.text.contains("<form"), "{}", visited.text);
    assert!(visited.text.contains("<h1>"), "{}", visited.text);
    let callback = town.to_callback(visitor, login).await?;
    assert_eq!(visitor.navigate(callback.as_str()).await?.status(), 303);
    town.data(visitor).await?.assert_is(login);
    Ok(())
}

async fn killed_in_a_callback(way: Way) -> Result<()> {
    let mut town = town().await?;
    let (mut visitor, callback) = town.called_back("ada").await?;
    town.relay.lets(Grant::Code, way);
    let mut coming_back = visitor.clone();
    let answer = tokio::spawn(async move {
        let visited = coming_back.follow(callback.as_str()).await;
        anyhow::Ok((visited?, coming_back))
    });
    town.relay.comes_to(Grant::Code, 1).await?;
    town.relay.lets(Grant::Code, Way::On);
    // It dies as by SIGKILL: no destructor of its own runs.
    drop(town.apps.remove(0));
    let visited;
    (visited, visitor) = answer.await??;
    goes_on_from(&town, &visited, &mut visitor, "ada").await?;
    let codes = town.relay.calls(Grant::Code).len();
    assert_eq!(codes, 2, "the code of the first was sent once");
    Ok(())
}

async fn killed_in_a_refresh(way: Way) -> Result<()> {
    let mut town = town().await?;
    let ada = town.signed_in("ada").await?;
    Lives::FIRST_SHORT.pass().await;
    town.relay.lets(Grant::Refresh, way);
    let (http, address, visitor) = (town.http.clone(), town.at("/app/api/userinfo"), ada.clone());
    let answer = tokio::spawn(async move { crate::town::see(&http, &address, &visitor).await });
    town.relay.comes_to(Grant::Refresh, 1).await?;
    town.relay.lets(Grant::Refresh, Way::On);
    drop(town.apps.remove(0));
    answer.await??.assert_is("ada");
    tokio::time::sleep(vestibule::limits::REFRESH_TURN).await;
    for _ in 0..3 {
        town.data(&ada).await?.assert_is("ada");
    }
    assert_eq!(town.relay.refreshes(), 1, "nobody knows what became of it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_before_the_provider_knew_of_the_code_the_person_is_told_what_to_do() -> Result<()> {
    killed_in_a_callback(Way::Hangs).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_after_the_provider_took_the_code_the_person_is_told_what_to_do() -> Result<()> {
    killed_in_a_callback(Way::AnswerHangs).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_30_killed_before_the_provider_knew_of_a_refresh_the_person_stays() -> Result<()> {
    killed_in_a_refresh(Way::Hangs).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_30_killed_after_the_provider_rotated_the_token_it_is_not_sent_again() -> Result<()> {
    killed_in_a_refresh(Way::AnswerHangs).await
}
