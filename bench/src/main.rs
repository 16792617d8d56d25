//! Starts the servers, puts them under load, and writes `benchmarks.md` and `benchmarks.svg`.
//!
//! `cargo xtask bench` calls it; everything that is measured is built before, in release. Servers run on one core and
//! the load on another. What is compared is loaded in turns, so that whatever else the machine does meets both, and
//! compared within each turn.
#![allow(clippy::print_stdout, reason = "this program talks to a person")]

mod apache;
mod chart;
mod core_alone;
mod load;
mod machine;
mod memory;
mod nginx;
mod process;
mod report;
mod rounds;
mod server;
mod size;
mod stores;
mod wrk;

use std::{env, fs, path::PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::{
    load::Load,
    report::Findings,
    rounds::{Arm, Pace},
    server::Server,
};

/// The core that servers run on.
const SERVER_CORE: &str = "0";
/// The core that the load comes from.
const LOAD_CORE: &str = "1";

const USAGE: &str = "usage: bench --server PROGRAM --actix PROGRAM --gateway PROGRAM --load PROGRAM --sessions PROGRAM --criterion FOLDER --out FOLDER [--short]";

struct Asked {
    server: PathBuf,
    actix: PathBuf,
    gateway: PathBuf,
    load: PathBuf,
    sessions: PathBuf,
    criterion: PathBuf,
    out: PathBuf,
    pace: Pace,
}

impl Asked {
    fn read() -> Result<Self> {
        let (mut server, mut actix, mut gateway) = (None, None, None);
        let (mut load, mut sessions, mut criterion, mut out) = (None, None, None, None);
        let mut pace = Pace::FULL;
        let mut arguments = env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let slot = match argument.as_str() {
                "--server" => &mut server,
                "--actix" => &mut actix,
                "--gateway" => &mut gateway,
                "--load" => &mut load,
                "--sessions" => &mut sessions,
                "--criterion" => &mut criterion,
                "--out" => &mut out,
                "--short" => {
                    pace = Pace::SHORT;
                    continue;
                }
                _ => bail!("{USAGE}"),
            };
            *slot = Some(PathBuf::from(arguments.next().context(USAGE)?));
        }
        let given = |path: Option<PathBuf>| path.context(USAGE);
        Ok(Self {
            server: given(server)?,
            actix: given(actix)?,
            gateway: given(gateway)?,
            load: given(load)?,
            sessions: given(sessions)?,
            criterion: given(criterion)?,
            out: given(out)?,
            pace,
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let Asked { server, actix, gateway, load, sessions, criterion, out, pace } = Asked::read()?;
    machine::needs_two_cores()?;
    let core = core_alone::read(&criterion)?;
    let gated = Server::start(&server, &["gate"]).await?;
    println!("==> a server on axum, asked directly");
    let direct = rounds::compare_busily(pace, &arms(&gated)?, &[gated.process()], &load)?;
    println!("==> behind nginx");
    let nginx = nginx::measure(pace, &gated, &gated).await?;
    println!("==> the gateway, asked directly");
    let cookie = gated.session()?.to_owned();
    let gate = Server::gateway(&gateway, &cookie).await?;
    let processes = [gated.process(), gate.process()];
    let in_front = rounds::compare_busily(pace, &in_front(&gated, &gate)?, &processes, &load)?;
    println!("==> the gateway behind nginx");
    let in_front_nginx = nginx::measure(pace, &gated, &gate).await?;
    drop((gated, gate));
    println!("==> a server on actix-web, asked directly");
    let on_actix = Server::start(&actix, &["gate"]).await?;
    let actix = rounds::compare_busily(pace, &arms(&on_actix)?, &[on_actix.process()], &load)?;
    drop(on_actix);
    println!("==> sessions in a store");
    let stores = stores::measure(pace, &server, &sessions, &load).await?;
    println!("==> memory");
    let memory = memory::measure(pace, &server, &gateway, &cookie).await?;
    println!("==> mod_auth_openidc");
    let apache = apache::measure(pace).await;
    if let Err(problem) = &apache {
        println!("    not measured: {problem:#}");
    }
    let findings = Findings {
        machine: machine::describe()?,
        pace,
        core,
        direct,
        actix,
        nginx,
        in_front,
        in_front_nginx,
        stores,
        memory,
        apache: apache.map_err(|problem| format!("{problem:#}")),
        size: size::measure()?,
    };
    fs::create_dir_all(&out)?;
    for (name, text) in
        [("benchmarks.md", report::page(&findings)), ("benchmarks.svg", chart::draw(&findings))]
    {
        let file = out.join(name);
        fs::write(&file, text).with_context(|| format!("{} could not be written", file.display()))?;
    }
    println!("\n{}", report::summary(&findings));
    Ok(())
}

/// What the server is asked without a proxy before it.
fn arms(server: &Server) -> Result<Vec<Arm>> {
    let load = |path: &str| -> Result<Load> { Ok(Load::of(server.authority(), path, server.cookies()?)) };
    let yes = |path: &str| -> Result<Load> { Ok(load(path)?.status(202)) };
    Ok(vec![
        Arm::new("a bare route, 202", yes("/bare")?, None),
        Arm::new("a bare route, 202 with the same headers", yes("/bare-with-headers")?, Some(0)),
        Arm::new("`auth`, a valid sealed session", yes(vestibule_bench::site::AUTH)?, Some(0)),
        Arm::new("a bare route, 200 with a line of text", load("/open")?, None),
        Arm::new("the same behind `gate.require()`", load("/guarded")?, Some(3)),
    ])
}

/// The gateway beside a bare route of axum's.
fn in_front(bare: &Server, gate: &Server) -> Result<Vec<Arm>> {
    let load = |server: &Server, path: &str| -> Result<Load> {
        Ok(Load::of(server.authority(), path, gate.cookies()?).status(202))
    };
    Ok(vec![
        Arm::new("a bare route of axum, 202", load(bare, "/bare")?, None),
        Arm::new(
            "the gateway's `auth`, a valid sealed session",
            load(gate, vestibule_bench::site::AUTH)?,
            Some(0),
        ),
    ])
}
