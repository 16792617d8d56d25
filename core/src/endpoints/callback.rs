//! `callback`: finishes an attempt. Everything that can be refused without asking anybody is refused here, before
//! anything is sent to a provider.

use std::sync::Arc;

use crate::{
    attempt::{Attempt, AttemptKey},
    callback::Callback,
    config::Vestibule,
    endpoints::Visit,
    flow::{self, Browser, Outcome, Step, Way},
    identity::Identity,
    limits::{BODY_BYTES_MAX, SESSION_BYTES_MAX},
    provider::ProviderError,
    refusal::Refusal,
    request::{self, RequestHead, asker},
    response::{Event, Response},
    return_target::ReturnTarget,
    rules::Entrant,
    seal::Unopened,
    session::Session,
    time::Timestamp,
};

impl<R: RequestHead + ?Sized> Visit<'_, R> {
    pub(crate) fn callback(self, provider_in_path: Option<&str>) -> Step {
        let vestibule = Arc::clone(self.vestibule);
        if self.has_no_effect() {
            return Step::Done(Response::new(200).into());
        }
        let asker = asker(self.head);
        let by_form = self.head.method() == "POST";
        let callback = match self.parse_callback() {
            Ok(callback) => callback,
            Err(refusal) => return vestibule.refuse(asker, refusal),
        };
        let key = AttemptKey::of(&callback.state);
        let attempt_cookie = vestibule.cookies.attempt(key.as_str());
        let attempt = match self.attempt(&attempt_cookie) {
            Ok(attempt) => attempt,
            Err(outcome) => return Step::Done(outcome),
        };
        let Some(provider) = vestibule.provider(attempt.provider()).cloned() else {
            return vestibule.refuse(asker, Refusal::UnknownProvider);
        };
        // An answer at another provider's address is not an answer to this attempt (RFC 9700 §4.4.2); neither is one
        // that came in another way than the provider answers.
        if request::path(self.head.target()) != vestibule.callback_path(&*provider) {
            let detail =
                provider_in_path.is_some().then(|| "the callback came to another provider's path".to_owned());
            return Step::Done(vestibule.refused(
                asker,
                Refusal::ProviderMismatch,
                Some(provider.id()),
                detail,
            ));
        }
        if by_form != provider.answers_by_form_post() {
            return vestibule.refuse(asker, Refusal::CallbackMalformed);
        }
        let target =
            ReturnTarget::parse(attempt.target(), &vestibule.policy).unwrap_or_else(ReturnTarget::root);
        let now = self.now;
        let browser = match self.browser() {
            Ok(browser) => browser,
            Err(outcome) => return Step::Done(outcome),
        };
        let way = Way { provider, target, attempt_cookie: Some(attempt_cookie) };
        match attempt.answer(callback, vestibule.redirect_uri(&*way.provider), now) {
            Ok(answered) => flow::finish(vestibule, browser, way, answered, key, now),
            Err(refusal) => Step::Done(vestibule.turned_away(&browser, &way, refusal, None)),
        }
    }

    fn parse_callback(&self) -> Result<Callback, Refusal> {
        let query = request::query(self.head.target());
        match self.head.method() {
            "GET" => Callback::parse(query.as_bytes()),
            "POST" if self.body.len() > BODY_BYTES_MAX => Err(Refusal::RequestTooLarge),
            // An answer in both places is two answers.
            "POST" if query.is_empty() => Callback::parse(self.body),
            "POST" => Err(Refusal::CallbackMalformed),
            _ => Err(Refusal::MethodNotAllowed),
        }
    }

    /// The attempt of that name, or what the browser gets instead.
    fn attempt(&self, cookie: &str) -> Result<Attempt, Outcome> {
        let vestibule = self.vestibule;
        let cookies = self.cookies()?;
        let refused = |refusal| Err(vestibule.refused(asker(self.head), refusal, None, None));
        let Some(text) = cookies.one(cookie) else {
            // Back onto a callback that was answered long ago: whoever is signed in just goes on.
            if self.session_id().is_some() {
                return Err(Response::see_other(&vestibule.address("/")).into());
            }
            let other_attempts = cookies.starting(&vestibule.cookies.attempts()).next().is_some();
            return refused(if other_attempts { Refusal::StateMismatch } else { Refusal::AttemptMissing });
        };
        match vestibule.keys.open(&vestibule.binding("attempt", cookie), text, self.now) {
            Ok(opened) => match postcard::from_bytes(opened.payload()) {
                Ok(attempt) => Ok(attempt),
                Err(_) => refused(Refusal::AttemptMissing),
            },
            Err(Unopened::Expired) => refused(Refusal::AttemptExpired),
            Err(_) => refused(Refusal::AttemptMissing),
        }
        .map_err(|mut outcome: Outcome| {
            outcome.response = outcome.response.cookie(vestibule.cookies.clear(cookie));
            outcome
        })
    }
}

