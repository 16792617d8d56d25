//! The application as a program: configured by the environment, or with `--demo` by nothing at all.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it tells whoever started it where it listens, or why not"
)]

use std::{env, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpListener;
use vestibule_axum::Gate;
use vestibule_settings::LogFormat;
use vue_nginx::{app, demo::Demo, driver, reader, serve};

const HELP: &str = "\
usage: vue-nginx-axum [--demo]

Without an argument it is configured by the environment: OAUTH2_PROXY_PROVIDER, OAUTH2_PROXY_CLIENT_ID and so on, or
VESTIBULE_PROVIDER and so on. Whatever is missing or wrong is named, all of it at once.

  --demo    needs no configuration: with invented people to sign in as, and for this machine only";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        [] => run().await,
        ["--demo"] => demo().await,
        ["--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => unknown(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vue-nginx-axum: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let settings = reader().from_env()?;
    serve::log(settings.log_format);
    for warning in settings.warnings() {
        tracing::warn!("{warning}");
    }
    let listener = TcpListener::bind(settings.http_address).await;
    let listener = listener.with_context(|| format!("{} cannot be listened at", settings.http_address))?;
    let host = settings.host()?;
    let app = app(&Gate::new(driver(settings, host)?));
    println!("listening on http://{}", listener.local_addr()?);
    serve::serve(listener, app).await
}

async fn demo() -> Result<()> {
    serve::log(LogFormat::Text);
    let Demo { listener, app, address, provider } = Demo::start().await?;
    println!("Open {address} and sign in as one of the invented people; Ctrl-C ends the demonstration.");
    let served = serve::serve(listener, app).await;
    provider.stop().await;
    served
}

fn unknown() -> Result<()> {
    bail!("there is no such argument; `--demo` and `--help` are all there are")
}
