//! The application on actix-web.

use actix_web::{
    App, FromRequest, Handler, HttpRequest, HttpResponse, HttpServer, Resource, Responder,
    http::header::CACHE_CONTROL,
    web::{self, Data, Json, ServiceConfig},
};
use anyhow::{Context as _, Result};
use serde::Serialize;
use tokio::net::TcpListener;
use vestibule::{driver::Driver, store::StoreError};
use vestibule_actix::{Gate, SignedIn};

use crate::{api, page, serve};

/// The application: `App::new().configure(app(&gate))`.
pub fn app(gate: &Gate) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let gate = gate.clone();
    move |config| {
        config
            .app_data(Data::new(gate.clone()))
            .configure(gate.routes())
            .service(read("/app/api/no_auth", async || api::NO_AUTH))
            // What has not been found before is for signed-in people.
            .service(
                web::scope("")
                    .wrap(gate.require())
                    .service(read("/app/api/userinfo", userinfo))
                    .service(read("/app/api/first_seen", first_seen))
                    .service(read("/app/api/sessions", sessions).route(web::delete().to(end_sessions)))
                    // A `default_service` would answer every method.
                    .service(read("/{path:.*}", file)),
            );
    }
}

/// Something to read: HEAD is answered as GET is, and any other method by what may be asked for.
fn read<F, A>(path: &str, handler: F) -> Resource
where
    F: Handler<A, Output: Responder + 'static>,
    A: FromRequest + 'static,
{
    web::resource(path).route(web::get().to(handler.clone())).route(web::head().to(handler))
}

async fn userinfo(SignedIn(session): SignedIn) -> impl Responder {
    Json(api::userinfo(session)).customize().insert_header((CACHE_CONTROL, api::CACHE_CONTROL))
}

async fn first_seen(SignedIn(session): SignedIn) -> impl Responder {
    Json(api::first_seen(&session)).customize().insert_header((CACHE_CONTROL, api::CACHE_CONTROL))
}

async fn sessions(gate: Data<Gate>, SignedIn(session): SignedIn) -> HttpResponse {
    told(api::sessions(gate.driver(), &session).await)
}

async fn end_sessions(gate: Data<Gate>, SignedIn(session): SignedIn) -> HttpResponse {
    told(api::end_sessions(gate.driver(), &session).await)
}

fn told(answer: Result<impl Serialize, StoreError>) -> HttpResponse {
    match answer {
        Ok(answer) => HttpResponse::Ok().insert_header((CACHE_CONTROL, api::CACHE_CONTROL)).json(answer),
        // Sessions in cookies can be neither listed nor ended from elsewhere.
        Err(StoreError::Missing) => HttpResponse::NotFound().finish(),
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
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
