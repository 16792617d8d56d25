//! A whole system in one thread: browsers with tabs, two instances of a site, the store that they share, a provider that
//! rotates refresh tokens and ends sessions, and clocks; with everything that goes wrong between them.
//!
//! A run is drawn from a seed, to the last choice. After every step it is held against what must always be true
//! (`run.rs`); what is wrong is a text that names the seed. Everything that can happen is counted, so that a simulation
//! that no longer reaches something is noticed.
//!
//! Clocks are an hour off at most, which is what the site promises to bear (`limits::CLOCK_JUMP_MAX`).

mod bug;
mod dice;
mod issuer;
mod plugin;
mod run;
mod shelf;
mod town;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

pub use bug::Bug;

/// How often what happened.
pub type Counts = BTreeMap<&'static str, u64>;

/// What must happen at least once in many runs.
pub const EXPECTED: [&str; 51] = [
    "signed in",
    "found",
    "nobody",
    "signed out",
    "signed out everywhere",
    "signed out everywhere in part",
    "refreshed",
    "refresh failed",
    "refreshed after the end",
    "grant over",
    "ended by a refresh",
    "found no more",
    "tokens taken back",
    "callback repeated",
    "answered before",
    "ended while it began",
    "tab begun",
    "response lost",
    "request lost",
    "answer lost",
    "provider away",
    "store away",
    "store late",
    "instance crashed",
    "keys rotated",
    "key removed",
    "session of a removed key",
    "clock forward",
    "clock back",
    "clocks apart",
    "detached",
    "waited",
    "limit reached",
    "idle limit reached",
    "groups changed",
    "groups seen",
    "data kept",
    "data kept perhaps",
    "data not kept",
    "data seen",
    "notice sent",
    "notice heeded",
    "notice sent again",
    "notice of a copy",
    "notice forged",
    "notice refused",
    "notice failed",
    "frame shown",
    "sessions in cookies",
    "claim taken in the process",
    "claim taken in the store",
];

/// How many seeds a thread takes at once.
const CHUNK: u64 = 64;

/// Runs seeds `first..first + runs`, with `bug` planted, in `threads` threads; says what happened. How many threads
/// there are makes no difference to that.
///
/// # Errors
/// The first seed that shows something that must not be, with what led to it.
pub fn simulate(first: u64, runs: u64, bug: Option<Bug>, threads: usize) -> Result<Counts, String> {
    let end = first.saturating_add(runs);
    let (next, failed) = (AtomicU64::new(first), AtomicU64::new(u64::MAX));
    let faults = Mutex::new(BTreeMap::new());
    let work = || {
        let (site, mut counts) = (town::Site::new(bug), Counts::new());
        loop {
            let from = next.fetch_add(CHUNK, Ordering::Relaxed);
            for seed in from..from.saturating_add(CHUNK).min(end) {
                if seed > failed.load(Ordering::Relaxed) {
                    break;
                }
                if let Err(fault) = run::run(&site, seed, bug, &mut counts) {
                    failed.fetch_min(seed, Ordering::Relaxed);
                    faults.lock().unwrap_or_else(PoisonError::into_inner).insert(seed, fault);
                }
            }
            if from >= end || failed.load(Ordering::Relaxed) < u64::MAX {
                return counts;
            }
        }
    };
    let all = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a run that panics is a fault"))
            .collect::<Vec<_>>()
    });
    if let Some((_, fault)) = faults.into_inner().unwrap_or_else(PoisonError::into_inner).pop_first() {
        return Err(fault);
    }
    let mut counts = Counts::new();
    for (what, often) in all.into_iter().flatten() {
        *counts.entry(what).or_default() += often;
    }
    Ok(counts)
}
