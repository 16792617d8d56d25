//! The `vestibule` program: see the library for what it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    vestibule_gateway::main(vestibule_gateway::Providers::default())
}
