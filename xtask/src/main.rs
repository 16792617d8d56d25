//! The repository's own commands, run as `cargo xtask COMMAND`.
//!
//! Whoever gives one waits for this crate to compile, so it has no dependencies.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program talks to a person")]

mod adapters;
mod bench;
mod demo;
mod files;
mod fuzz;
mod keycloak;
mod python;
mod simulate;
mod steps;
mod suite;
mod testkit;
mod threats;
mod tidy;
mod tools;
mod web;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

const USAGE: &str = "\
cargo xtask COMMAND

  demo           run the Vue example with a development provider inside: sign in with a click;
                 needs nothing but Rust
  test           everything that a change must pass; installs what it needs into target/tools
  test --fast    the same without the tests from outside, which need proxies, Chromium, Node and Python
  tools          install what the tests from outside need, and do nothing else (part of test)
  bench          what sign-in costs; installs what it needs and writes docs/benchmarks.md and .svg;
                 wants a machine with nothing else to do, and some 15 minutes
  bench --short  the same in a few rounds, into target/bench: to see that it works
  fuzz [SECONDS] [TARGET ...]
                 fuzz every target, or the named ones, for so many seconds each
  simulate [--runs N] [--seed S]
                 whole systems with everything that goes wrong in them, each run drawn from its seed
  tidy           the rules about files and dependencies that no compiler checks (part of test)
";

/// What a command ends with when it fails: one text for the person who gave it.
type Outcome = Result<(), String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["demo"] => demo::run(),
        ["test"] => suite::run(suite::Extent::Full),
        ["test", "--fast"] => suite::run(suite::Extent::Fast),
        ["tools"] => suite::tools(),
        ["bench"] => bench::run(bench::Pace::Full),
        ["bench", "--short"] => bench::run(bench::Pace::Short),
        ["fuzz", ref which @ ..] => fuzz::run(which),
        ["simulate", ref words @ ..] => simulate::run(words),
        ["tidy"] => tidy::run().map(|()| println!("tidy")),
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => Err(format!("there is no command `{}`\n\n{USAGE}", words.join(" "))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's root, wherever the command was given.
fn root() -> PathBuf {
    let here =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().map_or_else(|| here.clone(), Path::to_path_buf)
}

/// Where installed programs and packages lie; a second run finds them again.
fn tools_folder() -> PathBuf {
    target_folder().join("tools")
}

/// Cargo's own target folder, which the environment may have moved.
fn target_folder() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}
