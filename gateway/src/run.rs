//! From settings to a program that serves, until it is asked to end.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use tokio::sync::watch;
use tower::ServiceExt as _;
use vestibule_settings::{LogFormat, Reader, Server, Settings, rows};

use crate::{
    gateway::Gateway,
    listen::{Inherited, Listener},
    metrics::Metrics,
    serve,
    signals::{Ending, Hangups},
};

/// Runs until the program is asked to end. `reader` reads the same again whenever a new configuration is to be taken.
pub(crate) fn run(settings: Settings, reader: Reader) -> Result<()> {
    // Before the runtime has threads.
    let inherited = Inherited::take();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("there is no runtime")?.block_on(serve_all(settings, reader, inherited))
}

async fn serve_all(settings: Settings, reader: Reader, mut inherited: Inherited) -> Result<()> {
    warn(&settings);
    let metrics = Metrics::new();
    let gateway = Arc::new(Gateway::new(&settings, metrics.clone())?);
    let start = Start { server: settings.server, log_format: settings.log_format };
    let server = start.server.clone();
    // Whoever sends a signal once the program says that it listens must be heard.
    let (hangups, ending) = (Hangups::listen()?, Ending::listen()?);
    let (end, ends) = watch::channel(());
    let listener = Listener::bind(&server.listen, &mut inherited).await?;
    if let Some(place) = &server.metrics {
        let listener = Listener::bind(place, &mut inherited).await.context("metrics cannot be served")?;
        say(&format!("metrics on {}", listener.place()?));
        tokio::spawn(serve_metrics(listener, server.clone(), metrics.clone(), ends.clone()));
    }
    say(&format!("listening on {}", listener.place()?));
    tokio::spawn(reload_when_asked(hangups, Arc::clone(&gateway), reader, metrics, Arc::new(start)));
    tokio::spawn(async move {
        ending.asked().await;
        tracing::info!("ending");
        // Whoever waits on the other side sees that it is gone.
        drop(end);
    });
    serve::serve(listener, &server, over(ends), move |request, peer| {
        let gateway = Arc::clone(&gateway);
        async move { gateway.answer(request, peer).await }
    })
    .await;
    Ok(())
}

/// Waits until the sender is dropped.
async fn over(mut ends: watch::Receiver<()>) {
    while ends.changed().await.is_ok() {}
}

async fn serve_metrics(listener: Listener, server: Server, metrics: Metrics, ends: watch::Receiver<()>) {
    let app = Router::new().route("/metrics", get(page)).with_state(metrics);
    serve::serve(listener, &server, over(ends), move |request, _| {
        let app = app.clone();
        async move { app.oneshot(request).await.unwrap_or_else(|never| match never {}) }
    })
    .await;
}

async fn page(State(metrics): State<Metrics>) -> axum::response::Response {
    match metrics.page() {
        Ok(page) => {
            let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(CONTENT_TYPE, content_type)], page).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Takes a new configuration whenever the program is sent SIGHUP. One that is wrong changes nothing.
async fn reload_when_asked(
    mut hangups: Hangups,
    gateway: Arc<Gateway>,
    reader: Reader,
    metrics: Metrics,
    start: Arc<Start>,
) {
    while hangups.next().await {
        let (gateway, reader, start) = (Arc::clone(&gateway), reader.clone(), Arc::clone(&start));
        // Files are read, and certificates: requests do not wait for that.
        let reloaded = tokio::task::spawn_blocking(move || reload(&gateway, reader, &start)).await;
        let error = match reloaded {
            Ok(Ok(())) => {
                tracing::info!("the configuration was read again and has taken over");
                metrics.reloaded("applied");
                continue;
            }
            Ok(Err(error)) => error,
            Err(panicked) => panicked.into(),
        };
        metrics.reloaded("refused");
        tracing::error!(
            "the configuration was read again and cannot be used; the one before stays: {error:#}"
        );
    }
}

fn reload(gateway: &Gateway, reader: Reader, start: &Start) -> Result<()> {
    let settings = reader.from_env()?;
    warn(&settings);
    let changed = start.differs_in(&settings);
    if !changed.is_empty() {
        let changed = changed.join(", ");
        tracing::warn!("{changed} stay as they were until a restart; everything else takes over now");
    }
    gateway.renew(settings)
}

/// What was set at the start and is only read then.
struct Start {
    server: Server,
    log_format: LogFormat,
}

impl Start {
    /// The options of that kind that say something else by now.
    fn differs_in(&self, settings: &Settings) -> Vec<&'static str> {
        let (before, after) = (&self.server, &settings.server);
        let options = [
            (&rows::HTTP_ADDRESS, before.listen != after.listen),
            (&rows::METRICS_ADDRESS, before.metrics != after.metrics),
            (&rows::SHUTDOWN_GRACE, before.grace != after.grace),
            (&rows::CONNECTION_SILENCE, before.silence != after.silence),
            (&rows::LOG_FORMAT, self.log_format != settings.log_format),
        ];
        options.into_iter().filter(|(_, differs)| *differs).map(|(row, _)| row.suffix()).collect()
    }
}

fn warn(settings: &Settings) {
    for warning in settings.warnings() {
        tracing::warn!(%warning, "the configuration works, but");
    }
}

/// With port 0 this is the only place where the port stands.
#[expect(clippy::print_stdout, reason = "whoever started the program reads where it listens")]
fn say(line: &str) {
    println!("{line}");
}
