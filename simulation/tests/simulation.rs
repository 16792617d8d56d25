//! Runs show nothing that must not be; each planted mistake is found. `cargo xtask test` has many more of them.
#![allow(clippy::print_stderr, reason = "whoever runs this wants to know how often what happened")]

use vestibule_simulation::{Bug, EXPECTED, simulate};

/// Enough for everything to happen.
const RUNS: u64 = 1_500;
const THREADS: usize = 2;

#[test]
fn nothing_that_must_not_be_happens_in_any_run_and_everything_that_can_happen_does() {
    let counts = simulate(0, RUNS, None, THREADS).unwrap_or_else(|fault| panic!("{fault}"));
    eprintln!("{counts:?}");
    for what in EXPECTED {
        assert!(counts.get(what).is_some_and(|often| *often > 0), "it never came to: {what}");
    }
}

#[test]
fn a_seed_decides_everything_however_many_threads_there_are() {
    assert_eq!(simulate(7, 300, None, 1), simulate(7, 300, None, 3));
    let found = |threads| simulate(0, RUNS, Some(Bug::VersionsIgnored), threads);
    assert!(found(1).is_err());
    assert_eq!(found(1), found(3));
}

#[test]
fn every_planted_mistake_is_found() {
    for bug in Bug::ALL {
        let found = simulate(0, RUNS, Some(bug), THREADS);
        eprintln!("{bug:?}: {:?}", found.as_ref().err().and_then(|fault| fault.lines().next()));
        assert!(found.is_err(), "{bug:?} was not found");
    }
}
