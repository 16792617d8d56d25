//! What a server is asked, and the two programs that ask: `bench-load`, which never sleeps, and wrk, which does.

use std::{fmt, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};

use crate::{LOAD_CORE, wrk};

/// Connections that ask at once.
pub(crate) const CONNECTIONS: u32 = 32;

/// An address, what a browser sends with its request, and the answer that it gets.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) authority: String,
    pub(crate) path: String,
    pub(crate) cookies: String,
    pub(crate) connections: u32,
    status: u16,
}

/// What came of one load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) requests: f64,
    pub(crate) requests_per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Generator<'p> {
    /// `bench-load`, the program at this path: see [`vestibule_bench::busy`] for what it is good for.
    Busy(&'p Path),
    /// Whatever it is asked: any answer of success counts.
    Wrk,
}

impl fmt::Display for Generator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy(_) => "bench-load",
            Self::Wrk => "wrk",
        })
    }
}

impl Load {
    /// A browser's navigation to a path of `authority`, with these cookies, which is answered with 200.
    pub(crate) fn of(authority: &str, path: &str, cookies: String) -> Self {
        let (authority, path) = (authority.to_owned(), path.to_owned());
        Self { authority, path, cookies, connections: CONNECTIONS, status: 200 }
    }

    /// The same on that many connections.
    pub(crate) fn connections(mut self, connections: u32) -> Self {
        self.connections = connections;
        self
    }

    /// The same, answered with that status.
    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Asks for that long.
    pub(crate) fn run(&self, generator: Generator<'_>, time: Duration) -> Result<Outcome> {
        let program = match generator {
            Generator::Wrk => return wrk::run(self, time),
            Generator::Busy(program) => program,
        };
        let mut command = Command::new("taskset");
        command.args(["-c", LOAD_CORE]).arg(program).args([&self.authority, &self.path]);
        command.args([self.status.to_string(), self.connections.to_string(), time.as_secs_f64().to_string()]);
        let output = command.arg(&self.cookies).output().context("bench-load could not be started")?;
        let problem = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "the load on {} failed: {}", self.path, problem.trim());
        read(&String::from_utf8_lossy(&output.stdout))
    }
}

/// Reads what `bench-load` prints.
fn read(text: &str) -> Result<Outcome> {
    let number = |label: &str| -> Result<f64> {
        let value = text.lines().find_map(|line| line.strip_prefix(label)?.strip_prefix(' '));
        Ok(value.with_context(|| format!("there is no `{label}`"))?.parse()?)
    };
    let requests = number("answers")?;
    Ok(Outcome {
        requests,
        requests_per_second: requests / number("seconds")?,
        p50: Duration::from_secs_f64(number("p50")? / 1e6),
        p99: Duration::from_secs_f64(number("p99")? / 1e6),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_busy_load_says_is_read() {
        let outcome = read("answers 300000\nseconds 2.5\np50 251\np99 1040\n").unwrap();
        assert_eq!((outcome.requests, outcome.requests_per_second), (300_000.0, 120_000.0));
        assert_eq!((outcome.p50, outcome.p99), (Duration::from_micros(251), Duration::from_micros(1_040)));
        assert!(read("answers 1\nseconds 1\np50 1\n").unwrap_err().to_string().contains("p99"));
        assert!(read("").is_err());
    }
}
