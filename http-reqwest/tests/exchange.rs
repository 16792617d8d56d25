//! Providers that misbehave on the wire, each a few bytes written by hand: every exchange ends, and says how.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use vestibule::{
    driver::Host as _,
    exchange::{HttpFailure, HttpRequest, HttpResponse},
    limits::PROVIDER_BODY_BYTES_MAX,
};
use vestibule_reqwest::ReqwestHost;

/// Longer than anything here takes, unless it never ends.
const LONG: Duration = Duration::from_secs(60);
/// Status and body.
type Answer = (u16, Vec<u8>);

/// For what never ends.
const SHORT: Duration = Duration::from_millis(300);

/// A listener whose every connection is treated so once it has sent its request's head, and the heads.
async fn provider<F>(
    treat: impl Fn(TcpStream) -> F + Send + 'static,
) -> (SocketAddr, mpsc::UnboundedReceiver<String>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (heads, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            heads.send(String::from_utf8(head).unwrap()).unwrap_or_default();
            tokio::spawn(treat(stream));
        }
    });
    (address, received)
}

async fn says(text: &'static str) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    provider(move |mut stream| async move { stream.write_all(text.as_bytes()).await.unwrap_or_default() })
        .await
}

fn get(address: impl AsRef<str>) -> HttpRequest {
    http::Request::get(address.as_ref()).body(Vec::new()).unwrap()
}

fn answer(response: HttpResponse) -> Answer {
    (response.status().as_u16(), response.into_body())
}

async fn ask(address: SocketAddr, timeout: Duration) -> Result<Answer, HttpFailure> {
    let request = get(format!("http://{address}/path?query"));
    ReqwestHost::new().unwrap().exchange(request, timeout).await.map(answer)
}

#[tokio::test]
async fn a_request_goes_out_as_it_is_and_its_answer_comes_back_as_it_is() {
    let (address, mut received) =
        says("HTTP/1.1 418 Teapot\r\nX-One: 1\r\nx-one: 2\r\nContent-Length: 5\r\n\r\nshort").await;
    let request = http::Request::post(format!("http://{address}/token"))
        .header("authorization", "Basic x")
        .body(b"grant_type=x".to_vec())
        .unwrap();
    let response = ReqwestHost::new().unwrap().exchange(request, LONG).await.unwrap();
    assert_eq!((response.status().as_u16(), response.body().as_slice()), (418, &b"short"[..]));
    assert_eq!(response.headers().get_all("x-one").iter().collect::<Vec<_>>(), ["1", "2"]);

    let head = received.recv().await.unwrap().to_ascii_lowercase();
    assert!(head.starts_with("post /token http/1.1\r\n"), "{head}");
    for line in [
        "authorization: basic x",
        "content-length: 12",
        "accept-encoding: identity",
        "user-agent: vestibule/",
    ] {
        assert!(head.contains(&format!("\r\n{line}")), "{line} is not in {head}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (elsewhere, mut visited) = says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let (address, _heads) = provider(move |mut stream| async move {
        let text = format!("HTTP/1.1 307 X\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(text.as_bytes()).await.unwrap_or_default();
    })
    .await;
    assert_eq!(ask(address, LONG).await.unwrap().0, 307);
    assert!(visited.try_recv().is_err());
}

#[tokio::test]
async fn silence_ends_with_the_time() {
    let (address, _heads) = provider(|stream| async move {
        tokio::time::sleep(LONG).await;
        drop(stream);
    })
    .await;
    assert_eq!(ask(address, SHORT).await, Err(HttpFailure::TimedOut));
}

#[tokio::test]
async fn a_body_that_drips_ends_with_the_time() {
    let (address, _heads) = provider(|mut stream| async move {
        let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await;
        while sent.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            sent = stream.write_all(b"x").await;
        }
    })
    .await;
    assert_eq!(ask(address, SHORT).await, Err(HttpFailure::TimedOut));
}

#[tokio::test]
async fn a_body_without_end_is_left_at_the_limit() {
    let (address, _heads) = provider(|mut stream| async move {
        let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        while sent.is_ok() {
            sent = stream.write_all(format!("1000\r\n{}\r\n", "x".repeat(0x1000)).as_bytes()).await;
        }
    })
    .await;
    assert_eq!(ask(address, LONG).await, Err(HttpFailure::TooLarge));
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not() {
    for (bytes, fits) in [(PROVIDER_BODY_BYTES_MAX, true), (PROVIDER_BODY_BYTES_MAX + 1, false)] {
        // Without a length, so that the body itself must be counted.
        let (address, _heads) = provider(move |mut stream| async move {
            let answer =
                [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec(), vec![b'x'; bytes]].concat();
            stream.write_all(&answer).await.unwrap_or_default();
        })
        .await;
        let body = ask(address, LONG).await.map(|(_, body)| body.len());
        assert_eq!(body, if fits { Ok(bytes) } else { Err(HttpFailure::TooLarge) });
    }
    let (address, _heads) = says("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n").await;
    assert_eq!(ask(address, LONG).await, Err(HttpFailure::TooLarge));
}

#[tokio::test]
async fn a_compressed_answer_is_not_decompressed() {
    let (address, _heads) = provider(|mut stream| async move {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b";
        stream.write_all(answer).await.unwrap_or_default();
    })
    .await;
    assert_eq!(ask(address, LONG).await.unwrap().1, b"\x1f\x8b");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_broken() {
    for text in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsh",
        "SSH-2.0-OpenSSH_9.2\r\n",
    ] {
        let (address, mut heads) = says(text).await;
        assert_eq!(ask(address, LONG).await, Err(HttpFailure::Broken), "{text}");
        assert!(heads.recv().await.is_some());
        assert!(heads.try_recv().is_err(), "it was asked twice");
    }
}

#[tokio::test]
async fn headers_without_end_are_broken() {
    let (address, _heads) = provider(|mut stream| async move {
        let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while sent.is_ok() {
            sent = stream.write_all(format!("x-{0}: {0}\r\n", "y".repeat(1000)).as_bytes()).await;
        }
    })
    .await;
    assert_eq!(ask(address, LONG).await, Err(HttpFailure::Broken));
}

#[tokio::test]
async fn a_closed_port_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(ask(address, LONG).await, Err(HttpFailure::Connect));
}

#[tokio::test]
async fn plain_http_leaves_this_machine_for_nobody() {
    let host = ReqwestHost::new().unwrap();
    // The port listens, and the name leads to it: what refuses is the rule, before any connection.
    let (address, mut visited) = says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    for name in ["op.example", "localhost.example", "0.0.0.0", "[::ffff:127.0.0.1]"] {
        let request = get(format!("http://{name}:{}/", address.port()));
        assert_eq!(host.exchange(request, LONG).await.err(), Some(HttpFailure::AddressRefused), "{name}");
    }
    assert!(visited.try_recv().is_err());
    let request = get(format!("http://localhost:{}/", address.port()));
    assert!(host.exchange(request, LONG).await.is_ok());
}

#[tokio::test]
async fn tasks_outlive_whoever_began_them() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let host = ReqwestHost::new().unwrap();
    host.spawn(Box::pin(async move {
        tokio::task::yield_now().await;
        sender.send(()).unwrap_or_default();
    }));
    drop(host);
    assert!(receiver.await.is_ok());
}

#[tokio::test]
async fn every_seed_is_another_and_the_clock_runs() {
    let host = ReqwestHost::new().unwrap();
    assert_ne!(host.seed(), host.seed());
    assert!(host.now().unix() > 1_700_000_000);
}
