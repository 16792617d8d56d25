//! Nothing is waited for for ever, and not by everybody: documents, the application, a body, and a place.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use std::{
    convert::Infallible,
    future::{Future, pending, ready},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use async_trait::async_trait;
use futures_channel::oneshot;
use futures_executor::block_on;
use futures_util::{FutureExt as _, future::Shared, stream};
use url::Url;
use vestibule::{
    conversation::Http,
    driver::{AdmitAll, Driver, Host},
    exchange::{Freshness, HttpFailure, HttpRequest, HttpResponse, Purpose},
    flow::Decision,
    identity::{SignIn, Tokens},
    limits::{BODY_TIME_MAX, CONVERSATION_TIME_MAX, DECISION_TIME_MAX, SIGN_INS_UNDER_WAY_MAX},
    oauth2::{OAuth2 as _, OAuth2Spec},
    provider::{Answered, AuthorizationRequest, Begun, Provider, ProviderError},
    request::PlainHead,
    testkit::Person,
    time::Timestamp,
};
use world::{
    Plain, builder, refused,
    threads::{Threads, answer, callback, send},
};

/// A host whose provider is silent until the test lets it speak, and whose time is over when the test says so.
#[derive(Clone)]
struct Silent {
    threads: Threads,
    speaks: Shared<oneshot::Receiver<()>>,
    late: Arc<AtomicBool>,
    waited_for: Arc<AtomicUsize>,
}

impl Silent {
    fn new() -> (Self, oneshot::Sender<()>) {
        let (sender, receiver) = oneshot::channel();
        let threads = Threads::default();
        let speaks = receiver.shared();
        (Self { threads, speaks, late: Arc::default(), waited_for: Arc::default() }, sender)
    }
}

#[async_trait]
impl Host for Silent {
    fn now(&self) -> Timestamp {
        self.threads.now()
    }

    fn seed(&self) -> [u8; 32] {
        self.threads.seed()
    }

    async fn exchange(&self, request: HttpRequest, timeout: Duration) -> Result<HttpResponse, HttpFailure> {
        self.waited_for.fetch_add(1, Ordering::SeqCst);
        let _ = self.speaks.clone().await;
        self.threads.exchange(request, timeout).await
    }

    async fn wait(&self, time: Duration) {
        assert!(time <= CONVERSATION_TIME_MAX, "{time:?} is longer than a conversation");
        if !self.late.load(Ordering::SeqCst) {
            pending().await
        }
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.threads.spawn(task);
    }
}

/// A provider that needs a document to begin.
struct Described(Plain);

#[async_trait]
impl Provider for Described {
    fn id(&self) -> &str {
        Provider::id(&self.0)
    }

    fn label(&self) -> &str {
        Provider::label(&self.0)
    }

    async fn begin(&self, http: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        let purpose = Purpose::Metadata;
        let url = url::Url::parse("https://plain.example/metadata").unwrap();
        let document = http.document(purpose, &url, Freshness::Cached).await;
        document.map_err(|failure| ProviderError::Unreachable { purpose, failure })?;
        self.0.begin(http, request).await
    }

    async fn finish(&self, http: &Http, answered: &Answered) -> Result<SignIn, ProviderError> {
        self.0.finish(http, answered).await
    }
}

#[test]
fn nd_10_whoever_has_no_time_left_stops_waiting_for_a_document_and_the_others_get_it() {
    let (host, speak) = Silent::new();
    let vestibule = builder().provider(Described(Plain::new("plain"))).build().unwrap();
    let driver = Driver::new(vestibule, host.clone(), AdmitAll);
    let start = PlainHead::navigation("/oauth2/sign_in");
    host.late.store(true, Ordering::SeqCst);
    assert_eq!(refused(&send(&driver, &start)), (503, "provider_unreachable".into()));
    host.late.store(false, Ordering::SeqCst);
    let patient = {
        let (driver, start) = (driver.clone(), start.clone());
        thread::spawn(move || send(&driver, &start).status)
    };
    speak.send(()).unwrap();
    assert_eq!(patient.join().unwrap(), 303);
    assert_eq!(host.waited_for.load(Ordering::SeqCst), 1, "one fetch for both");
}

