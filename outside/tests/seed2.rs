//! The second original system, as a person meets it: real Streamlit behind real nginx with the system's own file, and
//! `vestibule` in oauth2-proxy's place, with an oauth2-proxy environment file.

use anyhow::Result;
use reqwest::header::ACCEPT;
use sha2::{Digest as _, Sha256};
use vestibule_outside::{Browser, Idp, Seed2, location};

/// Of the block in that system's description, from `upstream app` to the last brace, with one line end.
const ORIGINAL: &str = "7a1207bc4aa37c8dcce2de86fc7e59645e5eaf6f4f7bb7dfa1eec1d9aa42d46e";

/// Whether Streamlit has drawn a chart that a person can see.
const CHART: &str = "const chart = document.querySelector('[data-testid=stVegaLiteChart] :is(canvas, svg)'); \
                     return chart !== null && 200 < chart.clientWidth && 100 < chart.clientHeight";

#[test]
fn the_nginx_file_is_the_original_to_the_letter() {
    let ours = include_bytes!("../../examples/streamlit-nginx/nginx.conf");
    let hash: String = Sha256::digest(ours).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hash, ORIGINAL,
        "nginx.conf is not the original any more: tests replace upstream and listen values only"
    );
}

#[tokio::test]
async fn github_signs_in_and_a_chart_is_drawn() -> Result<()> {
    signs_in_and_a_chart_is_drawn(Idp::github).await
}

#[tokio::test]
async fn oidc_provider_signs_in_and_a_chart_is_drawn() -> Result<()> {
    signs_in_and_a_chart_is_drawn(Idp::oidc_provider).await
}

#[tokio::test]
async fn dev_provider_signs_in_and_a_chart_is_drawn() -> Result<()> {
    signs_in_and_a_chart_is_drawn(Idp::dev).await
}

/// Everything that Streamlit shows has come over its WebSocket.
async fn signs_in_and_a_chart_is_drawn(provider: impl AsyncFnOnce(&str) -> Result<Idp>) -> Result<()> {
    let system = Seed2::start(provider).await?;
    let browser = Browser::start().await?;
    browser.goto(&system.at("/")).await?;
    system.idp.wait_for_page(&browser).await?;
    system.idp.answer(&browser, &system.origin).await?;
    browser.wait_for_url(&system.at("/")).await?;
    assert_eq!(browser.text("h1").await?, "Figures");

    // A press goes to the application and its answer comes back.
    browser.click("[data-testid=stButton] button").await?;
    browser.wait_for_text("Counted to 1.").await?;

    browser.click("[data-testid=stSidebarNavLink][href$=chart]").await?;
    browser.wait_for_url(&system.at("/chart")).await?;
    browser.wait_for_text("A hundred numbers").await?;
    browser.wait_until("a chart", CHART).await?;

    let log = system.gateway.log();
    assert!(!log.contains(vestibule_outside::client::SECRET), "{log}");
    assert!(!log.contains(vestibule_outside::COOKIE_SECRET), "{log}");
    Ok(())
}

/// The system's own file answers every refusal with a redirect, a WebSocket's too; what counts is that it opens none.
#[tokio::test]
async fn gw_10_the_web_socket_opens_with_a_session_only() -> Result<()> {
    let system = Seed2::start(Idp::dev).await?;
    for cookies in ["", "vestibule=forged", "vestibule="] {
        let refused = system.web_socket(cookies).await?;
        assert_eq!(refused.status, 302, "{}", refused.head);
        assert_eq!(refused.header("location"), Some(&*system.at("/oauth2/sign_in")), "{}", refused.head);
        assert_eq!(refused.header("upgrade"), None, "{}", refused.head);
    }
    assert_eq!(asked_for_a_web_socket(&system, "").await?, 401);

    let browser = Browser::start().await?;
    browser.goto(&system.at("/")).await?;
    system.idp.answer(&browser, &system.origin).await?;
    let cookies = system.cookies(&browser).await?;
    let opened = system.web_socket(&cookies).await?;
    assert_eq!(opened.status, 101, "{}", opened.head);
    assert_eq!(asked_for_a_web_socket(&system, &cookies).await?, 202);

    browser.goto(&system.at("/oauth2/sign_out")).await?;
    let refused = system.web_socket(&system.cookies(&browser).await?).await?;
    assert_eq!(refused.status, 302, "{}", refused.head);
    Ok(())
}

/// What the gateway itself answers for the handshake. nginx strips `Upgrade` from what it asks, and not this key.
async fn asked_for_a_web_socket(system: &Seed2, cookies: &str) -> Result<u16> {
    let address = format!("http://127.0.0.1:{}/oauth2/auth", system.gateway.port());
    let request = reqwest::Client::new().get(address).header("sec-websocket-key", "c2l4dGVlbiBieXRlcyBvaw==");
    Ok(request.header("cookie", cookies).send().await?.status().as_u16())
}

#[tokio::test]
async fn a_visitor_without_a_session_sees_nothing_of_the_application() -> Result<()> {
    let system = Seed2::start(Idp::dev).await?;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    for path in ["/", "/chart", "/_stcore/health", "/_stcore/host-config", "/static/js/index.js"] {
        let answer = client.get(system.at(path)).header(ACCEPT, "text/html").send().await?;
        assert_eq!(answer.status(), 302, "{path}");
        assert_eq!(location(&answer)?, system.at("/oauth2/sign_in"), "{path}");
    }
    let log = system.streamlit.log();
    assert!(!log.contains("/_stcore"), "{log}");
    Ok(())
}
