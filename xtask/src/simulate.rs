//! `cargo xtask simulate`: whole systems in one thread, as many runs as wanted; `cargo test` has some.

use crate::{
    Outcome, root,
    steps::{self, cargo},
};

/// Hands the words on.
pub(crate) fn run(words: &[&str]) -> Outcome {
    let mut command = cargo("run --release --quiet -p vestibule-simulation --");
    steps::run(command.args(words).current_dir(root()))
}
