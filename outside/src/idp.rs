//! The providers that the same stories are told against, each in its own dialect.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use vestibule_dev_provider::{DevProvider, Running};

use crate::{AppBuilder, Browser, Emulate, OidcProvider, PATIENCE, client};

/// A running provider, and a person who has an account there.
#[derive(Debug)]
pub enum Idp {
    /// Certified, written by others.
    OidcProvider(OidcProvider),
    /// GitHub's dialect, written by others.
    GitHub(Emulate),
    /// Ours, for the demo and for lies.
    Dev(Running),
}

impl Idp {
    /// Starts `oidc-provider` for an application at `origin`.
    pub async fn oidc_provider(origin: &str) -> Result<Self> {
        Ok(Self::OidcProvider(OidcProvider::start(origin).await?))
    }

    /// Starts `emulate` as GitHub for an application at `origin`.
    pub async fn github(origin: &str) -> Result<Self> {
        Ok(Self::GitHub(Emulate::github(origin).await?))
    }

    /// Starts our own development provider, within this process, for an application at `origin`.
    pub async fn dev(origin: &str) -> Result<Self> {
        let client =
            DevProvider::builder().client(client::ID, Some(client::SECRET), client::callbacks(origin));
        Ok(Self::Dev(client.start().await?))
    }

    /// Tells an application where this provider is, and who it is there.
    pub fn configure(&self, app: AppBuilder) -> AppBuilder {
        let app = app.option("CLIENT_ID", client::ID).option("CLIENT_SECRET", client::SECRET);
        match self {
            Self::OidcProvider(provider) => {
                app.option("PROVIDER", "oidc").option("OIDC_ISSUER_URL", provider.issuer())
            }
            Self::Dev(provider) => {
                app.option("PROVIDER", "oidc").option("OIDC_ISSUER_URL", provider.issuer())
            }
            Self::GitHub(github) => app
                .option("PROVIDER", "github")
                .option("LOGIN_URL", format!("{}/login/oauth/authorize", github.origin()))
                .option("REDEEM_URL", format!("{}/login/oauth/access_token", github.origin()))
                .option("VALIDATE_URL", format!("{}/", github.origin())),
        }
    }

    /// The address of the person whom [`Idp::answer`] signs in, as the application must show it.
    pub fn email(&self) -> &'static str {
        match self {
            Self::OidcProvider(_) | Self::GitHub(_) => "ada@example.com",
            Self::Dev(_) => "alice@example.com",
        }
    }

    /// Where the provider's own pages are.
    pub fn origin(&self) -> String {
        match self {
            Self::OidcProvider(provider) => provider.issuer(),
            Self::GitHub(github) => github.origin(),
            Self::Dev(provider) => provider.issuer().to_owned(),
        }
    }

    /// Waits until the browser is on one of the provider's pages.
    pub async fn wait_for_page(&self, browser: &Browser) -> Result<()> {
        let origin = self.origin();
        browser.wait_for_url_where("a page of the provider", |now| now.as_str().starts_with(&origin)).await
    }

    /// Does what the provider's pages ask, as its one person, until the browser is back at `origin`.
    ///
    /// A provider that still knows the person may ask nothing at all.
    pub async fn answer(&self, browser: &Browser, origin: &str) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let now = browser.url().await?;
            // The prefix's own addresses lead on, to the provider or back to the page asked for.
            if now.as_str().starts_with(origin) && !now.path().contains("/oauth2/") {
                return Ok(());
            }
            if end < Instant::now() {
                bail!("still at {now} after {PATIENCE:?}:\n{}", browser.text("body").await?);
            }
            if now.as_str().starts_with(&self.origin()) {
                self.answer_page(browser).await?;
                browser.wait_for_url_where("the next page", |next| *next != now).await?;
            } else {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn answer_page(&self, browser: &Browser) -> Result<()> {
        match self {
            Self::OidcProvider(_) => OidcProvider::answer_page(browser, "ada").await,
            Self::GitHub(_) => Emulate::sign_in(browser, "ada").await,
            Self::Dev(_) => browser.click("button[name=person][value=alice]").await,
        }
    }
}
