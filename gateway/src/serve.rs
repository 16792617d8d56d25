//! Connections: taken, kept within limits, and ended gracefully.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

/// How long a connection may be silent: between requests, and until a request's head is whole. Proxies keep theirs for
/// sixty seconds (nginx), and would lose a request that they send while we close.
const SILENCE_TIME_MAX: Duration = Duration::from_secs(75);

/// The largest head of a request. A proxy that lets more through than nginx's 32 KB gets a 431.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// The most headers that a request may have.
const HEADERS_MAX: usize = 128;

/// How long an answer may take, its request's body included. Conversations with a provider have fifteen seconds.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// How long connections may go on once the program is asked to end.
const GRACE: Duration = Duration::from_secs(10);

/// How long to wait where no connection can be accepted: when there are no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `app` until `end`, and then whatever is under way, for a while.
pub(crate) async fn serve(listener: TcpListener, app: Router, end: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let mut end = std::pin::pin!(end);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut end => break,
        };
        match accepted {
            Ok((stream, peer)) => take(&graceful, stream, peer, app.clone()),
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // From here on nobody can connect, and whoever is connected gets the answer that they wait for.
    drop(listener);
    tracing::info!("ending");
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were not answered in time");
    }
}

fn take(graceful: &GracefulShutdown, stream: TcpStream, peer: SocketAddr, app: Router) {
    // Answers are small and whole: waiting for more to send only delays them.
    let _ = stream.set_nodelay(true);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(SILENCE_TIME_MAX)
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
    peer: SocketAddr,
) -> Result<axum::response::Response, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    let Ok(answered) = tokio::time::timeout(ANSWER_TIME_MAX, app.oneshot(request)).await else {
        let mut response = axum::response::Response::new(Body::from("The answer took too long.\n"));
        *response.status_mut() = axum::http::StatusCode::SERVICE_UNAVAILABLE;
        return Ok(response);
    };
    answered
}
