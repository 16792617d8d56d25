//! Connections: taken, kept within limits, and ended gracefully.

use std::{convert::Infallible, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use axum::{body::Body, extract::Request, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::sync::Semaphore;
use vestibule_settings::Server;

use crate::listen::{Listener, Stream};

/// The largest head of a request. A proxy that lets more through than nginx's 32 KB gets a 431.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// The most headers that a request may have.
const HEADERS_MAX: usize = 128;

/// The most connections at one listener, each with a buffer of at most [`HEAD_BYTES_MAX`]. Further ones wait until
/// another ends; docs/oauth2-proxy-options.md tells the number.
const CONNECTIONS_MAX: usize = 4096;

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
    let limits = Limits { connections: CONNECTIONS_MAX, silence: server.silence, grace: server.grace };
    serve_within(limits, listener, end, answer).await;
}

/// How much is served at once, and for how long.
#[derive(Clone, Copy)]
struct Limits {
    connections: usize,
    silence: Duration,
    grace: Duration,
}

async fn serve_within<A, Fut>(limits: Limits, listener: Listener, end: impl Future<Output = ()>, answer: A)
where
    A: Fn(Request, Option<SocketAddr>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Response> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let mut end = std::pin::pin!(end);
    loop {
        let accepted = tokio::select! {
            // Whoever waits for a place waits in the system's queue, which has an end of its own.
            accepted = async {
                let place = Arc::clone(&places).acquire_owned().await;
                listener.accept().await.map(|(stream, peer)| (stream, peer, place.ok()))
            } => accepted,
            () = &mut end => break,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let connection = connection(&graceful, stream, peer, limits.silence, answer.clone());
                tokio::spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // From here on nobody can connect, and whoever is connected gets the answer that they wait for.
    drop(listener);
    if tokio::time::timeout(limits.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were not answered in time");
    }
}

/// Serves one connection to its end.
fn connection<A, Fut>(
    graceful: &GracefulShutdown,
    stream: Pin<Box<dyn Stream>>,
    peer: Option<SocketAddr>,
    silence: Duration,
    answer: A,
) -> impl Future<Output = ()> + Send + 'static
where
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
    async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
        sync::Notify,
    };

    use super::*;

    const ASKED: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

    #[tokio::test]
    async fn a_connection_too_many_waits_until_another_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, begun, go) =
            (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
        let answer = {
            let (asked, begun, go) = (Arc::clone(&asked), Arc::clone(&begun), Arc::clone(&go));
            move |_: Request, _: Option<SocketAddr>| {
                let (asked, begun, go) = (Arc::clone(&asked), Arc::clone(&begun), Arc::clone(&go));
                async move {
                    asked.fetch_add(1, Ordering::SeqCst);
                    begun.notify_one();
                    go.acquire().await.unwrap().forget();
                    Response::new(Body::empty())
                }
            }
        };
        let minute = Duration::from_secs(60);
        let limits = Limits { connections: 1, silence: minute, grace: minute };
        let listener = Listener::Tcp(listener);
        let server = tokio::spawn(serve_within(limits, listener, std::future::pending(), answer));
        let mut streams =
            [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        for stream in &mut streams {
            stream.write_all(ASKED).await.unwrap();
        }
        begun.notified().await;
        // Everything that can happen by itself does.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        go.add_permits(2);
        for stream in &mut streams {
            let mut said = Vec::new();
            stream.read_to_end(&mut said).await.unwrap();
            assert!(said.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&said));
        }
        server.abort();
    }
}
