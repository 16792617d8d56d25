//! `start`: begins an attempt and sends the browser to the provider.

use std::sync::Arc;

use crate::{
    attempt::{ATTEMPT_PURPOSE, Attempt, AttemptKey},
    config::Vestibule,
    endpoints::{Visit, Wishes},
    flow::{self, Browser, Outcome, Step, Way},
    identity::{AccountKey, account_key},
    limits::ROUNDS_MAX,
    paths::Endpoint,
    provider::Provider,
    refusal::Refusal,
    refuse::Circumstances,
    request::{Asker, RequestHead},
    response::Response,
    return_target::ReturnTarget,
};

impl<R: RequestHead + ?Sized> Visit<'_, R> {
    pub(crate) fn start(self, provider: Option<&str>) -> Step {
        let vestibule = self.vestibule;
        let target = self.return_target();
        let provider = match (provider, vestibule.providers.as_slice()) {
            (Some(id), _) => vestibule.provider(id),
            (None, [only]) => Some(only),
            (None, _) => {
                let path = vestibule.sign_in_path(Some(&target), self.wants_to_switch());
                let path = self.passing_wishes_on(path);
                return Outcome::from(Response::see_other(&vestibule.address(&path))).into();
            }
        };
        match provider.cloned() {
            Some(provider) => self.begin_attempt(provider, target),
            None => vestibule.refused(self.asker, Refusal::UnknownProvider).into(),
        }
    }

    /// Begins an attempt: a visit of a browser only.
    pub(crate) fn begin_attempt(self, provider: Arc<dyn Provider>, target: ReturnTarget) -> Step {
        if self.head.method() != "GET" {
            return self.vestibule.refused(self.asker, Refusal::MethodNotAllowed).into();
        }
        let wishes = self.wishes();
        self.begin_attempt_with(provider, target, wishes)
    }

    /// Begins an attempt: in a browser that goes to a page only, and not for ever round in circles.
    pub(super) fn begin_attempt_with(
        mut self,
        provider: Arc<dyn Provider>,
        target: ReturnTarget,
        wishes: Wishes,
    ) -> Step {
        let vestibule = Arc::clone(self.vestibule);
        if self.asker != Asker::Navigation {
            return vestibule.refused(Asker::Program, Refusal::NotANavigation).into();
        }
        let rounds = self.rounds();
        // Whoever is to sign in again is so because what the browser brings is not what the last sign-in made.
        if rounds >= ROUNDS_MAX && (self.person.is_none() || wishes.max_age.is_some()) {
            return self.lost_session_cookie(&*provider, &target).into();
        }
        let (max_age, now) = (wishes.max_age, self.now);
        let attempt = Attempt::new(self.entropy.bytes(), provider.id(), &target, rounds, now);
        let attempt = match max_age {
            Some(max_age) => attempt.again(max_age, self.account()),
            None => attempt,
        };
        let way = Way { provider, target, attempt_cookie: None, again: None };
        let browser = self.browser();
        let attempt = attempt.beside(browser.ticket);
        flow::begin_attempt(vestibule, browser, way, attempt, wishes, now)
    }

    /// The account of whoever is signed in.
    fn account(&self) -> Option<AccountKey> {
        let person = self.person.as_ref().filter(|person| person.may_enter)?;
        let (issuer, subject) = &person.account;
        Some(account_key(issuer, subject))
    }

    /// Round trips that this browser finished within the last minute.
    fn rounds(&self) -> u8 {
        let rounds = self.open_cookie("rounds", &self.vestibule.cookies.rounds());
        rounds.and_then(|rounds| rounds.first().copied()).unwrap_or(0)
    }

    /// The third round trip has ended without a session: the page says which cookie did not come back.
    fn lost_session_cookie(&self, provider: &dyn Provider, target: &ReturnTarget) -> Outcome {
        let vestibule = self.vestibule;
        let reason = format!("The cookie that did not come back is called {}.", vestibule.session_cookie);
        let known = Circumstances {
            provider: Some(provider.id()),
            reason: Some(&reason),
            detail: Some(format!("cookie {}", vestibule.session_cookie)),
            target: Some(target),
            ..Circumstances::default()
        };
        let mut outcome = vestibule.refused_with(self.asker, Refusal::SessionCookieLost, known);
        // Whoever has read this and tries again gets three more rounds.
        outcome.response = outcome.response.cookie(vestibule.cookies.clear(&vestibule.cookies.rounds()));
        outcome
    }

    /// What the rest of a run needs to know of this browser.
    pub(crate) fn browser(self) -> Browser {
        let vestibule = self.vestibule;
        Browser {
            asker: self.asker,
            ticket: vestibule.keeps_sessions().then(|| vestibule.ticket(self.head, self.now)).flatten(),
            signed_in: self.person.as_ref().is_some_and(|person| person.may_enter),
            dead_session: self.person.is_none() && self.cookies.has(&vestibule.session_cookie),
            tokens: self.cookies.has(&vestibule.cookies.tokens()),
            remembered: self.cookies.has(&vestibule.cookies.remembered()),
            attempts: self.attempts(),
            entropy: self.entropy,
        }
    }

    /// The attempts that the browser has under way, oldest first; what does not open comes before all others.
    fn attempts(&self) -> Vec<(String, usize)> {
        let vestibule = self.vestibule;
        let prefix = vestibule.cookies.attempts();
        let mut attempts: Vec<_> = self
            .cookies
            .starting(&prefix)
            // Another name is none that we gave, and must not stand in an answer of ours.
            .filter(|(name, _)| AttemptKey::is_written(&name[prefix.len()..]))
            .map(|(name, value)| {
                let binding = vestibule.binding(ATTEMPT_PURPOSE, name);
                let opened = vestibule.keys.open(&binding, value, self.now).ok();
                let attempt =
                    opened.and_then(|opened| postcard::from_bytes::<Attempt>(opened.payload()).ok());
                (attempt.map(|attempt| attempt.began_at()), name.to_owned(), name.len() + value.len())
            })
            .collect();
        attempts.sort();
        attempts.into_iter().map(|(_, name, bytes)| (name, bytes)).collect()
    }
}

impl Vestibule {
    /// The path that a provider's answers come to.
    pub(crate) fn callback_path(&self, provider: &dyn Provider) -> String {
        let path = self.paths.of(Endpoint::Callback);
        if self.providers.len() > 1 { format!("{path}/{}", provider.id()) } else { path.to_owned() }
    }
}
