//! The real host, with a clock that can be set and a list of all exchanges.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use url::Url;
use vestibule::{
    driver::Host,
    entropy::Seed,
    exchange::{HttpFailure, HttpRequest, HttpResponse},
    time::Timestamp,
};
use vestibule_reqwest::ReqwestHost;

/// A [`ReqwestHost`] that is watched. Clones are handles on the same one.
#[derive(Clone, Debug)]
pub struct Watched {
    host: ReqwestHost,
    skew: Arc<AtomicI64>,
    pace: Arc<AtomicI64>,
    asked: Arc<Mutex<Vec<Asked>>>,
    waits: Arc<Mutex<Vec<Wait>>>,
}

/// An exchange that was begun, whether or not anything came of it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Whom.
    pub url: Url,
    /// When, by the host's clock.
    pub at: Timestamp,
    /// How long it may take.
    pub timeout: Duration,
}

/// Something that was waited for, for so long at most.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    /// From when on, by the host's clock.
    pub at: Timestamp,
    /// How long at most.
    pub most: Duration,
}

impl Watched {
    /// Watches `host`.
    pub fn new(host: ReqwestHost) -> Self {
        Self {
            host,
            skew: Arc::default(),
            pace: Arc::default(),
            asked: Arc::default(),
            waits: Arc::default(),
        }
    }

    /// Moves the clock by so many seconds.
    pub fn shift_clock(&self, seconds: i64) {
        self.skew.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Lets every exchange from now on take so many seconds, by the host's clock.
    pub fn pace(&self, seconds: i64) {
        self.pace.store(seconds, Ordering::SeqCst);
    }

    /// Every exchange so far, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every limit that was set to waiting for something so far, in order.
    pub fn waits(&self) -> Vec<Wait> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The host itself, to ask something that is not our side's doing: the browser's part.
    pub(crate) fn unwatched(&self) -> &ReqwestHost {
        &self.host
    }
}

#[async_trait]
impl Host for Watched {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.host.now().unix() + self.skew.load(Ordering::SeqCst))
    }

    fn seed(&self) -> Seed {
        self.host.seed()
    }

    async fn exchange(&self, request: HttpRequest, timeout: Duration) -> Result<HttpResponse, HttpFailure> {
        if let Ok(url) = Url::parse(&request.uri().to_string()) {
            let asked = Asked { url, at: self.now(), timeout };
            self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        }
        let result = self.host.exchange(request, timeout).await;
        self.shift_clock(self.pace.load(Ordering::SeqCst));
        result
    }

    async fn wait(&self, time: Duration) {
        let wait = Wait { at: self.now(), most: time };
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).push(wait);
        self.host.wait(time).await;
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.host.spawn(task);
    }
}
