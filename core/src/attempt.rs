//! One sign-in under way: begun by a redirect, used up by the first callback that names it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{
    authorization_response::{Answer, AuthorizationResponse, Reference},
    entropy::{Entropy, Seed},
    identity::AccountKey,
    limits::ATTEMPT_AGE_MAX,
    provider::{Answered, AuthorizationRequest, Begun},
    refusal::Refusal,
    return_target::ReturnTarget,
    secret::{CodeVerifier, Nonce, RequestToken, State, same_bytes},
    session::SessionId,
    time::Timestamp,
};

/// What attempt cookies are sealed for. Its number changes with the form of [`Attempt`].
pub(crate) const ATTEMPT_PURPOSE: &str = "attempt/4";

/// A sign-in that a browser has begun. It travels sealed in a cookie of its own, so that tabs do not disturb each
/// other and any instance can finish what another began.
#[derive(Serialize, Deserialize)]
pub struct Attempt {
    /// What `state`, `nonce` and code verifier are drawn from: one seed in the cookie instead of three secrets.
    root: Seed,
    provider: String,
    target: String,
    began: Timestamp,
    issuer: Option<String>,
    issuer_required: bool,
    max_age: Option<u64>,
    /// Whoever is to sign in again.
    account: Option<AccountKey>,
    /// What the callback is known by, where that is not `state`.
    request_token: Option<RequestToken>,
    private: Vec<u8>,
    /// Round trips that the browser had finished shortly before.
    rounds: u8,
    /// The session in a store that the browser had when it began.
    beside: Option<[u8; 16]>,
}

/// The three secrets of one attempt.
struct Secrets {
    state: State,
    nonce: Nonce,
    code_verifier: CodeVerifier,
}

impl Secrets {
    fn drawn_from(root: Seed) -> Self {
        let mut entropy = Entropy::new(root);
        Self { state: entropy.state(), nonce: entropy.nonce(), code_verifier: entropy.code_verifier() }
    }
}

impl Attempt {
    pub(crate) fn new(root: Seed, provider: &str, target: &ReturnTarget, rounds: u8, now: Timestamp) -> Self {
        Self {
            root,
            provider: provider.to_owned(),
            target: target.as_str().to_owned(),
            began: now,
            issuer: None,
            issuer_required: false,
            max_age: None,
            account: None,
            request_token: None,
            private: Vec::new(),
            rounds,
            beside: None,
        }
    }

    /// Sets the session in a store that the browser has. Not every callback brings its cookie: a form of another site
    /// does not.
    pub(crate) fn beside(mut self, session: Option<SessionId>) -> Self {
        self.beside = session.map(SessionId::bytes);
        self
    }

    /// Sets how long ago the person may have shown the provider who they are, in seconds, and who that must be.
    pub(crate) fn again(mut self, max_age: u64, account: Option<AccountKey>) -> Self {
        self.max_age = Some(max_age);
        self.account = account;
        self
    }

    /// What the provider is asked.
    pub(crate) fn request(&self, redirect_uri: Url) -> AuthorizationRequest {
        let Secrets { state, nonce, code_verifier } = Secrets::drawn_from(self.root);
        let mut request = AuthorizationRequest::new(state, nonce, code_verifier, redirect_uri);
        request.max_age = self.max_age;
        request
    }

    /// Keeps what the provider wants to find again at the callback.
    pub(crate) fn keep(&mut self, begun: &Begun) {
        self.issuer.clone_from(&begun.issuer);
        self.issuer_required = begun.issuer_required;
        self.request_token.clone_from(&begun.request_token);
        self.private.clone_from(&begun.private);
    }

    /// Forgets where the browser wanted to go; for a target that makes the cookie too large.
    pub(crate) fn without_target(mut self, landing: &ReturnTarget) -> Self {
        landing.as_str().clone_into(&mut self.target);
        self
    }

    /// The name that the attempt is found by again: a hash of what its callback is known by.
    pub(crate) fn key(&self) -> AttemptKey {
        AttemptKey::of(&self.reference())
    }

