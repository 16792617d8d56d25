//! The first original system, running: its nginx file, its page, our application, a provider.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use vestibule_dev_provider::Running;

use crate::{App, AppBuilder, Browser, Echo, Framework, Idp, Nginx, ports};

/// Thirty-two bytes in base64, known to these tests only.
pub const COOKIE_SECRET: &str = "c2VlbiBvbiBsb29wYmFjayBvbmx5LCAzMiBieXRlcyE=";

/// nginx before the application, and the provider that the application uses.
///
/// The application is visited as `localhost` and the providers as `127.0.0.1`: to a browser these
/// are two sites, as they are in the world, so cookies that must come along across sites are
/// tried for real.
#[derive(Debug)]
pub struct Seed1 {
    /// Who signs people in.
    pub idp: Idp,
    /// The application behind nginx.
    pub app: App,
    /// What the browser talks to.
    pub nginx: Nginx,
    /// Where that is.
    pub origin: String,
    /// The application, where what answers for sign-in is none.
    pub page: Option<Echo>,
}

impl Seed1 {
    /// Starts everything, with `provider` given the origin that it must lead back to.
    pub async fn start(provider: impl AsyncFnOnce(&str) -> Result<Idp>) -> Result<Self> {
        Self::start_with(provider, &[]).await
    }

    /// The same, with the application on this framework.
    pub async fn start_on(
        framework: Framework,
        provider: impl AsyncFnOnce(&str) -> Result<Idp>,
    ) -> Result<Self> {
        Self::start_on_with(framework, provider, &[]).await
    }

    /// The same, with further `options` of the application.
    pub async fn start_with(
        provider: impl AsyncFnOnce(&str) -> Result<Idp>,
        options: &[(&str, &str)],
    ) -> Result<Self> {
        Self::start_on_with(Framework::Axum, provider, options).await
    }

    /// The same, with the application on this framework and with further options of it.
    pub async fn start_on_with(
        framework: Framework,
        provider: impl AsyncFnOnce(&str) -> Result<Idp>,
        options: &[(&str, &str)],
    ) -> Result<Self> {
        let with_options =
            |app| options.iter().fold(app, |app: AppBuilder, (name, value)| app.option(name, *value));
        Self::start_all(framework, provider, with_options, |servers| servers).await
    }

    /// The same, with the application's environment and nginx's file changed at will.
    pub async fn start_changed(
        provider: impl AsyncFnOnce(&str) -> Result<Idp>,
        app: impl FnOnce(AppBuilder) -> AppBuilder,
        servers: impl FnOnce(String) -> String,
    ) -> Result<Self> {
        Self::start_all(Framework::Axum, provider, app, servers).await
    }

    /// The same on any of them.
    pub async fn start_all(
        framework: Framework,
        provider: impl AsyncFnOnce(&str) -> Result<Idp>,
        app: impl FnOnce(AppBuilder) -> AppBuilder,
        servers: impl FnOnce(String) -> String,
    ) -> Result<Self> {
        let port = ports::reserve()?;
        let origin = format!("http://localhost:{port}");
        let idp = provider(&origin).await?;
        let app = app(idp.configure(application(framework, &origin))).start().await?;
        let page = if framework == Framework::Gateway { Some(Echo::start().await?) } else { None };
        let pages = page.as_ref().map_or(app.port(), Echo::port);
        let nginx = Nginx::seed1_between(app.port(), pages, port, servers).await?;
        Ok(Self { idp, app, nginx, origin, page })
    }

    /// The development provider, where that is who signs people in.
    pub fn dev(&self) -> Result<&Running> {
        match &self.idp {
            Idp::Dev(provider) => Ok(provider),
            other => bail!("this story is the development provider's, not that of {other:?}"),
        }
    }

    /// An address of the system.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Visits `path`, signs in where that is asked for, and gives the browser wherever it then is.
    pub async fn visit(&self, browser: &Browser, path: &str) -> Result<()> {
        browser.goto(&self.at(path)).await?;
        self.idp.answer(browser, &self.origin).await
    }

    /// What the application answers nginx for this browser: 202 with a session, 401 without.
    pub async fn auth_status(&self, browser: &Browser) -> Result<u64> {
        let status = self
            .ask(browser, "return (await fetch('/app/oauth2/auth', { redirect: 'manual' })).status")
            .await?;
        status.as_u64().with_context(|| format!("no status: {status}"))
    }

    /// The address of whoever is signed in with this browser, by the application's own data.
    pub async fn who(&self, browser: &Browser) -> Result<Option<String>> {
        let answer = self
            .ask(
                browser,
                "const answer = await fetch('/app/api/userinfo', { redirect: 'manual' }); \
                 return answer.status === 200 ? (await answer.json()).session.email : null",
            )
            .await?;
        match answer {
            Value::Null => Ok(None),
            Value::String(email) => Ok(Some(email)),
            other => bail!("neither an address nor none: {other}"),
        }
    }

    /// Chooses a person on the development provider's page, without waiting for where that leads.
    pub async fn choose(&self, browser: &Browser, person: &str) -> Result<()> {
        self.idp.wait_for_page(browser).await?;
        let button = format!("button[name=person][value={person}]");
        ensure!(!browser.text(&button).await?.is_empty(), "the page does not offer {person}");
        browser.run(&format!("setTimeout(() => document.querySelector('{button}').click())")).await.map(drop)
    }

    /// A page of ours is shown for the refusal `code`, with words to read and something to press.
    pub async fn assert_page(&self, browser: &Browser, code: &str) -> Result<()> {
        browser.wait_for_url_where("a page of ours", |now| now.as_str().starts_with(&self.origin)).await?;
        let shown = browser.text("small code").await?;
        ensure!(shown == code, "the page says {shown} instead of {code}: {}", browser.text("main").await?);
        ensure!(!browser.text("h1").await?.is_empty(), "{code} has no heading");
        ensure!(!browser.text("main p + p").await?.is_empty(), "{code} does not say what to do");
        ensure!(browser.has(".act").await?, "{code} offers no way on");
        Ok(())
    }

    /// Asked by the browser itself, in a tab of its own, from the one page that is public.
    async fn ask(&self, browser: &Browser, script: &str) -> Result<Value> {
        let before = browser.tab().await?;
        browser.new_tab().await?;
        browser.goto(&self.at("/app/api/no_auth")).await?;
        browser.wait_for_url(&self.at("/app/api/no_auth")).await?;
        let answer = browser.run(script).await;
        browser.close_tab().await?;
        browser.look_at(before).await?;
        answer
    }
}

/// The first system's application with the options that every provider shares, for people who visit `origin`.
pub fn application(framework: Framework, origin: &str) -> AppBuilder {
    let app = AppBuilder::new(framework.example());
    // The application's own prefix is fixed.
    let app = if framework == Framework::Gateway { app.option("PROXY_PREFIX", "/app/oauth2") } else { app };
    app.option("REDIRECT_URL", format!("{origin}/app/oauth2/callback"))
        .option("COOKIE_SECRET", COOKIE_SECRET)
        .option("COOKIE_SECURE", "false")
        .option("EMAIL_DOMAINS", "*")
}
