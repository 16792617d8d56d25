//! X as far as OAuth 1.0a goes: a few lines of Python around `oauthlib`, which judges every signature.

use std::process::Command;

use anyhow::{Context, Result};

use crate::{Child, PATIENCE, tools};

/// A running X with one app and two people, `ada` and `bob`; bob has no e-mail address.
#[derive(Debug)]
pub struct X {
    _child: Child,
    port: u16,
}

impl X {
    /// The API key of the one app that is registered there.
    pub const CONSUMER_KEY: &str = "consumer-key-of-the-tests";
    /// Its secret, with all that has to be encoded.
    pub const CONSUMER_SECRET: &str = "consumer/secret+of the=tests";

    /// Starts it, for an application whose callback is at `callback`.
    pub async fn start(callback: &str) -> Result<Self> {
        let mut child = Child::start(
            "X",
            Command::new(tools::python()?)
                .arg(tools::repository().join("outside/python/x.py"))
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .env("X_CALLBACK", callback),
        )?;
        let line = child.line_with("listening on http://127.0.0.1:", PATIENCE).await?;
        let port = line.rsplit(':').next().and_then(|port| port.parse().ok());
        Ok(Self { _child: child, port: port.with_context(|| format!("no port in {line:?}"))? })
    }

    /// Where it is.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The same server by another name, which it does not go by: what is signed for it is signed wrongly.
    pub fn misnamed(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Method, path and status of every request so far.
    pub async fn asked(&self) -> Result<Vec<String>> {
        let answer = reqwest::get(format!("{}/asked", self.address())).await?;
        Ok(serde_json::from_str(&answer.text().await?)?)
    }

    /// Where somebody is who has been sent to X at `location` and says who they are; `nobody` cancels.
    pub fn chosen(location: &url::Url, person: &str) -> String {
        format!("{location}&person={person}")
    }
}
