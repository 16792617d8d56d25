//! The application on actix-web, as a program.

use std::process::ExitCode;

use vue_nginx::{actix_app, program};

#[actix_web::main]
async fn main() -> ExitCode {
    program::run("vue-nginx-actix", actix_app::serve).await
}
