//! The host itself: one method for each thing that the core cannot do.

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use reqwest::Client;
use tracing::Instrument as _;
use vestibule::{
    driver::Host,
    entropy::Seed,
    exchange::{HttpFailure, HttpRequest, HttpResponse},
    limits::PROVIDER_BODY_BYTES_MAX,
    time::Timestamp,
};

use crate::{Builder, HostError, address, failure};

/// HTTP by reqwest, tasks on tokio, the system's clock and randomness. Cheap to clone; clones share connections.
///
/// Used on a tokio runtime with its timers on: that of the web framework.
#[derive(Clone, Debug)]
pub struct ReqwestHost {
    client: Client,
}

impl ReqwestHost {
    /// A host that trusts whom the system trusts, and connects directly.
    ///
    /// # Errors
    /// The system has no certificates of authorities.
    pub fn new() -> Result<Self, HostError> {
        Self::builder().build()
    }

    /// For further authorities, a proxy, or another name.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn with(client: Client) -> Self {
        Self { client }
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let (head, body) = request.into_parts();
        let url = address::askable(&head.uri.to_string())?;
        let mut asked = reqwest::Request::new(head.method, url);
        *asked.headers_mut() = head.headers;
        *asked.body_mut() = (!body.is_empty()).then(|| body.into());
        let answer = self.client.execute(asked).await.map_err(|error| failure::of(&error))?;
        let mut response = HttpResponse::default();
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        *response.body_mut() = read(answer).await?;
        Ok(response)
    }
}

/// Reads a body as it comes, and stops at the first byte too many.
async fn read(mut answer: reqwest::Response) -> Result<Vec<u8>, HttpFailure> {
    let most = u64::try_from(PROVIDER_BODY_BYTES_MAX).unwrap_or(u64::MAX);
    if answer.content_length().is_some_and(|announced| most < announced) {
        return Err(HttpFailure::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| failure::of(&error))? {
        if PROVIDER_BODY_BYTES_MAX < body.len() + chunk.len() {
            return Err(HttpFailure::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[async_trait]
impl Host for ReqwestHost {
    fn now(&self) -> Timestamp {
        let seconds = |length: Duration| i64::try_from(length.as_secs()).unwrap_or(i64::MAX);
        Timestamp::from_unix(match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => seconds(since),
            Err(before) => -seconds(before.duration()),
        })
    }

    /// # Panics
    /// The operating system gives no randomness. Nothing that was sealed without it would be safe, so that the
    /// request ends here; no system that can serve requests is known to come to this.
    fn seed(&self) -> Seed {
        let mut seed = Seed::default();
        getrandom::fill(&mut seed).expect("the operating system gives randomness once it has started");
        seed
    }

    async fn exchange(&self, request: HttpRequest, timeout: Duration) -> Result<HttpResponse, HttpFailure> {
        // Dropping the future closes the connection, wherever it was.
        tokio::time::timeout(timeout, self.ask(request)).await.unwrap_or(Err(HttpFailure::TimedOut))
    }

    async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// # Panics
    /// It is called outside a tokio runtime.
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        // What it logs is about the request that began it.
        tokio::runtime::Handle::current().spawn(task.in_current_span());
    }
}
