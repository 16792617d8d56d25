//! The same server under load as `bench-server`, on actix-web: bare routes and the endpoints of a real `Gate`, on one
//! worker. It prints its address, its process id and a session cookie that it takes.
#![allow(clippy::print_stdout, reason = "this program talks to the one that started it")]

use std::{
    error::Error,
    net::{Ipv4Addr, TcpListener},
    sync::Arc,
};

use actix_web::{App, HttpResponse, HttpServer, web};
use vestibule::driver::{AdmitAll, Driver, Host as _};
use vestibule_actix::{Gate, SignedIn};
use vestibule_bench::site;
use vestibule_reqwest::ReqwestHost;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let vestibule = site::vestibule(2);
    let host = ReqwestHost::new()?;
    println!("cookie {}", site::sign_in(&vestibule, host.now()));
    let vestibule = Arc::into_inner(vestibule).ok_or("the sign-in is over, and holds nothing")?;
    let gate = Gate::new(Driver::new(vestibule, host, AdmitAll));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("process {}", std::process::id());
    println!("listening on http://{}", listener.local_addr()?);
    HttpServer::new(move || {
        // Actix tries one after the other. What is compared stands together, the bare route first.
        App::new().configure(bare).configure(gate.routes()).configure(open).service(
            web::resource("/guarded")
                .wrap(gate.require())
                .to(async |SignedIn(session): SignedIn| format!("Hello, {}", session.identity.subject)),
        )
    })
    .workers(1)
    // Without it a small answer may wait for the acknowledgement of the one before.
    .tcp_nodelay(true)
    .listen(listener)?
    .run()
    .await?;
    Ok(())
}

fn bare(config: &mut web::ServiceConfig) {
    config
        .route("/bare", web::get().to(async || HttpResponse::Accepted().finish()))
        .route("/bare-with-headers", web::get().to(with_headers));
}

fn open(config: &mut web::ServiceConfig) {
    config.route("/open", web::get().to(async || "Hello, f81d4fae-7dec-41d0-8765-00a0c91e6bf6"));
}

/// As many bytes in as many headers as `auth` answers with.
async fn with_headers() -> HttpResponse {
    HttpResponse::Accepted()
        .insert_header(("cache-control", "no-store"))
        .insert_header(("gap-auth", "ada.lovelace@example.com"))
        .insert_header(("x-auth-request-user", "f81d4fae-7dec-41d0-8765-00a0c91e6bf6"))
        .insert_header(("x-auth-request-email", "ada.lovelace@example.com"))
        .insert_header(("x-auth-request-preferred-username", "ada.lovelace"))
        .insert_header(("x-auth-request-groups", "engineering-0,engineering-1"))
        .finish()
}
