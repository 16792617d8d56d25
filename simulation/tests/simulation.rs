//! Many small runs show nothing that must not be; each planted mistake is found.
#![allow(clippy::print_stderr, reason = "whoever runs this wants to know how often what happened")]

use vestibule_simulation::{Bug, EXPECTED, simulate};

const RUNS: u64 = 1_500;

#[test]
fn nothing_that_must_not_be_happens_in_any_run_and_everything_that_can_happen_does() {
    let counts = simulate(0, RUNS, None).unwrap_or_else(|fault| panic!("{fault}"));
    eprintln!("{counts:?}");
    for what in EXPECTED {
        assert!(counts.get(what).is_some_and(|often| *often > 0), "it never came to: {what}");
    }
}

#[test]
fn a_seed_decides_everything() {
    assert_eq!(simulate(7, 20, None), simulate(7, 20, None));
}

#[test]
fn every_planted_mistake_is_found() {
    for bug in Bug::ALL {
        let found = simulate(0, RUNS, Some(bug));
        eprintln!("{bug:?}: {:?}", found.as_ref().err().and_then(|fault| fault.lines().next()));
        assert!(found.is_err(), "{bug:?} was not found");
    }
}
