//! From a request to its endpoint. The rules that every endpoint shares are here; each has a file of its own.

mod auth;
mod backchannel_logout;
mod callback;
mod demand;
mod frontchannel_logout;
mod nobody;
mod siblings;
mod sign_in;
mod sign_out;
mod start;
mod start_parameters;
mod start_with;
mod token_headers;
mod userinfo;

pub(crate) use demand::Demand;
pub use start_parameters::StartParameter;
pub(crate) use start_parameters::Wishes;
pub use start_with::{Prompt, SignInWith};
pub use token_headers::TokenHeaders;

use std::sync::Arc;

use crate::{
    check::Verdict,
    config::{Flavour, Vestibule},
    cookie::Cookies,
    entropy::{Entropy, Seed},
    flow::{Outcome, Step},
    guarded::Freshness,
    paths::{Endpoint, Route},
    refusal::Refusal,
    request::{self, Asker, RequestHead, asker},
    response::Response,
    return_target::ReturnTarget,
    session::{SessionId, SessionView},
    time::Timestamp,
};

/// A request to an endpoint that is not on the hot path, with what all of them look at.
pub(crate) struct Visit<'v, R: ?Sized> {
    pub(crate) vestibule: &'v Arc<Vestibule>,
    pub(crate) head: &'v R,
    pub(crate) body: &'v [u8],
    pub(crate) now: Timestamp,
    pub(crate) entropy: Entropy,
    pub(crate) asker: Asker,
    pub(crate) cookies: Cookies,
    pub(crate) person: Option<Person>,
}

/// Whoever the session cookie names.
pub(crate) struct Person {
    /// The name of the session.
    pub(crate) id: SessionId,
    /// The provider that they signed in through.
    pub(crate) provider: String,
    /// Their account: who vouches for it, and its identifier there.
    pub(crate) account: (String, String),
    pub(crate) freshness: Freshness,
    /// Whether the rules let them in.
    pub(crate) may_enter: bool,
}

impl Person {
    fn of(session: &SessionView<'_>, may_enter: bool) -> Self {
        Self {
            id: session.id,
            provider: session.provider.to_owned(),
            account: (session.issuer.to_owned(), session.subject.to_owned()),
            freshness: Freshness::of(session),
            may_enter,
        }
    }
}

impl Vestibule {
    /// Whether this request's body has to be read before [`Vestibule::handle`] is called; at most
    /// [`crate::limits::BODY_BYTES_MAX`] bytes of it. `auth` never reads one.
    pub fn wants_body(&self, head: &(impl RequestHead + ?Sized)) -> bool {
        let Some(route) = self.route(request::path(head.target())) else { return false };
        head.method() == "POST"
            && match route.endpoint {
                Endpoint::Callback => true,
                Endpoint::BackchannelLogout => self.keeping.backchannel_logout,
                _ => false,
            }
    }

    /// Answers a request to one of the endpoints, or says what it needs first.
    ///
    /// This is the whole sign-in, from the browser's request to its cookie: see [`crate::flow`].
    pub fn handle(
        self: &Arc<Self>,
        head: &(impl RequestHead + ?Sized),
        body: &[u8],
        now: Timestamp,
        seed: Seed,
    ) -> Step {
        let asker = asker(head);
        if !request::target_is_readable(head.target()) {
            return self.refused(asker, Refusal::RequestTooLarge).into();
        }
        let path = request::path(head.target());
        let Some(route) = self.route(path) else {
            let below = path.strip_prefix(self.paths.prefix()).is_some_and(|rest| rest.starts_with('/'));
            let refusal = if below { Refusal::NotFound } else { Refusal::MountedElsewhere };
            return self.refused(asker, refusal).into();
        };
        let entropy = Entropy::new(seed);
        match route.endpoint {
            Endpoint::Auth => return self.auth(head, now, entropy),
            Endpoint::Userinfo => return self.userinfo(head, now).into(),
            Endpoint::BackchannelLogout => {
                return self.backchannel_logout(head, body, route.provider, now, entropy);
            }
            Endpoint::FrontchannelLogout => {
                return self.frontchannel_logout(head, route.provider, now, entropy);
            }
            Endpoint::SignIn | Endpoint::Start | Endpoint::Callback | Endpoint::SignOut => {}
        }
        if let Some(response) = request::without_effect(head) {
            return Outcome::from(response).into();
        }
        let Ok(cookies) = Cookies::read(head) else { return self.too_many_cookies(asker).into() };
        let person = self.person(head, now);
        let visit = Visit { vestibule: self, head, body, now, entropy, asker, cookies, person };
        if matches!(route.endpoint, Endpoint::SignIn | Endpoint::Start) {
            if let Some(response) = visit.way_home() {
                return Outcome::from(response).into();
            }
        }
        match route.endpoint {
            Endpoint::SignIn => visit.sign_in(),
            Endpoint::Start => visit.start(route.provider),
            Endpoint::Callback => visit.callback(),
            _ => visit.sign_out(route.is_alias),
        }
    }

    /// What somebody gets who asks the application for something that they may not have: a browser is sent to
    /// sign in and back, anybody else gets a problem to read.
    pub fn turn_back(&self, head: &(impl RequestHead + ?Sized), refusal: Refusal) -> Outcome {
        let asker = asker(head);
        // A guard in front of the endpoints would send everybody round in circles.
        if self.is_own_path(request::path(head.target())) {
            return self.refused(asker, Refusal::EndpointGuarded);
        }
        if refusal != Refusal::SignInRequired || asker == Asker::Program {
            return self.refused(asker, refusal);
        }
        let target = self.page_asked_for(head);
        Response::see_other(&self.address(&self.sign_in_path(target.as_ref(), false))).into()
    }

