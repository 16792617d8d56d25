//! `oidc-provider` ends sessions, hears of those that end here, and takes tokens back.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use vestibule_outside::{AppBuilder, Browser, Framework, OidcProvider, ports};

use crate::pair::{PREFIX, Pair, ask, origin, sign_out_at};

async fn started(
    framework: Framework,
    client: impl FnOnce(&mut Value, &str),
    options: impl Fn(AppBuilder) -> AppBuilder,
) -> Result<(OidcProvider, Pair)> {
    let port = ports::reserve()?;
    let origin = origin(port);
    let provider = OidcProvider::start_changed(&origin, |json| client(json, &origin)).await?;
    let pair = Pair::start(framework, port, &provider.issuer(), options).await?;
    Ok((provider, pair))
}

async fn signed_in(pair: &Pair, browser: &Browser, person: &str) -> Result<String> {
    pair.signed_in(browser, async |browser| answer(browser, pair, person).await).await
}

/// Its pages ask who it is, and for an agreement.
async fn answer(browser: &Browser, pair: &Pair, person: &str) -> Result<()> {
    loop {
        let page = browser.url().await?;
        if page.as_str().starts_with(&pair.origin) {
            return Ok(());
        }
        OidcProvider::answer_page(browser, person).await?;
        browser.wait_for_url_where("the next page", |next| *next != page).await?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lo_16_whoever_signs_out_at_the_provider_is_signed_out_at_both_instances() -> Result<()> {
    let told = |client: &mut Value, origin: &str| {
        client["backchannel_logout_uri"] = json!(format!("{origin}{PREFIX}/backchannel_logout"));
        client["backchannel_logout_session_required"] = json!(true);
    };
    let (provider, pair) = started(Framework::Actix, told, |app| app).await?;
    let (desk, phone) = (Browser::start().await?, Browser::start().await?);
    let at_the_desk = signed_in(&pair, &desk, "ada").await?;
    let on_the_phone = signed_in(&pair, &phone, "ada").await?;

    desk.goto(&format!("{}/session/end", provider.issuer())).await?;
    desk.mark_page().await?;
    OidcProvider::answer_page(&desk, "ada").await?;
    desk.wait_for_unmarked_page().await?;
    // It shows its next page once everybody has been told.
    ensure!(provider.log().contains("heeded by vue-example"), "{}", provider.log());
    pair.assert_known(&at_the_desk, false).await?;
    pair.assert_known(&on_the_phone, true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn lo_06_signing_out_takes_the_tokens_back_and_ends_the_provider_s_session() -> Result<()> {
    let options = |app: AppBuilder| {
        app.option("SCOPE", "openid email profile offline_access")
            .option("PROMPT", "consent")
            .option("PASS_ACCESS_TOKEN", "true")
            .variable("VESTIBULE_SIGN_OUT_AT_PROVIDER", "true")
    };
    let (provider, pair) = started(Framework::Axum, |_, _| {}, options).await?;
    let browser = Browser::start().await?;
    let cookies = signed_in(&pair, &browser, "ada").await?;
    let answer = ask(&pair.second, &format!("{PREFIX}/auth"), &cookies).await?;
    let token = answer.headers().get("x-auth-request-access-token").context("it hands the token on")?;
    let is_good = async || -> Result<bool> {
        let request = reqwest::Client::new().get(format!("{}/me", provider.issuer()));
        Ok(request.bearer_auth(token.to_str()?).send().await?.status() == 200)
    };
    ensure!(is_good().await?, "{}", provider.log());

    pair.sign_out(&browser).await?;
    // Before it has asked its person anything, the tokens are of no use any more.
    browser.wait_for_url_where("its page", |now| now.as_str().starts_with(&provider.issuer())).await?;
    ensure!(!is_good().await? && provider.log().contains("a grant was revoked"), "{}", provider.log());
    pair.assert_known(&cookies, false).await?;
    OidcProvider::answer_page(&browser, "ada").await?;
    browser.wait_for_url_where("the way back", |now| now.as_str().starts_with(&pair.origin)).await?;
    browser.wait_for_text("Signed out").await?;
    // The next sign-in begins with the question who it is.
    browser.goto(&pair.at(&format!("{PREFIX}/sign_in"))).await?;
    ensure!(browser.has("input[name=login]").await?, "the provider still knows who it is");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn lo_02_with_the_provider_down_a_person_is_signed_out_all_the_same() -> Result<()> {
    let options = |app: AppBuilder| app.variable("VESTIBULE_SIGN_OUT_AT_PROVIDER", "true");
    let (provider, pair) = started(Framework::Axum, |_, _| {}, options).await?;
    let (desk, phone) = (Browser::start().await?, Browser::start().await?);
    let at_the_desk = signed_in(&pair, &desk, "ada").await?;
    let on_the_phone = signed_in(&pair, &phone, "ada").await?;
    provider.stop().await?;
    // The second instance has never asked the provider anything, and cannot learn now where it would sign out.
    let away = sign_out_at(&pair.second, &pair.origin, &at_the_desk).await?;
    ensure!(away == pair.at(&format!("{PREFIX}/sign_out?ended")), "{away}");
    pair.assert_known(&at_the_desk, false).await?;
    desk.goto(&away).await?;
    desk.wait_for_text("Signed out").await?;
    // The first one knows where that was, and leads there: the session is over before.
    let away = sign_out_at(&pair.first, &pair.origin, &on_the_phone).await?;
    ensure!(away.contains("/session/end?"), "{away}");
    pair.assert_known(&on_the_phone, false).await
}
