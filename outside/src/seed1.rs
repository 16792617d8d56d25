//! The first original system, running: its nginx file, its page, our application, a provider.

use anyhow::Result;

use crate::{App, AppBuilder, Browser, Idp, Nginx, ports};

/// The program that is the first system's application.
const PROGRAM: &str = "vue-nginx-axum";

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
}

impl Seed1 {
    /// Starts everything, with `provider` given the origin that it must lead back to.
    pub async fn start(provider: impl AsyncFnOnce(&str) -> Result<Idp>) -> Result<Self> {
        Self::start_with(provider, &[]).await
    }

    /// The same, with further `options` of the application.
    pub async fn start_with(
        provider: impl AsyncFnOnce(&str) -> Result<Idp>,
        options: &[(&str, &str)],
    ) -> Result<Self> {
        let port = ports::reserve()?;
        let origin = format!("http://localhost:{port}");
        let idp = provider(&origin).await?;
        let mut builder = idp.configure(application(&origin));
        for (name, value) in options {
            builder = builder.option(name, *value);
        }
        let app = builder.start().await?;
        let nginx = Nginx::seed1(app.port(), port).await?;
        Ok(Self { idp, app, nginx, origin })
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
    ///
    /// Asked by the browser itself, in a tab of its own, from the one page that is public.
    pub async fn auth_status(&self, browser: &Browser) -> Result<u64> {
        let before = browser.tab().await?;
        browser.new_tab().await?;
        browser.goto(&self.at("/app/api/no_auth")).await?;
        let status =
            browser.run("return (await fetch('/app/oauth2/auth', { redirect: 'manual' })).status").await?;
        browser.close_tab().await?;
        browser.look_at(before).await?;
        status.as_u64().ok_or_else(|| anyhow::anyhow!("no status: {status}"))
    }
}

/// The application's options that every provider shares.
fn application(origin: &str) -> AppBuilder {
    AppBuilder::new(PROGRAM)
        .option("REDIRECT_URL", format!("{origin}/app/oauth2/callback"))
        .option("COOKIE_SECRET", COOKIE_SECRET)
        .option("COOKIE_SECURE", "false")
        .option("EMAIL_DOMAINS", "*")
}
