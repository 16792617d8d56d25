//! Providers on bad days: slow, silent, or talking garbage. Each sign-in ends on a page of ours that says what to do, and
//! from there, once the provider is well again, in the right person's session on the page that was asked for.

use std::time::Duration;

use anyhow::Result;
use vestibule_dev_provider::{Behaviour, Endpoint};
use vestibule_outside::{Browser, Idp, Seed1};

const DEEP: &str = "/reports/2026?year=2026&q=a%26b";

/// Answers that are over at once, and the code of the page that each leads to.
fn garbage() -> Vec<(&'static str, Behaviour, &'static str)> {
    vec![
        ("an error", Behaviour::answer(500, "no"), "provider_unreachable"),
        ("a page", Behaviour::answer(200, "<!doctype html><h1>Welcome</h1>"), "provider_answer_invalid"),
        ("nothing", Behaviour::answer(200, ""), "provider_answer_invalid"),
        ("no HTTP", Behaviour::Raw(b"\x16\x03\x01 hello\r\n\r\n".to_vec()), "provider_unreachable"),
        ("no bytes", Behaviour::Raw(Vec::new()), "provider_unreachable"),
        ("a reset", Behaviour::Reset, "provider_unreachable"),
        ("half an answer", Behaviour::CloseAfter(10), "provider_unreachable"),
        ("no end", Behaviour::Endless, "provider_answer_invalid"),
        ("gzip", Behaviour::Gzip, "provider_answer_invalid"),
        (
            "somewhere else",
            Behaviour::Redirect { status: 307, to: "http://127.0.0.1:1/".into() },
            "provider_answer_invalid",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_from_the_token_endpoint_ends_on_a_page_and_the_page_leads_back() -> Result<()> {
    garbage_ends_on_a_page_and_the_page_leads_back(Endpoint::Token).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_from_userinfo_ends_on_a_page_and_the_page_leads_back() -> Result<()> {
    garbage_ends_on_a_page_and_the_page_leads_back(Endpoint::Userinfo).await
}

/// One browser meets one after the other, each by the button of the page before.
async fn garbage_ends_on_a_page_and_the_page_leads_back(endpoint: Endpoint) -> Result<()> {
    let system = Seed1::start(Idp::dev).await?;
    let provider = system.dev()?;
    let browser = Browser::start().await?;
    browser.goto(&system.at(DEEP)).await?;
    for (round, (what, behaviour, code)) in garbage().into_iter().enumerate() {
        provider.fail_next(endpoint, behaviour);
        system.choose(&browser, "alice").await?;
        system.assert_page(&browser, code).await.map_err(|error| error.context(what))?;
        assert_eq!(provider.requests_to(endpoint).len(), round + 1, "{what} is not asked for again");
        assert_eq!(system.who(&browser).await?, None, "{what}");
        browser.click(".act").await?;
    }
    system.choose(&browser, "alice").await?;
    assert_alice_is_at(&system, &browser, DEEP).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_whose_documents_are_garbage_is_a_page_and_is_asked_again_on_the_next_visit() -> Result<()>
{
    let browser = Browser::start().await?;
    for endpoint in [Endpoint::Metadata, Endpoint::Keys] {
        let some = garbage().into_iter().filter(|(what, ..)| ["a page", "no HTTP", "no end"].contains(what));
        for (what, behaviour, code) in some {
            // What was fetched once is kept for an hour, so each case has an application of its own.
            let system = Seed1::start(Idp::dev).await?;
            let provider = system.dev()?;
            browser.devtools("Storage.clearCookies", serde_json::json!({})).await?;
            provider.lie(vestibule_dev_provider::Lie::At(endpoint, behaviour));
            browser.goto(&system.at(DEEP)).await?;
            if endpoint == Endpoint::Keys {
                system.choose(&browser, "alice").await?;
            }
            let context = format!("{what} from {endpoint:?}");
            system.assert_page(&browser, code).await.map_err(|error| error.context(context.clone()))?;
            assert_eq!(system.who(&browser).await?, None, "{context}");

            provider.honest();
            pause().await;
            browser.click(".act").await?;
            system.choose(&browser, "alice").await?;
            assert_alice_is_at(&system, &browser, DEEP).await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_provider_is_waited_for() -> Result<()> {
    let system = Seed1::start(Idp::dev).await?;
    let provider = system.dev()?;
    for endpoint in [Endpoint::Metadata, Endpoint::Keys, Endpoint::Token, Endpoint::Userinfo] {
        provider.fail_next(endpoint, Behaviour::Delay(Duration::from_secs(1)));
    }
    let browser = Browser::start().await?;
    browser.goto(&system.at(DEEP)).await?;
    system.choose(&browser, "alice").await?;
    assert_alice_is_at(&system, &browser, DEEP).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_token_endpoint_ends_on_a_page_and_the_page_leads_back() -> Result<()> {
    a_provider_that_never_ends_is_given_up(Endpoint::Token, Behaviour::Silence).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dripping_token_endpoint_ends_on_a_page_and_the_page_leads_back() -> Result<()> {
    a_provider_that_never_ends_is_given_up(Endpoint::Token, Behaviour::Drip(Duration::from_secs(1))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_metadata_end_on_a_page_and_the_page_leads_back() -> Result<()> {
    a_provider_that_never_ends_is_given_up(Endpoint::Metadata, Behaviour::Silence).await
}

async fn a_provider_that_never_ends_is_given_up(endpoint: Endpoint, behaviour: Behaviour) -> Result<()> {
    let system = Seed1::start(Idp::dev).await?;
    let provider = system.dev()?;
    let browser = Browser::start().await?;
    provider.fail_next(endpoint, behaviour);
    browser.goto(&system.at(DEEP)).await?;
    if endpoint == Endpoint::Token {
        system.choose(&browser, "alice").await?;
    }
    system.assert_page(&browser, "provider_unreachable").await?;
    assert_eq!(provider.requests_to(endpoint).len(), 1);
    pause().await;
    browser.click(".act").await?;
    system.choose(&browser, "alice").await?;
    assert_alice_is_at(&system, &browser, DEEP).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_provider_is_away_whoever_is_signed_in_stays() -> Result<()> {
    let system = Seed1::start(Idp::dev).await?;
    let (inside, outside) = (Browser::start().await?, Browser::start().await?);
    system.visit(&inside, "/").await?;
    outside.goto(&system.at(DEEP)).await?;
    system.idp.wait_for_page(&outside).await?;
    // The page's own button would not work without its server, so the answer is made beforehand.
    let provider = system.dev()?;
    provider.sign_in_as(Some("chloe"));
    let asked = outside.url().await?;
    let callback = vestibule_outside::Visitor::new(&system.origin)?
        .follow_until(asked.as_str(), &system.at("/app/oauth2/callback"))
        .await?;
    provider.stop().await;
    outside.goto(callback.as_str()).await?;
    system.assert_page(&outside, "provider_unreachable").await?;
    assert_eq!(system.who(&inside).await?.as_deref(), Some("alice@example.com"));

    provider.reopen().await?;
    outside.click(".act").await?;
    outside.wait_for_url(&system.at(DEEP)).await?;
    assert_eq!(system.who(&outside).await?.as_deref(), Some("chloe@example.org"));
    Ok(())
}

/// A person reads the page first: for so long a document that could not be fetched is not asked for again.
async fn pause() {
    tokio::time::sleep(vestibule::limits::DOCUMENT_FAILURE_PAUSE).await;
}

async fn assert_alice_is_at(system: &Seed1, browser: &Browser, path: &str) -> Result<()> {
    browser.wait_for_url(&system.at(path)).await?;
    assert_eq!(system.who(browser).await?.as_deref(), Some("alice@example.com"));
    Ok(())
}
