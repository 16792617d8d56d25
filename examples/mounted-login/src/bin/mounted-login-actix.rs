//! The application on actix-web, as a program.

use std::process::ExitCode;

use mounted_login::{actix_app, program};

#[actix_web::main]
async fn main() -> ExitCode {
    program::run("mounted-login-actix", actix_app::serve).await
}
