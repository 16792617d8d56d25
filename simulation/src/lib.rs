//! A whole system in one thread: browsers with tabs, two instances of a site, the store that they share, a provider that
//! rotates refresh tokens, and a clock; with everything that goes wrong between them.
//!
//! A run is drawn from a seed, to the last choice. After every step it is held against what must always be true
//! (`run.rs`); what is wrong is a text that names the seed. Everything that can happen is counted, so that a simulation
//! that no longer reaches something is noticed.

mod bug;
mod issuer;
mod run;
mod shelf;
mod town;

use std::collections::BTreeMap;

pub use bug::Bug;

/// How often what happened.
pub type Counts = BTreeMap<&'static str, u64>;

/// What must happen at least once in many runs.
pub const EXPECTED: [&str; 24] = [
    "signed in",
    "found",
    "nobody",
    "signed out",
    "signed out everywhere",
    "refreshed",
    "refresh failed",
    "grant over",
    "callback repeated",
    "answered before",
    "tab begun",
    "response lost",
    "request lost",
    "answer lost",
    "provider away",
    "store away",
    "store late",
    "instance crashed",
    "keys rotated",
    "clock forward",
    "clock back",
    "detached",
    "waited",
    "limit reached",
];

/// Runs seeds `first..first + runs`, with `bug` planted; says what happened.
///
/// # Errors
/// The first seed that shows something that must not be, with what led to it.
pub fn simulate(first: u64, runs: u64, bug: Option<Bug>) -> Result<Counts, String> {
    let mut counts = Counts::new();
    for seed in first..first + runs {
        run::run(seed, bug, &mut counts)?;
    }
    Ok(counts)
}
