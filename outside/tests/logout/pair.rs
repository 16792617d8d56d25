//! Two instances of the example, and whoever is signed in there.

use anyhow::{Context as _, Result, ensure};
use reqwest::{Client, Response, redirect::Policy};
use vestibule_outside::{App, AppBuilder, Browser, COOKIE_SECRET, Framework, client, location, redis::Redis};

/// A page that everybody may see, to come back to.
pub(crate) const PAGE: &str = "/app/api/no_auth";
/// Where the application's endpoints are.
pub(crate) const PREFIX: &str = "/app/oauth2";

/// Two instances: browsers talk to the first one, and so do providers.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) first: App,
    pub(crate) second: App,
    /// Where the first one is, as browsers write it: another site than the providers, which are at 127.0.0.1.
    pub(crate) origin: String,
    _redis: Redis,
}

/// What browsers call the application at `port`.
pub(crate) fn origin(port: u16) -> String {
    format!("http://localhost:{port}")
}

impl Pair {
    /// Starts both for the provider at `issuer`, the first one on this framework and at this port.
    pub(crate) async fn start(
        framework: Framework,
        port: u16,
        issuer: &str,
        change: impl Fn(AppBuilder) -> AppBuilder,
    ) -> Result<Self> {
        let redis = Redis::start(&[]).await?;
        let origin = origin(port);
        let app = |framework: Framework, port: u16| {
            let app = AppBuilder::new(framework.example())
                .option("HTTP_ADDRESS", format!("127.0.0.1:{port}"))
                .option("PROVIDER", "oidc")
                .option("OIDC_ISSUER_URL", issuer)
                .option("CLIENT_ID", client::ID)
                .option("CLIENT_SECRET", client::SECRET)
                .option("REDIRECT_URL", format!("{origin}{PREFIX}/callback"))
                .option("COOKIE_SECRET", COOKIE_SECRET)
                .option("COOKIE_SECURE", "false")
                .option("EMAIL_DOMAINS", "*")
                .option("SESSION_STORE_TYPE", "redis")
                .option("REDIS_CONNECTION_URL", redis.url())
                .variable("VESTIBULE_BACKCHANNEL_LOGOUT", "true")
                .variable("VESTIBULE_FRONTCHANNEL_LOGOUT", "true");
            change(app).start()
        };
        let other = if framework == Framework::Axum { Framework::Actix } else { Framework::Axum };
        let first = app(framework, port).await?;
        let second = app(other, 0).await?;
        Ok(Self { first, second, origin, _redis: redis })
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Signs in through whatever page `answer` answers, and gives the cookies.
    pub(crate) async fn signed_in(
        &self,
        browser: &Browser,
        answer: impl AsyncFnOnce(&Browser) -> Result<()>,
    ) -> Result<String> {
        browser.goto(&self.at(&format!("{PREFIX}/sign_in?rd={PAGE}"))).await?;
        answer(browser).await?;
        browser.wait_for_url(&self.at(PAGE)).await?;
        let cookies = cookies(browser).await?;
        self.assert_known(&cookies, true).await?;
        Ok(cookies)
    }

    /// Both instances take whoever has these cookies for somebody, or both for nobody.
    pub(crate) async fn assert_known(&self, cookies: &str, expected: bool) -> Result<()> {
        let wanted = if expected { 202 } else { 401 };
        for app in [&self.first, &self.second] {
            let answer = ask(app, &format!("{PREFIX}/auth"), cookies).await?;
            let (status, log) = (answer.status(), app.log());
            ensure!(status == wanted, "{status} instead of {wanted}\n{}\n{log}", self.first.log());
            let data = ask(app, "/app/api/userinfo", cookies).await?.status();
            ensure!((data == 200) == expected, "the application's own answer is {data}\n{log}");
        }
        Ok(())
    }

    /// Signs out by the application's own address, as a person who types it.
    pub(crate) async fn sign_out(&self, browser: &Browser) -> Result<()> {
        browser.goto(&self.at(&format!("{PREFIX}/sign_out"))).await
    }
}

/// The cookies that a browser sends to where it is.
pub(crate) async fn cookies(browser: &Browser) -> Result<String> {
    let cookies = browser.cookies().await?;
    let pairs: Vec<String> =
        cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
    Ok(pairs.join("; "))
}

/// Asks an instance as a script does, with these cookies.
pub(crate) async fn ask(app: &App, path: &str, cookies: &str) -> Result<Response> {
    let http = Client::builder().redirect(Policy::none()).no_proxy().build()?;
    let request = http.get(format!("http://127.0.0.1:{}{path}", app.port())).header("cookie", cookies);
    request.send().await.with_context(|| format!("while asking for {path}"))
}

/// Signs out at an instance, as the form of a page there does, and gives where that leads.
pub(crate) async fn sign_out_at(app: &App, origin: &str, cookies: &str) -> Result<String> {
    let http = Client::builder().redirect(Policy::none()).no_proxy().build()?;
    let request = http
        .post(format!("http://127.0.0.1:{}{PREFIX}/sign_out", app.port()))
        .header("cookie", cookies)
        .header("origin", origin)
        .header("accept", "text/html")
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-mode", "navigate");
    Ok(location(&request.send().await?)?.to_owned())
}
