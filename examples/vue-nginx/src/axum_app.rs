//! The application on axum.

use std::{pin::pin, time::Duration};

use anyhow::Result;
use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, Uri, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use serde::Serialize;
use tokio::net::TcpListener;
use vestibule::{driver::Driver, store::StoreError};
use vestibule_axum::{Gate, SignedIn};

use crate::{api, page, serve};

/// How long a client may take to send the head of a request: a server that waits for ever is taken down by whoever sends
/// a byte a minute. It runs between requests too, and nginx keeps a connection for a minute: were it closed here first,
/// a request could be lost.
const HEAD_TIME_MAX: Duration = Duration::from_secs(75);
/// How long to wait where no connection can be accepted: when there are no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The application.
pub fn app(gate: &Gate) -> Router {
    Router::new()
        .route("/app/api/userinfo", get(userinfo))
        .route("/app/api/first_seen", get(first_seen))
        .route("/app/api/sessions", get(sessions).delete(end_sessions))
        .fallback(get(file))
        .layer(gate.require())
        // What is added after the layer is for everybody.
        .route("/app/api/no_auth", get(async || api::NO_AUTH))
        .merge(gate.routes())
        .with_state(gate.clone())
}

async fn userinfo(SignedIn(session): SignedIn) -> impl IntoResponse {
    ([(CACHE_CONTROL, api::CACHE_CONTROL)], Json(api::userinfo(session)))
}

async fn first_seen(SignedIn(session): SignedIn) -> impl IntoResponse {
    ([(CACHE_CONTROL, api::CACHE_CONTROL)], Json(api::first_seen(&session)))
}

async fn sessions(State(gate): State<Gate>, SignedIn(session): SignedIn) -> Response {
    told(api::sessions(gate.driver(), &session).await)
}

async fn end_sessions(State(gate): State<Gate>, SignedIn(session): SignedIn) -> Response {
    told(api::end_sessions(gate.driver(), &session).await)
}

fn told(answer: Result<impl Serialize, StoreError>) -> Response {
    match answer {
        Ok(answer) => ([(CACHE_CONTROL, api::CACHE_CONTROL)], Json(answer)).into_response(),
        // Sessions in cookies can be neither listed nor ended from elsewhere.
        Err(StoreError::Missing) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
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
/// None; the other framework's application has some.
pub async fn serve(listener: TcpListener, driver: Driver) -> Result<()> {
    listen(listener, app(&Gate::new(driver))).await;
    Ok(())
}

/// Serves any application until the program is asked to end. What `axum::serve` does, and it waits for nobody for ever.
pub async fn listen(listener: TcpListener, app: Router) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX);
    let under_way = GracefulShutdown::new();
    let mut end = pin!(serve::asked_to_end());
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "no connection could be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = &mut end => break,
        };
        let service = TowerToHyperService::new(app.clone());
        let connection = under_way.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    // A browser may keep a connection open for as long as it likes.
    drop(tokio::time::timeout(serve::GRACE, under_way.shutdown()).await);
}
