//! The application as a program, on whichever framework: configured by the environment, or with `--demo` by nothing.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it tells whoever started it where it listens, or why not"
)]

use std::{env, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpListener;
use vestibule::driver::Driver;
use vestibule_settings::LogFormat;

use crate::{demo::Demo, driver, reader, serve};

const HELP: &str = "\
Without an argument it is configured by the environment: OAUTH2_PROXY_PROVIDER, OAUTH2_PROXY_CLIENT_ID and so on, or
VESTIBULE_PROVIDER and so on. Whatever is missing or wrong is named, all of it at once.

  --demo    needs no configuration: with invented people to sign in as, and for this machine only";

/// Runs the program of this name. `serve` puts the sign-in into a framework's application, and serves that.
pub async fn run(name: &str, serve: impl AsyncFnOnce(TcpListener, Driver) -> Result<()>) -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        [] => configured(serve).await,
        ["--demo"] => demo(serve).await,
        ["--help" | "-h"] => {
            println!("usage: {name} [--demo]\n\n{HELP}");
            Ok(())
        }
        _ => unknown(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn configured(serve: impl AsyncFnOnce(TcpListener, Driver) -> Result<()>) -> Result<()> {
    let settings = reader().from_env()?;
    serve::log(settings.log_format);
    for warning in settings.warnings() {
        tracing::warn!("{warning}");
    }
    let listener = TcpListener::bind(settings.http_address).await;
    let listener = listener.with_context(|| format!("{} cannot be listened at", settings.http_address))?;
    let host = settings.host()?;
    let driver = driver(settings, host)?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(listener, driver).await
}

async fn demo(serve: impl AsyncFnOnce(TcpListener, Driver) -> Result<()>) -> Result<()> {
    serve::log(LogFormat::Text);
    let Demo { listener, driver, address, provider } = Demo::start().await?;
    println!("Open {address} and sign in as one of the invented people; Ctrl-C ends the demonstration.");
    let served = serve(listener, driver).await;
    provider.stop().await;
    served
}

fn unknown() -> Result<()> {
    bail!("there is no such argument; `--demo` and `--help` are all there are")
}
