//! The application on axum, as a program.

use std::process::ExitCode;

use vue_nginx::{axum_app, program};

#[tokio::main]
async fn main() -> ExitCode {
    program::run("vue-nginx-axum", axum_app::serve).await
}