    /// Whether `path` is one of the endpoints', or that of the page that people sign in from.
    pub(crate) fn is_own_path(&self, path: &str) -> bool {
        self.route(path).is_some() || self.is_sign_in_page(path)
    }

    fn route<'p>(&self, path: &'p str) -> Option<Route<'p>> {
        let question = Route { endpoint: Endpoint::Auth, provider: None, is_alias: false };
        self.paths.route(path).or_else(|| self.paths.is_question(path, self.flavour).then_some(question))
    }

    /// Whether a proxy that asks for `path` asks `auth` about somebody. For those who count or log requests.
    pub fn is_question(&self, path: &str) -> bool {
        self.paths.is_question(path, self.flavour)
    }

    /// The path below which everything is a question to `auth`, for routers.
    pub fn questions_below(&self) -> Option<&str> {
        (self.flavour == Flavour::ExtAuthz).then(|| self.paths.of(Endpoint::Auth))
    }

    fn person(&self, head: &(impl RequestHead + ?Sized), now: Timestamp) -> Option<Person> {
        self.check(head, now, |verdict| match verdict {
            Verdict::SignedIn(session) => Some(Person::of(&session, true)),
            Verdict::Forbidden(_, session) => Some(Person::of(&session, false)),
            Verdict::Anonymous => None,
        })
    }

    /// More cookies than can be read: a page, which takes away what is ours by name.
    fn too_many_cookies(&self, asker: Asker) -> Outcome {
        let mut outcome = self.refused(asker, Refusal::CookiesTooLarge);
        let ours = self.own_cookies();
        outcome.response = outcome.response.cookies(ours.iter().map(|name| self.cookies.clear(name)));
        outcome
    }

    /// The names of all cookies of ours that have always the same one: attempts are called by their states.
    pub(crate) fn own_cookies(&self) -> [String; 4] {
        [self.session_cookie.clone(), self.cookies.tokens(), self.cookies.remembered(), self.cookies.rounds()]
    }

    /// The path of the page that people sign in from, with what it needs to know.
    pub(crate) fn sign_in_path(&self, target: Option<&ReturnTarget>, switch: bool) -> String {
        self.with_query(self.begins_at(), target, switch)
    }

    /// A path with `rd` and `switch` in its query, as far as they say more than nothing would.
    pub(crate) fn with_query(&self, path: &str, target: Option<&ReturnTarget>, switch: bool) -> String {
        with_query(path, target.filter(|target| **target != self.landing), switch)
    }

    /// The path of `start`, for a provider if it is known which, and with what else it needs to know.
    pub(crate) fn start_path(
        &self,
        provider: Option<&str>,
        target: Option<&ReturnTarget>,
        max_age: Option<u64>,
    ) -> String {
        let start = self.paths.of(Endpoint::Start);
        let path = provider.map_or_else(|| start.to_owned(), |id| format!("{start}/{id}"));
        let asked = max_age.map(|max_age| ("max_age", max_age.to_string()));
        with_further(&self.with_query(&path, target, false), asked)
    }

    /// A path of this site as an absolute address: proxies resolve relative ones against the wrong server.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

/// A path with `rd` and `switch` in its query.
pub(crate) fn with_query(path: &str, target: Option<&ReturnTarget>, switch: bool) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(target) = target {
        query.append_pair("rd", target.as_str());
    }
    if switch {
        query.append_pair("switch", "1");
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// A path with further parameters in its query.
pub(crate) fn with_further(path: &str, further: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(request::query(path).to_owned());
    query.extend_pairs(further);
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{}?{query}", request::path(path)) }
}

impl<R: RequestHead + ?Sized> Visit<'_, R> {
    /// A parameter of the request's query, where it stands exactly once.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        request::parameter(request::query(self.head.target()), name)
    }

    /// Whether the person wants another account than the one that the provider would take.
    pub(crate) fn wants_to_switch(&self) -> bool {
        self.parameter("switch").is_some()
    }

    /// What is in a sealed cookie for `purpose` that the browser brought exactly once.
    pub(crate) fn open_cookie(&self, purpose: &str, name: &str) -> Option<Vec<u8>> {
        let binding = self.vestibule.binding(purpose, name);
        let opened = self.vestibule.keys.open(&binding, self.cookies.one(name)?, self.now).ok()?;
        Some(opened.payload().to_vec())
    }

    /// Where a sign-in leads that begins with this request: what it says itself, else what `auth` remembered, else
    /// what the proxy says that the browser asked for.
    pub(crate) fn return_target(&self) -> ReturnTarget {
        let policy = &self.vestibule.policy;
        let said = || ReturnTarget::parse(&self.parameter("rd")?, policy);
        let remembered = || {
            let text = self.open_cookie("remembered", &self.vestibule.cookies.remembered())?;
            ReturnTarget::parse(std::str::from_utf8(&text).ok()?, policy)
        };
        let header = || ReturnTarget::parse(request::text(self.head, "x-auth-request-redirect")?, policy);
        let asked = || self.vestibule.way_back(&self.vestibule.asked(self.head));
        said()
            .or_else(remembered)
            .or_else(header)
            .or_else(asked)
            .unwrap_or_else(|| self.vestibule.landing.clone())
    }
}
