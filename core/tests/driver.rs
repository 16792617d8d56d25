//! The driver at work: copies of one callback, browsers that leave, documents that many wait for.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use std::{
    future::Future,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Waker},
    thread,
    time::Duration,
};

use async_trait::async_trait;
use futures_executor::block_on;
use futures_util::stream;
use vestibule::{
    conversation::Http,
    driver::{AdmitAll, Driver, Host},
    exchange::{Freshness, HttpFailure, HttpRequest, HttpResponse, Purpose},
    identity::SignIn,
    limits::DOCUMENT_FAILURE_PAUSE,
    provider::{Answered, AuthorizationRequest, Begun, Provider, ProviderError},
    request::PlainHead,
};
use world::{
    Plain, builder, refused,
    threads::{Threads, answer, callback, send},
};

fn driver(host: &Threads, provider: impl Provider) -> Driver {
    Driver::new(builder().provider(provider).build().unwrap(), host.clone(), AdmitAll)
}

#[test]
fn se_13_twenty_copies_of_a_callback_make_one_token_call_and_get_one_answer() {
    let host = Threads::default();
    let driver = driver(&host, Plain::new("plain"));
    let head = callback(&driver, "c").0;
    let closed = host.gate.lock().unwrap();
    let copies: Vec<_> = (0..20)
        .map(|_| {
            let (driver, head) = (driver.clone(), head.clone());
            thread::spawn(move || send(&driver, &head))
        })
        .collect();
    while host.asked.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    // Give every copy the chance to make a call of its own; the assertion does not depend on it.
    thread::sleep(Duration::from_millis(50));
    drop(closed);
    let answers: Vec<_> = copies.into_iter().map(|copy| copy.join().unwrap()).collect();
    assert_eq!(host.asked.load(Ordering::SeqCst), 2, "one token call, one profile call");
    let signed_in: Vec<_> = answers.iter().filter(|answer| answer.status == 303).collect();
    assert!(!signed_in.is_empty() && signed_in.iter().all(|answer| *answer == signed_in[0]), "{answers:?}");
    for late in answers.iter().filter(|answer| answer.status != 303) {
        assert_eq!(refused(late), (400, "attempt_already_answered".into()));
    }
    assert_eq!(refused(&send(&driver, &head)), (400, "attempt_already_answered".into()));
    assert_eq!(host.asked.load(Ordering::SeqCst), 2);
}

