//! A host on plain threads: every run goes on by itself, and the provider answers when the test lets it.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use async_trait::async_trait;
use futures_executor::block_on;
use futures_util::stream;
use vestibule::{
    driver::{Driver, Host},
    exchange::{HttpFailure, HttpRequest, HttpResponse},
    request::PlainHead,
    response::Response,
    time::Timestamp,
};

use super::{Asked, Browser};

/// A host on plain threads. The provider answers when it may.
#[derive(Clone, Default)]
pub struct Threads {
    pub asked: Arc<AtomicUsize>,
    pub seeds: Arc<AtomicUsize>,
    pub gate: Arc<Mutex<()>>,
    /// Whether whatever may be waited for has taken too long.
    pub late: Arc<AtomicBool>,
    /// How long something was to be waited for, each time.
    pub waits: Arc<Mutex<Vec<Duration>>>,
}

#[async_trait]
impl Host for Threads {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(1_800_000_000)
    }

    fn seed(&self) -> [u8; 32] {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seeds.fetch_add(1, Ordering::SeqCst).to_le_bytes());
        seed
    }

    async fn exchange(&self, request: HttpRequest, _timeout: Duration) -> Result<HttpResponse, HttpFailure> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        drop(self.gate.lock());
        let body = match request.uri().path() {
            "/token" => r#"{"access_token":"t","token_type":"bearer"}"#,
            "/user" => r#"{"id":7,"login":"ada"}"#,
            _ => r#"{"a":1}"#,
        };
        let response = http::Response::builder().header("content-type", "application/json");
        Ok(response.body(body.as_bytes().to_vec()).unwrap())
    }

    async fn wait(&self, time: Duration) {
        self.waits.lock().unwrap().push(time);
        if !self.late.load(Ordering::SeqCst) {
            std::future::pending().await
        }
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        thread::spawn(move || block_on(task));
    }
}

/// Sends one request through a driver.
pub fn send(driver: &Driver, head: &PlainHead) -> Response {
    block_on(answer(driver, head))
}

/// What [`send`] waits for.
pub async fn answer(driver: &Driver, head: &PlainHead) -> Response {
    driver.answer(head, stream::empty::<Result<&[u8], Infallible>>()).await
}

/// Begins a sign-in in a browser of its own, and comes back with this code.
pub fn callback(driver: &Driver, code: &str) -> (PlainHead, Asked) {
    let mut browser = Browser::default();
    let begun = send(driver, &PlainHead::navigation("/oauth2/sign_in"));
    browser.take(&begun);
    let asked = Asked::of(&begun);
    (browser.with_cookies(PlainHead::navigation(&asked.callback(&format!("code={code}")))), asked)
}
