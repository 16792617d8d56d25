//! Performs what machines need from the outside: a loop of a few lines, written once, used by every adapter.
//!
//! Whatever the process has to give comes in through [`Host`] and [`OnSignIn`]. Between requests it keeps documents of
//! providers (`fetches.rs`), and which attempts were answered lately (`claims.rs`).

mod handlers;

use std::{
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_channel::oneshot;
use futures_util::{
    FutureExt as _, Stream, StreamExt as _,
    future::{Either, select},
};

use crate::{
    attempt::AttemptKey,
    claims::{Claimed, ClaimedAttempts, PendingRun},
    config::Vestibule,
    entropy::Seed,
    errand::{Errand, Underway},
    exchange::{HttpFailure, HttpRequest, HttpResponse},
    fetches::{Fetches, Wanted},
    flow::{Answer, Claim, Decision, Effect, Machine, Outcome, Step},
    identity::SignIn,
    limits::{BODY_BYTES_MAX, BODY_TIME_MAX, DECISION_TIME_MAX, STORE_CALL_TIME_MAX},
    log,
    observe::{ObservedHost, Observer},
    places::{Place, Places},
    refusal::Refusal,
    request::{self, Asker, RequestHead, WithSession},
    response::Response,
    session::Session,
    store::StoreError,
    stored::Recognised,
    time::Timestamp,
    tokens::KeptTokens,
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

    /// Returns once `time` has passed. What is being waited for may come first; then this is dropped.
    async fn wait(&self, time: Duration);

    /// Lets `task` run to its end, whatever becomes of the request that began it. It returns before the task has run.
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>);
}

/// The application's word on everybody who has proven who they are.
#[async_trait]
pub trait OnSignIn: Send + Sync + 'static {
    /// Decides, within [`DECISION_TIME_MAX`]. An error, or no decision by then, is answered with a page that offers to
    /// try again, never with a session.
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

#[derive(Clone)]
struct Inner {
    vestibule: Arc<Vestibule>,
    host: Arc<ObservedHost>,
    hook: Arc<dyn OnSignIn>,
    fetches: Arc<Fetches>,
    claimed: Arc<Mutex<ClaimedAttempts>>,
    places: Places,
    /// Others, so that an issuer that hangs keeps nobody from signing in.
    places_for_tokens: Places,
    /// Others again, so that sessions that are refreshed keep nobody from signing in.
    places_for_refreshes: Places,
}

