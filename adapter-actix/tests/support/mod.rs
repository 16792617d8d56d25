//! A site in one process, made of the test kit; a host that counts and can keep everybody waiting; and a browser that
//! says where it has been led.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

pub(crate) mod log;

use std::{
    fmt::Debug,
    ops::{Deref, DerefMut},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_http::Request;
use actix_service::IntoServiceFactory;
use actix_web::{
    Error,
    body::MessageBody,
    dev::{AppConfig, ServiceFactory, ServiceResponse},
    rt::time::sleep,
    test::{self, TestRequest},
};
use async_trait::async_trait;
use vestibule::{
    Vestibule,
    config::Builder,
    driver::{AdmitAll, Driver, Host},
    entropy::Seed,
    exchange::{HttpFailure, HttpRequest, HttpResponse},
    paths::Paths,
    seal::KeyRing,
    testkit::MemoryHost,
    time::Timestamp,
};
pub(crate) use vestibule_actix::testing::Site;
use vestibule_actix::{
    Gate,
    testing::{self, Answer, MemoryProvider, Person, SignedInAs as _},
};
use vestibule_reqwest::ReqwestHost;

pub(crate) const ORIGIN: &str = "https://app.example";

/// The kit's host, watched. Its tasks run where those of an application do.
#[derive(Clone)]
pub(crate) struct Memory {
    inner: MemoryHost,
    seeds: Arc<AtomicUsize>,
    /// How often somebody wanted to know the time: once for each session cookie that is opened.
    pub(crate) told: Arc<AtomicUsize>,
    /// How often the provider was asked.
    asked: Arc<AtomicUsize>,
    /// Whether the provider keeps everybody waiting.
    pub(crate) closed: Arc<AtomicBool>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        let tasks = ReqwestHost::new().unwrap();
        Self {
            inner: MemoryHost::new().spawning_by(move |task| tasks.spawn(task)),
            seeds: Arc::default(),
            told: Arc::default(),
            asked: Arc::default(),
            closed: Arc::default(),
        }
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, seconds: u64) {
        self.inner.pass(Duration::from_secs(seconds));
    }

    pub(crate) fn seeds(&self) -> usize {
        self.seeds.load(Ordering::SeqCst)
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Host for Memory {
    fn now(&self) -> Timestamp {
        self.told.fetch_add(1, Ordering::SeqCst);
        self.inner.now()
    }

    fn seed(&self) -> Seed {
        self.seeds.fetch_add(1, Ordering::SeqCst);
        self.inner.seed()
    }

    async fn exchange(&self, request: HttpRequest, timeout: Duration) -> Result<HttpResponse, HttpFailure> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        while self.closed.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(1)).await;
        }
        self.inner.exchange(request, timeout).await
    }

    async fn wait(&self, time: Duration) {
        self.inner.wait(time).await;
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.inner.spawn(task);
    }
}

/// A site at `prefix`, with one provider.
pub(crate) fn builder(prefix: &str) -> Builder {
    Vestibule::builder(format!("{ORIGIN}{prefix}/callback"))
        .paths(Paths::below(prefix).sign_out_alias("/logout"))
        .keys(KeyRing::new(["0123456789abcdef0123456789abcdef"]).unwrap())
        .provider(MemoryProvider::new("plain"))
}

pub(crate) fn gate_of(builder: Builder) -> Gate {
    gate_on(builder, testing::host())
}

pub(crate) fn gate_at(builder: Builder, host: &Memory) -> Gate {
    gate_on(builder, host.clone())
}

fn gate_on(builder: Builder, host: impl Host) -> Gate {
    Gate::new(Driver::new(builder.build().unwrap(), host, AdmitAll))
}

pub(crate) fn gate() -> Gate {
    gate_of(builder("/oauth2"))
}

/// An application that takes requests, whatever its type was.
pub(crate) async fn site<A, F, B>(app: A) -> Site
where
    A: IntoServiceFactory<F, Request> + 'static,
    F: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse<B>, Error = Error> + 'static,
    F::InitError: Debug,
    B: MessageBody + 'static,
{
    testing::site(test::init_service(app).await)
}

/// Where an answer leads.
pub(crate) trait LeadsTo {
    /// The path and query that a redirect leads to, on this site.
    fn leads_to(&self) -> &str;
}

impl LeadsTo for Answer {
    fn leads_to(&self) -> &str {
        assert_eq!(self.status, 303, "{self:?}");
        self.header("location").strip_prefix(ORIGIN).unwrap()
    }
}

/// The kit's browser, with Ada in front of it.
pub(crate) struct Browser(testing::Browser);

impl Deref for Browser {
    type Target = testing::Browser;

    fn deref(&self) -> &testing::Browser {
        &self.0
    }
}

impl DerefMut for Browser {
    fn deref_mut(&mut self) -> &mut testing::Browser {
        &mut self.0
    }
}

impl Browser {
    pub(crate) fn new(site: &Site) -> Self {
        Self(testing::Browser::new(site))
    }

    /// Begins at `sign_in`, comes back to `callback`, and says where that leads.
    pub(crate) async fn sign_in(&mut self, sign_in: &str, callback: &str) -> Answer {
        let target = self.go_and_come_back(sign_in, callback).await;
        self.visit(&target).await
    }

    /// Begins at `sign_in`, and says where the provider sends the browser back to: `callback`, with its answer.
    pub(crate) async fn go_and_come_back(&mut self, sign_in: &str, callback: &str) -> String {
        let back = self.0.go_and_come_back(sign_in, ada()).await;
        let target = back.strip_prefix(ORIGIN).unwrap();
        assert!(target.starts_with(&format!("{callback}?")), "{back}");
        target.to_owned()
    }
}

/// Everybody who signs in through a browser here.
fn ada() -> Person {
    Person::new(7).username("ada").group("staff").claim("role", "admin")
}

pub(crate) fn navigation(target: &str) -> TestRequest {
    TestRequest::with_uri(target).visiting()
}