    /// What its callback is known by.
    fn reference(&self) -> Reference {
        match &self.request_token {
            Some(token) => Reference::RequestToken(token.clone()),
            None => Reference::State(Secrets::drawn_from(self.root).state),
        }
    }

    pub(crate) fn provider(&self) -> &str {
        &self.provider
    }

    /// Where the browser wanted to go; to be parsed again before it is believed.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// What is asked of whoever signs in again: how long ago at most, in seconds, and who.
    pub(crate) fn asked_again(&self) -> Option<(u64, Option<AccountKey>)> {
        self.max_age.map(|max_age| (max_age, self.account))
    }

    /// The session in a store that this sign-in takes the place of.
    pub(crate) fn began_beside(&self) -> Option<SessionId> {
        self.beside.map(SessionId::new)
    }

    pub(crate) fn began_at(&self) -> Timestamp {
        self.began
    }

    pub(crate) fn rounds(&self) -> u8 {
        self.rounds
    }

    /// Decides whether `callback` answers this attempt, and uses the attempt up either way.
    ///
    /// # Errors
    /// The callback is too late, is another attempt's, came from another issuer, or says that there is no sign-in.
    pub(crate) fn answer(
        self,
        callback: AuthorizationResponse,
        redirect_uri: Url,
        now: Timestamp,
    ) -> Result<Answered, Refusal> {
        if now.since(self.began) >= ATTEMPT_AGE_MAX {
            return Err(Refusal::AttemptExpired);
        }
        // Before anything else in it is read: until here, anybody can have sent the callback.
        if self.reference() != callback.reference {
            return Err(Refusal::StateMismatch);
        }
        // RFC 9207 §2.4: an error response is checked like any other; simple string comparison.
        match (&self.issuer, &callback.issuer) {
            (Some(expected), Some(came)) if !same_bytes(expected.as_bytes(), came.as_bytes()) => {
                return Err(Refusal::IssuerMismatch);
            }
            (_, None) if self.issuer_required => return Err(Refusal::IssuerMismatch),
            _ => {}
        }
        match callback.answer {
            Answer::Error(error) => Err(Refusal::of_callback_error(error)),
            Answer::Code(code) => {
                let Secrets { nonce, code_verifier, .. } = Secrets::drawn_from(self.root);
                Ok(Answered {
                    code,
                    nonce,
                    code_verifier,
                    redirect_uri,
                    private: self.private,
                    max_age: self.max_age,
                    began: self.began,
                })
            }
        }
    }
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt")
            .field("provider", &self.provider)
            .field("began", &self.began)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// The name of an attempt: 88 bits of the hash of what its callback is known by. It gives nothing of that away.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttemptKey(String);

impl AttemptKey {
    pub(crate) fn of(reference: &Reference) -> Self {
        let hash = match reference {
            Reference::State(state) => Sha256::digest(state.expose()),
            Reference::RequestToken(token) => {
                Sha256::new_with_prefix("oauth_token ").chain_update(token.expose()).finalize()
            }
        };
        Self(URL_SAFE_NO_PAD.encode(&hash[..11]))
    }

    /// Whether `text` is how a key is written.
    pub(crate) fn is_written(text: &str) -> bool {
        text.len() == 15
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    }

    /// The text in the cookie's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::OAuthError;

    const NOW: Timestamp = Timestamp::from_unix(1_000);

    fn attempt() -> Attempt {
        Attempt::new([7; 32], "oidc", &ReturnTarget::root(), 0, NOW)
    }

    fn callback(state: &State, issuer: Option<&str>) -> AuthorizationResponse {
        AuthorizationResponse {
            reference: Reference::State(state.clone()),
            answer: Answer::Code(crate::secret::AuthorizationCode::new("code")),
            issuer: issuer.map(str::to_owned),
        }
    }

    fn redirect_uri() -> Url {
        Url::parse("https://a.example/oauth2/callback").unwrap()
    }

    fn state() -> State {
        attempt().request(redirect_uri()).state
    }

