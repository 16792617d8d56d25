//! An example application, run as the program that a person would run.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::{Child, PATIENCE, ports, tools};

/// What answers for sign-in in the first system: a framework that its application is written in, with an adapter of ours
/// between it and the core, or the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framework {
    /// axum
    Axum,
    /// actix-web
    Actix,
    /// No framework: the gateway, beside an application that knows nothing of sign-in.
    Gateway,
}

impl Framework {
    /// The program.
    pub fn example(self) -> &'static str {
        match self {
            Self::Axum => "vue-nginx-axum",
            Self::Actix => "vue-nginx-actix",
            Self::Gateway => "vestibule",
        }
    }
}

/// A running example application.
#[derive(Debug)]
pub struct App {
    child: Child,
    port: u16,
    builder: AppBuilder,
}

/// An example application that is not running yet: its program and its environment.
#[derive(Debug, Clone)]
pub struct AppBuilder {
    program: String,
    config: Option<PathBuf>,
    environment: BTreeMap<String, String>,
}

impl AppBuilder {
    /// `program` is a binary of this workspace.
    pub fn new(program: &str) -> Self {
        Self { program: program.to_owned(), config: None, environment: BTreeMap::new() }
            .option("HTTP_ADDRESS", "127.0.0.1:0")
    }

    /// Sets all that a file of the repository sets: lines `NAME=value`, and comments.
    pub fn env_file(self, file: &str) -> Result<Self> {
        let file = tools::repository().join(file);
        let text = fs::read_to_string(&file).with_context(|| format!("{} is not there", file.display()))?;
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.filter(|line| !line.ends_with('=')).try_fold(self, |builder, line| {
            let (name, value) = line.split_once('=').with_context(|| format!("no value in {line:?}"))?;
            Ok(builder.variable(name, value))
        })
    }

    /// Sets `OAUTH2_PROXY_{name}`, the name that oauth2-proxy's users know.
    pub fn option(self, name: &str, value: impl Into<String>) -> Self {
        self.variable(&format!("OAUTH2_PROXY_{name}"), value)
    }

    /// Sets the file that it reads its options from; what the environment says wins over it.
    pub fn config(mut self, file: impl Into<PathBuf>) -> Self {
        self.config = Some(file.into());
        self
    }

    /// Leaves a variable out again.
    pub fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Sets a variable of whatever name.
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// Starts the program and waits until it says where it listens.
    pub async fn start(self) -> Result<App> {
        let mut child = Child::start(
            self.program.clone(),
            Command::new(tools::built(&self.program)?)
                // Nothing of the environment that the tests run in may configure the application.
                .args(self.config.iter().map(|file| format!("--config={}", file.display())))
                .env_clear()
                .env("RUST_BACKTRACE", "1")
                .env("RUST_LOG", "info,vestibule=debug")
                .envs(&self.environment),
        )?;
        let line = child.line_with("listening on ", PATIENCE).await?;
        let port = match line.trim().rsplit_once(':') {
            Some((place, _)) if place.ends_with("unix") => 0,
            Some((_, port)) => port.parse().with_context(|| format!("no port in {line:?}"))?,
            None => bail!("no place in {line:?}"),
        };
        Ok(App { child, port, builder: self })
    }
}

impl App {
    /// The port that it chose; 0 where it listens at a socket in the file system.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its log up to now.
    pub fn log(&self) -> String {
        self.child.output()
    }

    /// Tells it to read its configuration again.
    pub fn hang_up(&self) -> Result<()> {
        rustix::process::kill_process(self.child.pid(), Signal::HUP).context("it has ended already")
    }

    /// Asks it to end, without waiting for that.
    pub fn ask_to_end(&self) -> Result<()> {
        rustix::process::kill_process(self.child.pid(), Signal::TERM).context("it has ended already")
    }

    /// The most memory that it has held so far, in kilobytes.
    pub fn memory_peak(&self) -> Result<u64> {
        self.child.memory_peak()
    }

    /// Waits until its log has a line that contains `needle`, and gives that line.
    pub async fn log_line_with(&mut self, needle: &str) -> Result<String> {
        self.child.line_with(needle, PATIENCE).await
    }

    /// Ends it and starts it again, in the same environment and on the same port.
    pub async fn restart(mut self) -> Result<Self> {
        self.child.stop().await?;
        ports::reserve_again(self.port)?;
        let address = format!("127.0.0.1:{}", self.port);
        self.builder.option("HTTP_ADDRESS", address).start().await
    }
}