impl Driver {
    /// Puts a vestibule to work.
    pub fn new(vestibule: Vestibule, host: impl Host, hook: impl OnSignIn) -> Self {
        log::cautions(&vestibule.cautions());
        let inner = Inner {
            vestibule: Arc::new(vestibule),
            host: Arc::new(ObservedHost { host: Arc::new(host), observer: None }),
            hook: Arc::new(hook),
            fetches: Arc::default(),
            claimed: Arc::default(),
            places: Places::default(),
            places_for_tokens: Places::default(),
            places_for_refreshes: Places::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Tells `observer` everything that happens from now on at this driver and at what is made of it.
    #[must_use]
    pub fn observed_by(&self, observer: Arc<dyn Observer>) -> Self {
        let host = Arc::clone(&self.inner.host.host);
        self.with(|inner| inner.host = Arc::new(ObservedHost { host, observer: Some(observer) }))
    }

    /// A driver for another configuration in the same process: it knows the documents of providers and the attempts
    /// that were answered. Runs that began at this one end here, each by the configuration that it began with.
    #[must_use]
    pub fn renewed(&self, vestibule: Vestibule, hook: impl OnSignIn) -> Self {
        log::cautions(&vestibule.cautions());
        self.with(|inner| {
            inner.vestibule = Arc::new(vestibule);
            inner.hook = Arc::new(hook);
        })
    }

    /// As this one, but with another host: one that trusts other authorities, say.
    #[must_use]
    pub fn hosted_by(&self, host: impl Host) -> Self {
        let observer = self.inner.host.observer.clone();
        self.with(|inner| inner.host = Arc::new(ObservedHost { host: Arc::new(host), observer }))
    }

    fn with(&self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Inner::clone(&self.inner);
        change(&mut inner);
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

    /// The host's randomness, for sessions that a test makes.
    #[cfg(feature = "testkit")]
    pub(crate) fn seed(&self) -> Seed {
        self.inner.host.seed()
    }

    /// Answers a proxy's question about somebody who is signed in, at once; `None` for every other request. An adapter
    /// asks this first: whoever is let through pays for no randomness, which is a system call, and for no future.
    pub fn grant(&self, head: &(impl RequestHead + ?Sized)) -> Option<Response> {
        self.inner.vestibule.grant(head, self.now()).map(|outcome| self.told(outcome))
    }

    /// Answers any request to one of the endpoints. Its body is read where the answer depends on it; one that is not
    /// whole within [`BODY_TIME_MAX`] counts as none.
    pub async fn answer<B: AsRef<[u8]>, E>(
        &self,
        head: &(impl RequestHead + ?Sized),
        body: impl Stream<Item = Result<B, E>>,
    ) -> Response {
        let Inner { vestibule, host, .. } = &*self.inner;
        let recognised = match self.recognised(head).await {
            Ok(recognised) => recognised,
            Err(error) => return self.told(vestibule.store_failed(request::asker(head), error)),
        };
        let head = &WithSession::new(head, recognised.as_deref());
        // `handle` begins with this, too; here nobody draws what it needs for the rest.
        if let Some(outcome) = vestibule.grant(head, host.now()) {
            return self.told(outcome);
        }
        let body = match vestibule.wants_body(head) {
            true => self.in_time(BODY_TIME_MAX, read(pin!(body))).await.unwrap_or_default(),
            false => Vec::new(),
        };
        let step = vestibule.handle(head, &body, host.now(), host.seed());
        self.run(step).await
    }

    /// The session of whoever asks. Where sessions are kept in a cookie this waits for nothing; where they are kept in
    /// a store it reads that, and refreshes the session where that is due.
    ///
    /// # Errors
    /// [`Refusal::SignInRequired`] where nobody is signed in, the rule by which somebody may not enter, or
    /// [`Refusal::StoreUnreachable`]. [`Driver::turn_back`] says what to answer.
    pub async fn session(&self, head: &(impl RequestHead + ?Sized)) -> Result<Session, Refusal> {
        let recognised = self.recognised(head).await.map_err(Refusal::from)?;
        self.inner.vestibule.session(&WithSession::new(head, recognised.as_deref()), self.now())
    }

    /// As [`Driver::session`], at once: `None` where a store has to be asked first.
    pub fn session_at_once(&self, head: &(impl RequestHead + ?Sized)) -> Option<Result<Session, Refusal>> {
        let vestibule = &self.inner.vestibule;
        (!vestibule.keeps_sessions()).then(|| vestibule.session(head, self.now()))
    }

    /// The tokens of whoever asks, where the site keeps them; with a store that refreshes, an access token that has
    /// not ended.
    ///
    /// # Errors
    /// [`Refusal::StoreUnreachable`].
    pub async fn tokens(&self, head: &(impl RequestHead + ?Sized)) -> Result<Option<KeptTokens>, Refusal> {
        let recognised = self.recognised(head).await.map_err(Refusal::from)?;
        Ok(self.inner.vestibule.tokens(&WithSession::new(head, recognised.as_deref()), self.now()))
    }

    /// What somebody gets who asks the application for something that they may not have; see
    /// [`Vestibule::turn_back`].
    pub fn turn_back(&self, head: &(impl RequestHead + ?Sized), refusal: Refusal) -> Response {
        self.told(self.inner.vestibule.turn_back(head, refusal))
    }

    /// Performs effects until there is an answer. Where too many sign-ins are under way, that is the answer.
    async fn run(&self, step: Step) -> Response {
        match step {
            Step::Done(outcome) => self.told(outcome),
            Step::Needs(Effect::Claim { attempt, until }, machine) => {
                match self.claim(attempt, until, machine) {
                    Ok(run) => run.await.unwrap_or_else(|| self.lost()),
                    Err(outcome) => self.told(outcome),
                }
            }
            Step::Needs(effect, machine) => {
                let Some(place) = self.places_for(&machine).take() else {
                    return self.told(machine.not_now());
                };
                let ends_something = machine.ends_something();
                let step = Step::Needs(effect, machine);
                if ends_something {
                    return self.all_the_same(step, place).await;
                }
                self.go_on(step).await
            }
        }
    }

    /// As [`Driver::go_on`], whether or not whoever asked waits for it.
    async fn all_the_same(&self, step: Step, place: Place) -> Response {
        let (sender, receiver) = oneshot::channel();
        let driver = self.clone();
        self.inner.host.spawn(Box::pin(async move {
            let response = driver.go_on(step).await;
            drop(place);
            let _ = sender.send(response);
        }));
        receiver.await.unwrap_or_else(|_| self.lost())
    }

    fn places_for(&self, machine: &Machine) -> &Places {
        if machine.is_about_a_token() { &self.inner.places_for_tokens } else { &self.inner.places }
    }

    async fn go_on(&self, mut step: Step) -> Response {
        loop {
            let (effect, machine) = match step {
                Step::Done(outcome) => return self.told(outcome),
                Step::Needs(effect, machine) => (effect, machine),
            };
            step = machine.step(self.perform(effect).await, self.now());
        }
    }

    async fn perform(&self, effect: Effect) -> Answer {
        let Inner { host, hook, fetches, .. } = &*self.inner;
        match effect {
            Effect::Http { purpose, request, timeout } => {
                Answer::Http(host.exchange(purpose, request, timeout).await)
            }
            Effect::CachedGet { purpose, url, freshness, usable, timeout } => {
                let wanted = Wanted { purpose, url, freshness, usable, timeout };
                Answer::CachedGet(fetches.document(host, wanted).await)
            }
            Effect::Decide(sign_in) => {
                let decided = self.in_time(DECISION_TIME_MAX, hook.decide(&sign_in)).await;
                Answer::Decide(match decided {
                    Some(Ok(decision)) => Some(decision),
                    Some(Err(error)) => {
                        log::hook_failed(&*error);
                        None
                    }
                    None => {
                        log::hook_timed_out();
                        None
                    }
                })
            }
            Effect::Store(request) => Answer::Store(match &self.inner.vestibule.keeping.store {
                Some(store) => {
                    let asked = self.in_time(STORE_CALL_TIME_MAX, request.ask(&**store)).await;
                    asked.unwrap_or(Err(StoreError::Unavailable))
                }
                None => Err(StoreError::Unavailable),
            }),
            Effect::Wait(time) => {
                host.wait(time).await;
                Answer::Waited
            }
            // `errand` takes these itself: whatever else asks for it has no way to go on alone.
            Effect::Detach => Answer::Detached(false),
            // `run` takes these itself; an attempt that is not claimed there has been claimed.
            Effect::Claim { .. } => Answer::Claim(Claim::Taken),
        }
    }

    /// Whose session the request brings, where sessions are kept in a store.
    async fn recognised(
        &self,
        head: &(impl RequestHead + ?Sized),
    ) -> Result<Option<Arc<Recognised>>, StoreError> {
        let Inner { vestibule, host, .. } = &*self.inner;
        let Some(errand) = vestibule.recognise(head, host.now(), host.seed()) else { return Ok(None) };
        // A plugin that awaits elsewhere, or a process that shuts down: nobody is known, and nothing is lost.
        let recognition = self.errand(errand).await.unwrap_or(Err(StoreError::Broken))?;
        host.tell(recognition.event.as_ref());
        Ok(recognition.session)
    }

    /// Performs effects until there is a value; `None` where it came to grief.
    async fn errand<T: Send + 'static>(&self, mut errand: Errand<T>) -> Option<T> {
        loop {
            let (effect, underway) = match errand {
                Errand::Done(value) => return value,
                Errand::Needs(effect, underway) => (effect, underway),
            };
            if matches!(effect, Effect::Detach) {
                return self.alone(underway).await;
            }
            errand = underway.step(self.perform(effect).await, self.now());
        }
    }

    /// Goes on with an errand in a task of its own, where there is a place for it.
    async fn alone<T: Send + 'static>(&self, underway: Box<Underway<T>>) -> Option<T> {
        let place = self.inner.places_for_refreshes.take();
        let (sender, receiver) = oneshot::channel();
        let driver = self.clone();
        self.inner.host.spawn(Box::pin(async move {
            let errand = underway.step(Answer::Detached(place.is_some()), driver.now());
            let value = driver.together(errand).await;
            drop(place);
            // Nobody may be waiting any more; what was to happen has happened all the same.
            let _ = sender.send(value);
        }));
        receiver.await.ok().flatten()
    }

    /// As [`Driver::errand`], for one that is in a task of its own already.
    async fn together<T: Send + 'static>(&self, mut errand: Errand<T>) -> Option<T> {
        loop {
            let (effect, underway) = match errand {
                Errand::Done(value) => return value,
                Errand::Needs(effect, underway) => (effect, underway),
            };
            let answer = match effect {
                Effect::Detach => Answer::Detached(true),
                effect => self.perform(effect).await,
            };
            errand = underway.step(answer, self.now());
        }
    }

