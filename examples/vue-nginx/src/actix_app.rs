//! The application on actix-web.

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, Responder, Route, guard,
    http::header::CACHE_CONTROL,
    web::{self, Json, ServiceConfig},
};
use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use vestibule::driver::Driver;
use vestibule_actix::{Gate, SignedIn};

use crate::{api, page, serve};

/// The application: `App::new().configure(app(&gate))`.
pub fn app(gate: &Gate) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let gate = gate.clone();
    move |config| {
        config
            .configure(gate.routes())
            .route("/app/api/no_auth", get().to(async || api::NO_AUTH))
            // What has not been found before is for signed-in people.
            .service(
                web::scope("")
                    .wrap(gate.require())
                    .route("/app/api/userinfo", get().to(userinfo))
                    .route("/app/api/first_seen", get().to(first_seen))
                    // A `default_service` would answer every method.
                    .route("/{path:.*}", get().to(file)),
            );
    }
}

/// HEAD is answered as GET is, and nothing else is answered.
fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

async fn userinfo(SignedIn(session): SignedIn) -> impl Responder {
    Json(api::userinfo(session)).customize().insert_header((CACHE_CONTROL, api::CACHE_CONTROL))
}

async fn first_seen(SignedIn(session): SignedIn) -> impl Responder {
    Json(api::first_seen(&session)).customize().insert_header((CACHE_CONTROL, api::CACHE_CONTROL))
}

async fn file(request: HttpRequest) -> HttpResponse {
    let Some(file) = page::at(request.uri().path()) else { return HttpResponse::NotFound().finish() };
    let mut response = HttpResponse::Ok();
    for header in file.headers() {
        response.insert_header(header);
    }
    response.body(file.content)
}

/// Serves it until the program is asked to end.
///
/// # Errors
/// The listener fails.
pub async fn serve(listener: TcpListener, driver: Driver) -> Result<()> {
    let gate = Gate::new(driver);
    let server = HttpServer::new(move || App::new().configure(app(&gate)))
        .shutdown_signal(serve::asked_to_end())
        .shutdown_timeout(serve::GRACE.as_secs())
        .listen(listener.into_std()?)
        .context("the server does not start")?
        .run();
    // A browser may keep a connection open for as long as it likes.
    tokio::select! {
        served = server => served.context("the server failed"),
        () = serve::overdue() => Ok(()),
    }
}
