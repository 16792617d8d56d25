//! What `auth` tells a proxy beside who somebody is, where the site asks for it: tokens, and a password that the
//! application expects.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    config::{Builder, Problem, Vestibule},
    identity_headers::header_value,
    response::Response,
    secret::Secret,
    session::SessionView,
    time::Timestamp,
    tokens::{KeptTokens, TokenKind},
};

/// Which of them go out. None do by default: a token in a header reaches everything behind the proxy, its log included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenHeaders {
    access_token: bool,
    id_token: bool,
    basic: Option<Secret>,
}

impl TokenHeaders {
    /// None of them.
    pub fn none() -> Self {
        Self::default()
    }

    /// `X-Auth-Request-Access-Token`, empty once the token is known to have ended.
    pub fn access_token(mut self) -> Self {
        self.access_token = true;
        self
    }

    /// `Authorization: Bearer` with the ID token, as it came with the sign-in: it may have ended.
    pub fn bearer_id_token(mut self) -> Self {
        self.id_token = true;
        self
    }

    /// `Authorization: Basic` with the name of the user header and this password, the same for everybody.
    pub fn basic(mut self, password: impl Into<Secret>) -> Self {
        self.basic = Some(password.into());
        self
    }

    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.id_token && self.basic.is_some() {
            let fault = "there is one Authorization header, and two things for it";
            problems.push(Problem::new(
                "token_headers",
                fault,
                "choose between the ID token and the password",
            ));
        }
        if self.basic.as_ref().is_some_and(Secret::is_empty) {
            let fault = "the password is empty, so that everybody knows it";
            problems.push(Problem::new("token_headers", fault, "give one that only the application knows"));
        }
        problems
    }

    fn needs_tokens(&self) -> bool {
        self.access_token || self.id_token
    }

    fn is_none(&self) -> bool {
        !self.needs_tokens() && self.basic.is_none()
    }
}

impl Builder {
    /// Sets which tokens `auth` hands on in headers; those are kept.
    pub fn token_headers(mut self, headers: TokenHeaders) -> Self {
        if headers.access_token {
            self.keep_tokens.add(TokenKind::Access);
        }
        if headers.id_token {
            self.keep_tokens.add(TokenKind::Id);
        }
        self.token_headers = headers;
        self
    }
}

impl Vestibule {
    /// Adds what the site asks for beside the identity headers. Like those, each always goes out, empty if need be;
    /// `tokens` is asked only where one of them is wanted.
    pub(crate) fn with_token_headers(
        &self,
        mut response: Response,
        session: Option<&SessionView<'_>>,
        now: Timestamp,
        tokens: impl FnOnce() -> Option<KeptTokens>,
    ) -> Response {
        let wanted = &self.token_headers;
        if wanted.is_none() {
            return response;
        }
        let tokens = if wanted.needs_tokens() { tokens() } else { None };
        if wanted.access_token {
            let token = tokens.as_ref().and_then(|tokens| tokens.live_access(now));
            let token = token.map_or("", |token| header_value(token.expose()));
            response = response.header("x-auth-request-access-token", token);
        }
        if wanted.id_token {
            let token = tokens.as_ref().and_then(|tokens| tokens.id.as_ref());
            let token = token.map(|token| header_value(token.expose())).filter(|token| !token.is_empty());
            let bearer = token.map_or_else(String::new, |token| format!("Bearer {token}"));
            response = response.header("authorization", bearer);
        }
        if let Some(password) = &wanted.basic {
            let credentials = session
                .map_or_else(String::new, |session| basic(self.identity_headers.user(session), password));
            response = response.header("authorization", credentials);
        }
        response
    }
}

/// RFC 7617 §2: whatever follows the first colon is the password, so that a name with one in it is another name.
fn basic(user: &str, password: &Secret) -> String {
    if header_value(user).is_empty() || user.contains(':') {
        return String::new();
    }
    format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose())))
}