#[test]
fn a_browser_that_leaves_in_the_middle_of_the_token_call_loses_nothing() {
    let host = Threads::default();
    let driver = driver(&host, Plain::new("plain"));
    let head = callback(&driver, "c").0;
    let closed = host.gate.lock().unwrap();
    let mut abandoned = Box::pin(answer(&driver, &head));
    assert!(abandoned.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(abandoned);
    let reloading = {
        let (driver, head) = (driver.clone(), head.clone());
        thread::spawn(move || send(&driver, &head))
    };
    drop(closed);
    let answer = reloading.join().unwrap();
    let signed_in = answer.set_cookies().any(|line| line.starts_with("__Host-vestibule="));
    assert!(signed_in || refused(&answer).1 == "attempt_already_answered", "{answer:?}");
    while host.asked.load(Ordering::SeqCst) < 2 {
        thread::yield_now();
    }
}

#[test]
fn a_body_is_read_for_a_posted_callback_only_and_no_further_than_it_may_be_long() {
    let driver = driver(&Threads::default(), Plain::new("plain"));
    let asked = |method: &str, chunks: usize, broken: bool| {
        let head = PlainHead::new(method, "/oauth2/callback").with("sec-fetch-mode", "cors");
        let taken = AtomicUsize::new(0);
        let chunk = |number| {
            taken.fetch_add(1, Ordering::SeqCst);
            match number {
                1 if broken => Err("the browser is gone"),
                0 => Ok(format!("{:<1024}", "code=c&state=s&more=")),
                _ => Ok("a".repeat(1_024)),
            }
        };
        let response = block_on(driver.answer(&head, stream::iter((0..chunks).map(chunk))));
        (refused(&response).1, taken.load(Ordering::SeqCst))
    };
    assert_eq!(asked("GET", 200, false).1, 0);
    assert_eq!(asked("POST", 64, false), ("attempt_missing".into(), 64));
    assert_eq!(asked("POST", 200, false), ("request_too_large".into(), 65));
    assert_eq!(asked("POST", 200, true), ("callback_malformed".into(), 2));
}

/// A provider that needs a document, or misbehaves.
struct Odd {
    panics: bool,
}

#[async_trait]
impl Provider for Odd {
    fn id(&self) -> &str {
        "odd"
    }

    fn label(&self) -> &str {
        "Odd"
    }

    async fn begin(&self, http: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        let at = |path: &str| url::Url::parse(&format!("https://odd.example/{path}")).unwrap();
        let failed = |failure| ProviderError::Unreachable { purpose: Purpose::Metadata, failure };
        http.document(Purpose::Metadata, &at("metadata"), Freshness::Cached).await.map_err(failed)?;
        let mut location = at("authorize");
        let redirect_uri = request.redirect_uri.as_str();
        location
            .query_pairs_mut()
            .append_pair("state", request.state.expose())
            .append_pair("redirect_uri", redirect_uri);
        Ok(Begun::at(location))
    }

    async fn finish(&self, _http: &Http, _answered: &Answered) -> Result<SignIn, ProviderError> {
        assert!(!self.panics, "this plugin panics");
        std::future::pending().await
    }
}

#[test]
fn a_document_is_fetched_once_however_many_wait_for_it() {
    let host = Threads::default();
    let driver = driver(&host, Odd { panics: false });
    let closed = host.gate.lock().unwrap();
    let starts: Vec<_> = (0..10)
        .map(|_| {
            let driver = driver.clone();
            thread::spawn(move || send(&driver, &PlainHead::navigation("/oauth2/sign_in")))
        })
        .collect();
    while host.asked.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    drop(closed);
    for start in starts {
        assert_eq!(start.join().unwrap().status, 303);
    }
    assert_eq!(host.asked.load(Ordering::SeqCst), 1);
}

/// A host whose first exchange panics, as a broken resolver or subscriber may.
struct Fragile(Threads);

#[async_trait]
impl Host for Fragile {
    fn now(&self) -> vestibule::time::Timestamp {
        // Each request comes a pause later than the one before.
        let pauses = u32::try_from(self.0.seeds.load(Ordering::SeqCst)).unwrap();
        self.0.now().after(DOCUMENT_FAILURE_PAUSE * pauses)
    }

    fn seed(&self) -> [u8; 32] {
        self.0.seed()
    }

    async fn exchange(&self, request: HttpRequest, timeout: Duration) -> Result<HttpResponse, HttpFailure> {
        assert!(self.0.asked.fetch_add(1, Ordering::SeqCst) > 0, "this host panics once");
        self.0.exchange(request, timeout).await
    }

    async fn wait(&self, time: Duration) {
        self.0.wait(time).await;
    }

    fn spawn(&self, task: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.0.spawn(task);
    }
}

#[test]
fn a_host_that_panics_once_does_not_spoil_a_document_for_ever() {
    let vestibule = builder().provider(Odd { panics: false }).build().unwrap();
    let driver = Driver::new(vestibule, Fragile(Threads::default()), AdmitAll);
    let start = PlainHead::navigation("/oauth2/sign_in");
    assert_eq!(refused(&send(&driver, &start)), (503, "provider_unreachable".into()));
    assert_eq!(send(&driver, &start).status, 303);
}

#[test]
fn a_plugin_that_panics_or_hangs_ends_on_a_page() {
    for panics in [true, false] {
        let host = Threads::default();
        let driver = driver(&host, Odd { panics });
        let head = callback(&driver, "c").0;
        assert_eq!(refused(&send(&driver, &head)), (500, "plugin_faulty".into()));
    }
}
