//! Named steps: each is announced, timed, and ends the run when it fails.

use std::{
    fmt::Write as _,
    process::Command,
    time::{Duration, Instant},
};

use crate::{Outcome, root};

/// A run of steps, one after another.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration)>,
}

impl Steps {
    /// Does one step. After the first failure nothing else is tried: what it says stands last.
    pub(crate) fn step(&mut self, name: &str, does: impl FnOnce() -> Outcome) -> Outcome {
        println!("\n==> {name}");
        let begun = Instant::now();
        let outcome = does();
        let took = begun.elapsed();
        self.done.push((name.to_owned(), took));
        match outcome {
            Ok(()) => {
                println!("==> {name}: good, {}", seconds(took));
                Ok(())
            }
            Err(problem) => {
                println!("\n{}", self.table());
                Err(format!("step `{name}` failed after {}: {problem}", seconds(took)))
            }
        }
    }

    /// What was done and how long it took.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        let total: Duration = self.done.iter().map(|(_, took)| *took).sum();
        for (name, took) in &self.done {
            let _ = writeln!(text, "{:>9}  {name}", seconds(*took));
        }
        let _ = write!(text, "{:>9}  in all", seconds(total));
        text
    }
}

/// A command in the repository's root.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>, arguments: &str) -> Command {
    let mut command = Command::new(program);
    // None of the arguments written here has a space in it; one that might is added by the caller.
    command.args(arguments.split_whitespace()).current_dir(root());
    command
}

/// Cargo itself, the one that runs us.
pub(crate) fn cargo(arguments: &str) -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments)
}

/// Runs a command whose output a person sees as it comes.
pub(crate) fn run(command: &mut Command) -> Outcome {
    println!("    {}", line(command));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` ended with {status}", line(command))),
        Err(error) => Err(format!("`{}` could not be run: {error}", line(command))),
    }
}

/// Runs a command for its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => {
            Err(format!("`{}` failed:\n{}", line(command), String::from_utf8_lossy(&output.stderr)))
        }
        Err(error) => Err(format!("`{}` could not be run: {error}", line(command))),
    }
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    let mut text = String::new();
    let program = std::path::Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let _ = write!(text, "{}", program.display());
    for argument in command.get_args() {
        let _ = write!(text, " {}", argument.display());
    }
    text
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_names_itself_and_its_problem_and_stands_in_the_table() {
        let mut steps = Steps::default();
        steps.step("first", || Ok(())).unwrap();
        let text = steps.step("second", || Err("no such thing".into())).unwrap_err();
        assert!(text.contains("step `second` failed") && text.contains("no such thing"), "{text}");
        let table = steps.table();
        assert!(["first", "second", "in all"].iter().all(|name| table.contains(name)), "{table}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let text = run(&mut command("no-such-program", "--now")).unwrap_err();
        assert!(text.contains("`no-such-program --now` could not be run"), "{text}");
    }
}
