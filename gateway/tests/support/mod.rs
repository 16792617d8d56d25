//! The program as a person starts it, and a provider beside it.
#![allow(dead_code, reason = "each test uses what it needs of this")]

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result};
use reqwest::{Response, header::HeaderMap};
use tempfile::TempDir;
use vestibule_dev_provider::{DevProvider, Running};
use vestibule_outside::{Child, PATIENCE, Visitor, client, ports};

pub(crate) const COOKIE_SECRET: &str = "c2VlbiBvbiBsb29wYmFjayBvbmx5LCAzMiBieXRlcyE=";

/// A gateway that is not running yet.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) port: u16,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) arguments: Vec<String>,
    folder: TempDir,
}

/// A running gateway.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) child: Child,
    pub(crate) setup: Setup,
}

/// A provider for a gateway at `port`, at which Alice signs in without being asked.
pub(crate) async fn provider(port: u16) -> Result<Running> {
    let callbacks =
        ["", "/one", "/two", "/oidc"].map(|end| format!("http://127.0.0.1:{port}/oauth2/callback{end}"));
    let provider = DevProvider::builder().client(client::ID, Some(client::SECRET), callbacks).start().await?;
    provider.sign_in_as(Some("alice"));
    Ok(provider)
}

/// A provider and a gateway that signs in with it, not running yet.
pub(crate) async fn setup() -> Result<(Running, Setup)> {
    let port = ports::reserve()?;
    let provider = provider(port).await?;
    let setup = Setup::at(port)?.set("OIDC_ISSUER_URL", provider.issuer());
    Ok((provider, setup))
}

/// A provider and a gateway that has it twice, not running yet; each table has an id, `one` or `two`, in it.
pub(crate) async fn two_providers(tables: [String; 2]) -> Result<(Running, Setup)> {
    let port = ports::reserve()?;
    let provider = provider(port).await?;
    let setup = Setup::at(port)?;
    let table = |table: &str| {
        format!(
            "[[provider]]\nprovider = \"oidc\"\noidc_issuer_url = \"{}\"\nclient_id = \"{}\"\nclient_secret = \"{}\"\n{table}\n",
            provider.issuer(),
            client::ID,
            client::SECRET
        )
    };
    let path = setup.file("two.toml", tables.map(|text| table(&text)).join("\n"))?;
    let mut setup = setup.argument(format!("--config={}", path.display()));
    for name in ["PROVIDER", "CLIENT_ID", "CLIENT_SECRET"] {
        setup.variables.remove(&format!("VESTIBULE_{name}"));
    }
    Ok((provider, setup))
}

/// A provider and a running gateway with these options.
pub(crate) async fn started(options: &[(&str, &str)]) -> Result<(Running, Gateway)> {
    let (provider, setup) = setup().await?;
    let setup = options.iter().fold(setup, |setup, (name, value)| setup.set(name, *value));
    Ok((provider, setup.start().await?))
}

impl Setup {
    /// One with everything but an issuer.
    pub(crate) fn at(port: u16) -> Result<Self> {
        let setup =
            Self { port, variables: BTreeMap::new(), arguments: Vec::new(), folder: tempfile::tempdir()? };
        Ok(setup
            .set("PROVIDER", "oidc")
            .set("CLIENT_ID", client::ID)
            .set("CLIENT_SECRET", client::SECRET)
            .set("COOKIE_SECRET", COOKIE_SECRET)
            .set("EMAIL_DOMAINS", "*")
            .set("HTTP_ADDRESS", format!("127.0.0.1:{port}"))
            .set("REDIRECT_URL", format!("http://127.0.0.1:{port}/oauth2/callback")))
    }

    /// Sets an option by our own name for it.
    pub(crate) fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(format!("VESTIBULE_{name}"), value.into());
        self
    }

    /// Adds an argument.
    pub(crate) fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// A file beside it, with its path.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.folder.path().join(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// The program as it would be started.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command
            .args(&self.arguments)
            .env_clear()
            .env("RUST_BACKTRACE", "1")
            .env("RUST_LOG", "debug,hyper=info,reqwest=info")
            .current_dir(self.folder.path())
            .envs(&self.variables);
        command
    }

    /// Starts it and waits until it says that it listens.
    pub(crate) async fn start(self) -> Result<Gateway> {
        let mut child = Child::start("vestibule", &mut self.command())?;
        child.line_with("listening on ", PATIENCE).await?;
        Ok(Gateway { child, setup: self })
    }

    /// Runs it to its end, which must be a refusal to start, and gives what it said.
    pub(crate) fn refused(&self) -> Result<String> {
        let mut program = self.command().stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let end = Instant::now() + PATIENCE;
        while program.try_wait()?.is_none() && Instant::now() < end {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        // One that did start would run for ever. Of one that has ended nothing is left to end.
        let _ = program.kill();
        let output = program.wait_with_output()?;
        assert!(output.status.code().is_some_and(|code| code != 0), "it did start");
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

impl Gateway {
    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.setup.port)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// Somebody who has never been here.
    pub(crate) fn visitor(&self) -> Result<Visitor> {
        Visitor::new(&self.origin())
    }

    /// Somebody who has signed in.
    pub(crate) async fn signed_in(&self) -> Result<Visitor> {
        let mut visitor = self.visitor()?;
        let visited = visitor.follow(&self.url("/oauth2/start?rd=%2Foauth2%2Fuserinfo")).await?;
        let check = visitor.fetch(&self.url("/oauth2/auth")).await?;
        anyhow::ensure!(check.status().is_success(), "{visited:?}\n{}", self.child.output());
        Ok(visitor)
    }

    /// Where a sign-in leads: the provider's address with everything that it is asked.
    pub(crate) async fn authorization(&self) -> Result<reqwest::Url> {
        let answer = self.visitor()?.navigate(&self.url("/oauth2/start")).await?;
        Ok(vestibule_outside::location(&answer)?.parse()?)
    }

    /// What `auth` answers a proxy that asks about `visitor`.
    pub(crate) async fn check(&self, visitor: &mut Visitor) -> Result<Response> {
        visitor.fetch(&self.url("/oauth2/auth")).await
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) -> Result<()> {
        rustix::process::kill_process(self.child.pid(), signal).context("it cannot be sent a signal")
    }
}

/// A header as text.
pub(crate) fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A parameter of an address.
pub(crate) fn parameter(url: &reqwest::Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}
