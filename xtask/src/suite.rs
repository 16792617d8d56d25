//! `cargo xtask test`: everything that a change must pass, the same here and in CI.

use std::process::{Command, Stdio};

use crate::{
    Outcome, keycloak, python, simulate,
    steps::{self, Steps, cargo},
    tools, tools_folder, web,
};

/// How much is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What needs nothing but Rust.
    Fast,
    /// And what needs servers, a browser and Node.
    Full,
}

/// Runs all steps and says how long each took.
pub(crate) fn run(extent: Extent) -> Outcome {
    let mut steps = Steps::default();
    all(extent, &mut steps)?;
    println!("\n{}", steps.table());
    Ok(())
}

/// Installs what the tests from outside need, and does nothing else.
pub(crate) fn tools() -> Outcome {
    let mut steps = Steps::default();
    install(&mut steps)?;
    println!("\n{}", steps.table());
    Ok(())
}

fn install(steps: &mut Steps) -> Outcome {
    steps.step("tools: Debian's", tools::debian)?;
    steps.step("tools: npm's", tools::npm)?;
    steps.step("tools: Python's", python::packages)?;
    steps.step("tools: Maven's", keycloak::install)
}

/// The steps, the quick ones first.
fn all(extent: Extent, steps: &mut Steps) -> Outcome {
    steps.step("lock file", || {
        let outcome = steps::run(cargo("metadata --locked --format-version 1").stdout(Stdio::null()));
        outcome.map_err(|problem| format!("{problem}; run `cargo metadata` and commit Cargo.lock"))
    })?;
    steps.step("format", || steps::run(&mut cargo("fmt --all --check")))?;
    if extent == Extent::Full {
        install(steps)?;
        steps.step("the page is what its sources build", web::check)?;
    }
    steps.step("tools: cargo-deny", || tools::cargo_deny().map(drop))?;
    steps.step("dependencies", || {
        steps::run(&mut deny("check --hide-inclusion-graph bans licenses sources")?)
    })?;
    steps.step("advisories", advisories)?;
    steps.step("clippy", || {
        steps::run(&mut cargo("clippy --workspace --all-targets --all-features -- -D warnings"))
    })?;
    steps.step("documentation", || {
        let mut doc = cargo("doc --workspace --all-features --no-deps");
        steps::run(doc.env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    match extent {
        Extent::Fast => steps.step("tests", || {
            steps::run(&mut cargo("test --workspace --all-features --exclude vestibule-outside"))
        }),
        Extent::Full => {
            // The tests from outside run the example programs, so all targets are built before any is run.
            // One selection of packages for both: with another, Cargo joins other features, and every
            // dependency would be compiled again.
            steps
                .step("build", || steps::run(&mut cargo("build --workspace --all-features --all-targets")))?;
            steps.step("tests, those from outside among them", || {
                let mut tests = cargo("test --workspace --all-features");
                steps::run(tests.env("OUTSIDE_TOOLS", tools_folder()))
            })?;
            // Optimised, in a profile of its own: a few crates to compile, and no run of it takes half a millisecond.
            steps.step("simulated runs", simulate::enough)
        }
    }
}

/// Known vulnerabilities. The database comes from elsewhere, so being offline is no failure, but it is said.
fn advisories() -> Outcome {
    if steps::run(deny("fetch db")?.stdin(Stdio::null()).stderr(Stdio::null())).is_err() {
        println!("    NOT CHECKED: the advisory database could not be reached from here");
        return Ok(());
    }
    steps::run(&mut deny("check --disable-fetch advisories")?)
}

fn deny(arguments: &str) -> Result<Command, String> {
    Ok(steps::command(tools::cargo_deny()?, &format!("--workspace --all-features {arguments}")))
}
