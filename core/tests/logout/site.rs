//! A site that keeps its sessions in a store, the issuer that its people come from, and their browsers.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures_executor::block_on;
use futures_util::stream;
use serde_json::{Value, json};
use url::Url;
use vestibule::{
    Vestibule,
    config::Builder,
    conversation::Http,
    driver::{AdmitAll, Driver},
    exchange::{HttpFailure, HttpRequest, HttpResponse, Purpose},
    identity::{Identity, SignIn, Tokens},
    provider::{Answered, AuthorizationRequest, Begun, EndSession, LogoutNotice, Provider, ProviderError},
    request::PlainHead,
    response::Response,
    seal::KeyRing,
    secret::Secret,
    store::{MemoryStore, Record, Replaced, SessionStore, StoreError, StoreKey},
    testkit::{CookieJar, MemoryHost},
    time::Timestamp,
};

pub(crate) const ISSUER: &str = "https://op.example";
pub(crate) const BACK: &str = "/oauth2/backchannel_logout";
pub(crate) const FRONT: &str = "/oauth2/frontchannel_logout";
pub(crate) const ENDED: &str = "https://app.example/oauth2/sign_out?ended";

/// An issuer whose signature is that a text is JSON. A code is the subject and the issuer's own session.
pub(crate) struct Issuer {
    pub(crate) id: &'static str,
    pub(crate) issuer: &'static str,
    pub(crate) by_form: bool,
    /// Whether it can say that it has ended sessions.
    pub(crate) tells: bool,
}

impl Issuer {
    fn request(path: &str) -> HttpRequest {
        http::Request::post(format!("{ISSUER}{path}")).body(Vec::new()).unwrap()
    }

    async fn ask(http: &Http, purpose: Purpose, path: &str) -> Result<(), ProviderError> {
        match http.send(purpose, Self::request(path)).await {
            Ok(response) if response.status() == 200 => Ok(()),
            Ok(response) => Err(ProviderError::Unavailable { purpose, status: response.status().as_u16() }),
            Err(failure) => Err(ProviderError::Unreachable { purpose, failure }),
        }
    }
}

#[async_trait]
impl Provider for Issuer {
    fn id(&self) -> &str {
        self.id
    }

    fn label(&self) -> &str {
        self.id
    }

    async fn begin(&self, _: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        let mut location = Url::parse(&format!("{}/authorize", self.issuer)).unwrap();
        location.query_pairs_mut().append_pair("state", request.state.expose());
        Ok(Begun::at(location))
    }

    async fn finish(&self, http: &Http, answered: &Answered) -> Result<SignIn, ProviderError> {
        Self::ask(http, Purpose::Token, "/token").await?;
        let (subject, sid) = answered.code.expose().split_once(':').unwrap();
        let mut tokens = Tokens::new("an-access-token");
        tokens.refresh_token = Some(Secret::new("a-refresh-token"));
        tokens.id_token = Some(Secret::new("an-id-token"));
        let identity = Identity::new(subject).issuer(self.issuer);
        Ok(SignIn::new(self.id, identity, tokens).idp_session(Some(sid.to_owned())))
    }

    async fn revoke(&self, http: &Http, _: &Tokens) -> Result<(), ProviderError> {
        Self::ask(http, Purpose::Revocation, "/revoke").await
    }

    async fn end_session(&self, http: &Http, request: &EndSession) -> Result<Option<Url>, ProviderError> {
        Self::ask(http, Purpose::Metadata, "/metadata").await?;
        let mut location = Url::parse(&format!("{}/end", self.issuer)).unwrap();
        let hint = request.id_token.as_ref().map_or("", Secret::expose);
        let back = request.post_logout_redirect_uri.as_str();
        location.query_pairs_mut().append_pair("hint", hint).append_pair("back", back);
        Ok(Some(location))
    }

    async fn logout_token(&self, http: &Http, token: &Secret) -> Result<LogoutNotice, ProviderError> {
        let claims: Value = serde_json::from_str(token.expose())
            .map_err(|_| ProviderError::LogoutToken("it is not signed"))?;
        if claims["iss"] != self.issuer {
            return Err(ProviderError::LogoutToken("it is another's"));
        }
        Self::ask(http, Purpose::Keys, "/keys").await?;
        let text = |name: &str| claims[name].as_str().map(str::to_owned);
        let time = |name: &str| Timestamp::from_unix(claims[name].as_i64().unwrap());
        let notice =
            LogoutNotice::new(self.issuer, text("jti").unwrap_or_default(), time("iat"), time("exp"));
        Ok(notice.subject(text("sub")).idp_session(text("sid")))
    }

