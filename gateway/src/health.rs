//! What monitors and crawlers ask: exact paths, and never anything by a header.

use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::get,
};
use vestibule_settings::{Server, Store};

/// `/ping`, `/ready` and `/robots.txt`.
pub(crate) fn routes(server: &Server, store: Option<Store>) -> Router {
    Router::new()
        .route(&server.ping_path, get(async || "OK"))
        .route(&server.ready_path, get(move || ready(store.clone())))
        .route("/robots.txt", get(async || "User-agent: *\nDisallow: /\n"))
}

/// Without its store this program can tell nobody who they are.
async fn ready(store: Option<Store>) -> Response {
    let Some(store) = store else { return "OK".into_response() };
    match store.ping().await {
        Ok(()) => "OK".into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}
