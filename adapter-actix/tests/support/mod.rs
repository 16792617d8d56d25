//! A site in one process: a host that answers out of memory, a provider as a third party would write it, a browser.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

pub(crate) mod log;

use std::{
    collections::BTreeMap,
    fmt::Debug,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_http::Request;
use actix_service::IntoServiceFactory;
use actix_web::{
    Error,
    body::{BoxBody, MessageBody, to_bytes},
    dev::{AppConfig, Payload, Service as _, ServiceFactory, ServiceResponse},
    http::{StatusCode, header::HeaderMap},
    rt::time::sleep,
    test::{self, TestRequest},
};
use async_trait::async_trait;
use url::Url;
use vestibule::{
    Vestibule,
    config::Builder,
    conversation::Http,
    driver::{AdmitAll, Driver, Host},
    entropy::Seed,
    exchange::{HttpFailure, HttpRequest, HttpResponse, Purpose},
    identity::{Identity, Tokens},
    oauth2::{OAuth2, OAuth2Spec},
    paths::Paths,
    provider::ProviderError,
    seal::KeyRing,
    time::Timestamp,
};
use vestibule_actix::Gate;
use vestibule_reqwest::ReqwestHost;

pub(crate) const ORIGIN: &str = "https://app.example";

/// A host without a network: the provider's two endpoints answer as soon as they may. Tasks run where those of an
/// application do.
#[derive(Clone)]
pub(crate) struct Memory(Arc<Inner>);

pub(crate) struct Inner {
    tasks: ReqwestHost,
    seeds: AtomicU8,
    clock: AtomicI64,
    /// How often somebody wanted to know the time: once for each session cookie that is opened.
    pub(crate) told: AtomicUsize,
    /// How often the provider was asked.
    pub(crate) asked: AtomicUsize,
    /// Whether the provider keeps everybody waiting.
    pub(crate) closed: AtomicBool,
}

impl std::ops::Deref for Memory {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            tasks: ReqwestHost::new().unwrap(),
            seeds: AtomicU8::new(1),
            clock: AtomicI64::new(1_800_000_000),
            told: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        }))
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn seeds(&self) -> u8 {
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
        Timestamp::from_unix(self.clock.load(Ordering::SeqCst))
    }

    fn seed(&self) -> Seed {
        [self.seeds.fetch_add(1, Ordering::SeqCst); 32]
    }

    async fn exchange(&self, request: HttpRequest, _timeout: Duration) -> Result<HttpResponse, HttpFailure> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        while self.closed.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(1)).await;
        }
        let body = match request.uri().path() {
            "/token" => r#"{"access_token":"canary","token_type":"bearer"}"#,
            "/user" => r#"{"id":7,"login":"ada"}"#,
            _ => return Err(HttpFailure::Connect),
        };
        Ok(HttpResponse::new(body.into()))
    }

    async fn wait(&self, _time: Duration) {
        // Nothing here takes long enough to be given up.
        std::future::pending().await
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.tasks.spawn(task);
    }
}

pub(crate) struct Plain(OAuth2Spec);

impl Plain {
    pub(crate) fn new(id: &str) -> Self {
        let at = |path: &str| Url::parse(&format!("https://op.example/{path}")).unwrap();
        Self(OAuth2Spec::new(id, "Plain", at("authorize"), at("token"), "client", Some("canary".into())))
    }
}

#[async_trait]
impl OAuth2 for Plain {
    fn spec(&self) -> &OAuth2Spec {
        &self.0
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let url = self.0.token_endpoint.as_ref().unwrap().join("user").unwrap();
        let user: serde_json::Value = http.get_json(Purpose::Profile, &url, tokens).await?;
        let identity = Identity::new(&user["id"]).username(user["login"].as_str().map(str::to_owned));
        Ok(identity.groups(["staff".to_owned()]).claim("role", "admin"))
    }
}

/// A site at `prefix`, with one provider.
pub(crate) fn builder(prefix: &str) -> Builder {
    Vestibule::builder(format!("{ORIGIN}{prefix}/callback"))
        .paths(Paths::below(prefix).sign_out_alias("/logout"))
        .keys(KeyRing::new(["0123456789abcdef0123456789abcdef"]).unwrap())
        .provider(Plain::new("plain"))
}