    fn tells_of_logout(&self) -> bool {
        self.tells
    }

    fn speaks_for(&self, issuer: &str) -> bool {
        issuer == self.issuer
    }

    fn answers_by_form_post(&self) -> bool {
        self.by_form
    }
}

type Rule<T> = Arc<dyn Fn(T) -> bool + Send + Sync>;

/// A store in memory that can be told to fail.
#[derive(Clone)]
pub(crate) struct Store {
    kept: Arc<MemoryStore>,
    fails: Arc<Mutex<Option<Rule<StoreKey>>>>,
}

impl Store {
    /// Lets every call fail whose key's text begins so.
    pub(crate) fn fail(&self, kind: &'static str) {
        *self.fails.lock().unwrap() = Some(Arc::new(move |key| key.as_str().starts_with(kind)));
    }

    pub(crate) fn work(&self) {
        *self.fails.lock().unwrap() = None;
    }

    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    fn ask(&self, key: &StoreKey) -> Result<(), StoreError> {
        let fails = self.fails.lock().unwrap().as_ref().is_some_and(|fails| fails(key.clone()));
        if fails { Err(StoreError::Unavailable) } else { Ok(()) }
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn load(&self, key: &StoreKey) -> Result<Option<Record>, StoreError> {
        self.ask(key)?;
        self.kept.load(key).await
    }

    async fn insert(
        &self,
        key: &StoreKey,
        value: &[u8],
        life: Duration,
        indexes: &[StoreKey],
    ) -> Result<bool, StoreError> {
        self.ask(key)?;
        self.kept.insert(key, value, life, indexes).await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        version: u64,
        value: &[u8],
        life: Duration,
    ) -> Result<Replaced, StoreError> {
        self.ask(key)?;
        self.kept.replace(key, version, value, life).await
    }

    async fn remove(&self, key: &StoreKey, indexes: &[StoreKey]) -> Result<bool, StoreError> {
        self.ask(key)?;
        self.kept.remove(key, indexes).await
    }

    async fn listed(&self, index: &StoreKey) -> Result<Vec<StoreKey>, StoreError> {
        self.ask(index)?;
        self.kept.listed(index).await
    }
}

type Answers = Arc<dyn Fn(&str) -> Result<u16, HttpFailure> + Send + Sync>;

/// The site.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) driver: Driver,
    pub(crate) store: Store,
    pub(crate) host: MemoryHost,
    /// Whether there are several providers, each with a callback of its own.
    several: bool,
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Vec<String>>>,
}

pub(crate) fn builder() -> Builder {
    let keys = KeyRing::new(["0123456789abcdef0123456789abcdef"]).unwrap();
    Vestibule::builder("https://app.example/oauth2/callback").keys(keys)
}

