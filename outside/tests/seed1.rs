//! The first original system, as a person meets it: real nginx with the system's own file, a real
//! browser, each of three providers, and the application on each of two frameworks.

use anyhow::Result;
use serde_json::Value;
use vestibule_outside::{Browser, Framework, Idp, PATIENCE, Seed1};

/// Whatever needs percent-encoding or looks like another address must come back as it went.
const DEEP: &str = "/reports/2026/spring?year=2026&q=a%26b%20c&next=https%3A%2F%2Felsewhere.example%2F";

macro_rules! told {
    ($($test:ident $framework:ident $provider:ident: $($story:ident)*;)*) => {
        $(mod $test {
            use super::{Framework, Idp, Result};

            $(#[tokio::test]
            async fn $story() -> Result<()> {
                super::$story(Framework::$framework, Idp::$provider).await
            })*
        })*
    };
}

told! {
    axum_oidc_provider Axum oidc_provider:
        a_deep_link_leads_there_and_its_data_is_shown
        two_tabs_each_end_on_their_own_page
        a_session_ends_by_itself_and_by_hand;
    axum_github Axum github:
        a_deep_link_leads_there_and_its_data_is_shown
        two_tabs_each_end_on_their_own_page
        a_session_ends_by_itself_and_by_hand;
    axum_dev_provider Axum dev:
        a_deep_link_leads_there_and_its_data_is_shown
        two_tabs_each_end_on_their_own_page
        a_session_ends_by_itself_and_by_hand
        the_pages_own_logout_address_signs_out_and_without_a_session_ends_on_the_front_page
        a_person_who_cancels_reads_what_happened_and_can_begin_again;
    actix_oidc_provider Actix oidc_provider:
        a_deep_link_leads_there_and_its_data_is_shown
        two_tabs_each_end_on_their_own_page
        a_session_ends_by_itself_and_by_hand;
    actix_github Actix github:
        a_deep_link_leads_there_and_its_data_is_shown
        two_tabs_each_end_on_their_own_page
        a_session_ends_by_itself_and_by_hand;
    actix_dev_provider Actix dev:
        a_deep_link_leads_there_and_its_data_is_shown
        two_tabs_each_end_on_their_own_page
        a_session_ends_by_itself_and_by_hand
        the_pages_own_logout_address_signs_out_and_without_a_session_ends_on_the_front_page
        a_person_who_cancels_reads_what_happened_and_can_begin_again;
}

async fn a_deep_link_leads_there_and_its_data_is_shown(
    framework: Framework,
    provider: impl AsyncFnOnce(&str) -> Result<Idp>,
) -> Result<()> {
    let system = Seed1::start_on(framework, provider).await?;
    let browser = Browser::start().await?;
    assert_eq!(system.auth_status(&browser).await?, 401);

    browser.goto(&system.at(DEEP)).await?;
    system.idp.wait_for_page(&browser).await?;
    system.idp.answer(&browser, &system.origin).await?;
    browser.wait_for_url(&system.at(DEEP)).await?;
    assert_eq!(system.auth_status(&browser).await?, 202);

    browser.goto(&system.at("/")).await?;
    assert_data_is_shown(&system, &browser).await?;
    assert_nothing_secret_is_logged(&system);
    Ok(())
}

/// Begun one after the other, finished in reverse; between them a page's own request is answered 401.
async fn two_tabs_each_end_on_their_own_page(
    framework: Framework,
    provider: impl AsyncFnOnce(&str) -> Result<Idp>,
) -> Result<()> {
    let system = Seed1::start_on(framework, provider).await?;
    let browser = Browser::start().await?;
    let mut tabs = Vec::new();
    for path in ["/first?tab=1", "/second?tab=2"] {
        tabs.push((browser.new_tab().await?, path));
        browser.goto(&system.at(path)).await?;
        system.idp.wait_for_page(&browser).await?;
    }

    // The original system remembered one address, and this request's would have replaced it.
    browser.new_tab().await?;
    browser.goto(&system.at("/app/api/no_auth")).await?;
    let kind = "return (await fetch('/app/api/userinfo', { redirect: 'manual' })).type";
    assert_eq!(browser.run(kind).await?, "opaqueredirect");

    for (tab, path) in tabs.into_iter().rev() {
        browser.look_at(tab).await?;
        system.idp.answer(&browser, &system.origin).await?;
        browser.wait_for_url(&system.at(path)).await?;
    }
    Ok(())
}

