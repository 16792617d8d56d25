//! What a run comes to: the responses at the end of [`flow`](crate::flow), each with its cookies and its event.

use std::time::Duration;

use url::Url;

use crate::{
    address::is_safe,
    attempt::{ATTEMPT_PURPOSE, Attempt},
    config::Vestibule,
    entropy::Entropy,
    flow::{Browser, Outcome, Way},
    identity_headers::fits_in_list,
    limits::{
        ATTEMPT_AGE_MAX, ATTEMPT_BYTES_MAX, ATTEMPTS_BYTES_MAX, ATTEMPTS_MAX, ROUNDS_AGE_MAX,
        SESSION_BYTES_MAX,
    },
    provider::{Provider, ProviderError},
    refusal::Refusal,
    refuse::Circumstances,
    response::{Event, Response},
    session::Session,
    time::Timestamp,
    tokens::KeptTokens,
};

impl Vestibule {
    /// The provider has said where the browser goes: seal the attempt, and make room for it.
    pub(super) fn sent_away(
        &self,
        mut browser: Browser,
        way: &Way,
        attempt: Attempt,
        location: &Url,
        now: Timestamp,
    ) -> Outcome {
        if !is_safe(location) {
            let remedy = "use https; plain http is for this machine only";
            let error = ProviderError::Misconfigured { field: "authorization_endpoint", remedy };
            return self.provider_failed(&browser, way, error);
        }
        let name = self.cookies.attempt(attempt.key().as_str());
        let nonce = browser.entropy.bytes();
        let seal = |attempt: &Attempt| {
            let bytes = postcard::to_allocvec(attempt).unwrap_or_default();
            self.keys.seal(&self.binding(ATTEMPT_PURPOSE, &name), nonce, now.after(ATTEMPT_AGE_MAX), &bytes)
        };
        let mut sealed = seal(&attempt);
        if sealed.expose().len() > ATTEMPT_BYTES_MAX {
            // Only one of the two goes out, so that the nonce is used once.
            sealed = seal(&attempt.without_target(&self.landing));
        }
        if sealed.expose().len() > ATTEMPT_BYTES_MAX {
            let detail = Some("what the plugin keeps in the attempt does not fit into a cookie".to_owned());
            let known =
                Circumstances { provider: Some(way.provider.id()), detail, ..Circumstances::default() };
            return self.refused_with(browser.asker, Refusal::PluginFaulty, known);
        }
        let cross_site = way.provider.answers_by_form_post();
        let evicted = evicted(&browser.attempts, name.len() + sealed.expose().len());
        let attempts_gone = evicted.iter().map(|name| self.attempt_gone(name, None));
        let remembered = browser.remembered.then(|| self.cookies.remembered());
        let dead = browser.dead_session.then(|| self.session_cookie.clone());
        let tokens = (browser.dead_session && browser.tokens).then(|| self.cookies.tokens());
        let gone = remembered.into_iter().chain(dead).chain(tokens);
        let response = Response::see_other(location.as_str())
            .cookie(self.cookies.set(&name, sealed.expose(), ATTEMPT_AGE_MAX, cross_site))
            .cookies(attempts_gone)
            .cookies(gone.map(|name| self.cookies.clear(&name)));
        Outcome { response, event: Some(Event::Began { provider: way.provider.id().to_owned() }) }
    }

    /// Somebody signed in: a new session, and on to the page that they wanted to see.
    pub(super) fn signed_in(
        &self,
        mut browser: Browser,
        way: &Way,
        session: Session,
        tokens: Option<&KeptTokens>,
        now: Timestamp,
    ) -> Outcome {
        let groups_left_out = session.identity.groups.iter().filter(|group| !fits_in_list(group)).count();
        let expires = session.expires;
        let cookies = match self.session_cookies(&mut browser, &session, tokens) {
            Ok(cookies) => cookies,
            Err(detail) => {
                let refusal = Refusal::SessionTooLarge;
                return self.turned_away_with(&browser, way, refusal, None, Some(detail));
            }
        };
        let rounds = way.attempt_cookie.as_ref().map_or(0, |(_, rounds)| *rounds).saturating_add(1);
        let response = Response::see_other(&way.target.location(&self.redirect_url))
            .cookies(cookies)
            .cookie(self.rounds_cookie(rounds, &mut browser.entropy, now));
        let event = Event::SignedIn { provider: way.provider.id().to_owned(), groups_left_out, expires };
        Outcome { response: self.used_up(response, way), event: Some(event) }
    }

    /// The cookies of a session: a ticket, where it is in a store; else the session itself, and its tokens beside it.
    /// Or what does not fit.
    fn session_cookies(
        &self,
        browser: &mut Browser,
        session: &Session,
        tokens: Option<&KeptTokens>,
    ) -> Result<Vec<String>, String> {
        let tokens_gone = browser.tokens.then(|| self.cookies.clear(&self.cookies.tokens()));
        if self.keeps_sessions() {
            let ticket = self.ticket_cookie(session.id, session.expires, &mut browser.entropy);
            return Ok([ticket].into_iter().chain(tokens_gone).collect());
        }
        let bytes = session.to_bytes();
        let nonce = browser.entropy.bytes();
        let sealed = self.keys.seal(&self.session_binding, nonce, session.expires, &bytes);
        let size = self.session_cookie.len() + sealed.expose().len();
        if size > SESSION_BYTES_MAX {
            let part = session.largest_part();
            return Err(format!("{size} bytes of {SESSION_BYTES_MAX}; the largest part is: {part}"));
        }
        let tokens = match tokens {
            None => tokens_gone,
            Some(tokens) => Some(self.tokens_cookie(tokens, session, size, &mut browser.entropy)?),
        };
        let session = self.cookies.set(&self.session_cookie, sealed.expose(), self.session_age, false);
        Ok([session].into_iter().chain(tokens).collect())
    }