#[test]
fn an_application_that_does_not_decide_in_time_lets_nobody_in() {
    let host = Threads::default();
    let hangs = |_: SignIn| pending();
    let driver = Driver::new(builder().provider(Plain::new("plain")).build().unwrap(), host.clone(), hangs);
    let head = callback(&driver, "c").0;
    host.late.store(true, Ordering::SeqCst);
    let answer = send(&driver, &head);
    assert_eq!(refused(&answer), (503, "hook_failed".into()));
    assert!(!answer.set_cookies().any(|line| line.starts_with("__Host-vestibule=")), "{answer:?}");
    assert_eq!(*host.waits.lock().unwrap(), [DECISION_TIME_MAX]);
}

#[test]
fn nd_16_a_body_that_does_not_come_in_time_is_none() {
    let host = Threads::default();
    let decides = |_: SignIn| ready(Ok(Decision::allow()));
    let driver = Driver::new(builder().provider(Plain::new("plain")).build().unwrap(), host.clone(), decides);
    let form = PlainHead::new("POST", "/oauth2/callback");
    let came = stream::iter([Ok::<_, Infallible>("code=c&state=s")]);
    assert_eq!(refused(&block_on(driver.answer(&form, came))).1, "attempt_missing");
    host.late.store(true, Ordering::SeqCst);
    let hangs = stream::pending::<Result<&str, Infallible>>();
    assert_eq!(refused(&block_on(driver.answer(&form, hangs))).1, "callback_malformed");
    assert_eq!(host.waits.lock().unwrap().last(), Some(&BODY_TIME_MAX));
}

#[test]
fn nd_11_beyond_so_many_sign_ins_under_way_nobody_is_asked_and_nothing_is_lost() {
    let (host, speak) = Silent::new();
    let revokes = OAuth2Spec::clone(Plain::new("plain").spec())
        .revocation_endpoint(Url::parse("https://plain.example/revoke").unwrap());
    let site = builder().provider(Plain::of(revokes)).keep_tokens();
    let driver = Driver::new(site.build().unwrap(), host.clone(), AdmitAll);
    let heads: Vec<_> = (0..=SIGN_INS_UNDER_WAY_MAX).map(|_| callback(&driver, "c").0).collect();
    let under_way = || host.waited_for.load(Ordering::SeqCst);
    let mut waiting: Vec<_> = Vec::new();
    for head in &heads[1..] {
        let mut run = Box::pin(answer(&driver, head));
        assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        waiting.push(run);
    }
    while under_way() < SIGN_INS_UNDER_WAY_MAX {
        thread::yield_now();
    }
    let mut one_more = pin!(answer(&driver, &heads[0]));
    let Poll::Ready(one_more) = one_more.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("one more waits")
    };
    assert_eq!(refused(&one_more), (503, "too_many_sign_ins".into()));
    assert_eq!(one_more.set_cookies().count(), 0, "the attempt goes on: {one_more:?}");
    assert_eq!(under_way(), SIGN_INS_UNDER_WAY_MAX);
    let check = answer(&driver, &PlainHead::fetch("/oauth2/auth")).now_or_never();
    assert_eq!(check.expect("a check waits for nobody").status, 401);
    // Whoever signs out of a cookie is signed out, though nobody can ask the provider to take the tokens back.
    let mut tokens = Tokens::new("canary-access");
    tokens.refresh_token = Some("canary-refresh".into());
    let cookies = Person::new("7").tokens(tokens).cookie_header(&driver);
    let leaves = PlainHead::navigation("/oauth2/sign_out").with("cookie", cookies);
    let left = answer(&driver, &leaves).now_or_never().expect("a sign-out waits for no place");
    assert_eq!((left.status, left.set_cookies().count()), (303, 2), "{left:?}");
    let mut copy = Box::pin(answer(&driver, &heads[1]));
    assert!(
        copy.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(),
        "a copy of one under way needs no place"
    );
    speak.send(()).unwrap();
    for run in waiting {
        assert_eq!(block_on(run).status, 303);
    }
    assert_eq!(send(&driver, &heads[0]).status, 303, "the same callback, once there is room");
}
