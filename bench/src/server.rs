//! The server under load, as a process of its own on a core of its own.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use vestibule_bench::{browser, site};
use vestibule_outside::{Child, PATIENCE};

use crate::SERVER_CORE;

/// A running `bench-server`, or the gateway.
#[derive(Debug)]
pub(crate) struct Server {
    /// Ends with this value.
    _child: Child,
    /// The gateway's configuration, as long as it runs.
    _folder: Option<TempDir>,
    address: String,
    process: u32,
    cookie: Option<String>,
}

impl Server {
    /// Starts it as `gate`, `bare`, or with a store.
    pub(crate) async fn start(program: &Path, kind: &[&str]) -> Result<Self> {
        let mut child = Child::start("bench-server", pinned(program).args(kind))?;
        let address = child.line_with("listening on ", PATIENCE).await?;
        let said = child.output();
        let after = |label: &str| said.lines().find_map(|line| line.strip_prefix(label));
        Ok(Self {
            address: address.trim_start_matches("listening on ").to_owned(),
            process: after("process ").context("the server tells its process id")?.parse()?,
            cookie: after("cookie ").map(str::to_owned),
            _child: child,
            _folder: None,
        })
    }

    /// Starts the gateway for the site of `bench-server`, whose session it takes for its own.
    pub(crate) async fn gateway(program: &Path, cookie: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("vestibule-bench-").tempdir()?;
        let file = folder.path().join("vestibule.toml");
        fs::write(&file, gateway_configuration())?;
        let mut child = Child::start("vestibule", pinned(program).arg("--config").arg(&file))?;
        let address = child.line_with("listening on ", PATIENCE).await?;
        Ok(Self {
            address: address.trim_start_matches("listening on ").to_owned(),
            process: u32::try_from(child.pid().as_raw_nonzero().get()).context("a process has a number")?,
            cookie: Some(cookie.to_owned()),
            _child: child,
            _folder: Some(folder),
        })
    }

    /// The session cookie, as `name=value`.
    pub(crate) fn session(&self) -> Result<&str> {
        self.cookie.as_deref().context("the server with a gate prints a cookie")
    }

    /// Host and port.
    pub(crate) fn authority(&self) -> &str {
        self.address.trim_start_matches("http://")
    }

    pub(crate) fn process(&self) -> u32 {
        self.process
    }

    /// What a browser sends as cookies: its session, and others.
    pub(crate) fn cookies(&self) -> Result<String> {
        Ok(format!("{}; {}", self.session()?, browser::OTHER_COOKIES))
    }
}

/// A program on the servers' core.
pub(crate) fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", SERVER_CORE]).arg(program);
    command
}

/// The gateway as it comes, with the provider whom the session names and the same rule.
fn gateway_configuration() -> String {
    format!(
        r#"
http_address = "127.0.0.1:0"
redirect_url = "{}"
cookie_secret = "{}"
email_domains = ["example.com"]

[[provider]]
id = "company"
provider = "oauth2"
client_id = "client"
client_secret = "secret"
login_url = "https://id.example.com/authorize"
redeem_url = "https://id.example.com/token"
profile_url = "https://id.example.com/user"
"#,
        site::REDIRECT_URL,
        site::SECRET,
    )
}
