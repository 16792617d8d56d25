//! A load on a server from one busy thread: see [`vestibule_bench::busy`].
//!
//! `bench-load ADDRESS PATH STATUS CONNECTIONS SECONDS COOKIES` prints the number of answers, the seconds, and two
//! latencies in microseconds, one a line.
#![allow(clippy::print_stdout, reason = "this program talks to the one that started it")]

use std::{env, error::Error, time::Duration};

use vestibule_bench::{browser, busy::Busy};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, path, status, connections, seconds, cookies] = arguments.as_slice() else {
        return Err("usage: bench-load ADDRESS PATH STATUS CONNECTIONS SECONDS COOKIES".into());
    };
    let busy = Busy {
        address: address.parse()?,
        request: browser::written(address, path, cookies),
        connections: connections.parse()?,
        status: status.parse()?,
    };
    let counted = busy.run(Duration::from_secs_f64(seconds.parse()?))?;
    println!("answers {}", counted.latencies.total());
    println!("seconds {}", counted.took.as_secs_f64());
    println!("p50 {}", counted.latencies.quantile(0.5).as_micros());
    println!("p99 {}", counted.latencies.quantile(0.99).as_micros());
    Ok(())
}
