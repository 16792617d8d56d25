//! Streamlit from Python's registry: an application that somebody else wrote and that knows nothing of sign-in.

use std::process::Command;

use anyhow::Result;
use tempfile::TempDir;

use crate::{Child, PATIENCE, ports, tools};

/// A running Streamlit with the pages of `examples/streamlit-nginx`.
#[derive(Debug)]
pub struct Streamlit {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Streamlit {
    /// Starts it, and waits until it listens.
    pub async fn start() -> Result<Self> {
        let port = ports::reserve()?;
        let folder = tempfile::Builder::new().prefix("vestibule-streamlit-").tempdir()?;
        let mut child = Child::start(
            "streamlit",
            Command::new(tools::python()?)
                .args(["-m", "streamlit", "run", "app.py", "--server.address=127.0.0.1"])
                .arg(format!("--server.port={port}"))
                // It must open no browser, ask nobody for an address, tell nobody that it runs, and watch no files.
                .args(["--server.headless=true", "--browser.gatherUsageStats=false"])
                .arg("--server.fileWatcherType=none")
                .current_dir(tools::repository().join("examples/streamlit-nginx"))
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .env("HOME", folder.path()),
        )?;
        child.listens_on(port, PATIENCE).await?;
        Ok(Self { child, port, _folder: folder })
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        self.child.output()
    }
}
