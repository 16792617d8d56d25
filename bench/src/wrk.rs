//! wrk, as a load: it asks over and over on a few connections, and sleeps where no answer is there.
//!
//! It is Debian's package, and one thread of it keeps a server of one thread busy.

use std::{process::Command, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use vestibule_bench::browser;

use crate::{
    LOAD_CORE,
    load::{Load, Outcome},
};

/// wrk, ready to be started.
pub(crate) fn command(load: &Load, time: Duration) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", LOAD_CORE, "wrk", "--threads=1", "--latency"]);
    command.arg(format!("--connections={}", load.connections));
    command.arg(format!("--duration={}s", time.as_secs().max(1)));
    for (name, value) in browser::HEADERS.into_iter().chain([("cookie", load.cookies.as_str())]) {
        command.arg("--header").arg(format!("{name}: {value}"));
    }
    command.arg(format!("http://{}{}", load.authority, load.path));
    command
}

/// Runs it to its end.
pub(crate) fn run(load: &Load, time: Duration) -> Result<Outcome> {
    let output = command(load, time).output().context("wrk could not be started; run `cargo xtask bench`")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "wrk failed: {}", String::from_utf8_lossy(&output.stderr));
    read(&text).with_context(|| format!("the load on {} failed; wrk said:\n{text}", load.path))
}

/// Reads what wrk prints. An answer that is no success, or a broken connection, makes the whole load worthless.
fn read(text: &str) -> Result<Outcome> {
    if let Some(line) = text.lines().find(|line| line.contains("Non-2xx") || line.contains("Socket errors")) {
        bail!("{}", line.trim());
    }
    let after = |label: &str| {
        let line = text.lines().map(str::trim_start).find_map(|line| line.strip_prefix(label));
        line.map(str::trim).with_context(|| format!("there is no `{label}`"))
    };
    let requests = text.lines().find_map(|line| line.trim_start().split_once(" requests in "));
    Ok(Outcome {
        requests: requests.context("there is no number of requests")?.0.parse()?,
        requests_per_second: after("Requests/sec:")?.parse()?,
        p50: duration(after("50%")?)?,
        p99: duration(after("99%")?)?,
    })
}

fn duration(text: &str) -> Result<Duration> {
    for (unit, seconds) in [("us", 1e-6), ("ms", 1e-3), ("s", 1.0)] {
        if let Some(number) = text.strip_suffix(unit) {
            return Ok(Duration::from_secs_f64(number.parse::<f64>()? * seconds));
        }
    }
    bail!("`{text}` is no duration of wrk's")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "Running 2s test @ http://127.0.0.1:1/bare
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   431.09us  224.41us   7.54ms   96.27%
    Req/Sec    75.41k     1.73k   78.00k    80.95%
  Latency Distribution
     50%  408.00us
     75%  432.00us
     90%  470.00us
     99%    1.20ms
  157572 requests in 2.10s, 11.27MB read
Requests/sec:  75022.69
Transfer/sec:      5.37MB
";

    #[test]
    fn what_wrk_says_is_read() {
        let outcome = read(SAID).unwrap();
        assert_eq!((outcome.requests, outcome.requests_per_second), (157_572.0, 75_022.69));
        assert_eq!((outcome.p50, outcome.p99), (Duration::from_micros(408), Duration::from_micros(1_200)));
    }

    #[test]
    fn a_load_that_met_refusals_counts_for_nothing() {
        let refused = format!("{SAID}  Non-2xx or 3xx responses: 12\n");
        assert!(read(&refused).unwrap_err().to_string().contains("12"));
        assert!(read("").is_err());
    }
}
