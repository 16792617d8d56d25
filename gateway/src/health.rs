//! What monitors and crawlers ask: exact paths, and never anything by a header.

use axum::{Router, routing::get};

/// `/ping`, `/ready` and `/robots.txt`.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/ping", get(async || "OK"))
        .route("/ready", get(async || "OK"))
        .route("/robots.txt", get(async || "User-agent: *\nDisallow: /\n"))
}
