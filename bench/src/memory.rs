//! Memory of the server, with sign-in in it and without.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context as _, Result};
use vestibule_bench::{browser, site};

use crate::{load::Load, process, rounds::Pace, server::Server, wrk};

/// Connections that a busy server holds.
pub(crate) const CONNECTIONS: u32 = 256;

/// One server's memory, before and while it is asked.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) label: &'static str,
    pub(crate) idle: process::Memory,
    pub(crate) loaded: process::Memory,
}

/// The servers, one after the other.
pub(crate) async fn measure(pace: Pace, program: &Path, gateway: &Path, cookie: &str) -> Result<Vec<Held>> {
    let mut held = Vec::new();
    for (kind, label, path) in [
        ("bare", "without sign-in, the bare route", "/bare"),
        ("gate", "with a `Gate`, `auth`", site::AUTH),
        ("gateway", "the gateway, `auth`", site::AUTH),
    ] {
        let server = match kind {
            "gateway" => Server::gateway(gateway, cookie).await?,
            kind => Server::start(program, &[kind]).await?,
        };
        tokio::time::sleep(Duration::from_millis(300)).await;
        let idle = process::memory(server.process())?;
        let cookies = if kind == "bare" { browser::OTHER_COOKIES.to_owned() } else { server.cookies()? };
        let load = Load::of(server.authority(), path, cookies).connections(CONNECTIONS);
        let time = pace.time().max(Duration::from_secs(2));
        let mut wrk =
            wrk::command(&load, time).stdout(Stdio::null()).spawn().context("wrk could not be started")?;
        // Near the end, with every connection still open.
        tokio::time::sleep(time - Duration::from_millis(500)).await;
        let loaded = process::memory(server.process());
        wrk.wait()?;
        held.push(Held { label, idle, loaded: loaded? });
    }
    Ok(held)
}
