//! The server under load: a bare route and the endpoints of a real `Gate`, on one thread.
//!
//! `bench-server gate` prints its address, its process id and a session cookie that it takes. `bench-server memory`
//! keeps sessions in its own memory, and `bench-server redis ADDRESS` in Redis. `bench-server bare` is the same program
//! without any sign-in in it, for the memory that one costs.
#![allow(clippy::print_stdout, reason = "this program talks to the one that started it")]

use std::{env, error::Error, net::Ipv4Addr, sync::Arc};

use axum::{
    Router,
    http::{HeaderName, StatusCode},
    routing::get,
    serve::ListenerExt as _,
};
use tokio::net::TcpListener;
use vestibule::{
    Vestibule,
    driver::{AdmitAll, Driver, Host as _},
    store::{MemoryStore, SessionStore},
};
use vestibule_axum::{Gate, SignedIn};
use vestibule_bench::{
    site::{self, Account},
    stored,
};
use vestibule_redis::RedisBuilder;
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
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let app = match arguments.as_slice() {
        ["gate"] => {
            let (host, vestibule) = (ReqwestHost::new()?, site::vestibule(2));
            let cookie = site::sign_in(&vestibule, host.now());
            gated(vestibule, host, &cookie)?
        }
        ["memory"] => {
            let clock = ReqwestHost::new()?;
            kept(Arc::new(MemoryStore::new(move || clock.now()))).await?
        }
        ["redis", address] => kept(Arc::new(RedisBuilder::node(*address).build()?)).await?,
        ["bare"] => bare(),
        _ => return Err("usage: bench-server gate | memory | redis ADDRESS | bare".into()),
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

async fn kept(store: Arc<dyn SessionStore>) -> Result<Router, Box<dyn Error>> {
    let (host, vestibule) = (ReqwestHost::new()?, stored::vestibule(2, Arc::clone(&store)));
    let signed_in = stored::sign_in(&vestibule, Some(&*store), &Account::typical(), 0, host.now()).await;
    let cookie = stored::session_cookie(&signed_in).ok_or("the sign-in is refused")?;
    gated(vestibule, host, cookie)
}

fn gated(vestibule: Arc<Vestibule>, host: ReqwestHost, cookie: &str) -> Result<Router, Box<dyn Error>> {
    println!("cookie {cookie}");
    let vestibule = Arc::into_inner(vestibule).ok_or("the sign-in is over, and holds nothing")?;
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
