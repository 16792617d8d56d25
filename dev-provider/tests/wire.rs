//! Misbehaviour below the meaning of an answer, seen through a socket.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod support;

use std::{io::Read as _, time::Duration};

use support::*;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use vestibule_dev_provider::{Answer, Behaviour, Endpoint, Lie, Running};

/// Everything that comes back for a request for the keys, up to `limit` bytes or the connection's end.
async fn raw(provider: &Running, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(provider.address()).await?;
    stream.write_all(b"GET /jwks HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await?;
    let mut bytes = Vec::new();
    let mut limited = stream.take(limit);
    let read = limited.read_to_end(&mut bytes);
    timeout(Duration::from_secs(60), read).await.expect("the connection ends or the limit is reached")?;
    Ok(bytes)
}

async fn under(behaviours: impl IntoIterator<Item = Behaviour>) -> Vec<u8> {
    let provider = provider().await;
    for behaviour in behaviours {
        provider.lie(Lie::At(Endpoint::Keys, behaviour));
    }
    raw(&provider, 1 << 20).await.unwrap()
}

fn split(answer: &[u8]) -> (String, &[u8]) {
    let at = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer has a head");
    (String::from_utf8(answer[..at].to_vec()).unwrap().to_lowercase(), &answer[at + 4..])
}

#[tokio::test]
async fn answers_are_sent_verbatim() {
    let answer =
        Answer::new(429).header("retry-after", "7").header("set-cookie", "a").header("set-cookie", "b");
    let bytes = under([Behaviour::Answer(answer.body("{not json"))]).await;
    let (head, body) = split(&bytes);
    assert!(head.starts_with("http/1.1 429"));
    assert!(head.contains("retry-after: 7") && head.matches("set-cookie").count() == 2);
    assert!(!head.contains("content-type"));
    assert_eq!(body, b"{not json");
}

#[tokio::test]
async fn redirects_lead_anywhere() {
    let bytes = under([Behaviour::Redirect { status: 307, to: "http://169.254.169.254/".into() }]).await;
    let (head, _) = split(&bytes);
    assert!(head.starts_with("http/1.1 307") && head.contains("location: http://169.254.169.254/"));
}

#[tokio::test]
async fn bytes_need_not_be_http() {
    assert_eq!(
        under([Behaviour::Raw(b"220 mail.example ESMTP\r\n".to_vec())]).await,
        b"220 mail.example ESMTP\r\n"
    );
    assert!(under([Behaviour::Raw(Vec::new())]).await.is_empty());
    assert!(under([Behaviour::LoseAnswer]).await.is_empty());
}

#[tokio::test]
async fn a_connection_is_reset() {
    let provider = provider().await;
    provider.lie(Lie::At(Endpoint::Keys, Behaviour::Reset));
    assert_eq!(raw(&provider, 1024).await.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn silence_lasts() {
    let provider = provider().await;
    provider.lie(Lie::At(Endpoint::Keys, Behaviour::Silence));
    let waiting = tokio::spawn({
        let provider = provider.clone();
        async move { raw(&provider, 1024).await }
    });
    provider.arrival(Endpoint::Keys, 1).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished());
    provider.stop().await;
    // However the end shows, nothing was ever said.
    assert!(waiting.await.unwrap().unwrap_or_default().is_empty());
}

#[tokio::test]
async fn a_body_ends_before_its_announced_length() {
    let bytes = under([Behaviour::CloseAfter(10)]).await;
    let (head, body) = split(&bytes);
    assert_eq!(body, &b"{\"keys\":[{\"kty"[..10]);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert!(length.parse::<usize>().unwrap() > 500);
}

#[tokio::test]
async fn a_body_drips_and_another_never_ends() {
    let bytes = under([Behaviour::answer(200, "abc"), Behaviour::Drip(Duration::from_millis(5))]).await;
    let (head, body) = split(&bytes);
    assert!(head.contains("transfer-encoding: chunked"));
    assert_eq!(body, b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n");
    assert_eq!(under([Behaviour::Endless]).await.len(), 1 << 20);
}

#[tokio::test]
async fn gzip_unpacks_to_the_padded_body() {
    let bytes = under([Behaviour::answer(200, "{}"), Behaviour::Padded(10_000_000), Behaviour::Gzip]).await;
    let (head, body) = split(&bytes);
    assert!(head.contains("content-encoding: gzip"));
    assert!(body.len() < 100_000);
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(body).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked.len(), 10_000_002);
    assert!(unpacked.starts_with(b"{} "));
}

#[tokio::test]
async fn a_lost_answer_has_had_its_effect_and_a_replaced_one_has_not() {
    let provider = provider().await;
    let code = code(&provider).await;
    provider.fail_next(Endpoint::Token, Behaviour::answer(503, ""));
    assert_eq!(redeem(&provider, &code).await.status(), 503);

    provider.fail_next(Endpoint::Token, Behaviour::LoseAnswer);
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let request = http().post(provider.url(Endpoint::Token)).basic_auth("demo", Some("secret")).form(&form);
    assert!(request.send().await.is_err());
    assert_eq!(redeem(&provider, &code).await.status(), 400, "the code was spent with the lost answer");
}
