//! The parts that hold still: the site's configuration, the clock, and a host for what is done in one go.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use url::Url;
use vestibule::{
    Vestibule,
    config::ConfigError,
    conversation::Http,
    driver::{AdmitAll, Driver, Host},
    exchange::{HttpFailure, HttpRequest, HttpResponse, Purpose},
    identity::{Identity, Tokens},
    oauth2::{OAuth2, OAuth2Spec},
    provider::ProviderError,
    seal::KeyRing,
    time::Timestamp,
};

use crate::shelf::Shelf;

/// How long a session lasts at most.
pub(crate) const AGE: i64 = 7_200;
const OLD: &str = "an older secret of 32 bytes at least";
const NEW: &str = "a newer secret of 32 bytes at least!";

pub(crate) struct Plain(OAuth2Spec);

impl Plain {
    fn new() -> Self {
        let at = |path: &str| Url::parse(&format!("https://plain.example/{path}")).expect("it is a constant");
        let spec =
            OAuth2Spec::new("plain", "Plain", at("authorize"), at("token"), "client", Some("s".into()));
        Self(spec.issuer("https://plain.example").revocation_endpoint(at("revoke")))
    }
}

#[async_trait]
impl OAuth2 for Plain {
    fn spec(&self) -> &OAuth2Spec {
        &self.0
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let url = Url::parse("https://plain.example/user").expect("it is a constant");
        let user: serde_json::Value = http.get_json(Purpose::Profile, &url, tokens).await?;
        Ok(Identity::new(user["login"].as_str().unwrap_or_default()))
    }
}

/// The clock, and randomness that a seed decides.
#[derive(Clone)]
pub(crate) struct Clock {
    pub(crate) seconds: Arc<AtomicI64>,
    seeds: Arc<AtomicU64>,
    seed: u64,
}

impl Clock {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seconds: Arc::new(AtomicI64::new(1_800_000_000)), seeds: Arc::default(), seed }
    }
}

#[async_trait]
impl Host for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.seconds.load(Ordering::Relaxed))
    }

    fn seed(&self) -> [u8; 32] {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seeds.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        seed[8..16].copy_from_slice(&self.seed.to_le_bytes());
        seed
    }

    async fn exchange(&self, _request: HttpRequest, _timeout: Duration) -> Result<HttpResponse, HttpFailure> {
        Err(HttpFailure::Connect)
    }

    async fn wait(&self, _time: Duration) {
        std::future::pending().await
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        // Done before anything else happens, so that a seed decides everything.
        let _ = std::thread::spawn(|| futures_executor::block_on(task)).join();
    }
}

/// An instance with the keys of that phase of a rotation.
pub(crate) fn instance(phase: usize, clock: &Clock, shelf: &Shelf) -> Result<Driver, ConfigError> {
    let secrets: &[&str] = [&[OLD] as &[_], &[OLD, NEW], &[NEW, OLD]][phase.min(2)];
    let keys = KeyRing::new(secrets).expect("they are long enough");
    let site = Vestibule::builder("https://app.example/oauth2/callback")
        .keys(keys)
        .provider(Plain::new())
        .session_age(Duration::from_secs(AGE.unsigned_abs()))
        .refresh_tokens()
        .store(Arc::new(shelf.clone()));
    Ok(Driver::new(site.build()?, clock.clone(), AdmitAll))
}
