//! What two instances of a site share: a clock, a store, a provider; and requests that go on step by step.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use async_trait::async_trait;
use futures_executor::block_on;
use futures_util::stream;
use url::Url;
use vestibule::{
    Vestibule,
    config::{Builder, Keep},
    conversation::Http,
    driver::{AdmitAll, Driver, Host},
    errand::{Errand, Underway},
    exchange::{HttpFailure, HttpRequest, HttpResponse, Purpose},
    flow::{Answer, Claim, Decision, Effect, Step},
    identity::{Identity, Tokens},
    oauth2::{OAuth2, OAuth2Spec},
    provider::ProviderError,
    refusal::Refusal,
    request::{PlainHead, WithSession},
    response::Response,
    seal::KeyRing,
    session::Session,
    store::{MemoryStore, StoreError},
    stored::Recognition,
    testkit::CookieJar,
    time::Timestamp,
};

use crate::{issuer::Issuer, shelf::Shelf};

pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const NEWER_SECRET: &str = "fedcba9876543210fedcba9876543210";
/// How long access tokens live.
pub const LIFE: u64 = 300;

/// The provider's plugin.
pub struct Plain(OAuth2Spec);

impl Plain {
    pub fn new() -> Self {
        let at = |path: &str| Url::parse(&format!("https://plain.example/{path}")).unwrap();
        let secret = Some("canary-client-secret".into());
        let spec = OAuth2Spec::new("plain", "Plain", at("authorize"), at("token"), "client", secret);
        Self(spec.issuer("https://plain.example").revocation_endpoint(at("revoke")))
    }
}

#[async_trait]
impl OAuth2 for Plain {
    fn spec(&self) -> &OAuth2Spec {
        &self.0
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let url = Url::parse("https://plain.example/user").unwrap();
        let user: serde_json::Value = http.get_json(Purpose::Profile, &url, tokens).await?;
        let groups: Vec<_> = user["groups"].as_array().unwrap().iter().collect();
        if groups.iter().any(|group| **group == "expelled") {
            return Err(ProviderError::NotAMember("a club"));
        }
        let groups = groups.into_iter().map(|group| group.as_str().unwrap().to_owned());
        let login = user["login"].as_str().map(str::to_owned);
        Ok(Identity::new(user["id"].as_u64().unwrap()).username(login).groups(groups))
    }
}

/// Clones are one town.
#[derive(Clone)]
pub struct Town {
    /// Milliseconds since 1970.
    clock: Arc<AtomicI64>,
    seeds: Arc<AtomicU64>,
    issuer: Arc<Mutex<Issuer>>,
    pub shelf: Shelf,
    /// How long the provider takes for an answer, in milliseconds.
    pub pace: Arc<AtomicI64>,
}

impl Town {
    pub fn new() -> Self {
        let clock = Arc::new(AtomicI64::new(1_800_000_000_000));
        let hands = Arc::clone(&clock);
        let store = MemoryStore::new(move || Timestamp::from_unix(hands.load(Ordering::SeqCst) / 1_000));
        Self::of(clock, store)
    }

    /// A town whose store holds so many records.
    pub fn with_room_for(records: usize) -> Self {
        Self::of(
            Arc::new(AtomicI64::new(1_800_000_000_000)),
            MemoryStore::new(|| Timestamp::from_unix(0)).at_most(records),
        )
    }

    fn of(clock: Arc<AtomicI64>, store: MemoryStore) -> Self {
        let mut issuer = Issuer::default();
        (issuer.life, issuer.groups) = (LIFE, vec!["staff"]);
        Self {
            clock,
            seeds: Arc::default(),
            issuer: Arc::new(Mutex::new(issuer)),
            shelf: Shelf::new(store),
            pace: Arc::new(AtomicI64::new(100)),
        }
    }

