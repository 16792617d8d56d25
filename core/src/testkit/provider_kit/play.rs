//! One conversation of the provider under test, with the recorded replies changed as a row wants them.

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use serde_json::Value;
use url::Url;

use super::{
    Asked, Reaction,
    bench::{Bench, attempt},
    change::{changed, set, with_body},
    converse,
    openid::Mint,
    overheard,
};
use crate::{
    conversation::Http,
    exchange::{Freshness, HttpFailure, HttpRequest, HttpResponse, Purpose},
    identity::{SignIn, Tokens},
    provider::{Answered, AuthorizationRequest, Begun, EndSession, Provider, ProviderError},
    time::Timestamp,
};

/// A question that the provider asked.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) purpose: Purpose,
    pub(super) url: String,
    pub(super) request: Option<HttpRequest>,
    pub(super) freshness: Option<Freshness>,
    /// Which question of its purpose it was, from zero.
    pub(super) number: usize,
    /// Whether the kit had something to answer.
    pub(super) answered: bool,
}

/// What a conversation came to.
pub(super) struct Ran<T> {
    pub(super) ended: Result<T, Fault>,
    pub(super) seen: Vec<Seen>,
}

/// Why a conversation came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Error(ProviderError),
    Panicked(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => write!(f, "it says: {error}"),
            Self::Panicked(text) => write!(f, "it panics: {text}"),
        }
    }
}

impl<T> Ran<T> {
    pub(super) fn asked(&self, purpose: Purpose) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(move |seen| seen.purpose == purpose)
    }

    /// What the kit could not answer, in words.
    pub(super) fn unanswered(&self) -> Option<String> {
        let seen = self.seen.iter().find(|seen| !seen.answered)?;
        Some(format!("it asks for `{}` at {}, and no such reply is recorded", seen.purpose, seen.url))
    }
}

type Change<'p> = Box<dyn Fn(&Seen, HttpResponse) -> Result<HttpResponse, HttpFailure> + 'p>;

/// A conversation in the making.
pub(super) struct Play<'p> {
    bench: &'p Bench<'p>,
    /// Which attempt of the browser's it is.
    attempt: u8,
    now: Timestamp,
    max_age: Option<u64>,
    mint: Mint,
    changes: Vec<Change<'p>>,
}

impl<'p> Play<'p> {
    pub(super) fn new(bench: &'p Bench<'p>) -> Self {
        let now = bench.kit.now;
        let mint = bench.kit.openid.as_ref().map(|openid| openid.mint(bench.kit, now)).unwrap_or_default();
        Self { bench, attempt: 1, now, max_age: None, mint, changes: Vec::new() }
    }

    pub(super) fn attempt(mut self, number: u8) -> Self {
        self.attempt = number;
        if self.mint.claims.contains_key("nonce") {
            self.mint.claim("nonce", attempt(number).nonce.expose());
        }
        self
    }

    pub(super) fn max_age(mut self, seconds: u64) -> Self {
        self.max_age = Some(seconds);
        self
    }

    /// Changes the ID token.
    pub(super) fn mint(mut self, change: impl FnOnce(&mut Mint)) -> Self {
        change(&mut self.mint);
        self
    }

    /// Changes whole replies.
    pub(super) fn replies(
        mut self,
        change: impl Fn(&Seen, HttpResponse) -> Result<HttpResponse, HttpFailure> + 'p,
    ) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// Changes the replies for one purpose.
    pub(super) fn at(self, purpose: Purpose, change: impl Fn(HttpResponse) -> HttpResponse + 'p) -> Self {
        self.replies(move |seen, response| {
            Ok(if seen.purpose == purpose { change(response) } else { response })
        })
    }

    /// Answers nothing for one purpose.
    pub(super) fn silent(self, purpose: Purpose, failure: HttpFailure) -> Self {
        self.replies(move |seen, response| if seen.purpose == purpose { Err(failure) } else { Ok(response) })
    }

    /// Answers for one purpose with this body.
    pub(super) fn body(self, purpose: Purpose, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        self.at(purpose, move |response| with_body(response, body.clone()))
    }

    /// Answers for one purpose as recorded, with another status.
    pub(super) fn status(self, purpose: Purpose, status: u16) -> Self {
        self.at(purpose, move |mut response| {
            *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
            response
        })
    }

