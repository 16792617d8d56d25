//! `oidc-provider` from npm: an OpenID provider that others wrote and certified.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{Browser, Child, PATIENCE, client, ports, tools};

/// The program, read by Node from the command line: packages are then found from npm's folder.
const PROGRAM: &str = include_str!("../npm/oidc-provider.mjs");

/// A running `oidc-provider` with one client, [`client`], and its development login pages.
#[derive(Debug)]
pub struct OidcProvider {
    child: Child,
    port: u16,
}

impl OidcProvider {
    /// Starts it on a port that the system chooses, for an application at `origin`.
    pub async fn start(origin: &str) -> Result<Self> {
        Self::start_on(0, origin).await
    }

    /// Starts it on `port`, so that its issuer is known before it runs.
    pub async fn start_on(port: u16, origin: &str) -> Result<Self> {
        Self::start_with(port, origin, &[]).await
    }

    /// The same with more of the environment that the program reads, as it stands in the program's own first lines.
    pub async fn start_with(port: u16, origin: &str, environment: &[(&str, &str)]) -> Result<Self> {
        Self::start_all(port, origin, environment, |_| {}).await
    }

    /// Starts it with a client that is what `change` makes of the usual one.
    pub async fn start_changed(origin: &str, change: impl FnOnce(&mut Value)) -> Result<Self> {
        Self::start_all(0, origin, &[], change).await
    }

    async fn start_all(
        port: u16,
        origin: &str,
        environment: &[(&str, &str)],
        change: impl FnOnce(&mut Value),
    ) -> Result<Self> {
        let mut client = json!({
            "client_id": client::ID,
            "client_secret": client::SECRET,
            "grant_types": ["authorization_code", "refresh_token"],
            "redirect_uris": client::callbacks(origin),
            "post_logout_redirect_uris": [format!("{origin}/"), format!("{origin}/app/oauth2/sign_out")],
        });
        change(&mut client);
        let clients = json!([client]);
        let mut child = Child::start(
            "oidc-provider",
            Command::new(tools::node()?)
                .args(["--input-type=module", "--eval", PROGRAM])
                .current_dir(tools::npm()?)
                .env("OIDC_PORT", port.to_string())
                .env("OIDC_CLIENTS", clients.to_string())
                .envs(environment.iter().copied()),
        )?;
        let line = child.line_with("listening on http://127.0.0.1:", PATIENCE).await?;
        let port = line.rsplit(':').next().and_then(|port| port.parse().ok());
        Ok(Self { child, port: port.with_context(|| format!("no port in {line:?}"))? })
    }

    /// Its issuer identifier.
    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its log up to now.
    pub fn log(&self) -> String {
        self.child.output()
    }

    /// Its port, to start another one there later.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it; its port stays closed, and reserved, until somebody starts it there again.
    pub async fn stop(mut self) -> Result<()> {
        self.child.stop().await?;
        ports::reserve_again(self.port)
    }

    /// Does what the page that is shown asks for: a name, an agreement, or leave to sign out.
    pub async fn answer_page(browser: &Browser, login: &str) -> Result<()> {
        if browser.has("input[name=login]").await? {
            browser.fill("input[name=login]", login).await?;
            browser.fill("input[name=password]", "any").await?;
        } else if browser.has("button[name=logout]").await? {
            return browser.click("button[name=logout]").await;
        }
        // The consent page has no field but the hidden one that says what it is.
        browser.click("form:has(input[name=prompt]) button[type=submit]").await
    }
}
