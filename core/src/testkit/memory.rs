//! A process without a network: a clock that stands still, randomness that is none, providers that are values.

use std::{
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

use async_trait::async_trait;

use super::memory_provider;
use crate::{
    driver::Host,
    entropy::Seed,
    exchange::{HttpFailure, HttpRequest, HttpResponse},
    time::Timestamp,
};

/// Work that outlives its request.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

type Answers = dyn Fn(&HttpRequest) -> Result<HttpResponse, HttpFailure> + Send + Sync;

/// A host for tests: nothing leaves the process. Clones are one host.
///
/// Every [`MemoryProvider`](super::MemoryProvider) answers at it; other providers as [`MemoryHost::answering`] says, and
/// otherwise not at all. Its time passes when the test lets it, so nothing here is ever given up for taking too long.
/// What it gives for randomness anybody can guess: no browser but the test's own may meet it.
#[derive(Clone)]
pub struct MemoryHost {
    now: Arc<AtomicI64>,
    seeds: Arc<AtomicU64>,
    answers: Arc<Answers>,
    spawns: Arc<dyn Fn(Task) + Send + Sync>,
}

impl MemoryHost {
    /// A host where it is 2027-01-15T08:00:00Z, and that runs what outlives a request on a thread of its own. Work that
    /// needs a runtime, as an application's hook may, needs [`MemoryHost::spawning_by`]; an adapter's `testing::host`
    /// has that.
    pub fn new() -> Self {
        Self {
            now: Arc::new(AtomicI64::new(1_800_000_000)),
            seeds: Arc::default(),
            answers: Arc::new(|_| Err(HttpFailure::Connect)),
            spawns: Arc::new(|task| drop(thread::spawn(|| run(task)))),
        }
    }

    /// Lets `answers` play every provider that is not in memory.
    pub fn answering(
        mut self,
        answers: impl Fn(&HttpRequest) -> Result<HttpResponse, HttpFailure> + Send + Sync + 'static,
    ) -> Self {
        self.answers = Arc::new(answers);
        self
    }

    /// Lets `spawns` run what outlives a request.
    pub fn spawning_by(mut self, spawns: impl Fn(Task) + Send + Sync + 'static) -> Self {
        self.spawns = Arc::new(spawns);
        self
    }

    /// Sets the time.
    pub fn set_now(&self, now: Timestamp) {
        self.now.store(now.unix(), Ordering::SeqCst);
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.set_now(self.now().after(time));
    }
}

impl Default for MemoryHost {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryHost").field("now", &self.now).finish_non_exhaustive()
    }
}

#[async_trait]
impl Host for MemoryHost {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.now.load(Ordering::SeqCst))
    }

    fn seed(&self) -> Seed {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seeds.fetch_add(1, Ordering::SeqCst).to_le_bytes());
        seed
    }

    async fn exchange(&self, request: HttpRequest, _timeout: Duration) -> Result<HttpResponse, HttpFailure> {
        memory_provider::answer(&request).unwrap_or_else(|| (self.answers)(&request))
    }

    async fn wait(&self, _time: Duration) {
        std::future::pending().await
    }

    fn spawn(&self, task: Task) {
        (self.spawns)(task);
    }
}

/// Wakes the thread that waits for a task.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a task on this thread to its end.
fn run(task: Task) {
    let mut task = pin!(task);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    while task.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Pending {
        thread::park();
    }
}