    /// Changes the JSON of the replies for one purpose.
    pub(super) fn json(self, purpose: Purpose, change: impl Fn(&mut Value) + 'p) -> Self {
        self.at(purpose, move |response| changed(response, &change))
    }

    /// Changes the JSON of the first reply for one purpose.
    pub(super) fn first_json(self, purpose: Purpose, change: impl Fn(&mut Value) + 'p) -> Self {
        self.replies(move |seen, response| {
            let meant = seen.purpose == purpose && seen.number == 0;
            Ok(if meant { changed(response, &change) } else { response })
        })
    }

    /// Sets a member of the token reply; `null` takes it out.
    pub(super) fn member(self, purpose: Purpose, name: &'static str, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.json(purpose, move |reply| set(reply, &format!("/{name}"), value.clone()))
    }

    pub(super) fn begin(self) -> Ran<Begun> {
        self.begin_with(|_| {})
    }

    pub(super) fn begin_with(self, change: impl FnOnce(&mut AuthorizationRequest)) -> Ran<Begun> {
        let mut request = attempt(self.attempt);
        change(&mut request);
        self.run(move |provider, http| async move { provider.begin(&http, &request).await })
    }

    pub(super) fn finish(self) -> Ran<SignIn> {
        let begun = self.bench.private(self.attempt);
        self.finish_with(begun)
    }

    pub(super) fn finish_with(self, private: Vec<u8>) -> Ran<SignIn> {
        let request = attempt(self.attempt);
        let answered = Answered {
            code: super::bench::code(self.attempt),
            nonce: request.nonce,
            code_verifier: request.code_verifier,
            redirect_uri: request.redirect_uri,
            private,
            max_age: self.max_age,
            began: self.now,
        };
        self.run(move |provider, http| async move { provider.finish(&http, &answered).await })
    }

    pub(super) fn refresh(self, old: &SignIn) -> Ran<SignIn> {
        let old = old.clone();
        self.run(move |provider, http| async move { provider.refresh(&http, &old).await })
    }

    pub(super) fn revoke(self, tokens: &Tokens) -> Ran<()> {
        let tokens = tokens.clone();
        self.run(move |provider, http| async move { provider.revoke(&http, &tokens).await })
    }

    pub(super) fn end_session(self, request: &EndSession) -> Ran<Option<Url>> {
        let request = request.clone();
        // An address for the browser may carry the ID token, and is not printed.
        let ran = self.run(move |provider, http| async move {
            provider.end_session(&http, &request).await.map(Unprinted)
        });
        Ran { ended: ran.ended.map(|Unprinted(url)| url), seen: ran.seen }
    }

    fn run<T, Fut>(&self, part: impl FnOnce(Arc<dyn Provider>, Http) -> Fut) -> Ran<T>
    where
        T: fmt::Debug,
        Fut: Future<Output = Result<T, ProviderError>> + Send + 'static,
    {
        let provider = Arc::clone(&self.bench.kit.provider);
        let mut seen = Vec::new();
        // A provider is at fault whatever state a panic leaves it in, and the next row shows it.
        let run = AssertUnwindSafe(|| {
            converse(self.now, |http| part(provider, http), |asked| self.answer(asked, &mut seen))
        });
        let (ended, logged) = overheard::during(|| catch_unwind(run));
        let ended = match ended {
            Ok(result) => result.map_err(Fault::Error),
            Err(panic) => Err(Fault::Panicked(words(panic.as_ref()))),
        };
        self.bench.overhear(&ended, logged);
        Ran { ended, seen }
    }

    fn answer(&self, asked: &Asked, log: &mut Vec<Seen>) -> Reaction {
        let purpose = asked.purpose();
        let number = log.iter().filter(|seen| seen.purpose == purpose).count();
        let recorded = self.bench.recorded(asked, number, &self.mint);
        let seen = Seen {
            purpose,
            url: asked.url(),
            request: asked.request().cloned(),
            freshness: asked.freshness(),
            number,
            answered: recorded.is_some(),
        };
        let changed = recorded.map(|response| {
            self.changes.iter().try_fold(response, |response, change| change(&seen, response))
        });
        log.push(seen);
        match changed {
            Some(Ok(response)) => asked.respond(response),
            Some(Err(failure)) => asked.fail(failure),
            None => asked.fail(HttpFailure::Connect),
        }
    }
}

struct Unprinted(Option<Url>);

impl fmt::Debug for Unprinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address")
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".to_owned())
}
