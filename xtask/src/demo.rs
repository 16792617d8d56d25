//! `cargo xtask demo`: the Vue example with a development provider inside.

use crate::{
    Outcome,
    steps::{self, cargo},
};

/// Builds and runs it; it prints its address itself and runs until it is interrupted.
pub(crate) fn run() -> Outcome {
    steps::run(&mut cargo("run -p vue-nginx --bin vue-nginx-axum -- --demo"))
}
