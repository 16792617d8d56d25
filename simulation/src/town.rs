//! The parts that hold still: the site's configuration, the clocks, and a host for what is done in one go.

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
use futures_util::FutureExt as _;
use vestibule::{
    Vestibule,
    config::{ConfigError, Keep},
    driver::{AdmitAll, Driver, Host},
    exchange::{HttpFailure, HttpRequest, HttpResponse},
    provider::Provider,
    seal::KeyRing,
    time::Timestamp,
};

use crate::{Bug, shelf::Shelf};

/// How long a session lasts at most.
pub(crate) const AGE: i64 = 5_000;
/// How long it may be unused, where that ends it.
pub(crate) const IDLE: i64 = 1_200;
/// How late its use may be written down.
pub(crate) const TOUCH: i64 = 60;
/// Whose clock is the store's; the instances come before it.
pub(crate) const STORE: usize = 2;
/// How many phases a rotation of keys has; from [`FIRST_BY_NEW`] on the new one seals, in the last the old is away.
pub(crate) const PHASES: usize = 4;
pub(crate) const FIRST_BY_NEW: usize = 2;

const OLD: &str = "an older secret of 32 bytes at least";
const NEW: &str = "a newer secret of 32 bytes at least!";

/// The time, and how far each clock is from it.
pub(crate) struct Clocks {
    time: AtomicI64,
    apart: [AtomicI64; 3],
}

impl Clocks {
    pub(crate) fn new(apart: [i64; 3]) -> Self {
        Self { time: AtomicI64::new(1_800_000_000), apart: apart.map(AtomicI64::new) }
    }

    pub(crate) fn time(&self) -> i64 {
        self.time.load(Ordering::Relaxed)
    }

    pub(crate) fn at(&self, whose: usize) -> i64 {
        self.time() + self.apart(whose)
    }

    pub(crate) fn apart(&self, whose: usize) -> i64 {
        self.apart[whose].load(Ordering::Relaxed)
    }

    pub(crate) fn latest(&self) -> i64 {
        (0..=STORE).map(|whose| self.at(whose)).max().unwrap_or_default()
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.time.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, whose: usize, apart: i64) {
        self.apart[whose].store(apart, Ordering::Relaxed);
    }
}

/// What an instance runs on: a clock, and randomness that a seed decides.
#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) clocks: Arc<Clocks>,
    pub(crate) at: usize,
    pub(crate) seeds: Arc<AtomicU64>,
    pub(crate) seed: u64,
}

#[async_trait]
impl Host for Machine {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clocks.at(self.at))
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

    async fn wait(&self, time: Duration) {
        // Whoever waits for somebody else's refresh does so in small steps; everything longer is a limit.
        if time > Duration::from_secs(1) {
            std::future::pending().await
        }
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        at_once(task);
    }
}

/// What comes of `future`, which waits for nothing: it is done in one go.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("whatever is asked here answers at once")
}

/// What all runs of a process have in common: making it anew each time takes longer than a run.
pub(crate) struct Site {
    rings: [KeyRing; PHASES],
    plugin: Arc<dyn Provider>,
}

impl Site {
    pub(crate) fn new(bug: Option<Bug>) -> Self {
        let ring = |secrets: &[&str]| KeyRing::new(secrets).expect("they are long enough");
        let last: &[&str] = if bug == Some(Bug::KeyStays) { &[NEW, OLD] } else { &[NEW] };
        let rings = [ring(&[OLD]), ring(&[OLD, NEW]), ring(&[NEW, OLD]), ring(last)];
        Self { rings, plugin: Arc::new(crate::plugin::Plugin::new()) }
    }

    /// An instance with the keys of that phase of a rotation; without a store its sessions are in cookies.
    pub(crate) fn instance(
        &self,
        phase: usize,
        machine: &Machine,
        (shelf, idle): (Option<&Shelf>, bool),
    ) -> Result<Driver, ConfigError> {
        let mut site = Vestibule::builder("https://app.example/oauth2/callback")
            .keys(self.rings[phase].clone())
            .shared_provider(Arc::clone(&self.plugin))
            .keep_groups(Keep::All)
            .session_age(Duration::from_secs(AGE.unsigned_abs()));
        if let Some(shelf) = shelf {
            let store = site.refresh_tokens().backchannel_logout().frontchannel_logout();
            site = store.store(Arc::new(shelf.clone()));
            if idle {
                site = site.idle_limit(Duration::from_secs(IDLE.unsigned_abs()));
            }
        }
        Ok(Driver::new(site.build()?, machine.clone(), AdmitAll))
    }
}