    pub fn issuer(&self) -> MutexGuard<'_, Issuer> {
        self.issuer.lock().unwrap()
    }

    /// A site whose sessions are in this town's store.
    pub fn site(&self) -> Builder {
        Vestibule::builder("https://app.example/oauth2/callback")
            .keys(KeyRing::new([SECRET]).unwrap())
            .provider(Plain::new())
            .keep_groups(Keep::All)
            .store(Arc::new(self.shelf.clone()))
    }

    pub fn instance_of(&self, site: Builder) -> Driver {
        Driver::new(site.build().unwrap(), self.clone(), AdmitAll)
    }

    /// An instance of a site that refreshes.
    pub fn instance(&self) -> Driver {
        self.instance_of(self.site().refresh_tokens().session_age(Duration::from_secs(24 * 3_600)))
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    fn millis(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    /// Looks for the session of `browser`, as a machine that waits for its first answer.
    pub fn looks(&self, at: &Driver, browser: &Browser) -> Errand<Result<Recognition, StoreError>> {
        at.vestibule().recognise(&browser.head(PlainHead::fetch("/")), self.now(), self.seed()).unwrap()
    }

    pub fn perform(&self, effect: &Effect) -> Answer {
        match effect {
            Effect::Store(request) => Answer::Store(block_on(request.ask(&self.shelf))),
            Effect::Http { request, .. } => Answer::Http(self.issuer().answer(request)),
            Effect::Claim { .. } => Answer::Claim(Claim::First),
            Effect::Decide(_) => Answer::Decide(Some(Decision::allow())),
            Effect::Wait(_) => Answer::Waited,
            Effect::Detach => Answer::Detached(true),
            other => panic!("nobody asks for that here: {other:?}"),
        }
    }

    /// Goes on until an effect of which `stop` says so, or the end.
    pub fn up_to<T>(&self, mut errand: Errand<T>, stop: impl Fn(&Effect) -> bool) -> Errand<T> {
        loop {
            match errand {
                Errand::Needs(effect, underway) if !stop(&effect) => {
                    errand = underway.step(self.perform(&effect), self.now());
                }
                other => return other,
            }
        }
    }

    /// As [`Town::up_to`], for a request.
    pub fn run_up_to(&self, mut step: Step, stop: impl Fn(&Effect) -> bool) -> Step {
        loop {
            match step {
                Step::Needs(effect, machine) if !stop(&effect) => {
                    step = machine.step(self.perform(&effect), self.now());
                }
                other => return other,
            }
        }
    }

    pub fn finish<T>(&self, errand: Errand<T>) -> T {
        match self.up_to(errand, |_| false) {
            Errand::Done(value) => value.unwrap(),
            Errand::Needs(..) => unreachable!("nothing stops it"),
        }
    }

    /// Lets all of them go on at once: a call of the store takes a millisecond, one of the provider as long as it
    /// takes; whoever is done first goes on first.
    pub fn together<T>(&self, errands: impl IntoIterator<Item = Errand<T>>) -> Vec<T> {
        let mut done = Vec::new();
        let mut under_way: Vec<(i64, Effect, Box<Underway<T>>)> = Vec::new();
        let mut put = |errand, now: i64, pace: i64, under_way: &mut Vec<_>| match errand {
            Errand::Done(value) => done.push(value.unwrap()),
            Errand::Needs(effect, underway) => {
                let takes = match &effect {
                    Effect::Wait(time) => i64::try_from(time.as_millis()).unwrap(),
                    Effect::Http { .. } => pace,
                    _ => 1,
                };
                under_way.push((now + takes, effect, underway));
            }
        };
        let pace = self.pace.load(Ordering::SeqCst);
        errands.into_iter().for_each(|errand| put(errand, self.millis(), pace, &mut under_way));
        while let Some(first) = (0..under_way.len()).min_by_key(|at| under_way[*at].0) {
            let (at, effect, underway) = under_way.remove(first);
            self.clock.fetch_max(at, Ordering::SeqCst);
            let errand = underway.step(self.perform(&effect), self.now());
            put(errand, at, pace, &mut under_way);
        }
        done
    }

    /// Whose session it is.
    pub fn session(&self, at: &Driver, recognition: &Recognition) -> Result<Session, Refusal> {
        let head = PlainHead::fetch("/");
        let head = WithSession::new(&head, recognition.session.as_deref());
        at.vestibule().session(&head, self.now())
    }
}

#[async_trait]
impl Host for Town {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.millis() / 1_000)
    }

    fn seed(&self) -> [u8; 32] {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seeds.fetch_add(1, Ordering::SeqCst).to_le_bytes());
        seed
    }

    async fn exchange(&self, request: HttpRequest, _timeout: Duration) -> Result<HttpResponse, HttpFailure> {
        self.issuer().answer(&request)
    }

    async fn wait(&self, time: Duration) {
        // Whoever waits for somebody else's refresh does so in small steps; everything longer is a limit.
        if time > Duration::from_secs(1) {
            std::future::pending().await
        }
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        thread::spawn(move || block_on(task));
    }
}

#[derive(Clone, Default)]
pub struct Browser(pub CookieJar);

impl Browser {
    pub fn head(&self, head: PlainHead) -> PlainHead {
        match self.0.header() {
            Some(cookies) => head.with("cookie", cookies),
            None => head,
        }
    }

    pub fn send(&mut self, at: &Driver, head: PlainHead) -> Response {
        let response = block_on(at.answer(&self.head(head), stream::empty::<Result<&[u8], Infallible>>()));
        self.0.take(response.set_cookies());
        response
    }

    /// Goes to the provider; says which callback it comes back with as `account`.
    pub fn begin(&mut self, at: &Driver, account: &str) -> PlainHead {
        let away = self.send(at, PlainHead::navigation("/oauth2/sign_in?switch=1"));
        let location = Url::parse(away.get("location").unwrap()).unwrap();
        let state = location.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        PlainHead::navigation(&format!("/oauth2/callback?code={account}&state={state}"))
    }

    pub fn sign_in(&mut self, at: &Driver, account: &str) -> Response {
        let callback = self.begin(at, account);
        self.send(at, callback)
    }

    pub fn signed_in(at: &Driver, account: &str) -> Self {
        let mut browser = Self::default();
        assert_eq!(browser.sign_in(at, account).status, 303);
        browser
    }

    pub fn sign_out(&mut self, at: &Driver) -> Response {
        self.send(at, PlainHead::navigation("/oauth2/sign_out"))
    }

    /// Who somebody is who sends this browser's cookies.
    pub fn session(&self, at: &Driver) -> Result<Session, Refusal> {
        block_on(at.session(&self.head(PlainHead::fetch("/"))))
    }

    /// The name of the account that is signed in; `None` where nobody is.
    pub fn who(&self, at: &Driver) -> Option<String> {
        match self.session(at) {
            Ok(session) => session.identity.username,
            Err(Refusal::SignInRequired) => None,
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// The refusal's code that a page or a problem shows.
pub fn code(response: &Response) -> String {
    let body = String::from_utf8_lossy(&response.body).into_owned();
    if body.starts_with('{') {
        let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
        return problem["code"].as_str().unwrap().to_owned();
    }
    let shown = body.split_once("<code>").and_then(|(_, rest)| rest.split_once("</code>"));
    shown.map(|(code, _)| code.to_owned()).unwrap_or_default()
}
