//! The server under load, as a process of its own on a core of its own.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result};
use vestibule_bench::browser;
use vestibule_outside::{Child, PATIENCE};

use crate::SERVER_CORE;

/// A running `bench-server`.
#[derive(Debug)]
pub(crate) struct Server {
    /// Ends with this value.
    _child: Child,
    address: String,
    process: u32,
    cookie: Option<String>,
}

impl Server {
    /// Starts it as `gate` or `bare`.
    pub(crate) async fn start(program: &Path, kind: &str) -> Result<Self> {
        let mut child = Child::start("bench-server", pinned(program).arg(kind))?;
        let address = child.line_with("listening on ", PATIENCE).await?;
        let said = child.output();
        let after = |label: &str| said.lines().find_map(|line| line.strip_prefix(label));
        Ok(Self {
            address: address.trim_start_matches("listening on ").to_owned(),
            process: after("process ").context("the server tells its process id")?.parse()?,
            cookie: after("cookie ").map(str::to_owned),
            _child: child,
        })
    }

    /// The address of a path.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address)
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
        let session = self.cookie.as_deref().context("the server with a gate prints a cookie")?;
        Ok(format!("{session}; {}", browser::OTHER_COOKIES))
    }
}

/// A program on the servers' core.
pub(crate) fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", SERVER_CORE]).arg(program);
    command
}