/// Sign-in, data, expiry, and the page's own way to a new session; then sign-out.
async fn a_session_ends_by_itself_and_by_hand(
    framework: Framework,
    provider: impl AsyncFnOnce(&str) -> Result<Idp>,
) -> Result<()> {
    let system = Seed1::start_on_with(framework, provider, &[("COOKIE_EXPIRE", "12s")]).await?;
    let browser = Browser::start().await?;
    system.visit(&browser, "/").await?;
    assert_data_is_shown(&system, &browser).await?;

    wait_for_expiry(&system, &browser).await?;
    // The button finds the session ended and goes to /app/oauth/logout. That needs a session as
    // well, so it leads through a sign-in, and must not be where that ends.
    browser.click("#close").await?;
    browser.mark_page().await?;
    browser.click("#load-data").await?;
    browser.wait_for_unmarked_page().await?;
    system.idp.answer(&browser, &system.origin).await?;
    browser.wait_for_url(&system.at("/")).await?;
    assert_data_is_shown(&system, &browser).await?;

    browser.click("#close").await?;
    browser.click("#sign-out").await?;
    assert_signed_out(&system, &browser).await
}

async fn the_pages_own_logout_address_signs_out_and_without_a_session_ends_on_the_front_page(
    framework: Framework,
    provider: impl AsyncFnOnce(&str) -> Result<Idp>,
) -> Result<()> {
    let system = Seed1::start_on(framework, provider).await?;
    let browser = Browser::start().await?;
    system.visit(&browser, "/app/oauth/logout").await?;
    browser.wait_for_url(&system.at("/")).await?;
    assert_eq!(system.auth_status(&browser).await?, 202);

    browser.run("location.href = '/app/oauth/logout'").await?;
    assert_signed_out(&system, &browser).await
}

async fn a_person_who_cancels_reads_what_happened_and_can_begin_again(
    framework: Framework,
    provider: impl AsyncFnOnce(&str) -> Result<Idp>,
) -> Result<()> {
    let system = Seed1::start_on(framework, provider).await?;
    let browser = Browser::start().await?;
    browser.goto(&system.at("/")).await?;
    browser.click("button[name=cancel]").await?;
    browser.wait_for_url_where("a page of ours", |now| now.as_str().starts_with(&system.origin)).await?;
    assert!(!browser.text("h1").await?.is_empty());
    assert_eq!(system.auth_status(&browser).await?, 401);
    system.visit(&browser, DEEP).await?;
    browser.wait_for_url(&system.at(DEEP)).await
}

async fn assert_data_is_shown(system: &Seed1, browser: &Browser) -> Result<()> {
    browser.click("#load-data").await?;
    let data: Value = serde_json::from_str(&browser.text("#backend-data").await?)?;
    assert_eq!(data["session"]["email"], system.idp.email(), "{data}");
    assert!(data["now"].is_string(), "{data}");
    Ok(())
}

async fn wait_for_expiry(system: &Seed1, browser: &Browser) -> Result<()> {
    let end = std::time::Instant::now() + PATIENCE;
    while system.auth_status(browser).await? == 202 {
        assert!(std::time::Instant::now() < end, "the session has outlived COOKIE_EXPIRE");
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    Ok(())
}

/// Wherever signing out leads, it ends the session and signs nobody in again.
async fn assert_signed_out(system: &Seed1, browser: &Browser) -> Result<()> {
    let end = std::time::Instant::now() + PATIENCE;
    while system.auth_status(browser).await? == 202 {
        assert!(std::time::Instant::now() < end, "the session has outlived the sign-out");
        // A provider may want to hear from the person whether to sign out there as well.
        if browser.has("button[name=logout]").await? {
            browser.click("button[name=logout]").await?;
        }
    }
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(system.auth_status(browser).await?, 401, "signing out has led to a new session");
    Ok(())
}

fn assert_nothing_secret_is_logged(system: &Seed1) {
    let log = system.app.log();
    assert!(!log.contains(vestibule_outside::client::SECRET), "{log}");
    assert!(!log.contains(vestibule_outside::COOKIE_SECRET), "{log}");
}
