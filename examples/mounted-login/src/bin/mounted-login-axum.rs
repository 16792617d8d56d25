//! The application on axum, as a program.

use std::process::ExitCode;

use mounted_login::{axum_app, program};

#[tokio::main]
async fn main() -> ExitCode {
    program::run("mounted-login-axum", axum_app::serve).await
}
