//! `callback`: finishes an attempt. Everything that can be refused without asking anybody is refused here, before
//! anything is sent to a provider.

use std::sync::Arc;

use crate::{
    attempt::{ATTEMPT_PURPOSE, Attempt, AttemptKey},
    authorization_response::AuthorizationResponse,
    endpoints::Visit,
    flow::{self, Outcome, Step, Way},
    limits::BODY_BYTES_MAX,
    refusal::Refusal,
    request::{self, RequestHead},
    response::Response,
    return_target::ReturnTarget,
    seal::Unopened,
};

impl<R: RequestHead + ?Sized> Visit<'_, R> {
    pub(crate) fn callback(self) -> Step {
        let vestibule = Arc::clone(self.vestibule);
        let response = match self.authorization_response() {
            Ok(response) => response,
            Err(refusal) => return vestibule.refused(self.asker, refusal).into(),
        };
        let key = AttemptKey::of(&response.reference);
        let cookie = vestibule.cookies.attempt(key.as_str());
        let attempt = match self.attempt(&cookie) {
            Ok(attempt) => attempt,
            Err(outcome) => return outcome.into(),
        };
        let Some(provider) = vestibule.provider(attempt.provider()).cloned() else {
            return self.without_attempt(Refusal::UnknownProvider, &cookie).into();
        };
        let target = ReturnTarget::parse(attempt.target(), &vestibule.policy)
            .unwrap_or_else(|| vestibule.landing.clone());
        let again = attempt.asked_again();
        let way = Way { provider, target, attempt_cookie: Some((cookie, attempt.rounds())), again };
        // An answer at another provider's address is not an answer to this attempt (RFC 9700 §4.4.2); neither is one
        // that came in another way than the provider answers.
        let path = request::path(self.head.target());
        let misdirected = path != vestibule.callback_path(&*way.provider);
        let by_form = self.head.method() == "POST";
        let (now, in_another_way) = (self.now, by_form != way.provider.answers_by_form_post());
        let mut browser = self.browser();
        // A form of another site comes without the session's cookie.
        browser.ticket = browser.ticket.or(attempt.began_beside());
        if misdirected {
            return vestibule.turned_away(&browser, &way, Refusal::ProviderMismatch).into();
        }
        if in_another_way {
            return vestibule.turned_away(&browser, &way, Refusal::CallbackMalformed).into();
        }
        match attempt.answer(response, vestibule.redirect_uri(&*way.provider), now) {
            Ok(answered) => flow::finish_attempt(vestibule, browser, way, answered, key, now),
            Err(refusal) => vestibule.turned_away(&browser, &way, refusal).into(),
        }
    }

    fn authorization_response(&self) -> Result<AuthorizationResponse, Refusal> {
        let query = request::query(self.head.target());
        match self.head.method() {
            "GET" => AuthorizationResponse::parse(query.as_bytes()),
            "POST" if self.body.len() > BODY_BYTES_MAX => Err(Refusal::RequestTooLarge),
            // An answer in both places is two answers.
            "POST" if query.is_empty() => AuthorizationResponse::parse(self.body),
            "POST" => Err(Refusal::CallbackMalformed),
            _ => Err(Refusal::MethodNotAllowed),
        }
    }

    /// The attempt in that cookie, or what the browser gets instead.
    fn attempt(&self, cookie: &str) -> Result<Attempt, Outcome> {
        let vestibule = self.vestibule;
        let Some(text) = self.cookies.one(cookie) else {
            // Back onto a callback that was answered long ago: whoever is signed in just goes on.
            if self.person.as_ref().is_some_and(|person| person.may_enter) {
                return Err(Response::see_other(&vestibule.landing.location(&vestibule.redirect_url)).into());
            }
            let others = self.cookies.starting(&vestibule.cookies.attempts()).next().is_some();
            let refusal = if others { Refusal::StateMismatch } else { Refusal::AttemptMissing };
            return Err(vestibule.refused(self.asker, refusal));
        };
        match vestibule.keys.open(&vestibule.binding(ATTEMPT_PURPOSE, cookie), text, self.now) {
            Ok(opened) => postcard::from_bytes(opened.payload()).map_err(|_| Refusal::AttemptMissing),
            Err(Unopened::Expired) => Err(Refusal::AttemptExpired),
            Err(_) => Err(Refusal::AttemptMissing),
        }
        .map_err(|refusal| self.without_attempt(refusal, cookie))
    }

    /// Nothing can come of an attempt of which the cookie is all there is: it goes.
    fn without_attempt(&self, refusal: Refusal, cookie: &str) -> Outcome {
        let mut outcome = self.vestibule.refused(self.asker, refusal);
        outcome.response = outcome.response.cookie(self.vestibule.attempt_gone(cookie, None));
        outcome
    }
}
