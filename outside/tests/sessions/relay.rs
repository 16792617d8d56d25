//! Between the applications and their provider: hands everything on, counts what is asked at the token endpoint, and
//! delays, refuses or loses it as a test says.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use tokio::net::TcpListener;
use vestibule_outside::PATIENCE;

/// What a form or an answer can weigh here; far more than any does.
const BYTES_MAX: usize = 1 << 20;

/// What is asked for at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// Tokens for a code: a callback.
    Code,
    /// Tokens for a refresh token.
    Refresh,
}

/// How a call to the token endpoint goes.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// On to the provider.
    On,
    /// The same, after this time.
    Slow(Duration),
    /// The same, after times of up to so long that differ from call to call, and are the same in every run.
    Uneven(Duration),
    /// Nowhere: it hangs until whoever calls gives up.
    Hangs,
    /// The provider has it and answers, and the answer hangs.
    AnswerHangs,
    /// The provider has it and answers, and the answer breaks off.
    AnswerLost,
    /// It is answered here, with this status and this body.
    Says(u16, &'static str),
}

/// A call to the token endpoint.
#[derive(Debug, Clone)]
pub struct Call {
    /// What it asked for.
    pub grant: Grant,
    /// The refresh token that it brought.
    pub refresh_token: String,
    /// When it came.
    pub came: Instant,
    /// What the provider has answered, where it was asked and has.
    pub status: Option<u16>,
}

/// A running relay; it ends with the runtime.
#[derive(Debug, Clone)]
pub struct Relay {
    issuer: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    to: String,
    http: reqwest::Client,
    calls: Mutex<Vec<Call>>,
    ways: Mutex<[Way; 2]>,
}

impl Relay {
    /// Before the provider on port `provider` of this machine, at `listener`.
    pub fn start(listener: TcpListener, provider: u16) -> Result<Self> {
        let issuer = format!("http://{}", listener.local_addr()?);
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
        let shared = Arc::new(Shared {
            to: format!("http://127.0.0.1:{provider}"),
            http,
            calls: Mutex::default(),
            ways: Mutex::new([Way::On; 2]),
        });
        let router = Router::new().fallback(relay).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { issuer, shared })
    }

    /// Where the provider is found, to browsers and applications.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// How calls for `grant` go from now on.
    pub fn lets(&self, grant: Grant, way: Way) {
        lock(&self.shared.ways)[grant as usize] = way;
    }

    /// All calls for `grant` so far.
    pub fn calls(&self, grant: Grant) -> Vec<Call> {
        lock(&self.shared.calls).iter().filter(|call| call.grant == grant).cloned().collect()
    }

    /// How often tokens were refreshed, or were to be.
    pub fn refreshes(&self) -> usize {
        self.calls(Grant::Refresh).len()
    }

    /// Waits until there have been `number` calls for `grant`.
    pub async fn comes_to(&self, grant: Grant, number: usize) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while self.calls(grant).len() < number {
            if end < Instant::now() {
                bail!("{:?} are not {number} calls", self.calls(grant));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

async fn relay(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.relayed(request).await.unwrap_or_else(|error| {
        // A provider that is away is what some tests are about.
        (StatusCode::BAD_GATEWAY, error.to_string()).into_response()
    })
}

impl Shared {
    async fn relayed(&self, request: Request) -> Result<Response> {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, BYTES_MAX).await?;
        let place = head.uri.path_and_query().map_or("/", |place| place.as_str());
        // Its own addresses are made of the `Host` that it is asked for.
        let request = self.http.request(head.method, format!("{}{place}", self.to)).headers(head.headers);
        let send = async || anyhow::Ok(request.body(body.clone()).send().await?);
        if head.uri.path() != "/token" {
            return answer(send().await?).await;
        }
        let (number, way) = self.noted(&body);
        match way {
            Way::Slow(time) => tokio::time::sleep(time).await,
            Way::Uneven(time) => tokio::time::sleep(time * ((number * 37) % 101) as u32 / 101).await,
            Way::Hangs => std::future::pending().await,
            Way::Says(status, body) => {
                let json = [(header::CONTENT_TYPE, "application/json")];
                return Ok((StatusCode::from_u16(status)?, json, body).into_response());
            }
            Way::On | Way::AnswerHangs | Way::AnswerLost => {}
        }
        let answered = send().await?;
        lock(&self.calls)[number].status = Some(answered.status().as_u16());
        match way {
            Way::AnswerHangs => std::future::pending().await,
            Way::AnswerLost => {
                let broken: Result<Vec<u8>, _> = Err(std::io::Error::other("the answer is lost"));
                Ok(Body::from_stream(stream::iter([broken])).into_response())
            }
            _ => answer(answered).await,
        }
    }

    /// The number of this call, and how it goes.
    fn noted(&self, body: &[u8]) -> (usize, Way) {
        let field = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(body);
            pairs.find(|(own, _)| own == name).map_or_else(String::new, |(_, value)| value.into_owned())
        };
        let grant = if field("grant_type") == "refresh_token" { Grant::Refresh } else { Grant::Code };
        let refresh_token = field("refresh_token");
        let mut calls = lock(&self.calls);
        calls.push(Call { grant, refresh_token, came: Instant::now(), status: None });
        (calls.len() - 1, lock(&self.ways)[grant as usize])
    }
}

async fn answer(answered: reqwest::Response) -> Result<Response> {
    let mut headers: HeaderMap = answered.headers().clone();
    // The body is sent anew, and whole.
    headers.remove(header::TRANSFER_ENCODING);
    Ok((answered.status(), headers, answered.bytes().await?).into_response())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it holds this lock")
}
