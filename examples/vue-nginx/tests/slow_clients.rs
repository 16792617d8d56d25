//! Clients that take their time: the server does not wait for them for ever.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::time::Duration;

use axum::{Router, routing::get};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use vue_nginx::axum_app;

/// Far longer than any limit: only what has none takes so long.
const FOR_EVER: Duration = Duration::from_secs(3_600);

async fn connect() -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/", get(async || "hello"));
    tokio::spawn(axum_app::listen(listener, app));
    TcpStream::connect(address).await.unwrap()
}

/// By the runtime's clock, which jumps where nothing else is left to do: nobody waits here.
#[tokio::test(start_paused = true)]
async fn nd_14_whoever_does_not_finish_the_head_of_a_request_is_left() {
    for said in ["", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: a\r\n"] {
        let mut client = connect().await;
        client.write_all(said.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let end = timeout(FOR_EVER, client.read_to_end(&mut answer)).await;
        end.unwrap_or_else(|_| panic!("{said:?} is waited for for ever")).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{said:?}: {answer}");
    }
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let mut client = connect().await;
    for _ in 0..2 {
        client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"hello") {
            assert!(client.read_buf(&mut answer).await.unwrap() > 0, "it was closed");
        }
    }
}