impl Vestibule {
    /// Whether the rules let this account in; on everything that the provider said, before the session drops any.
    pub(crate) fn admits(&self, identity: &Identity) -> Result<(), Refusal> {
        let groups: Vec<_> = identity.groups.iter().map(String::as_str).collect();
        let (email, email_verified) = (identity.email.as_deref(), identity.email_verified);
        self.rules.admit(&Entrant { email, email_verified, groups: &groups })
    }

    /// Somebody signed in: a new session, and on to the page that they wanted to see.
    pub(crate) fn signed_in(
        &self,
        mut browser: Browser,
        way: &Way,
        mut session: Session,
        now: Timestamp,
    ) -> Outcome {
        session.identity.groups.retain(|group| self.keep_groups.keeps(group));
        session.identity.claims.retain(|claim, _| self.keep_claims.keeps(claim));
        let expires = session.expires;
        let sealed =
            self.keys.seal(&self.session_binding, browser.entropy.bytes(), expires, &session.to_bytes());
        let bytes = self.session_cookie.len() + sealed.expose().len();
        if bytes > SESSION_BYTES_MAX {
            let detail = format!(
                "{bytes} bytes of {SESSION_BYTES_MAX}; the largest part is: {}",
                session.largest_part()
            );
            let mut outcome = self.turned_away(&browser, way, Refusal::SessionTooLarge, None);
            if let Some(Event::Refused { detail: slot, .. }) = &mut outcome.event {
                *slot = Some(detail);
            }
            return outcome;
        }
        let cookie = self.cookies.set(&self.session_cookie, sealed.expose(), self.session_age, false);
        let rounds = self.rounds_cookie(browser.rounds.saturating_add(1), &mut browser.entropy, now);
        let response =
            Response::see_other(&way.target.location(&self.redirect_url)).cookie(cookie).cookie(rounds);
        let event = Event::SignedIn { provider: way.provider.id().to_owned(), expires };
        Outcome { response: self.used_up(response, way), event: Some(event) }
    }

    /// There is no sign-in, for a reason that the person is told.
    pub(crate) fn turned_away(
        &self,
        browser: &Browser,
        way: &Way,
        refusal: Refusal,
        reason: Option<&str>,
    ) -> Outcome {
        let acts = self.acts(refusal, Some(&way.target));
        let response = self.refusal(browser.asker, refusal, reason, acts);
        let provider = Some(way.provider.id().to_owned());
        let event = Event::Refused { refusal, provider, detail: None };
        Outcome { response: self.used_up(response, way), event: Some(event) }
    }

    /// The provider's part failed. What exactly happened is for the operator's log.
    pub(crate) fn provider_failed(&self, browser: &Browser, way: &Way, error: ProviderError) -> Outcome {
        let mut outcome = self.turned_away(browser, way, Refusal::of_provider(&error), None);
        if let Some(Event::Refused { detail, .. }) = &mut outcome.event {
            *detail = Some(error.to_string());
        }
        outcome
    }

    /// Another copy of this callback was faster. Whoever has the session that came of it just goes on.
    pub(crate) fn answered_before(&self, browser: &Browser, way: &Way) -> Outcome {
        if browser.signed_in {
            let response = Response::see_other(&way.target.location(&self.redirect_url));
            return self.used_up(response, way).into();
        }
        self.turned_away(browser, way, Refusal::AttemptAlreadyAnswered, None)
    }

    /// Whatever answers a callback takes the attempt's cookie away.
    fn used_up(&self, response: Response, way: &Way) -> Response {
        match &way.attempt_cookie {
            Some(name) => response.cookie(self.cookies.clear(name)),
            None => response,
        }
    }
}
