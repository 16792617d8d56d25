//! Keycloak ends sessions, and hears of those that end here.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use vestibule_outside::{Browser, Framework, Realm, ports};

use crate::pair::{PREFIX, Pair, origin};

/// A client of an application at `origin`, which is told of logouts with `more` attributes.
fn client_at(origin: &str, more: &[(&str, String)]) -> impl FnOnce(&mut Value) + use<> {
    let mut attributes = json!({ "post.logout.redirect.uris": format!("{origin}{PREFIX}/sign_out") });
    for (name, value) in more {
        attributes[*name] = json!(value);
    }
    let callback = format!("{origin}{PREFIX}/callback");
    move |client| {
        client["redirectUris"] = json!([callback]);
        client["attributes"] = attributes;
    }
}

/// What makes Keycloak send tokens to the instance at `port`.
fn by_token(port: u16, with_sid: bool) -> [(&'static str, String); 2] {
    [
        ("backchannel.logout.url", format!("http://127.0.0.1:{port}{PREFIX}/backchannel_logout")),
        ("backchannel.logout.session.required", with_sid.to_string()),
    ]
}

async fn signed_in(pair: &Pair, browser: &Browser, person: &str) -> Result<String> {
    pair.signed_in(browser, async |browser| Realm::answer_page(browser, person).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn lo_08_lo_16_an_administrator_ends_one_session_and_both_instances_know_at_once() -> Result<()> {
    let port = ports::reserve()?;
    let client = client_at(&origin(port), &by_token(port, true));
    let realm = Realm::start("one-session", &["ada"], client).await?;
    let pair = Pair::start(Framework::Axum, port, &realm.issuer(), |app| app).await?;
    let (desk, phone) = (Browser::start().await?, Browser::start().await?);
    let at_the_desk = signed_in(&pair, &desk, "ada").await?;
    let on_the_phone = signed_in(&pair, &phone, "ada").await?;

    let sessions = realm.sessions("ada").await?;
    ensure!(sessions.len() == 2, "{sessions:?}");
    realm.end(&sessions[0]).await.with_context(|| realm.log())?;
    // Keycloak has made its call by then, and waited for the answer.
    pair.assert_known(&at_the_desk, false).await?;
    pair.assert_known(&on_the_phone, true).await?;
    realm.end(&sessions[1]).await?;
    pair.assert_known(&on_the_phone, false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn lo_09_an_administrator_signs_a_person_out_everywhere_and_nobody_else() -> Result<()> {
    let port = ports::reserve()?;
    // Without the name of a session the token is about the account.
    let client = client_at(&origin(port), &by_token(port, false));
    let realm = Realm::start("everywhere", &["ada", "bob"], client).await?;
    let pair = Pair::start(Framework::Actix, port, &realm.issuer(), |app| app).await?;
    let (desk, phone, bobs) = (Browser::start().await?, Browser::start().await?, Browser::start().await?);
    let at_the_desk = signed_in(&pair, &desk, "ada").await?;
    let on_the_phone = signed_in(&pair, &phone, "ada").await?;
    let bob = signed_in(&pair, &bobs, "bob").await?;

    // One session ends there, and the one token that comes of it is about all of them.
    realm.end(&realm.sessions("ada").await?[0]).await?;
    pair.assert_known(&at_the_desk, false).await?;
    pair.assert_known(&on_the_phone, false).await?;
    pair.assert_known(&bob, true).await?;
    realm.sign_out("bob").await?;
    pair.assert_known(&bob, false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn lo_03_signing_out_ends_keycloak_s_session_too_even_with_a_hint_that_has_expired() -> Result<()> {
    let port = ports::reserve()?;
    let client = client_at(&origin(port), &[("access.token.lifespan", "2".to_owned())]);
    let realm = Realm::start("rp-initiated", &["ada"], client).await?;
    // Nothing is refreshed, so that the ID token gets old.
    let options = |app: vestibule_outside::AppBuilder| {
        app.option("COOKIE_REFRESH", "0").variable("VESTIBULE_SIGN_OUT_AT_PROVIDER", "true")
    };
    let pair = Pair::start(Framework::Actix, port, &realm.issuer(), options).await?;
    let browser = Browser::start().await?;
    let cookies = signed_in(&pair, &browser, "ada").await?;
    ensure!(realm.sessions("ada").await?.len() == 1);
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;

    // Keycloak asks nothing, since the hint says who asks, and leads back.
    pair.sign_out(&browser).await?;
    browser.wait_for_url_where("the way back", |now| now.as_str().starts_with(&pair.origin)).await?;
    browser.wait_for_text("Signed out").await?;
    pair.assert_known(&cookies, false).await?;
    ensure!(realm.sessions("ada").await?.is_empty(), "Keycloak's own session is over");
    // And so it asks who that is.
    signed_in(&pair, &browser, "ada").await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn lo_18_keycloak_s_frame_ends_the_session_in_a_real_browser() -> Result<()> {
    let port = ports::reserve()?;
    let frame = format!("{}{PREFIX}/frontchannel_logout", origin(port));
    let attributes =
        [("frontchannel.logout.url", frame), ("frontchannel.logout.session.required", "true".to_owned())];
    let client = client_at(&origin(port), &attributes);
    let realm = Realm::start("front-channel", &["ada"], |json| {
        client(json);
        json["frontchannelLogout"] = json!(true);
    });
    let realm = realm.await?;
    let pair = Pair::start(Framework::Axum, port, &realm.issuer(), |app| app).await?;
    let (desk, phone) = (Browser::start().await?, Browser::start().await?);
    let at_the_desk = signed_in(&pair, &desk, "ada").await?;
    let on_the_phone = signed_in(&pair, &phone, "ada").await?;

    // The person signs out at Keycloak, whose page shows the application in a frame.
    desk.goto(&format!("{}/protocol/openid-connect/logout", realm.issuer())).await?;
    desk.click("#kc-logout").await?;
    wait_until_unknown(&pair, &at_the_desk).await?;
    pair.assert_known(&on_the_phone, true).await
}

/// A frame is loaded when the browser comes to it.
async fn wait_until_unknown(pair: &Pair, cookies: &str) -> Result<()> {
    let end = std::time::Instant::now() + vestibule_outside::PATIENCE;
    while let Err(error) = pair.assert_known(cookies, false).await {
        ensure!(std::time::Instant::now() < end, "{error:#}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    Ok(())
}
