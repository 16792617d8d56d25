//! Sessions in a store, beside the sealed cookie: what a check costs, and what many of them take up.

use std::{fmt::Write as _, path::Path, process::Command, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use vestibule::{store::MemoryStore, time::Timestamp};
use vestibule_bench::{
    site,
    stored::{self, Carried},
};
use vestibule_outside::redis::Redis;

use crate::{
    SERVER_CORE,
    load::Load,
    report::{arms_table, thousands},
    rounds::{self, Arm, Measured, Pace},
    server::{Server, pinned},
};

/// As many sessions as are counted in memory.
const SESSIONS: u64 = 100_000;

/// Everything about stores.
#[derive(Debug)]
pub(crate) struct Stores {
    /// A bare route, a sealed session, one in memory, one in Redis.
    pub(crate) checks: Vec<Measured>,
    /// The memory that sessions take up.
    pub(crate) held: Vec<Taken>,
    /// What browsers carry.
    pub(crate) carried: Vec<Carried>,
}

/// The memory of [`SESSIONS`] sessions.
#[derive(Debug)]
pub(crate) struct Taken {
    label: &'static str,
    /// Bytes.
    before: u64,
    after: u64,
}

/// `server` and `sessions` are the programs of that name, `load` is `bench-load`.
pub(crate) async fn measure(pace: Pace, server: &Path, sessions: &Path, load: &Path) -> Result<Stores> {
    let clock = || Timestamp::from_unix(1_800_000_000);
    Ok(Stores {
        checks: checks(pace, server, load).await?,
        held: vec![in_memory(sessions)?, in_redis(sessions).await?],
        carried: stored::carried(Arc::new(MemoryStore::new(clock)), clock()).await,
    })
}

/// The servers and Redis share one core, so that what is counted is what one core does for all of a check.
async fn checks(pace: Pace, program: &Path, load: &Path) -> Result<Vec<Measured>> {
    let redis = Redis::start(&[]).await?;
    let process = u32::try_from(redis.counts("process_id")?)?;
    pin(process)?;
    let sealed = Server::start(program, &["gate"]).await?;
    let memory = Server::start(program, &["memory"]).await?;
    let kept = Server::start(program, &["redis", &redis.url()]).await?;
    let asked = |server: &Server, path: &str| -> Result<Load> {
        Ok(Load::of(server.authority(), path, server.cookies()?).status(202))
    };
    let arms = [
        Arm::new("a bare route, 202", asked(&kept, "/bare")?, None),
        Arm::new("`auth`, a sealed session", asked(&sealed, site::AUTH)?, Some(0)),
        Arm::new("`auth`, a session in the server's memory", asked(&memory, site::AUTH)?, Some(0)),
        Arm::new("`auth`, a session in Redis", asked(&kept, site::AUTH)?, Some(0)),
    ];
    let processes = [sealed.process(), memory.process(), kept.process(), process];
    rounds::compare_busily(pace, &arms, &processes, load)
}

/// Puts a process that runs already on the servers' core, with all its threads.
fn pin(process: u32) -> Result<()> {
    let mut command = Command::new("taskset");
    let output = command.args(["-a", "-c", "-p", SERVER_CORE, &process.to_string()]).output()?;
    ensure!(output.status.success(), "taskset: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn in_memory(program: &Path) -> Result<Taken> {
    let (before, after) = signed_in(program, None)?;
    Ok(Taken { label: "in the server's memory (`MemoryStore`), resident", before, after })
}

async fn in_redis(program: &Path) -> Result<Taken> {
    let redis = Redis::start(&[]).await?;
    let before = redis.counts("used_memory")?;
    signed_in(program, Some(&redis.url()))?;
    Ok(Taken { label: "in Redis, `used_memory`", before, after: redis.counts("used_memory")? })
}

/// Signs everybody in, and gives the program's own memory before and after that, in bytes.
fn signed_in(program: &Path, address: Option<&str>) -> Result<(u64, u64)> {
    let output = pinned(program).arg(SESSIONS.to_string()).args(address).output();
    let output = output.context("bench-sessions could not be started")?;
    ensure!(output.status.success(), "bench-sessions: {}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    let kilobytes = |label: &str| -> Result<u64> {
        let value = said.lines().find_map(|line| line.strip_prefix(label)?.strip_prefix(' '));
        Ok(value.with_context(|| format!("bench-sessions does not say {label}"))?.parse()?)
    };
    Ok((kilobytes("before")? * 1_024, kilobytes("after")? * 1_024))
}

/// This part of the page.
pub(crate) fn section(stores: &Stores) -> String {
    let mut text = String::from(
        "\n## Sessions in a store\n\n\
         axum again, asked directly. A check asks the store once, by a ticket in the cookie. Redis is Debian's, on the \
         same core as the server that asks it, so that *on the core* counts both; all requests share one connection to \
         it. The session in the server's own memory goes the same way without the network: what it takes more than the \
         sealed one is the price of a store, and what Redis takes more than it is the price of Redis.\n\n",
    );
    text += &arms_table(&stores.checks);
    let _ = write!(
        text,
        "\nMemory that {} sessions of as many people take up, each with a name, an address and two groups, and none \
         with tokens, which are kept where a site asks for them; the lists by which sessions are found again count. \
         Sealed sessions take up none.\n\n\
         | kept | MiB | bytes a session |\n|---|--:|--:|\n",
        thousands(SESSIONS as f64)
    );
    for Taken { label, before, after } in &stores.held {
        let bytes = after.saturating_sub(*before) as f64;
        let mebibytes = bytes / f64::from(1 << 20);
        let _ = writeln!(text, "| {label} | {mebibytes:.1} | {} |", thousands(bytes / SESSIONS as f64));
    }
    text += "\nWhat a browser sends with each request: names and values of the session's cookies. nginx by default takes \
             8 KB in one line of a request's head.\n\n| session | bytes |\n|---|--:|\n";
    for Carried { label, bytes, .. } in &stores.carried {
        let _ = writeln!(text, "| {label} | {} |", thousands(*bytes as f64));
    }
    text
}
