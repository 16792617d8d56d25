//! Connections: taken, kept within limits, and ended gracefully.

use std::{convert::Infallible, net::SocketAddr, pin::Pin, time::Duration};

use axum::{body::Body, extract::Request, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use vestibule_settings::Server;

use crate::listen::{Listener, Stream};

/// The largest head of a request. A proxy that lets more through than nginx's 32 KB gets a 431.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// The most headers that a request may have.
const HEADERS_MAX: usize = 128;

/// How long to wait where no connection can be accepted: when there are no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `end`, and then whatever is under way, for a while. `answer` has no errors: what goes wrong in it is
/// an answer too.
pub(crate) async fn serve<A, Fut>(
    listener: Listener,
    server: &Server,
    end: impl Future<Output = ()>,
    answer: A,
) where
    A: Fn(Request, Option<SocketAddr>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Response> + Send + 'static,
{
    let graceful = GracefulShutdown::new();
    let mut end = std::pin::pin!(end);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut end => break,
        };
        match accepted {
            Ok((stream, peer)) => take(&graceful, stream, peer, server.silence, answer.clone()),
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // From here on nobody can connect, and whoever is connected gets the answer that they wait for.
    drop(listener);
    if tokio::time::timeout(server.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were not answered in time");
    }
}

fn take<A, Fut>(
    graceful: &GracefulShutdown,
    stream: Pin<Box<dyn Stream>>,
    peer: Option<SocketAddr>,
    silence: Duration,
    answer: A,
) where
    A: Fn(Request, Option<SocketAddr>) -> Fut + Send + 'static,
    Fut: Future<Output = Response> + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        // It runs between requests too, and a proxy would lose the request that it sends while we close.
        .header_read_timeout(silence)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let answer = answer(request.map(Body::new), peer);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}
