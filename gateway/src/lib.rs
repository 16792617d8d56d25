//! Sign-in in front of applications that cannot be changed, in oauth2-proxy's place: a proxy asks this program about
//! each request, and sends browsers here to sign in.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     vestibule_gateway::main()
//! }
//! ```

mod cli;
mod gateway;
mod health;
mod listen;
mod log;
mod metrics;
mod requests;
mod run;
mod serve;
mod signals;

use std::{env, process::ExitCode};

use cli::What;
use vestibule_settings::Reader;

/// The program: reads its configuration, listens, and serves until it is asked to end.
pub fn main() -> ExitCode {
    let asked = match cli::read(env::args_os()) {
        Ok(asked) => asked,
        Err(error) => {
            // Help and the version are answers too, and clap knows which output they belong to.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match asked.what {
        What::Serve => serve(asked.reader),
        What::Check { .. } => match asked.reader.from_env() {
            Ok(_) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        },
    }
}

fn serve(reader: Reader) -> ExitCode {
    let settings = match reader.clone().from_env() {
        Ok(settings) => settings,
        Err(error) => return failed(&error),
    };
    log::begin(settings.log_format);
    match run::run(settings, reader) {
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
