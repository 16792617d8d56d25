//! Sign-in in front of applications that cannot be changed, in oauth2-proxy's place: a proxy asks this program about
//! each request, and sends browsers here to sign in.
//!
//! The program `vestibule` is this library with nothing added. A program of one's own adds kinds of providers:
//!
//! ```no_run
//! use vestibule_gateway::Providers;
//! use vestibule_oidc::Oidc;
//!
//! fn main() -> std::process::ExitCode {
//!     // `provider = "company"` in a configuration, or `kind = "company"` in a `[[provider]]` table.
//!     let providers = Providers::default().with("company", |options| {
//!         let tenant = options.text("tenant").unwrap_or_else(|| "main".to_owned());
//!         let issuer = format!("https://id.company.example/{tenant}");
//!         let provider = Oidc::builder(issuer, options.client_id()).id(options.id()).label("Company");
//!         match options.client_secret() {
//!             Some(secret) => provider.client_secret(secret).build(),
//!             None => provider.build(),
//!         }
//!     });
//!     vestibule_gateway::main(providers)
//! }
//! ```

mod check;
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

pub use vestibule_settings::{ProviderOptions, Providers};

/// The program: reads its configuration, listens, and serves until it is asked to end. `providers` are kinds of
/// providers beside those that are always there.
pub fn main(providers: Providers) -> ExitCode {
    let asked = match cli::read(env::args_os()) {
        Ok(asked) => asked,
        Err(error) => {
            // Help and the version are answers too, and clap knows which output they belong to.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let reader = asked.reader.with_providers(providers);
    match asked.what {
        What::Serve => serve(reader),
        What::Check(sites) => check::check(reader, &sites),
        What::Print => check::print(reader),
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
