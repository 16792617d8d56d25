//! Connections: taken, kept within limits, and ended gracefully.

use std::{convert::Infallible, net::SocketAddr, pin::Pin, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tower::ServiceExt as _;
use vestibule_settings::Server;

use crate::listen::{Listener, Stream};

/// The largest head of a request. A proxy that lets more through than nginx's 32 KB gets a 431.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// The most headers that a request may have.
const HEADERS_MAX: usize = 128;

/// How long an answer may take, its request's body included. Conversations with a provider have fifteen seconds.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// How long to wait where no connection can be accepted: when there are no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` until `end`, and then whatever is under way, for a while.
pub(crate) async fn serve(listener: Listener, app: Router, server: &Server, end: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let mut end = std::pin::pin!(end);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut end => break,
        };
        match accepted {
            Ok((stream, peer)) => take(&graceful, stream, peer, app.clone(), server.silence),
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // From here on nobody can connect, and whoever is connected gets the answer that they wait for.
    drop(listener);
    tracing::info!("ending");
    if tokio::time::timeout(server.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were not answered in time");
    }
}

fn take(
    graceful: &GracefulShutdown,
    stream: Pin<Box<dyn Stream>>,
    peer: Option<SocketAddr>,
    app: Router,
    silence: Duration,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        // It runs between requests too, and a proxy would lose the request that it sends while we close.
        .header_read_timeout(silence)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    let service = service_fn(move |request: Request<Incoming>| answer(app.clone(), request, peer));
    let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

async fn answer(
    app: Router,
    request: Request<Incoming>,
    peer: Option<SocketAddr>,
) -> Result<axum::response::Response, Infallible> {
    let mut request = request.map(Body::new);
    if let Some(peer) = peer {
        request.extensions_mut().insert(ConnectInfo(peer));
    }
    let Ok(answered) = tokio::time::timeout(ANSWER_TIME_MAX, app.oneshot(request)).await else {
        let mut response = axum::response::Response::new(Body::from("The answer took too long.\n"));
        *response.status_mut() = axum::http::StatusCode::SERVICE_UNAVAILABLE;
        return Ok(response);
    };
    answered
}
