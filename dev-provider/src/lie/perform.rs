//! Turns behaviours into what goes over the wire.

use std::{convert::Infallible, io, io::Write as _, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::stream;

use super::{Answer, Behaviour};
use crate::wire::{Tamper, Tap};

/// Answers as `behaviours` say; `honest` runs only if none of them stands in for it.
pub(crate) async fn perform(
    behaviours: Vec<Behaviour>,
    tap: &Tap,
    honest: impl Future<Output = Response>,
) -> Response {
    let mut response = match behaviours.iter().rev().find(|behaviour| behaviour.replaces()) {
        Some(replacement) => replace(replacement, tap).await,
        None => honest.await,
    };
    for behaviour in behaviours.iter().filter(|behaviour| !behaviour.streams()) {
        response = change(response, behaviour, tap).await;
    }
    // These come last and alone: whoever collected an endless body to change it further would never be done.
    match behaviours.iter().rev().find(|behaviour| behaviour.streams()) {
        Some(behaviour) => stream_out(response, behaviour).await,
        None => response,
    }
}

async fn replace(behaviour: &Behaviour, tap: &Tap) -> Response {
    match behaviour {
        Behaviour::Answer(answer) => verbatim(answer),
        Behaviour::Redirect { status, to } => verbatim(&Answer::new(*status).header("location", to)),
        Behaviour::Raw(bytes) => {
            tap.tamper(Tamper::Raw(bytes.clone()));
            Response::default()
        }
        Behaviour::Reset => {
            tap.tamper(Tamper::Reset);
            Response::default()
        }
        // Silence. It ends when the client goes away or the provider stops, both of which drop this future.
        _ => std::future::pending().await,
    }
}

async fn change(response: Response, behaviour: &Behaviour, tap: &Tap) -> Response {
    match behaviour {
        Behaviour::Delay(time) => {
            tokio::time::sleep(*time).await;
            response
        }
        Behaviour::Status(status) => with_status(response, *status),
        Behaviour::Header(name, value) => with_header(response, name, value, |map, name, value| {
            map.insert(name, value);
        }),
        Behaviour::AnotherHeader(name, value) => with_header(response, name, value, |map, name, value| {
            map.append(name, value);
        }),
        Behaviour::Padded(count) => with_body(response, |body| Body::from(padded(&body, *count))).await,
        Behaviour::Gzip => {
            let mut response = with_body(response, |body| Body::from(gzip(&body))).await;
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        Behaviour::LoseAnswer => {
            tap.tamper(Tamper::Raw(Vec::new()));
            response
        }
        _ => response,
    }
}

async fn stream_out(response: Response, behaviour: &Behaviour) -> Response {
    match behaviour {
        Behaviour::Drip(interval) => with_body(response, |body| drip(body, *interval)).await,
        Behaviour::Endless => with_body(response, endless).await,
        Behaviour::CloseAfter(count) => {
            let mut length = 0;
            let mut response = with_body(response, |body| {
                length = body.len();
                cut(&body, *count)
            })
            .await;
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            response
        }
        _ => response,
    }
}

fn verbatim(answer: &Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body.clone()));
    response = with_status(response, answer.status);
    for (name, value) in &answer.headers {
        response = with_header(response, name, value, |map, name, value| {
            map.append(name, value);
        });
    }
    response
}

fn with_status(mut response: Response, status: u16) -> Response {
    *response.status_mut() = StatusCode::from_u16(status)
        .expect("a test names a status of three digits; Behaviour::Raw sends others");
    response
}

fn with_header(
    mut response: Response,
    name: &str,
    value: &str,
    put: impl FnOnce(&mut HeaderMap, HeaderName, HeaderValue),
) -> Response {
    let name =
        HeaderName::try_from(name).expect("a test names a well-formed header; Behaviour::Raw sends others");
    let value = HeaderValue::from_bytes(value.as_bytes())
        .expect("a test gives a single line; Behaviour::Raw sends others");
    put(response.headers_mut(), name, value);
    response
}

/// Replaces the body; its announced length no longer holds.
async fn with_body(response: Response, new: impl FnOnce(Bytes) -> Body) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, new(body))
}

fn padded(body: &[u8], count: u64) -> Vec<u8> {
    let mut bytes = body.to_vec();
    bytes.resize(body.len() + usize::try_from(count).expect("a test pads by less than the memory"), b' ');
    bytes
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("writing to memory does not fail")
}

fn drip(body: Bytes, interval: Duration) -> Body {
    Body::from_stream(stream::unfold(0, move |at| {
        let byte = (at < body.len()).then(|| body.slice(at..=at));
        async move {
            let byte = byte?;
            if at > 0 {
                tokio::time::sleep(interval).await;
            }
            Some((Ok::<_, Infallible>(byte), at + 1))
        }
    }))
}

fn endless(body: Bytes) -> Body {
    let spaces = Bytes::from_static(&[b' '; 4096]);
    Body::from_stream(stream::unfold(Some(body), move |first| {
        let chunk = first.unwrap_or_else(|| spaces.clone());
        async move { Some((Ok::<_, Infallible>(chunk), None)) }
    }))
}

fn cut(body: &Bytes, count: usize) -> Body {
    let begun = body.slice(..count.min(body.len()));
    Body::from_stream(stream::unfold(Some(begun), |begun| async move {
        if let Some(begun) = begun {
            return Some((Ok(begun), None));
        }
        // A pause, or the server would drop the bytes that it has not yet written together with the connection.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Err(io::Error::other("cut off on command")), None))
    }))
}