pub(crate) fn issuer() -> Issuer {
    Issuer { id: "op", issuer: ISSUER, by_form: false, tells: true }
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::of(builder().provider(issuer()).backchannel_logout().frontchannel_logout())
    }

    pub(crate) fn of(builder: Builder) -> Self {
        let answers: Arc<Mutex<Answers>> = Arc::new(Mutex::new(Arc::new(|_| Ok(200))));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (play, note) = (Arc::clone(&answers), Arc::clone(&asked));
        let host = MemoryHost::new().answering(move |request| -> Result<HttpResponse, HttpFailure> {
            let path = request.uri().path().to_owned();
            note.lock().unwrap().push(path.clone());
            // What answers may ask the site something itself.
            let play = Arc::clone(&*play.lock().unwrap());
            let status = play(&path)?;
            Ok(http::Response::builder().status(status).body(Vec::new()).unwrap())
        });
        let clock = host.clone();
        let kept = MemoryStore::new(move || vestibule::driver::Host::now(&clock));
        let store = Store { kept: Arc::new(kept), fails: Arc::default() };
        let vestibule = builder.store(Arc::new(store.clone())).build().unwrap();
        let driver = Driver::new(vestibule, host.clone(), AdmitAll);
        Self { driver, store, host, several: false, answers, asked }
    }

    pub(crate) fn several(mut self) -> Self {
        self.several = true;
        self
    }

    /// Lets the issuer answer so, by path.
    pub(crate) fn answering(
        &self,
        answers: impl Fn(&str) -> Result<u16, HttpFailure> + Send + Sync + 'static,
    ) {
        *self.answers.lock().unwrap() = Arc::new(answers);
    }

    /// The paths that the issuer was asked for so far, once.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    pub(crate) fn send(&self, head: &PlainHead, body: &str) -> Response {
        let body = stream::iter([Ok::<_, Infallible>(body.as_bytes().to_vec())]);
        block_on(self.driver.answer(head, body))
    }

    pub(crate) fn now(&self) -> i64 {
        self.driver.now().unix()
    }

    /// A logout token that is sound as far as it says something.
    pub(crate) fn token(&self, jti: &str, further: &Value) -> Value {
        let mut token = json!({"iss": ISSUER, "jti": jti, "iat": self.now(), "exp": self.now() + 120});
        for (name, value) in further.as_object().unwrap() {
            token[name] = value.clone();
        }
        token
    }

    /// A provider sends a logout token.
    pub(crate) fn notify(&self, token: &Value) -> Response {
        self.notify_at(BACK, token)
    }

    pub(crate) fn notify_at(&self, path: &str, token: &Value) -> Response {
        self.post(path, &form(&token.to_string()))
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Response {
        let head = PlainHead::new("POST", path).with("content-type", "application/x-www-form-urlencoded");
        self.send(&head, body)
    }

    /// Somebody signs in through `provider`.
    pub(crate) fn signed_in_at(&self, provider: &str, code: &str) -> Browser {
        let mut browser = Browser { site: self.clone(), jar: CookieJar::default() };
        let landed = browser.sign_in_at(provider, code);
        assert_eq!(landed.get("location"), Some("https://app.example/"), "{landed:?}");
        assert!(browser.is_signed_in());
        browser
    }

    pub(crate) fn signed_in(&self, code: &str) -> Browser {
        self.signed_in_at("op", code)
    }
}

pub(crate) fn form(token: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", token).finish()
}

/// Somebody's browser.
pub(crate) struct Browser {
    pub(crate) site: Site,
    pub(crate) jar: CookieJar,
}

impl Browser {
    fn with_cookies(&self, head: PlainHead) -> PlainHead {
        match self.jar.header() {
            Some(cookies) => head.with("cookie", cookies),
            None => head,
        }
    }

    pub(crate) fn visit(&mut self, target: &str) -> Response {
        let response = self.site.send(&self.with_cookies(PlainHead::navigation(target)), "");
        self.jar.take(response.set_cookies());
        response
    }

    /// The state of a sign-in that begins.
    pub(crate) fn begin(&mut self, provider: &str) -> String {
        let away = self.visit(&format!("/oauth2/start/{provider}"));
        let location = Url::parse(away.get("location").unwrap()).unwrap();
        location.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
    }

    pub(crate) fn sign_in_at(&mut self, provider: &str, code: &str) -> Response {
        let state = self.begin(provider);
        let own = self.site.several;
        let callback = if own { format!("/oauth2/callback/{provider}") } else { "/oauth2/callback".into() };
        self.visit(&format!("{callback}?state={state}&code={code}"))
    }

    pub(crate) fn is_signed_in(&self) -> bool {
        let head = self.with_cookies(PlainHead::fetch("/"));
        block_on(self.site.driver.session(&head)).is_ok()
    }
}

/// The code and the status of a refusal.
pub(crate) fn refused(response: &Response) -> (u16, String) {
    let body = String::from_utf8_lossy(&response.body).into_owned();
    let code = match serde_json::from_str::<Value>(&body) {
        Ok(problem) => problem["code"].as_str().unwrap_or_default().to_owned(),
        Err(_) => body
            .split("<code>")
            .nth(1)
            .and_then(|rest| rest.split("</code>").next())
            .unwrap_or_default()
            .into(),
    };
    (response.status, code)
}