    fn answer(attempt: Attempt, callback: AuthorizationResponse, now: Timestamp) -> Result<(), Refusal> {
        attempt.answer(callback, redirect_uri(), now).map(|_| ())
    }

    #[test]
    fn the_answer_carries_what_the_request_promised() {
        let request = attempt().request(redirect_uri());
        let answered = attempt().answer(callback(&request.state, None), redirect_uri(), NOW).unwrap();
        assert_eq!((answered.nonce, answered.code_verifier), (request.nonce, request.code_verifier));
    }

    #[test]
    fn se_04_an_attempt_is_too_old_after_ten_minutes_whatever_the_cookie_says() {
        let late = Timestamp::from_unix(1_600);
        assert_eq!(answer(attempt(), callback(&state(), None), Timestamp::from_unix(1_599)), Ok(()));
        assert_eq!(answer(attempt(), callback(&state(), None), late), Err(Refusal::AttemptExpired));
    }

    #[test]
    fn se_06_another_state_is_refused_whichever_character_differs() {
        let state = state();
        for index in 0..state.expose().len() {
            let mut other = state.expose().to_owned().into_bytes();
            other[index] ^= 1;
            let other = State::new(String::from_utf8(other).unwrap());
            assert_eq!(answer(attempt(), callback(&other, None), NOW), Err(Refusal::StateMismatch));
        }
        let short = State::new(&state.expose()[..42]);
        assert_eq!(answer(attempt(), callback(&short, None), NOW), Err(Refusal::StateMismatch));
    }

    #[test]
    fn se_06_an_attempt_of_oauth_1_is_known_by_its_request_token_and_by_nothing_else() {
        let begun = |token: &str| {
            let mut attempt = attempt();
            attempt.keep(&Begun::at(redirect_uri()).request_token(RequestToken::new(token)));
            attempt
        };
        let by_token = |token: &str| {
            let mut callback = callback(&state(), None);
            callback.reference = Reference::RequestToken(RequestToken::new(token));
            callback
        };
        assert_eq!(answer(begun("token"), by_token("token"), NOW), Ok(()));
        for (attempt, callback) in [
            (begun("token"), by_token("other")),
            (begun("token"), by_token("tokem")),
            (begun("token"), callback(&state(), None)),
            (begun("token"), callback(&State::new("token"), None)),
            (attempt(), by_token("token")),
            (attempt(), by_token(state().expose())),
        ] {
            assert_eq!(answer(attempt, callback, NOW), Err(Refusal::StateMismatch));
        }
        let keys =
            [begun("token").key(), begun("other").key(), attempt().key(), begun(state().expose()).key()];
        let all: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(all.len(), keys.len());
        assert!(keys.iter().all(|key| AttemptKey::is_written(key.as_str())));
    }

    #[test]
    fn se_22_iss_is_compared_where_it_is_known_and_missed_where_it_was_promised() {
        let with = |issuer: Option<(&str, bool)>| {
            let mut attempt = attempt();
            if let Some((issuer, required)) = issuer {
                attempt.keep(&Begun::at(redirect_uri()).issuer(issuer, required));
            }
            attempt
        };
        for (known, came, expected) in [
            (None, None, Ok(())),
            (None, Some("https://op"), Ok(())),
            (Some(("https://op", false)), None, Ok(())),
            (Some(("https://op", false)), Some("https://op"), Ok(())),
            (Some(("https://op", false)), Some("https://op/"), Err(Refusal::IssuerMismatch)),
            (Some(("https://op", false)), Some(""), Err(Refusal::IssuerMismatch)),
            (Some(("https://op", true)), None, Err(Refusal::IssuerMismatch)),
            (Some(("https://op", true)), Some("https://op"), Ok(())),
        ] {
            assert_eq!(answer(with(known), callback(&state(), came), NOW), expected, "{known:?} {came:?}");
        }
        let mut denied = callback(&state(), Some("https://evil"));
        denied.answer = Answer::Error(OAuthError::AccessDenied);
        let refused = answer(with(Some(("https://op", false))), denied, NOW);
        assert_eq!(refused, Err(Refusal::IssuerMismatch), "an error response is checked too");
    }
}
