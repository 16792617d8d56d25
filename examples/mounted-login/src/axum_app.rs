//! The application on axum.

use anyhow::Result;
use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use tokio::net::TcpListener;
use vestibule::driver::Driver;
use vestibule_axum::{Gate, SignedIn};

use crate::{Login, page};

/// The application with `login` mounted into it.
pub fn app(login: &Login, gate: &Gate) -> Router {
    let app = Router::new().route("/", get(hello));
    let app = if login.landing() == "/" { app } else { app.route(login.landing(), get(hello)) };
    app.fallback(async || StatusCode::NOT_FOUND)
        .layer(gate.require())
        // What is added after the layer is for everybody.
        .route(login.page(), get(link))
        .merge(gate.routes())
        .with_state(login.clone())
}

async fn link(State(login): State<Login>) -> impl IntoResponse {
    (page::HEADERS, page::login(&login))
}

async fn hello(State(login): State<Login>, SignedIn(session): SignedIn) -> impl IntoResponse {
    (page::HEADERS, page::hello(&session, &login))
}

/// Serves it.
///
/// # Errors
/// The listener fails.
pub async fn serve(listener: TcpListener, login: Login, driver: Driver) -> Result<()> {
    Ok(axum::serve(listener, app(&login, &Gate::new(driver))).await?)
}
