//! A response, as a value: status, headers in order, body. Adapters translate it and add nothing.

use serde::Serialize;

use crate::{provider::ProviderError, refusal::Refusal, time::Timestamp};

/// What a browser or a proxy gets.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Header names in lower case, values of visible ASCII or UTF-8.
    pub headers: Vec<(&'static str, String)>,
    /// The body, at most a few kilobytes.
    pub body: Vec<u8>,
}

/// As many headers as `auth` answers with, and two more.
const HEADERS_USUAL: usize = 8;

impl Response {
    /// An answer that no cache may keep, without a body.
    pub(crate) fn new(status: u16) -> Self {
        let response = Self { status, headers: Vec::with_capacity(HEADERS_USUAL), body: Vec::new() };
        response.header("cache-control", "no-store")
    }

    /// The answer where not the core but an adapter has to give one, because the application does not work as it is
    /// written. Whoever made the request can do nothing about that, and learns no more.
    pub fn not_set_up() -> Self {
        let mut response = Self::new(500).header("content-type", "text/plain; charset=utf-8");
        response.body = b"This application is not set up properly; its log says why.".to_vec();
        response
    }

    /// 303: whatever the method was, the browser goes on by GET, and no credentials of a form travel on
    /// (RFC 9700 §4.12).
    pub(crate) fn see_other(location: &str) -> Self {
        Self::new(303).header("location", location).header("referrer-policy", "no-referrer")
    }

    /// The same, but the browser goes somewhere else.
    pub(crate) fn location(mut self, location: &str) -> Self {
        self.headers.retain(|(name, _)| *name != "location");
        self.header("location", location)
    }

    pub(crate) fn json(status: u16, media_type: &str, value: &impl Serialize) -> Self {
        let mut response = Self::new(status).header("content-type", media_type);
        response.body = serde_json::to_vec(value).unwrap_or_default();
        response.header("x-content-type-options", "nosniff")
    }

    /// The problem that a program gets instead of a page (RFC 9457).
    pub(crate) fn problem(refusal: Refusal, reason: Option<&str>, max_age: Option<u64>) -> Self {
        #[derive(Serialize)]
        struct Problem<'r> {
            r#type: &'static str,
            title: &'static str,
            status: u16,
            detail: &'static str,
            code: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<&'static str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            reason: Option<&'r str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            max_age: Option<u64>,
        }
        let problem = Problem {
            r#type: "about:blank",
            title: refusal.meaning(),
            status: refusal.status(),
            detail: refusal.remedy(),
            code: refusal.code(),
            // OpenID Connect Back-Channel Logout §2.8.
            error: (refusal == Refusal::LogoutTokenInvalid).then_some("invalid_request"),
            reason,
            max_age,
        };
        let response = Self::json(refusal.status(), "application/problem+json", &problem);
        if refusal.status() == 401 {
            // RFC 9110 §11.6.1 asks for a challenge; a scheme of our own keeps browsers from asking for a password.
            let challenge = match (refusal, max_age) {
                // RFC 6750 §3.1.
                (Refusal::BearerInvalid, _) => "Bearer error=\"invalid_token\"".to_owned(),
                // RFC 9470 §3, in the scheme by which people sign in here.
                (Refusal::SignInAgain, Some(max_age)) => {
                    format!("Vestibule error=\"{}\", max_age=\"{max_age}\"", refusal.code())
                }
                _ => "Vestibule".to_owned(),
            };
            return response.header("www-authenticate", challenge);
        }
        response
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn cookie(self, line: String) -> Self {
        self.header("set-cookie", line)
    }

    pub(crate) fn cookies(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.headers.extend(lines.into_iter().map(|line| ("set-cookie", line)));
        self
    }

    /// The first value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
    }

    /// Every `Set-Cookie` line.
    pub fn set_cookies(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(|(name, _)| *name == "set-cookie").map(|(_, line)| line.as_str())
    }
}

/// Cookies and locations may carry secrets: their values stay out.
impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (name, redacted(name, value))).collect();
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &headers)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// A header's value as far as it may be seen: cookies by name and attributes, locations without their query.
pub(crate) fn redacted(name: &str, value: &str) -> String {
    match name {
        "set-cookie" => {
            let (cookie, attributes) = value.split_once(';').unwrap_or((value, ""));
            let (cookie, content) = cookie.split_once('=').unwrap_or((cookie, ""));
            let content = if content.is_empty() { "" } else { "[sealed]" };
            format!("{cookie}={content};{attributes}")
        }
        "authorization" | "x-auth-request-access-token" if !value.is_empty() => "[secret]".to_owned(),
        "location" => match value.split_once('?') {
            Some((address, _)) => format!("{address}?[..]"),
            None => value.to_owned(),
        },
        _ => value.to_owned(),
    }
}

/// What came of a request, beside the response: one log line, one count.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A browser was sent to a provider.
    Began {
        /// The provider.
        provider: String,
    },
    /// Somebody signed in.
    SignedIn {
        /// The provider.
        provider: String,
        /// How many of the groups that the session keeps cannot stand in a header, and are left out of it.
        groups_left_out: usize,
        /// When the session ends.
        expires: Timestamp,
    },
    /// A session has new tokens.
    Refreshed {
        /// The provider.
        provider: String,
    },
    /// A session could not be refreshed.
    RefreshFailed {
        /// The provider.
        provider: String,
        /// Why.
        error: Box<ProviderError>,
        /// Whether the session has ended by that.
        ended: bool,
    },
    /// Somebody signed out.
    SignedOut {
        /// The provider that the session came through.
        provider: String,
    },
    /// A provider has ended sessions.
    EndedByProvider {
        /// The provider.
        provider: String,
        /// How many there were.
        sessions: usize,
    },
    /// A request was refused.
    Refused {
        /// Why.
        refusal: Refusal,
        /// The provider, where one was involved.
        provider: Option<String>,
        /// What an operator needs to know beyond the code, in words of ours.
        detail: Option<String>,
    },
}
