//! From a request to its endpoint. The rules that every endpoint shares are here; each has a file of its own.

mod auth;
mod callback;
mod sign_in;
mod sign_out;
mod start;
mod userinfo;

use std::sync::Arc;

use crate::{
    attempt::Attempt,
    config::Vestibule,
    cookie::{Cookies, TooManyCookies},
    entropy::{Entropy, Seed},
    flow::{Browser, Outcome, Step},
    limits::ROUNDS_AGE_MAX,
    pages::{self, Act},
    paths::Endpoint,
    refusal::Refusal,
    request::{self, Asker, RequestHead, asker},
    response::{Event, Response},
    return_target::ReturnTarget,
    session::SessionId,
    time::Timestamp,
};

/// What an endpoint has at hand.
pub(crate) struct Visit<'v, R: ?Sized> {
    pub(crate) vestibule: &'v Arc<Vestibule>,
    pub(crate) head: &'v R,
    pub(crate) body: &'v [u8],
    pub(crate) now: Timestamp,
    pub(crate) entropy: Entropy,
}

impl Vestibule {
    /// Whether this request's body has to be read before [`Vestibule::handle`] is called; at most
    /// [`crate::limits::BODY_BYTES_MAX`] bytes of it. `auth` never reads one.
    pub fn wants_body(&self, head: &(impl RequestHead + ?Sized)) -> bool {
        let route = self.paths.route(request::path(head.target()));
        head.method() == "POST" && route.is_some_and(|route| route.endpoint == Endpoint::Callback)
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
        if !request::target_is_readable(head.target()) {
            return self.refuse(asker(head), Refusal::RequestTooLarge);
        }
        let path = request::path(head.target());
        let Some(route) = self.paths.route(path) else {
            let below = path.strip_prefix(self.paths.prefix()).is_some_and(|rest| rest.starts_with('/'));
            let refusal = if below { Refusal::NotFound } else { Refusal::MountedElsewhere };
            return self.refuse(asker(head), refusal);
        };
        let visit = Visit { vestibule: self, head, body, now, entropy: Entropy::new(seed) };
        match route.endpoint {
            Endpoint::Auth => Step::Done(visit.auth()),
            Endpoint::SignIn => visit.sign_in(),
            Endpoint::Start => visit.start(route.provider),
            Endpoint::Callback => visit.callback(route.provider),
            Endpoint::Userinfo => Step::Done(visit.userinfo()),
            Endpoint::SignOut => visit.sign_out(route.is_alias),
        }
    }

    /// What somebody gets who asks the application for something that they may not have: a browser is sent to
    /// sign in and back, anybody else gets a problem to read.
    pub fn turn_back(&self, head: &(impl RequestHead + ?Sized), refusal: Refusal) -> Response {
        let asker = asker(head);
        if refusal != Refusal::SignInRequired || asker == Asker::Program {
            return self.refusal(asker, refusal, None, self.acts(refusal, None));
        }
        let returns = matches!(head.method(), "GET" | "HEAD");
        let target = returns.then(|| ReturnTarget::parse(head.target(), &self.policy)).flatten();
        Response::see_other(&self.address(&self.sign_in_path(target.as_ref(), false)))
    }

    /// A refusal, for somebody of whom nothing else is known.
    pub(crate) fn refuse(&self, asker: Asker, refusal: Refusal) -> Step {
        Step::Done(self.refused(asker, refusal, None, None))
    }

    /// A refusal with what an operator wants to know about it.
    pub(crate) fn refused(
        &self,
        asker: Asker,
        refusal: Refusal,
        provider: Option<&str>,
        detail: Option<String>,
    ) -> Outcome {
        let response = self.refusal(asker, refusal, None, self.acts(refusal, None));
        let provider = provider.map(str::to_owned);
        Outcome { response, event: Some(Event::Refused { refusal, provider, detail }) }
    }

    /// A page for a person, a problem for a program.
    pub(crate) fn refusal(
        &self,
        asker: Asker,
        refusal: Refusal,
        reason: Option<&str>,
        acts: Vec<(String, String)>,
    ) -> Response {
        match asker {
            Asker::Program => Response::problem(refusal, reason),
            Asker::Navigation => {
                let acts = acts.iter().enumerate();
                let acts = acts.map(|(number, (label, href))| Act::Link { label, href, quiet: number > 0 });
                pages::refused(refusal, reason, acts.collect())
            }
        }
    }

    /// What the page for a refusal offers: label and address of each.
    pub(crate) fn acts(&self, refusal: Refusal, target: Option<&ReturnTarget>) -> Vec<(String, String)> {
        let act = |label: &str, href: String| (label.to_owned(), href);
        match refusal {
            Refusal::AttemptAlreadyAnswered => {
                vec![act("Go on", target.map_or_else(|| "/".to_owned(), |target| target.as_str().to_owned()))]
            }
            refusal if !refusal.may_be_tried_again() => Vec::new(),
            refusal if refusal.status() == 403 => {
                vec![act("Use another account", self.sign_in_path(target, true))]
            }
            _ => vec![act("Sign in again", self.sign_in_path(target, false))],
        }
    }

