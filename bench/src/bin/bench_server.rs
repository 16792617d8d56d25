//! The server under load: a bare route and the endpoints of a real `Gate`, on one thread.
//!
//! `bench-server gate` prints its address, its process id and a session cookie that it takes; `bench-server bare` is
//! the same program without any sign-in in it, for the memory that one costs.
#![allow(clippy::print_stdout, reason = "this program talks to the one that started it")]

use std::{env, error::Error, net::Ipv4Addr};

use axum::{
    Router,
    http::{HeaderName, StatusCode},
    routing::get,
    serve::ListenerExt as _,
};
use tokio::net::TcpListener;
use vestibule::driver::{AdmitAll, Driver, Host as _};
use vestibule_axum::{Gate, SignedIn};
use vestibule_bench::site;
use vestibule_reqwest::ReqwestHost;

/// As many bytes in as many headers as `auth` answers with, so that what answering costs can be told from what
/// knowing the answer costs.
const SAME_HEADERS: [(HeaderName, &str); 6] = [
    (HeaderName::from_static("cache-control"), "no-store"),
    (HeaderName::from_static("gap-auth"), "ada.lovelace@example.com"),
    (HeaderName::from_static("x-auth-request-user"), "f81d4fae-7dec-41d0-8765-00a0c91e6bf6"),
    (HeaderName::from_static("x-auth-request-email"), "ada.lovelace@example.com"),
    (HeaderName::from_static("x-auth-request-preferred-username"), "ada.lovelace"),
    (HeaderName::from_static("x-auth-request-groups"), "engineering-0,engineering-1"),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = match env::args().nth(1).as_deref() {
        Some("gate") => gated()?,
        Some("bare") => bare(),
        _ => return Err("usage: bench-server gate | bare".into()),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("process {}", std::process::id());
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|connection| {
        // Without it a small answer may wait for the acknowledgement of the one before.
        let _ = connection.set_nodelay(true);
    });
    axum::serve(listener, app).await?;
    Ok(())
}

fn bare() -> Router {
    Router::new()
        .route("/bare", get(async || StatusCode::ACCEPTED))
        .route("/bare-with-headers", get(async || (StatusCode::ACCEPTED, SAME_HEADERS)))
        .route("/open", get(async || "Hello, f81d4fae-7dec-41d0-8765-00a0c91e6bf6"))
}

fn gated() -> Result<Router, Box<dyn Error>> {
    let vestibule = site::vestibule(2);
    let host = ReqwestHost::new()?;
    println!("cookie {}", site::sign_in(&vestibule, host.now()));
    let vestibule = std::sync::Arc::into_inner(vestibule).ok_or("the sign-in is over, and holds nothing")?;
    let gate = Gate::new(Driver::new(vestibule, host, AdmitAll));
    Ok(Router::new()
        .route(
            "/guarded",
            get(async |SignedIn(session): SignedIn| format!("Hello, {}", session.identity.subject)),
        )
        .layer(gate.require())
        .merge(bare())
        .merge(gate.routes()))
}
