//! Sign-in in front of applications that cannot be changed, in oauth2-proxy's place: a proxy asks this program about
//! each request, and sends browsers here to sign in.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     vestibule_gateway::main()
//! }
//! ```

mod ending;
mod health;
mod log;
mod run;
mod serve;

use std::process::ExitCode;

use vestibule_settings::Settings;

/// The program: reads the environment, listens, and serves until it is asked to end.
pub fn main() -> ExitCode {
    let settings = match Settings::from_env() {
        Ok(settings) => settings,
        Err(error) => return failed(&error),
    };
    log::begin(settings.log_format);
    match run::run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&*error),
    }
}

/// Whatever ends the program is told where its starter looks, whether or not there is a log yet.
#[expect(clippy::print_stderr, reason = "a program that does not start talks to whoever started it")]
fn failed(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    eprintln!("vestibule: {error}");
    for cause in std::iter::successors(error.source(), |error| error.source()) {
        eprintln!("  because {cause}");
    }
    ExitCode::FAILURE
}
