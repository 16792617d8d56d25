//! `vestibule check --print`: a configuration in our own terms, without its secrets.

use std::process::ExitCode;

use vestibule_settings::Reader;

/// Writes it to standard output.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub(crate) fn print(reader: Reader) -> ExitCode {
    let (text, problems) = reader.in_our_terms();
    print!("{text}");
    for problem in &problems {
        println!("# problem: {problem}");
    }
    if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
