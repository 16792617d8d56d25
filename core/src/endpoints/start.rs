//! `start`: begins an attempt and sends the browser to the provider.

use std::sync::Arc;

use url::Url;

use crate::{
    attempt::Attempt,
    config::Vestibule,
    endpoints::Visit,
    flow::{self, Browser, Outcome, Step, Way},
    limits::{ATTEMPT_AGE_MAX, ATTEMPT_BYTES_MAX, ATTEMPTS_BYTES_MAX, ATTEMPTS_MAX, ROUNDS_MAX},
    paths::Endpoint,
    provider::Provider,
    refusal::Refusal,
    request::{Asker, RequestHead, asker},
    response::{Event, Response},
    return_target::ReturnTarget,
    time::Timestamp,
};

impl<R: RequestHead + ?Sized> Visit<'_, R> {
    pub(crate) fn start(self, provider: Option<&str>) -> Step {
        let vestibule = self.vestibule;
        if self.has_no_effect() {
            return Step::Done(Response::new(200).into());
        }
        let cookies = match self.cookies() {
            Ok(cookies) => cookies,
            Err(outcome) => return Step::Done(outcome),
        };
        let target = self.return_target(&cookies);
        let provider = match (provider, vestibule.providers.as_slice()) {
            (Some(id), _) => vestibule.provider(id),
            (None, [only]) => Some(only),
            (None, _) => {
                let path = vestibule.sign_in_path(Some(&target), true);
                return Step::Done(Response::see_other(&vestibule.address(&path)).into());
            }
        };
        match provider.cloned() {
            Some(provider) => self.begin(provider, target),
            None => vestibule.refuse(asker(self.head), Refusal::UnknownProvider),
        }
    }

    /// Begins an attempt: a visit of a browser only, and not for ever round in circles.
    pub(crate) fn begin(mut self, provider: Arc<dyn Provider>, target: ReturnTarget) -> Step {
        let vestibule = Arc::clone(self.vestibule);
        if self.head.method() != "GET" {
            return vestibule.refuse(asker(self.head), Refusal::MethodNotAllowed);
        }
        if asker(self.head) != Asker::Navigation {
            return vestibule.refuse(Asker::Program, Refusal::NotANavigation);
        }
        let now = self.now;
        let attempt =
            Attempt::new(self.entropy.bytes(), provider.id(), &target, now).beside(self.session_id());
        let browser = match self.browser() {
            Ok(browser) => browser,
            Err(outcome) => return Step::Done(outcome),
        };
        if browser.rounds >= ROUNDS_MAX && !browser.signed_in {
            let detail = format!("cookie {}", vestibule.session_cookie);
            let mut outcome = vestibule.refused(
                browser.asker,
                Refusal::SessionCookieLost,
                Some(provider.id()),
                Some(detail),
            );
            let reason = format!("The cookie that did not come back is called {}.", vestibule.session_cookie);
            let acts = vestibule.acts(Refusal::SessionCookieLost, Some(&target));
            outcome.response = vestibule
                .refusal(browser.asker, Refusal::SessionCookieLost, Some(&reason), acts)
                // Whoever has read this and tries again gets three more rounds.
                .cookie(vestibule.cookies.clear(&vestibule.cookies.rounds()));
            return Step::Done(outcome);
        }
        let way = Way { provider, target, attempt_cookie: None };
        flow::begin(vestibule, browser, way, attempt, now)
    }
}

impl Vestibule {
    /// The provider has said where the browser goes: seal the attempt, and make room for it.
    pub(crate) fn sent_away(
        &self,
        mut browser: Browser,
        way: &Way,
        attempt: Attempt,
        location: &Url,
        now: Timestamp,
    ) -> Outcome {
        let provider = way.provider.id();
        if !matches!(location.scheme(), "https" | "http") {
            let detail = "the authorization endpoint is not a web address".to_owned();
            return self.refused(browser.asker, Refusal::ProviderMisconfigured, Some(provider), Some(detail));
        }
        let name = self.cookies.attempt(attempt.key().as_str());
        let nonce = browser.entropy.bytes();
        let seal = |attempt: &Attempt| {
            let bytes = postcard::to_allocvec(attempt).unwrap_or_default();
            self.keys.seal(&self.binding("attempt", &name), nonce, now.after(ATTEMPT_AGE_MAX), &bytes)
        };
        let mut sealed = seal(&attempt);
        if sealed.expose().len() > ATTEMPT_BYTES_MAX {
            // Only one of the two is used, so that the nonce goes out once.
            sealed = seal(&attempt.without_target());
        }
        if sealed.expose().len() > ATTEMPT_BYTES_MAX {
            let detail = "what the plugin keeps in the attempt does not fit into a cookie".to_owned();
            return self.refused(browser.asker, Refusal::PluginFaulty, Some(provider), Some(detail));
        }
        let evicted = evicted(&browser.attempts, name.len() + sealed.expose().len());
        let cross_site = way.provider.answers_by_form_post();
        let mut response = Response::see_other(location.as_str())
            .cookie(self.cookies.set(&name, sealed.expose(), ATTEMPT_AGE_MAX, cross_site))
            .cookies(evicted.iter().map(|name| self.cookies.clear(name)));
        if browser.remembered {
            response = response.cookie(self.cookies.clear(&self.cookies.remembered()));
        }
        Outcome { response, event: Some(Event::Began { provider: provider.to_owned() }) }
    }

    /// The path that a provider's answers come to.
    pub(crate) fn callback_path(&self, provider: &dyn Provider) -> String {
        let path = self.paths.of(Endpoint::Callback);
        if self.providers.len() > 1 { format!("{path}/{}", provider.id()) } else { path.to_owned() }
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