pub(crate) fn gate_of(builder: Builder) -> Gate {
    gate_at(builder, &Memory::new())
}

pub(crate) fn gate_at(builder: Builder, host: &Memory) -> Gate {
    Gate::new(Driver::new(builder.build().unwrap(), host.clone(), AdmitAll))
}

pub(crate) fn gate() -> Gate {
    gate_of(builder("/oauth2"))
}

type Running = Pin<Box<dyn Future<Output = Result<ServiceResponse<BoxBody>, Error>>>>;

/// An application that takes requests, whatever its type was.
pub(crate) type Site = Rc<dyn Fn(Request) -> Running>;

pub(crate) async fn site<A, F, B>(app: A) -> Site
where
    A: IntoServiceFactory<F, Request> + 'static,
    F: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse<B>, Error = Error> + 'static,
    F::InitError: Debug,
    B: MessageBody + 'static,
{
    let app = Rc::new(test::init_service(app).await);
    Rc::new(move |request| {
        let app = Rc::clone(&app);
        Box::pin(async move { Ok(app.call(request).await?.map_into_boxed_body()) })
    })
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The path and query that a redirect leads to, on this site.
    pub(crate) fn leads_to(&self) -> &str {
        assert_eq!(self.status, 303, "{self:?}");
        self.header("location").strip_prefix(ORIGIN).unwrap()
    }
}

/// A browser with cookies.
pub(crate) struct Browser {
    site: Site,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn new(site: &Site) -> Self {
        Self { site: site.clone(), cookies: BTreeMap::new() }
    }

    pub(crate) async fn send(&mut self, request: TestRequest) -> Answer {
        self.send_body(request, Payload::None).await
    }

    pub(crate) async fn send_body(&mut self, request: TestRequest, body: Payload) -> Answer {
        let response = (self.site)(self.request(request).replace_payload(body).0).await;
        let response = response.unwrap_or_else(|error| panic!("nothing here answers by an error: {error}"));
        let (status, headers) = (response.status(), response.headers().clone());
        for line in headers.get_all("set-cookie") {
            let (cookie, attributes) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = cookie.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = to_bytes(response.into_body()).await.unwrap();
        Answer { status, headers, body: String::from_utf8(body.into()).unwrap() }
    }

    /// The request as this browser sends it: with its cookies.
    pub(crate) fn request(&self, mut request: TestRequest) -> Request {
        if !self.cookies.is_empty() {
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.insert_header(("cookie", cookies.join("; ")));
        }
        request.to_request()
    }

    /// Visits a page.
    pub(crate) async fn visit(&mut self, target: &str) -> Answer {
        self.send(navigation(target)).await
    }

    /// Asks as a script does.
    pub(crate) async fn fetch(&mut self, target: &str) -> Answer {
        self.send(TestRequest::get().uri(target).insert_header(("sec-fetch-mode", "cors"))).await
    }

    /// Begins at `sign_in`, comes back with the provider's answer, and says where that leads.
    pub(crate) async fn sign_in(&mut self, sign_in: &str, callback: &str) -> Answer {
        let target = self.go_and_come_back(sign_in, callback).await;
        self.visit(&target).await
    }

    /// Begins at `sign_in`, and says where the provider sends the browser back to.
    pub(crate) async fn go_and_come_back(&mut self, sign_in: &str, callback: &str) -> String {
        let away = self.visit(sign_in).await;
        assert_eq!(away.status, 303, "{away:?}");
        let authorize = Url::parse(away.header("location")).unwrap();
        assert_eq!(authorize.host_str(), Some("op.example"));
        let state = authorize.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        format!("{callback}?code=c&state={state}")
    }
}

pub(crate) fn navigation(target: &str) -> TestRequest {
    TestRequest::get()
        .uri(target)
        .insert_header(("sec-fetch-mode", "navigate"))
        .insert_header(("sec-fetch-dest", "document"))
        .insert_header(("sec-fetch-site", "same-origin"))
}
