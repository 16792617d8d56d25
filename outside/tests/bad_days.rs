//! What browsers, and the people before them, do to a sign-in: each ends in a session that is the right person's, or on
//! a page that says what to do. By real nginx, a real browser, and the development provider.

use anyhow::{Context, Result};
use url::Url;
use vestibule_dev_provider::{Behaviour, Endpoint, Running, Secret};
use vestibule_outside::{Browser, Idp, Seed1, Setting, Visitor};

const DEEP: &str = "/reports/2026?year=2026&q=a%26b";
const ALICE: &str = "alice@example.com";
const CHLOE: &str = "chloe@example.org";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_14_back_onto_a_callback_that_was_answered_just_goes_on() -> Result<()> {
    let system = Seed1::start(Idp::dev).await?;
    let browser = Browser::start().await?;
    system.visit(&browser, DEEP).await?;
    browser.wait_for_url(&system.at(DEEP)).await?;
    let (callback, asked) = (callback(&system)?, system.dev()?.requests().len());

    browser.goto(callback.as_str()).await?;
    browser.wait_for_url(&system.at("/")).await?;
    assert_eq!(system.dev()?.requests().len(), asked, "nobody was asked anything");
    assert_eq!(system.who(&browser).await?.as_deref(), Some(ALICE));

    // Back by the buttons leads to the provider's page, which sends another code for the same attempt.
    browser.back().await?;
    browser.back().await?;
    system.idp.wait_for_page(&browser).await?;
    system.choose(&browser, "chloe").await?;
    browser.wait_for_url(&system.at("/")).await?;
    assert_eq!(tokens(system.dev()?), 1, "an attempt is answered once");
    assert_eq!(system.who(&browser).await?.as_deref(), Some(ALICE), "and the session stays whose it was");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_ended_on_a_page_can_be_loaded_again_and_again() -> Result<()> {
    let system = Seed1::start(Idp::dev).await?;
    let browser = Browser::start().await?;
    system.dev()?.fail_next(Endpoint::Token, Behaviour::Status(500));
    browser.goto(&system.at(DEEP)).await?;
    system.choose(&browser, "alice").await?;
    system.assert_page(&browser, "provider_unreachable").await?;
    for _ in 0..2 {
        browser.mark_page().await?;
        browser.reload().await?;
        browser.wait_for_unmarked_page().await?;
        system.assert_page(&browser, "attempt_missing").await?;
        assert_eq!(browser.url().await?.path(), "/app/oauth2/callback");
    }
    assert_eq!(tokens(system.dev()?), 1, "a code is sent once, whatever came of it");
    assert_eq!(system.who(&browser).await?, None);

    browser.click(".act").await?;
    system.idp.answer(&browser, &system.origin).await?;
    browser.wait_for_url(&system.at("/")).await?;
    assert_eq!(system.who(&browser).await?.as_deref(), Some(ALICE));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_11_five_tabs_finish_in_any_order_each_on_its_own_page() -> Result<()> {
    let system = Seed1::start(Idp::dev).await?;
    for order in [[4, 3, 2, 1, 0], [2, 0, 4, 1, 3]] {
        let browser = Browser::start().await?;
        let mut tabs = Vec::new();
        for number in 0..5 {
            let page = system.at(&format!("/tab/{number}?q={number}%26"));
            tabs.push((browser.new_tab().await?, page.clone()));
            browser.goto(&page).await?;
            system.idp.wait_for_page(&browser).await?;
        }
        let [.., last] = order;
        for number in order {
            let (tab, page) = &tabs[number];
            browser.look_at(tab.clone()).await?;
            system.choose(&browser, if number == last { "chloe" } else { "alice" }).await?;
            browser.wait_for_url(page).await?;
            let expected = if number == last { CHLOE } else { ALICE };
            assert_eq!(system.who(&browser).await?.as_deref(), Some(expected), "{order:?} {number}");
        }
        let names: Vec<_> = browser.all_cookies().await?.into_iter().map(|cookie| cookie.name).collect();
        assert_eq!(names.iter().filter(|name| *name == "vestibule").count(), 1, "one session: {names:?}");
        assert!(!names.iter().any(|name| name.contains("_try_")), "no attempt is left: {names:?}");
    }
    assert_eq!(tokens(system.dev()?), 10);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_40_without_cookies_a_visit_ends_on_a_page_and_never_goes_round() -> Result<()> {
    let system = Seed1::start(Idp::dev).await?;
    // A provider that knows the person asks nothing: only we can end the circle.
    system.dev()?.sign_in_as(Some("alice"));
    let browser = Browser::start_with(&[Setting::NoCookies]).await?;
    browser.goto(&system.at(DEEP)).await?;
    system.assert_page(&browser, "attempt_missing").await?;
    assert!(browser.text("main").await?.contains("cookies"), "it says what is missing");
    assert_eq!(authorizations(system.dev()?), 1);
    for again in 2..=6 {
        browser.mark_page().await?;
        browser.click(".act").await?;
        browser.wait_for_unmarked_page().await?;
        system.assert_page(&browser, "attempt_missing").await?;
        assert_eq!(authorizations(system.dev()?), again, "one round for each press of the button");
    }
    assert_eq!(tokens(system.dev()?), 0, "no code is sent for a browser that cannot prove that it began");
    assert!(browser.all_cookies().await?.is_empty(), "the browser keeps none, or this shows nothing");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_40_a_session_cookie_that_is_lost_on_the_way_ends_on_a_page_that_names_it() -> Result<()> {
    // An administrator's slip: browsers refuse SameSite=None without Secure.
    let slip = |servers: String| {
        servers
            .replace("server_tokens off;", "server_tokens off;\nproxy_cookie_flags vestibule samesite=none;")
    };
    let system = Seed1::start_changed(Idp::dev, |app| app, slip).await?;
    system.dev()?.sign_in_as(Some("alice"));
    let browser = Browser::start().await?;
    browser.goto(&system.at(DEEP)).await?;
    system.assert_page(&browser, "session_cookie_lost").await?;
    assert!(browser.text("main").await?.contains("vestibule"), "the cookie is named");
    assert_eq!((authorizations(system.dev()?), tokens(system.dev()?)), (3, 3), "three rounds");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ck_22_a_cookie_bomb_ends_on_a_page_and_is_over_once_the_cookies_are_deleted() -> Result<()> {
    let system = Seed1::start(Idp::dev).await?;
    system.dev()?.sign_in_as(Some("alice"));
    let browser = Browser::start().await?;
    // nginx has a page of its own for this, so the application is visited past it.
    let direct = format!("http://localhost:{}/app/oauth2/sign_in", system.app.port());
    for number in 0..100 {
        browser.plant_cookie(&direct, &format!("bomb{number}"), &"x".repeat(200)).await?;
    }
    browser.goto(&direct).await?;
    assert_eq!(browser.text("small code").await?, "cookies_too_large");
    browser.click(".act").await?;
    assert_eq!(browser.text("small code").await?, "cookies_too_large", "still the same cookies");
    browser.devtools("Storage.clearCookies", serde_json::json!({})).await?;
    browser.click(".act").await?;
    browser.wait_for_url(&system.at("/")).await?;
    assert_eq!(system.who(&browser).await?.as_deref(), Some(ALICE));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tab_closed_in_the_middle_of_the_token_call_loses_nothing() -> Result<()> {
    let mut system = Seed1::start(Idp::dev).await?;
    let browser = Browser::start_with(&[Setting::Impatient]).await?;
    let other_tab = browser.tab().await?;
    browser.new_tab().await?;
    browser.goto(&system.at(DEEP)).await?;
    system.idp.wait_for_page(&browser).await?;
    let provider = system.dev()?.clone();
    provider.fail_next(Endpoint::Token, Behaviour::Delay(std::time::Duration::from_secs(4)));
    system.choose(&browser, "alice").await?;
    provider.arrival(Endpoint::Token, 1).await;
    browser.close_tab().await?;
    browser.look_at(other_tab).await?;
    assert!(!system.app.log().contains("signed in"), "the tab was closed too late for this to show anything");
    // nginx says 499 where the browser has left: that is what the application must survive.
    system.nginx.log_line_with(" 499 ").await?;
    assert!(!system.app.log().contains("signed in"));
    system.app.log_line_with("signed in").await?;

    browser.goto(&system.at(DEEP)).await?;
    system.idp.wait_for_page(&browser).await?;
    system.choose(&browser, "alice").await?;
    browser.wait_for_url(&system.at(DEEP)).await?;
    assert_eq!(system.who(&browser).await?.as_deref(), Some(ALICE));
    let codes: Vec<_> = provider
        .requests_to(Endpoint::Token)
        .iter()
        .map(|asked| asked.form("code").map(str::to_owned))
        .collect();
    assert_eq!(codes.len(), 2, "one call for each of the two sign-ins");
    assert_ne!(codes[0], codes[1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_13_twenty_copies_of_one_callback_make_one_token_call() -> Result<()> {
    let system = Seed1::start(Idp::dev).await?;
    let provider = system.dev()?;
    let browser = Browser::start().await?;
    browser.goto(&system.at(DEEP)).await?;
    system.idp.wait_for_page(&browser).await?;
    let cookies: Vec<_> = browser.all_cookies().await?;
    let cookies: Vec<_> = cookies.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();

    // Another client answers the provider's page, so that the browser's cookies stay as they are.
    provider.sign_in_as(Some("alice"));
    let callback = Visitor::new(&system.origin)?
        .follow_until(browser.url().await?.as_str(), &system.at("/app/oauth2/callback"))
        .await?;
    provider.lie(vestibule_dev_provider::Lie::At(
        Endpoint::Token,
        Behaviour::Delay(std::time::Duration::from_millis(700)),
    ));
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let copies: Vec<_> = (0..20)
        .map(|_| {
            let request = client.get(callback.clone()).header("accept", "text/html");
            tokio::spawn(request.header("cookie", cookies.join("; ")).send())
        })
        .collect();
    let mut sessions = Vec::new();
    for copy in copies {
        let answer = copy.await??;
        let status = answer.status().as_u16();
        assert!(status == 303 || status == 400, "{status}");
        let lines = answer.headers().get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
        let session = lines.filter_map(|line| line.strip_prefix("vestibule=")?.split(';').next());
        sessions.extend(session.map(str::to_owned));
    }
    assert_eq!(tokens(provider), 1);
    assert_eq!(provider.requests_to(Endpoint::Userinfo).len(), 1);
    sessions.sort();
    sessions.dedup();
    assert_eq!(sessions.len(), 1, "all copies got the same session");

    // The browser itself comes last. Its cookie is still there, the answer has gone to others.
    browser.goto(callback.as_str()).await?;
    system.assert_page(&browser, "attempt_already_answered").await?;
    browser.click(".act").await?;
    browser.wait_for_url(&system.at(DEEP)).await?;
    assert_eq!(system.who(&browser).await?.as_deref(), Some(ALICE));
    Ok(())
}

/// The address that the last sign-in came back to, code and all.
fn callback(system: &Seed1) -> Result<Url> {
    let provider = system.dev()?;
    let asked = provider.requests_to(Endpoint::Authorize);
    let state = asked.iter().find_map(|asked| asked.query("state")).context("somebody was sent there")?;
    let issued = provider.issued();
    let code = issued.iter().rev().find(|issued| issued.kind == Secret::Code).context("a code was issued")?;
    let mut url = Url::parse(&system.at("/app/oauth2/callback"))?;
    url.query_pairs_mut().extend_pairs([
        ("code", code.value.as_str()),
        ("state", state),
        ("iss", provider.issuer()),
    ]);
    Ok(url)
}

fn tokens(provider: &Running) -> usize {
    provider.requests_to(Endpoint::Token).len()
}

fn authorizations(provider: &Running) -> usize {
    provider.requests_to(Endpoint::Authorize).len()
}
