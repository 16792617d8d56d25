//! What was written into the log while somebody listened.

use std::{
    io,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use tracing::Dispatch;
use tracing_subscriber::{Registry, util::SubscriberInitExt as _};

/// Somebody who wants to hear everything and is told nothing. Where there is one listener alone, `tracing` asks only
/// the thread that comes to a line first whether anybody cares, and remembers its answer for all others.
static ALWAYS: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Registry::default()));

/// Listens to everything that this thread writes, at every level, until it is dropped. A test runs on one thread with
/// everything that it spawns, so that this is the whole log of its site and of nobody else's.
#[derive(Debug)]
pub struct Log {
    lines: Lines,
    _listening: tracing::subscriber::DefaultGuard,
}

#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Begins to listen.
    pub fn listen() -> Self {
        LazyLock::force(&ALWAYS);
        let lines = Lines::default();
        let writer = lines.clone();
        let listening = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .set_default();
        Self { lines, _listening: listening }
    }

    /// Everything so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.lines.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}
