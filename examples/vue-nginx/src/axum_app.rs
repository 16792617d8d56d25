//! The application on axum.

use anyhow::{Context as _, Result};
use axum::{
    Json, Router,
    http::{StatusCode, Uri, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;
use vestibule::driver::Driver;
use vestibule_axum::{Gate, SignedIn};

use crate::{api, page, serve};

/// The application.
pub fn app(gate: &Gate) -> Router {
    Router::new()
        .route("/app/api/userinfo", get(userinfo))
        .route("/app/api/first_seen", get(first_seen))
        .fallback(get(file))
        .layer(gate.require())
        // What is added after the layer is for everybody.
        .route("/app/api/no_auth", get(async || api::NO_AUTH))
        .merge(gate.routes())
}

async fn userinfo(SignedIn(session): SignedIn) -> impl IntoResponse {
    ([(CACHE_CONTROL, api::CACHE_CONTROL)], Json(api::userinfo(session)))
}

async fn first_seen(SignedIn(session): SignedIn) -> impl IntoResponse {
    ([(CACHE_CONTROL, api::CACHE_CONTROL)], Json(api::first_seen(&session)))
}

async fn file(uri: Uri) -> Response {
    match page::at(uri.path()) {
        Some(file) => (file.headers(), file.content).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Serves it until the program is asked to end.
///
/// # Errors
/// The listener fails.
pub async fn serve(listener: TcpListener, driver: Driver) -> Result<()> {
    let app = app(&Gate::new(driver));
    let server = axum::serve(listener, app).with_graceful_shutdown(serve::asked_to_end());
    // A browser may keep a connection open for as long as it likes.
    tokio::select! {
        served = server.into_future() => served.context("the server failed"),
        () = serve::overdue() => Ok(()),
    }
}
