//! How the program is asked to end, or to read its configuration again.

use anyhow::Result;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGHUP, as often as it comes.
#[derive(Debug)]
pub(crate) struct Hangups {
    #[cfg(unix)]
    signal: Signal,
}

/// SIGTERM, or Ctrl-C from a keyboard.
#[derive(Debug)]
pub(crate) struct Ending {
    #[cfg(unix)]
    terminated: Signal,
    #[cfg(unix)]
    interrupted: Signal,
}

#[cfg(unix)]
impl Hangups {
    /// From here on none is missed.
    pub(crate) fn listen() -> Result<Self> {
        Ok(Self { signal: signal(SignalKind::hangup())? })
    }

    /// Waits for the next one; `false` where there will be none. Several at once may count as one.
    pub(crate) async fn next(&mut self) -> bool {
        self.signal.recv().await.is_some()
    }
}

#[cfg(unix)]
impl Ending {
    /// From here on it is not missed.
    pub(crate) fn listen() -> Result<Self> {
        Ok(Self {
            terminated: signal(SignalKind::terminate())?,
            interrupted: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for it.
    pub(crate) async fn asked(mut self) {
        tokio::select! {
            _ = self.terminated.recv() => {}
            _ = self.interrupted.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Hangups {
    pub(crate) fn listen() -> Result<Self> {
        Ok(Self {})
    }

    pub(crate) async fn next(&mut self) -> bool {
        std::future::pending().await
    }
}

#[cfg(not(unix))]
impl Ending {
    pub(crate) fn listen() -> Result<Self> {
        Ok(Self {})
    }

    pub(crate) async fn asked(self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
