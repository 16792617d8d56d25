//! From settings to a program that serves.

use anyhow::{Context as _, Result};
use axum::Router;
use vestibule::driver::{AdmitAll, Driver};
use vestibule_axum::Gate;
use vestibule_settings::Settings;

use crate::{ending, health, listen::Listener, serve};

/// Runs until the program is asked to end.
pub(crate) fn run(settings: Settings) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("there is no runtime")?.block_on(serve_all(settings))
}

async fn serve_all(settings: Settings) -> Result<()> {
    for warning in settings.warnings() {
        tracing::warn!(%warning, "the configuration works, but");
    }
    let app = app(&settings)?;
    let listener = Listener::bind(&settings.server.listen).await?;
    say_where(&listener.place()?);
    serve::serve(listener, app, &settings.server, ending::asked()).await;
    Ok(())
}

fn app(settings: &Settings) -> Result<Router> {
    let vestibule = settings.builder()?.build()?;
    let driver = Driver::new(vestibule, settings.host()?, AdmitAll);
    Ok(health::routes(&settings.server).merge(Gate::new(driver).routes()))
}

/// With port 0 this is the only place where the port stands.
#[expect(clippy::print_stdout, reason = "whoever started the program reads where it listens")]
fn say_where(address: &str) {
    println!("listening on {address}");
}