    /// Another copy of this callback was faster. Whoever has the session that came of it just goes on.
    pub(super) fn answered_before(&self, browser: &Browser, way: &Way) -> Outcome {
        if browser.signed_in {
            let response = Response::see_other(&way.target.location(&self.redirect_url));
            return self.used_up(response, way).into();
        }
        self.turned_away(browser, way, Refusal::AttemptAlreadyAnswered)
    }

    /// There is no sign-in, for a reason that the person is told.
    pub(crate) fn turned_away(&self, browser: &Browser, way: &Way, refusal: Refusal) -> Outcome {
        self.turned_away_with(browser, way, refusal, None, None)
    }

    /// As [`Vestibule::turned_away`], with the application's word for the person and ours for the operator.
    pub(super) fn turned_away_with(
        &self,
        browser: &Browser,
        way: &Way,
        refusal: Refusal,
        reason: Option<&str>,
        detail: Option<String>,
    ) -> Outcome {
        let known = Circumstances {
            provider: Some(way.provider.id()),
            reason,
            detail,
            target: Some(&way.target),
            ..Circumstances::default()
        };
        let mut outcome = self.refused_with(browser.asker, refusal, known);
        outcome.response = self.used_up(outcome.response, way);
        outcome
    }

    /// The provider's part failed. What exactly happened is for the operator's log.
    pub(super) fn provider_failed(&self, browser: &Browser, way: &Way, error: ProviderError) -> Outcome {
        self.turned_away_with(browser, way, Refusal::of_provider(&error), None, Some(error.to_string()))
    }

    /// The provider's part failed before the browser was sent away. What it refused then is the request, not a code.
    pub(super) fn not_begun(&self, browser: &Browser, way: &Way, error: ProviderError) -> Outcome {
        let refusal = match error {
            ProviderError::Refused(error) => Refusal::of_callback_error(error),
            _ => return self.provider_failed(browser, way, error),
        };
        self.turned_away_with(browser, way, refusal, None, Some(error.to_string()))
    }

    /// Whatever answers a callback takes the attempt's cookie away.
    fn used_up(&self, response: Response, way: &Way) -> Response {
        let cookie = way.attempt_cookie.as_ref();
        response.cookies(cookie.map(|(name, _)| self.attempt_gone(name, Some(&*way.provider))))
    }

    /// The `Set-Cookie` that takes an attempt away, with the attributes that it was set with. Whose an attempt is that
    /// was not opened nobody knows; then they are those that reach furthest.
    pub(crate) fn attempt_gone(&self, name: &str, provider: Option<&dyn Provider>) -> String {
        let cross_site = match provider {
            Some(provider) => provider.answers_by_form_post(),
            None => self.providers.iter().any(|provider| provider.answers_by_form_post()),
        };
        self.cookies.set(name, "", Duration::ZERO, cross_site)
    }

    /// The cookie that counts finished round trips.
    fn rounds_cookie(&self, rounds: u8, entropy: &mut Entropy, now: Timestamp) -> String {
        let name = self.cookies.rounds();
        let binding = self.binding("rounds", &name);
        let sealed = self.keys.seal(&binding, entropy.bytes(), now.after(ROUNDS_AGE_MAX), &[rounds]);
        self.cookies.set(&name, sealed.expose(), ROUNDS_AGE_MAX, false)
    }
}

/// Which of a browser's attempts must go so that one of `bytes` more has room: the oldest.
fn evicted(attempts: &[(String, usize)], bytes: usize) -> Vec<String> {
    let mut total = bytes + attempts.iter().map(|(_, bytes)| bytes).sum::<usize>();
    let mut count = attempts.len() + 1;
    let mut evicted = Vec::new();
    for (name, bytes) in attempts {
        if count <= ATTEMPTS_MAX && total <= ATTEMPTS_BYTES_MAX {
            break;
        }
        evicted.push(name.clone());
        count -= 1;
        total -= bytes;
    }
    evicted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn se_28_the_oldest_attempts_make_room() {
        let attempts = |bytes: &[usize]| -> Vec<_> {
            bytes.iter().enumerate().map(|(number, bytes)| (number.to_string(), *bytes)).collect()
        };
        assert!(evicted(&attempts(&[250; 7]), 250).is_empty());
        assert_eq!(evicted(&attempts(&[250; 8]), 250), ["0"]);
        assert_eq!(evicted(&attempts(&[1_000, 1_000]), 1_500), ["0"]);
        assert_eq!(evicted(&attempts(&[10; 20]), 10).len(), 13);
    }
}
