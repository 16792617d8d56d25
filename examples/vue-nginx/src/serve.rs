//! Running an application, on whichever framework: its log, and its end.

use std::time::Duration;

use tracing_subscriber::EnvFilter;
use vestibule_settings::LogFormat;

/// How long requests under way have to end once the program is asked to.
pub(crate) const GRACE: Duration = Duration::from_secs(3);

/// Writes the log to standard error: what `RUST_LOG` asks for, or everything from `info` on.
pub(crate) fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Whoever has set a log up before keeps it.
    let _ = match format {
        LogFormat::Json => log.json().try_init(),
        _ => log.try_init(),
    };
}

/// Waits until the program has been asked to end, and the time for that is up.
pub(crate) async fn overdue() {
    asked_to_end().await;
    tokio::time::sleep(GRACE).await;
}

/// Waits until the program is asked to end, by a signal or from the keyboard.
pub(crate) async fn asked_to_end() {
    let keyboard = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = keyboard => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
fn terminated() -> impl Future<Output = ()> {
    std::future::pending()
}
