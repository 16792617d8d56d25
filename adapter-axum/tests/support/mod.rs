//! A site in one process: a host that answers out of memory, a provider as a third party would write it, a browser.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU8, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use tower::ServiceExt as _;
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
use vestibule_axum::Gate;

pub(crate) const ORIGIN: &str = "https://app.example";

/// A host without a network: the provider's two endpoints answer at once.
#[derive(Clone)]
pub(crate) struct Memory {
    seeds: Arc<AtomicU8>,
    clock: Arc<AtomicI64>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self { seeds: Arc::new(AtomicU8::new(1)), clock: Arc::new(AtomicI64::new(1_800_000_000)) }
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }
}

#[async_trait]
impl Host for Memory {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clock.load(Ordering::SeqCst))
    }

    fn seed(&self) -> Seed {
        [self.seeds.fetch_add(1, Ordering::Relaxed); 32]
    }

    async fn exchange(&self, request: HttpRequest, _timeout: Duration) -> Result<HttpResponse, HttpFailure> {
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
        tokio::spawn(task);
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
    app: Router,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn new(app: &Router) -> Self {
        Self { app: app.clone(), cookies: BTreeMap::new() }
    }

    pub(crate) async fn send(&mut self, request: axum::http::request::Builder) -> Answer {
        self.send_body(request, Body::empty()).await
    }

    pub(crate) async fn send_body(
        &mut self,
        mut request: axum::http::request::Builder,
        body: Body,
    ) -> Answer {
        if !self.cookies.is_empty() {
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let response = self.app.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        for line in parts.headers.get_all(header::SET_COOKIE) {
            let (cookie, attributes) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = cookie.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.into()).unwrap() }
    }

    /// Visits a page.
    pub(crate) async fn visit(&mut self, target: &str) -> Answer {
        self.send(navigation(target)).await
    }

    /// Asks as a script does.
    pub(crate) async fn fetch(&mut self, target: &str) -> Answer {
        self.send(Request::get(target).header("sec-fetch-mode", "cors")).await
    }

    /// Begins at `sign_in`, comes back with the provider's answer, and says where that leads.
    pub(crate) async fn sign_in(&mut self, sign_in: &str, callback: &str) -> Answer {
        let away = self.visit(sign_in).await;
        assert_eq!(away.status, 303, "{away:?}");
        let authorize = Url::parse(away.header("location")).unwrap();
        assert_eq!(authorize.host_str(), Some("op.example"));
        let state = authorize.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        self.visit(&format!("{callback}?code=c&state={state}")).await
    }
}

pub(crate) fn navigation(target: &str) -> axum::http::request::Builder {
    Request::get(target)
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document")
        .header("sec-fetch-site", "same-origin")
}
