//! What came of a round trip.

use std::fmt::Debug;

use url::Url;
use vestibule::{refusal::Refusal, response::Response, session::Session};

use crate::{Browser, Endpoint};

/// What came of a round trip of a new browser.
#[derive(Debug)]
pub struct Outcome {
    /// The last answer that the browser got.
    pub response: Response,
    /// What the provider was asked, in order, the browser's own request among it.
    pub asked: Vec<Endpoint>,
    /// Addresses that our side asked and that are not the provider's.
    pub elsewhere: Vec<Url>,
    /// The browser as it is now.
    pub browser: Browser,
    /// What `userinfo` says about it afterwards.
    pub me: Response,
    pub(crate) session: Option<Session>,
    pub(crate) issued: Vec<String>,
    pub(crate) came_back: bool,
}

impl Outcome {
    /// The code of the refusal, where it is one.
    pub fn code(&self) -> Option<String> {
        code_of(&self.response)
    }

    /// Whether somebody is signed in.
    pub fn is_signed_in(&self) -> bool {
        self.session.is_some()
    }

    /// The session.
    ///
    /// # Panics
    /// There is none.
    #[track_caller]
    pub fn session(&self) -> &Session {
        let Some(session) = &self.session else {
            panic!("nobody is signed in: {} {:?}", self.response.status, self.code());
        };
        session
    }

    /// What the provider was asked once the browser had come back.
    pub fn asked_since_callback(&self) -> &[Endpoint] {
        let from = self.asked.iter().position(|asked| *asked == Endpoint::Authorize);
        from.map_or(&[], |from| &self.asked[from + 1..])
    }

    /// Asserts that nobody is signed in and that nothing else came of it: the page says `code`; there is no session
    /// cookie, and the attempt is used up; a code is sent once at most; and nothing was asked anywhere else.
    ///
    /// # Panics
    /// Something else is true.
    #[track_caller]
    pub fn refused(&self, code: &str, case: impl Debug) {
        assert_eq!(self.code().as_deref(), Some(code), "{case:?}: {:?}", self.response);
        let refusal = Refusal::ALL.iter().find(|refusal| refusal.code() == code);
        assert_eq!(refusal.map(|refusal| refusal.status()), Some(self.response.status), "{case:?}");
        assert!(self.session.is_none() && self.me.status == 401, "{case:?}: somebody is signed in");
        let session_cookie = |name: &str| name == "__Host-vestibule";
        assert!(!self.browser.cookies().any(session_cookie), "{case:?}: there is a session cookie");
        let attempts =
            self.browser.cookies().filter(|name| name.starts_with("__Host-vestibule_try_")).count();
        assert_eq!(attempts, 0, "{case:?}: the attempt is still there");
        let tokens = self.asked.iter().filter(|asked| **asked == Endpoint::Token).count();
        assert_eq!(
            tokens,
            usize::from(self.asked.contains(&Endpoint::Token)),
            "{case:?}: a code was sent again"
        );
        assert_eq!(self.elsewhere, [], "{case:?}");
        self.page_is_sound(&case);
    }

    /// As [`Outcome::refused`], for an ID token that proves nothing: after it nothing was asked but keys.
    ///
    /// # Panics
    /// Something else is true.
    #[track_caller]
    pub fn refused_id_token(&self, case: impl Debug) {
        self.refused("id_token_invalid", &case);
        assert!(self.came_back, "{case:?}");
        let (first, rest) = self.asked_since_callback().split_first().expect("a code was sent");
        assert_eq!(*first, Endpoint::Token, "{case:?}");
        assert!(
            rest.len() <= 2 && rest.iter().all(|asked| *asked == Endpoint::Keys),
            "{case:?}: {rest:?} was asked after the ID token had come"
        );
    }

    /// The page shows nothing that was issued, cannot be framed, and is kept by nobody.
    #[track_caller]
    fn page_is_sound(&self, case: &impl Debug) {
        let response = &self.response;
        assert_eq!(response.get("cache-control"), Some("no-store"), "{case:?}");
        assert_eq!(response.get("referrer-policy"), Some("no-referrer"), "{case:?}");
        let policy = response.get("content-security-policy").unwrap_or_default();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        for secret in self.issued.iter().filter(|secret| secret.len() >= 16) {
            assert!(!mentions(response, secret), "{case:?}: the page shows what was issued");
        }
    }
}

/// Whether a response has `text` anywhere in it.
fn mentions(response: &Response, text: &str) -> bool {
    let in_headers = response.headers.iter().any(|(_, value)| value.contains(text));
    in_headers || String::from_utf8_lossy(&response.body).contains(text)
}

/// The code that a page or a problem shows.
pub fn code_of(response: &Response) -> Option<String> {
    let body = String::from_utf8_lossy(&response.body);
    if response.get("content-type") == Some("application/problem+json") {
        let problem: serde_json::Value = serde_json::from_str(&body).ok()?;
        return problem["code"].as_str().map(str::to_owned);
    }
    Some(body.split_once("<code>")?.1.split_once("</code>")?.0.to_owned())
}
