//! An application that cannot be changed, behind a proxy that asks `vestibule` about every request.

use anyhow::{Context, Result};
use vestibule_dev_provider::Running;

use crate::{Addresses, App, AppBuilder, COOKIE_SECRET, Echo, Idp, Kind, Proxy, Reply, Visitor, Wire, ports};

/// Everything, running. The people are those of the development provider.
#[derive(Debug)]
pub struct Site {
    /// Who signs people in.
    pub idp: Idp,
    /// What the proxy asks.
    pub gateway: App,
    /// The application.
    pub echo: Echo,
    /// What everybody talks to.
    pub proxy: Proxy,
    /// Where that is, as a visitor writes it.
    pub origin: String,
    port: u16,
}

impl Site {
    /// Starts everything as the example for this proxy has it.
    pub async fn start(kind: Kind) -> Result<Self> {
        Self::start_with(kind, |gateway| gateway).await
    }

    /// The same with what `vestibule` is told changed at will.
    pub async fn start_with(kind: Kind, change: impl FnOnce(AppBuilder) -> AppBuilder) -> Result<Self> {
        Self::start_changed(kind, change, |text| text).await
    }

    /// The same with the proxy's configuration changed as well.
    pub async fn start_changed(
        kind: Kind,
        change: impl FnOnce(AppBuilder) -> AppBuilder,
        change_proxy: impl FnOnce(String) -> String,
    ) -> Result<Self> {
        let port = ports::reserve()?;
        let origin = format!("http://localhost:{port}");
        let idp = Idp::dev(&origin).await?;
        let gateway = AppBuilder::new("vestibule")
            .config(kind.settings())
            .option("HTTP_ADDRESS", "127.0.0.1:0")
            .option("COOKIE_SECRET", COOKIE_SECRET)
            .option("REDIRECT_URL", format!("{origin}/oauth2/callback"));
        let gateway = change(idp.configure(gateway)).start().await?;
        let echo = Echo::start().await?;
        let addresses = Addresses { port, app: echo.port(), gateway: gateway.port() };
        let proxy = Proxy::start_changed(kind, addresses, change_proxy).await?;
        Ok(Self { idp, gateway, echo, proxy, origin, port })
    }

    /// The provider.
    pub fn provider(&self) -> Result<&Running> {
        match &self.idp {
            Idp::Dev(provider) => Ok(provider),
            other => anyhow::bail!("this story is the development provider's, not that of {other:?}"),
        }
    }

    /// An address of the site.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// A visitor who is signed in as `person`.
    pub async fn signed_in(&self, person: &str) -> Result<Visitor> {
        self.provider()?.sign_in_as(Some(person));
        let mut visitor = Visitor::new(&self.origin)?;
        let landed = visitor.follow(&self.at("/")).await?;
        anyhow::ensure!(landed.status == 200, "{person} got {}: {}", landed.status, landed.text);
        self.echo.take();
        Ok(visitor)
    }

    /// Says `request` by hand, `{host}` replaced, and gives what the proxy answers; `None` where it just closes.
    pub async fn say(&self, request: &str) -> Result<Option<Reply>> {
        let host = self.origin.strip_prefix("http://").context("the site speaks HTTP")?;
        let mut wire = Wire::to(self.port).await?;
        wire.say(request.replace("{host}", host)).await;
        wire.reply_to(request.split(' ').next().unwrap_or_default()).await
    }
}
