//! What monitors and crawlers ask: exact paths, and never anything by a header.

use axum::{Router, routing::get};
use vestibule_settings::Server;

/// `/ping`, `/ready` and `/robots.txt`.
pub(crate) fn routes(server: &Server) -> Router {
    Router::new()
        .route(&server.ping_path, get(async || "OK"))
        .route(&server.ready_path, get(async || "OK"))
        .route("/robots.txt", get(async || "User-agent: *\nDisallow: /\n"))
}