    /// What `work` comes to, if it does so in time.
    async fn in_time<T>(&self, time: Duration, work: impl Future<Output = T>) -> Option<T> {
        match select(pin!(work), self.inner.host.wait(time)).await {
            Either::Left((result, _)) => Some(result),
            Either::Right(_) => None,
        }
    }

    /// Detaches a run from its request, if its attempt is answered for the first time. A copy of the callback that
    /// comes while it runs gets the same answer; one that comes later is told so, and so is whoever comes while all
    /// places are taken: then the attempt is still theirs, to come back with.
    fn claim(
        &self,
        attempt: AttemptKey,
        until: Timestamp,
        machine: Box<Machine>,
    ) -> Result<PendingRun, Outcome> {
        let (sender, receiver) = oneshot::channel();
        let run = receiver.map(Result::ok).boxed().shared();
        let place = {
            let mut claimed = lock(&self.inner.claimed);
            match claimed.look_up(&attempt, self.now()) {
                Some(Claimed::Running(run)) => return Ok(run),
                Some(Claimed::Finished) => return Err(machine.answered_before()),
                None => {}
            }
            let Some(place) = self.inner.places.take() else { return Err(machine.not_now()) };
            claimed.insert(attempt.clone(), until, run.clone());
            place
        };
        let driver = self.clone();
        self.inner.host.spawn(Box::pin(async move {
            let step = machine.step(Answer::Claim(Claim::First), driver.now());
            let response = driver.go_on(step).await;
            drop(place);
            lock(&driver.inner.claimed).finish(&attempt);
            // Nobody may be waiting any more; the run's effects have happened all the same.
            let _ = sender.send(response);
        }));
        Ok(run)
    }

    /// The task that ran the sign-in is gone: the process is shutting down, or a plugin panicked.
    fn lost(&self) -> Response {
        self.told(self.inner.vestibule.refused(Asker::Navigation, Refusal::PluginFaulty))
    }

    /// Tells what came of a request, and hands out the response.
    fn told(&self, outcome: Outcome) -> Response {
        self.inner.host.tell(outcome.event.as_ref());
        outcome.response
    }
}

/// Reads one byte more than is allowed at most, so that the core sees that there are too many. Of a body that breaks
/// off nothing is used.
async fn read<B: AsRef<[u8]>, E>(mut body: Pin<&mut impl Stream<Item = Result<B, E>>>) -> Vec<u8> {
    let mut read = Vec::new();
    while let Some(data) = body.next().await {
        let Ok(data) = data else { return Vec::new() };
        let (data, room) = (data.as_ref(), BODY_BYTES_MAX + 1 - read.len());
        read.extend_from_slice(&data[..data.len().min(room)]);
        if BODY_BYTES_MAX < read.len() {
            break;
        }
    }
    read
}

/// A panic elsewhere leaves what is behind the mutex whole: it is changed by single insertions and removals.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("vestibule", &self.inner.vestibule).finish_non_exhaustive()
    }
}
