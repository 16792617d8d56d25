//! `vestibule check`: whether a configuration is sound, whether its provider is there, and whether people would go round
//! in circles with it.

mod browser;
mod last_refusal;
mod print;
mod probe;
mod rehearsal;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use vestibule_settings::{Reader, Settings};

pub(crate) use print::print;

/// One thing that is wrong, or that could not be looked at.
#[derive(Debug)]
pub(crate) struct Finding {
    fault: String,
    remedy: String,
    /// Whether it keeps people from signing in.
    is_grave: bool,
}

impl Finding {
    fn new(fault: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { fault: fault.into(), remedy: remedy.into(), is_grave: true }
    }

    /// Something that could not be looked at.
    fn not_checked(fault: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { is_grave: false, ..Self::new(fault, remedy) }
    }
}

/// Reads the configuration and tells everything that is wrong with it. `sites` are addresses that people open.
#[expect(clippy::print_stdout, reason = "this command talks to whoever gave it")]
pub(crate) fn check(reader: Reader, sites: &[String]) -> ExitCode {
    let settings = match reader.from_env() {
        Ok(settings) => settings,
        Err(error) => {
            println!("{error}");
            return ExitCode::FAILURE;
        }
    };
    for warning in settings.warnings() {
        println!("warning: {warning}");
    }
    let findings = match look(&settings, sites) {
        Ok(findings) => findings,
        Err(error) => vec![Finding::new(format!("{error:#}"), "correct that first")],
    };
    for Finding { fault, remedy, is_grave } in &findings {
        println!("{}: {fault}; {remedy}", if *is_grave { "problem" } else { "not checked" });
    }
    if findings.iter().any(|finding| finding.is_grave) {
        return ExitCode::FAILURE;
    }
    println!("the configuration is sound");
    ExitCode::SUCCESS
}

fn look(settings: &Settings, sites: &[String]) -> Result<Vec<Finding>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("there is no runtime")?.block_on(async {
        let mut findings = rehearsal::rehearse(settings, sites).await?;
        findings.extend(probe::store(settings).await);
        findings.extend(probe::providers(settings).await?);
        findings.extend(probe::site(settings).await?);
        Ok(findings)
    })
}
