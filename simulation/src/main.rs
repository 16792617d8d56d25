//! `cargo xtask simulate [--runs N] [--seed S] [--threads T]`: as many runs as wanted.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program talks to a person")]

use std::{env, process::ExitCode, thread};

use vestibule_simulation::{EXPECTED, simulate};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let number = |name: &str, otherwise: u64| {
        let at = words.iter().position(|word| word == name);
        at.map_or(Ok(otherwise), |at| words.get(at + 1).map_or("", String::as_str).parse())
    };
    let threads = thread::available_parallelism().map_or(1, usize::from) as u64;
    let numbers = (number("--runs", 100_000), number("--seed", 0), number("--threads", threads));
    let (Ok(runs), Ok(seed), Ok(threads)) = numbers else {
        eprintln!("--runs, --seed and --threads want a number");
        return ExitCode::FAILURE;
    };
    match simulate(seed, runs, None, usize::try_from(threads).unwrap_or(1)) {
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
        Ok(counts) => {
            counts.iter().for_each(|(what, often)| println!("{often:>10}  {what}"));
            let never: Vec<_> = EXPECTED.iter().filter(|what| !counts.contains_key(**what)).collect();
            if runs < 1_000 || never.is_empty() {
                return ExitCode::SUCCESS;
            }
            eprintln!("it never came to: {never:?}");
            ExitCode::FAILURE
        }
    }
}
