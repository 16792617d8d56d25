//! Performs what machines need from the outside: a loop of a few lines, written once, used by every adapter.
//!
//! Whatever the process has to give comes in through [`Host`] and [`OnSignIn`]. The driver keeps two things between
//! requests: documents of providers, and which attempts were answered lately.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_channel::oneshot;
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use url::Url;

use crate::{
    attempt::AttemptKey,
    config::Vestibule,
    documents::{Documents, LookUp},
    entropy::Seed,
    exchange::{Document, Freshness, HttpFailure, HttpRequest, HttpResponse, Purpose},
    flow::{Answer, Claim, Decision, Effect, Machine, Outcome, Step},
    identity::SignIn,
    limits::ANSWERED_ATTEMPTS_MAX,
    log,
    refusal::Refusal,
    request::{Asker, RequestHead},
    response::Response,
    time::Timestamp,
};

/// What a process gives: a network, a clock, randomness, and a place for work that outlives a request.
#[async_trait]
pub trait Host: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> Timestamp;

    /// 32 bytes that nobody can guess.
    fn seed(&self) -> Seed;

    /// One exchange with a provider: https or loopback only, no redirect followed, the body at most
    /// [`crate::limits::PROVIDER_BODY_BYTES_MAX`] after decompression, the whole within `timeout`.
    async fn exchange(&self, request: HttpRequest, timeout: Duration) -> Result<HttpResponse, HttpFailure>;

    /// Lets `task` run to its end, whatever becomes of the request that began it.
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>);
}

/// The application's word on everybody who has proven who they are.
#[async_trait]
pub trait OnSignIn: Send + Sync + 'static {
    /// Decides. An error is answered with a page that offers to try again, never with a session.
    async fn decide(&self, sign_in: &SignIn) -> Result<Decision, HookError>;
}

/// Why an application could not decide. The text goes to the log, not to the person.
pub type HookError = Box<dyn std::error::Error + Send + Sync>;

/// Lets everybody in whom the rules let in.
#[derive(Clone, Copy, Debug, Default)]
pub struct AdmitAll;

#[async_trait]
impl OnSignIn for AdmitAll {
    async fn decide(&self, _sign_in: &SignIn) -> Result<Decision, HookError> {
        Ok(Decision::allow())
    }
}

#[async_trait]
impl<F, Fut> OnSignIn for F
where
    F: Fn(SignIn) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Decision, HookError>> + Send + 'static,
{
    async fn decide(&self, sign_in: &SignIn) -> Result<Decision, HookError> {
        self(sign_in.clone()).await
    }
}

/// A vestibule at work in a process. Cheap to clone.
#[derive(Clone)]
pub struct Driver {
    inner: Arc<Inner>,
}

struct Inner {
    vestibule: Arc<Vestibule>,
    host: Box<dyn Host>,
    hook: Box<dyn OnSignIn>,
    documents: Mutex<Documents>,
    fetches: Mutex<HashMap<Url, Fetch>>,
    answered: Mutex<AnsweredAttempts>,
}

/// A fetch under way, shared by everybody who waits for it.
type Fetch = Shared<BoxFuture<'static, Result<Document, HttpFailure>>>;

/// A run under way, shared by every copy of its callback; `None` where it came to grief.
type Run = Shared<BoxFuture<'static, Option<Response>>>;

