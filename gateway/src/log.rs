//! The log, on standard error.

use tracing_subscriber::EnvFilter;
use vestibule_settings::LogFormat;

/// Begins the log: what `RUST_LOG` asks for, or everything from `info` on.
pub(crate) fn begin(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A program that is embedded may have set up a log of its own, which stays.
    let _ = match format {
        LogFormat::Json => log.json().try_init(),
        _ => log.try_init(),
    };
}
