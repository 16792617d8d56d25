//! Sessions end at the provider, and clients are told: by tokens, honest and not, and by frames.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod support;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use support::*;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};
use vestibule_dev_provider::{
    Alg, Client, DevProvider, Edit, Endpoint, Lie, Notified, Object, Problem, Running, Signing, StartError,
};

/// A client that answers every request with this status, and hears what the first one says.
async fn client(status: u16) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut said = Vec::new();
        while !is_whole(&String::from_utf8_lossy(&said)) {
            assert_ne!(stream.read_buf(&mut said).await.unwrap(), 0);
        }
        let answer = format!("HTTP/1.1 {status} Heard\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(said).unwrap()
    });
    (origin, heard)
}

fn is_whole(said: &str) -> bool {
    let Some((head, body)) = said.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
    body.len() == length.parse::<usize>().unwrap()
}

fn demo() -> Client {
    Client::new("demo").secret("secret").redirect_uri(CALLBACK)
}

async fn told_at(origin: &str) -> Running {
    let client = demo().backchannel_logout_uri(format!("{origin}/back?x=1"));
    DevProvider::builder().register(client).start().await.unwrap()
}

fn part(notified: &Notified, index: usize) -> Value {
    let segment = notified.token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
}

/// What a provider sends that has been told this lie. Nobody hears it.
async fn sent(lie: impl Into<Lie>) -> Notified {
    let provider = told_at("http://127.0.0.1:9").await;
    tokens(&provider).await;
    provider.lie(lie);
    let mut notified = provider.end_sessions("1001").await;
    assert_eq!(notified.len(), 1);
    notified.remove(0)
}

#[tokio::test]
async fn whoever_is_signed_in_is_signed_out_by_a_token() {
    let (origin, heard) = client(204).await;
    let provider = told_at(&origin).await;
    let tokens = tokens(&provider).await;
    assert_eq!(provider.end_sessions("1002").await, []);
    assert_eq!(provider.sessions("1001").as_slice(), [support::claims(&tokens)["sid"].as_str().unwrap()]);
    let notified = provider.end_sessions("1001").await;
    let said = heard.await.unwrap();
    assert!(said.starts_with("POST /back?x=1 HTTP/1.1\r\n"), "{said}");
    assert!(said.ends_with(&format!("logout_token={}", notified[0].token)), "{said}");
    assert_eq!((notified.len(), notified[0].status), (1, Some(204)));

    let claims = part(&notified[0], 1);
    assert_eq!(claims["iss"], provider.issuer());
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!("demo"), &json!("1001")));
    assert_eq!(claims["sid"], support::claims(&tokens)["sid"]);
    assert_eq!(claims["events"], json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
    assert!(claims["jti"].is_string() && claims.get("nonce").is_none());
    assert_eq!(part(&notified[0], 0)["typ"], "logout+jwt");

    assert_eq!(provider.sessions("1001"), [""; 0]);
    assert_eq!(userinfo(&provider, &tokens).await.status(), 401, "what it was signed in with is over");
    assert_eq!(refresh(&provider, tokens["refresh_token"].as_str().unwrap()).await.status(), 400);
    assert_eq!(provider.end_sessions("1001").await, [], "and that is said once");
}

#[tokio::test]
async fn every_lie_about_a_logout_token() {
    let claim = |name: &str, edit| Lie::member(Object::LogoutClaims, name, edit);
    for (name, value) in [
        ("aud", json!("another")),
        ("iss", json!("https://evil.example")),
        ("nonce", json!("n")),
        ("iat", json!(1)),
        ("jti", json!("the same")),
    ] {
        assert_eq!(part(&sent(claim(name, Edit::Set(value.clone()))).await, 1)[name], value);
    }
    for name in ["events", "sub", "sid"] {
        assert!(part(&sent(claim(name, Edit::Remove)).await, 1).get(name).is_none(), "{name}");
    }
    let typ = sent(Lie::member(Object::LogoutHeader, "typ", Edit::Set(json!("JWT")))).await;
    assert_eq!(part(&typ, 0)["typ"], "JWT");
    let unsigned = sent(Lie::SignedLogout(Signing::Unsigned)).await;
    assert!(unsigned.token.ends_with('.') && part(&unsigned, 0)["alg"] == "none");
    assert_eq!(part(&sent(Lie::SignedLogout(Signing::With(Alg::Es256))).await, 0)["alg"], "ES256");
    // A lie about ID tokens is none about these.
    let other = sent(Lie::claim("aud", "another")).await;
    assert_eq!((&part(&other, 1)["aud"], other.status), (&json!("demo"), None));
}

#[tokio::test]
async fn whoever_signs_out_sees_the_clients_frames_and_a_way_back() {
    let by_frame = demo().frontchannel_logout_uri("http://127.0.0.1:4180/front?x=1");
    let provider = DevProvider::builder().register(by_frame).start().await.unwrap();
    let tokens = tokens(&provider).await;
    let hint = tokens["id_token"].as_str().unwrap();
    let leave = || {
        let back = [("id_token_hint", hint), ("post_logout_redirect_uri", "http://127.0.0.1:4180/")];
        http().get(provider.url(Endpoint::EndSession)).query(&back).send()
    };
    let response = leave().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers()["content-security-policy"].to_str().unwrap().contains("frame-src http:;"));
    let page = response.text().await.unwrap();
    let address = url::Url::parse_with_params(
        "http://127.0.0.1:4180/front?x=1",
        [("iss", provider.issuer()), ("sid", support::claims(&tokens)["sid"].as_str().unwrap())],
    );
    let shown = format!("src=\"{}\"", address.unwrap().as_str().replace('&', "&amp;"));
    assert!(page.contains(&shown) && page.contains("href=\"http://127.0.0.1:4180/\""), "{page}");
    // There is nobody left to tell.
    assert_eq!(leave().await.unwrap().headers()["location"], "http://127.0.0.1:4180/");
}

#[tokio::test]
async fn nobody_elsewhere_is_ever_called() {
    for uri in ["https://127.0.0.1/x", "http://192.0.2.1/x", "http://app.example/x", "x"] {
        for client in [demo().backchannel_logout_uri(uri), demo().frontchannel_logout_uri(uri)] {
            let refused = DevProvider::builder().register(client).start().await;
            let Err(StartError::Refused(problems)) = refused else { panic!("{uri}: {refused:?}") };
            assert_eq!(problems, [Problem::LogoutUri { client: "demo".into(), uri: uri.into() }]);
        }
    }
}
