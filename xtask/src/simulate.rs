//! `cargo xtask simulate`: whole systems in one thread, as many runs as wanted. `cargo xtask test` has a fixed number of
//! them, the same seeds each time.

use crate::{
    Outcome, root,
    steps::{self, cargo},
};

/// How many runs a change must pass: a minute on two cores.
const RUNS: &str = "200000";

/// Hands the words on.
pub(crate) fn run(words: &[&str]) -> Outcome {
    let mut command = cargo("run --profile simulation --quiet -p vestibule-simulation --");
    steps::run(command.args(words).current_dir(root()))
}

/// The runs that a change must pass.
pub(crate) fn enough() -> Outcome {
    run(&["--runs", RUNS])
}