    /// The path of `sign_in` with what it needs to know.
    pub(crate) fn sign_in_path(&self, target: Option<&ReturnTarget>, switch: bool) -> String {
        with_query(self.paths.of(Endpoint::SignIn), target, switch)
    }

    /// A path of this site as an absolute address: proxies resolve relative ones against the wrong server.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The value of a sealed cookie for `purpose` that the browser brought exactly once.
    pub(crate) fn open_cookie(
        &self,
        cookies: &Cookies,
        purpose: &str,
        name: &str,
        now: Timestamp,
    ) -> Option<Vec<u8>> {
        let opened = self.keys.open(&self.binding(purpose, name), cookies.one(name)?, now).ok()?;
        Some(opened.payload().to_vec())
    }
}

/// A path with `rd` and `switch` in its query.
pub(crate) fn with_query(path: &str, target: Option<&ReturnTarget>, switch: bool) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(target) = target.filter(|target| **target != ReturnTarget::root()) {
        query.append_pair("rd", target.as_str());
    }
    if switch {
        query.append_pair("switch", "1");
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

impl<R: RequestHead + ?Sized> Visit<'_, R> {
    /// What the rest of a run needs to know of this browser.
    pub(crate) fn browser(self) -> Result<Browser, Outcome> {
        let cookies = self.cookies()?;
        let vestibule = self.vestibule;
        let rounds_cookie = vestibule.cookies.rounds();
        let rounds = vestibule.open_cookie(&cookies, "rounds", &rounds_cookie, self.now);
        Ok(Browser {
            asker: asker(self.head),
            rounds: rounds.and_then(|rounds| rounds.first().copied()).unwrap_or(0),
            signed_in: self.session_id().is_some(),
            attempts: self.attempts(&cookies),
            remembered: cookies.one(&vestibule.cookies.remembered()).is_some(),
            entropy: self.entropy,
        })
    }

    /// The browser's cookies, or the page that says that there are too many.
    pub(crate) fn cookies(&self) -> Result<Cookies, Outcome> {
        Cookies::read(self.head).map_err(|TooManyCookies| {
            let vestibule = self.vestibule;
            let mut outcome = vestibule.refused(asker(self.head), Refusal::CookiesTooLarge, None, None);
            let ours = [
                vestibule.session_cookie.clone(),
                vestibule.cookies.remembered(),
                vestibule.cookies.rounds(),
            ];
            let cleared = ours.iter().map(|name| vestibule.cookies.clear(name));
            outcome.response = outcome.response.cookies(cleared);
            outcome
        })
    }

    /// The name of the session that the browser has, if it has one.
    pub(crate) fn session_id(&self) -> Option<SessionId> {
        self.vestibule.session(self.head, self.now).ok().map(|session| session.id)
    }

    /// The attempts that the browser has under way, oldest first; what does not open comes before all others.
    fn attempts(&self, cookies: &Cookies) -> Vec<(String, usize)> {
        let vestibule = self.vestibule;
        let mut attempts: Vec<_> = cookies
            .starting(&vestibule.cookies.attempts())
            .map(|(name, value)| {
                let binding = vestibule.binding("attempt", name);
                let opened = vestibule.keys.open(&binding, value, self.now).ok();
                let began = opened.and_then(|opened| postcard::from_bytes::<Attempt>(opened.payload()).ok());
                (began.map(|attempt| attempt.began()), name.to_owned(), name.len() + value.len())
            })
            .collect();
        attempts.sort();
        attempts.into_iter().map(|(_, name, bytes)| (name, bytes)).collect()
    }

    /// Where a sign-in leads that begins with this request: what it says itself, else what `auth` remembered, else
    /// what the proxy says that the browser asked for.
    pub(crate) fn return_target(&self, cookies: &Cookies) -> ReturnTarget {
        let policy = &self.vestibule.policy;
        let said = request::parameter(request::query(self.head.target()), "rd");
        let said = said.and_then(|text| ReturnTarget::parse(&text, policy));
        let remembered = || {
            let name = self.vestibule.cookies.remembered();
            let text = self.vestibule.open_cookie(cookies, "remembered", &name, self.now)?;
            ReturnTarget::parse(std::str::from_utf8(&text).ok()?, policy)
        };
        let header = || ReturnTarget::parse(request::text(self.head, "x-auth-request-redirect")?, policy);
        said.or_else(remembered).or_else(header).unwrap_or_else(ReturnTarget::root)
    }

    /// A request that must change nothing: HEAD, or a page loaded ahead of time.
    pub(crate) fn has_no_effect(&self) -> bool {
        self.head.method() == "HEAD" || request::is_prefetch(self.head)
    }
}

impl Vestibule {
    /// The cookie that counts one more finished round trip.
    pub(crate) fn rounds_cookie(&self, rounds: u8, entropy: &mut Entropy, now: Timestamp) -> String {
        let name = self.cookies.rounds();
        let binding = self.binding("rounds", &name);
        let sealed = self.keys.seal(&binding, entropy.bytes(), now.after(ROUNDS_AGE_MAX), &[rounds]);
        self.cookies.set(&name, sealed.expose(), ROUNDS_AGE_MAX, false)
    }
}