impl Driver {
    /// Puts a vestibule to work.
    pub fn new(vestibule: Vestibule, host: impl Host, hook: impl OnSignIn) -> Self {
        let inner = Inner {
            vestibule: Arc::new(vestibule),
            host: Box::new(host),
            hook: Box::new(hook),
            documents: Mutex::default(),
            fetches: Mutex::default(),
            answered: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The vestibule that is at work.
    pub fn vestibule(&self) -> &Arc<Vestibule> {
        &self.inner.vestibule
    }

    /// The host's time.
    pub fn now(&self) -> Timestamp {
        self.inner.host.now()
    }

    /// Takes a request to one of the endpoints. What can be answered at once is.
    pub fn begin(&self, head: &(impl RequestHead + ?Sized), body: &[u8]) -> Step {
        let Inner { vestibule, host, .. } = &*self.inner;
        let now = host.now();
        match vestibule.grant(head, now) {
            // Randomness costs a system call: it is not asked for before something is sealed.
            Some(response) => Step::Done(response.into()),
            None => vestibule.handle(head, body, now, host.seed()),
        }
    }

    /// Performs effects until there is an answer.
    pub async fn run(&self, mut step: Step) -> Response {
        loop {
            let (effect, machine) = match step {
                Step::Done(Outcome { response, event }) => {
                    log::event(event.as_ref());
                    return response;
                }
                Step::Needs(Effect::Claim { attempt, until }, machine) => {
                    match self.claim(attempt, until, machine) {
                        Ok(run) => return run.await.unwrap_or_else(|| self.lost()),
                        Err(machine) => (Answer::Claim(Claim::Taken), machine),
                    }
                }
                Step::Needs(effect, machine) => (self.perform(effect).await, machine),
            };
            step = machine.step(effect, self.now());
        }
    }

    async fn perform(&self, effect: Effect) -> Answer {
        match effect {
            Effect::Http { purpose, request, timeout } => {
                Answer::Http(self.exchange(purpose, request, timeout).await)
            }
            Effect::CachedGet { purpose, url, freshness, timeout } => {
                Answer::CachedGet(self.document(purpose, url, freshness, timeout).await)
            }
            Effect::Decide(sign_in) => Answer::Decide(match self.inner.hook.decide(&sign_in).await {
                Ok(decision) => Some(decision),
                Err(error) => {
                    log::hook_failed(&*error);
                    None
                }
            }),
            Effect::Claim { .. } => Answer::Claim(Claim::Taken),
        }
    }

    async fn exchange(
        &self,
        purpose: Purpose,
        request: HttpRequest,
        timeout: Duration,
    ) -> Result<HttpResponse, HttpFailure> {
        let result = self.inner.host.exchange(request, timeout).await;
        log::exchanged(purpose, &result);
        result
    }

    /// A document out of the cache; fetched by one request at a time, however many wait for it.
    async fn document(
        &self,
        purpose: Purpose,
        url: Url,
        freshness: Freshness,
        timeout: Duration,
    ) -> Result<Document, HttpFailure> {
        let fetch = {
            let mut fetches = lock(&self.inner.fetches);
            match fetches.get(&url) {
                Some(fetch) => fetch.clone(),
                None => match lock(&self.inner.documents).look_up(&url, freshness, self.now()) {
                    LookUp::Use(document) => return Ok(document),
                    LookUp::Fetch => {
                        let fetch = self.clone().fetch(purpose, url.clone(), timeout).boxed().shared();
                        fetches.insert(url, fetch.clone());
                        // Detached, so that whoever began it may leave without the others waiting for ever.
                        self.inner.host.spawn(Box::pin(fetch.clone().map(drop)));
                        fetch
                    }
                },
            }
        };
        fetch.await
    }

    async fn fetch(self, purpose: Purpose, url: Url, timeout: Duration) -> Result<Document, HttpFailure> {
        let request = http::Request::get(url.as_str()).header(http::header::ACCEPT, "application/json");
        let result = match request.body(Vec::new()) {
            Ok(request) => self.exchange(purpose, request, timeout).await,
            Err(_) => Err(HttpFailure::AddressRefused),
        };
        let document = lock(&self.inner.documents).fetched(purpose, &url, result, self.now());
        lock(&self.inner.fetches).remove(&url);
        document
    }

    /// Detaches a run from its request, if its attempt is answered for the first time. A copy of the callback that
    /// comes while it runs gets the same answer; one that comes later gets its machine back.
    fn claim(
        &self,
        attempt: AttemptKey,
        until: Timestamp,
        machine: Box<Machine>,
    ) -> Result<Run, Box<Machine>> {
        let mut answered = lock(&self.inner.answered);
        match answered.get(&attempt, self.now()) {
            Some(Answered::Running(run)) => Ok(run),
            Some(Answered::Finished) => Err(machine),
            None => {
                let (sender, receiver) = oneshot::channel();
                let run = receiver.map(Result::ok).boxed().shared();
                answered.insert(attempt.clone(), until, run.clone(), self.now());
                let driver = self.clone();
                self.inner.host.spawn(Box::pin(async move {
                    let step = machine.step(Answer::Claim(Claim::First), driver.now());
                    let response = Box::pin(driver.run(step)).await;
                    lock(&driver.inner.answered).finish(&attempt);
                    // Nobody may be waiting any more; the run's effects have happened all the same.
                    let _ = sender.send(response);
                }));
                Ok(run)
            }
        }
    }

    /// The task that ran the sign-in is gone: the process is shutting down, or a plugin panicked.
    fn lost(&self) -> Response {
        log::event(Some(&crate::response::Event::Refused {
            refusal: Refusal::PluginFaulty,
            provider: None,
            detail: Some("the sign-in ended without an answer".to_owned()),
        }));
        let vestibule = &self.inner.vestibule;
        vestibule.refusal(
            Asker::Navigation,
            Refusal::PluginFaulty,
            None,
            vestibule.acts(Refusal::PluginFaulty, None),
        )
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("vestibule", &self.inner.vestibule).finish_non_exhaustive()
    }
}

/// What became of an attempt that was answered. The response itself is not kept.
#[derive(Clone)]
enum Answered {
    Running(Run),
    Finished,
}

/// Which attempts this process has seen answered: bounded, each until it would be too old anyway.
#[derive(Default)]
struct AnsweredAttempts {
    runs: HashMap<AttemptKey, Answered>,
    /// In the order in which they came, which is nearly the order in which they end.
    queue: VecDeque<(Timestamp, AttemptKey)>,
}

impl AnsweredAttempts {
    fn get(&mut self, attempt: &AttemptKey, now: Timestamp) -> Option<Answered> {
        while self.queue.front().is_some_and(|(until, _)| *until <= now) {
            self.forget_first();
        }
        self.runs.get(attempt).cloned()
    }

    fn insert(&mut self, attempt: AttemptKey, until: Timestamp, run: Run, now: Timestamp) {
        if self.queue.len() >= ANSWERED_ATTEMPTS_MAX {
            self.forget_first();
        }
        self.queue.push_back((until.max(now), attempt.clone()));
        self.runs.insert(attempt, Answered::Running(run));
    }

    fn finish(&mut self, attempt: &AttemptKey) {
        if let Some(run) = self.runs.get_mut(attempt) {
            *run = Answered::Finished;
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, attempt)) = self.queue.pop_front() {
            self.runs.remove(&attempt);
        }
    }
}

/// A panic elsewhere leaves each of these maps whole: they are changed by single insertions and removals.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
