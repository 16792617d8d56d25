//! How an endpoint can misbehave below its answer's meaning.

use std::time::Duration;

/// An endpoint of the provider.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `/.well-known/openid-configuration`
    Metadata,
    /// `/jwks`
    Keys,
    /// `/authorize`
    Authorize,
    /// `/token`
    Token,
    /// `/userinfo`
    Userinfo,
    /// `/end_session`
    EndSession,
}

impl Endpoint {
    /// The path below the issuer.
    pub fn path(self) -> &'static str {
        match self {
            Self::Metadata => "/.well-known/openid-configuration",
            Self::Keys => "/jwks",
            Self::Authorize => "/authorize",
            Self::Token => "/token",
            Self::Userinfo => "/userinfo",
            Self::EndSession => "/end_session",
        }
    }

    pub(crate) fn at(path: &str) -> Option<Self> {
        let all =
            [Self::Metadata, Self::Keys, Self::Authorize, Self::Token, Self::Userinfo, Self::EndSession];
        all.into_iter().find(|endpoint| endpoint.path() == path)
    }
}

/// A way to answer. The first group stands in for the honest answer, whose effects then do not happen either;
/// the second changes the answer on its way out; the third decides how its body goes over the wire. One of the
/// first, any number of the second and one of the third combine; of two that exclude each other the later counts.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// This answer, verbatim.
    Answer(Answer),
    /// A redirect to another address.
    Redirect {
        /// The status: 301, 302, 303, 307 or 308.
        status: u16,
        /// The `Location`.
        to: String,
    },
    /// The request is read and never answered.
    Silence,
    /// These bytes instead of any HTTP, then the connection ends; no bytes at all just end it.
    Raw(Vec<u8>),
    /// The connection is reset instead of any answer.
    Reset,

    /// The answer comes this much later; the request has had its effect before.
    Delay(Duration),
    /// The answer has this status.
    Status(u16),
    /// The answer has this header too, in place of an honest one of that name.
    Header(String, String),
    /// The answer has this header once more, beside others of that name.
    AnotherHeader(String, String),
    /// The answer's body is followed by so many spaces, which leaves JSON what it was.
    Padded(u64),
    /// The answer's body comes gzipped, whether or not the client accepts that.
    Gzip,
    /// The request has its effect, and the connection ends without an answer.
    LoseAnswer,

    /// The answer's body comes byte by byte, one each interval.
    Drip(Duration),
    /// The answer's body is followed by spaces without end.
    Endless,
    /// The connection ends after so many bytes of the answer's body, whose full length was announced.
    CloseAfter(usize),
}

impl Behaviour {
    /// A status and a body, as [`Behaviour::Answer`].
    pub fn answer(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer(Answer::new(status).body(body))
    }

    /// Whether this decides how the body goes over the wire.
    pub(crate) fn streams(&self) -> bool {
        matches!(self, Self::Drip(_) | Self::Endless | Self::CloseAfter(_))
    }

    /// Whether this stands in for the honest answer.
    pub(crate) fn replaces(&self) -> bool {
        matches!(self, Self::Answer(_) | Self::Redirect { .. } | Self::Silence | Self::Raw(_) | Self::Reset)
    }
}

/// An answer to send verbatim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// An answer without headers or body.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// One header more.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The body, and `Content-Type: application/json`.
    #[must_use]
    pub fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", "application/json").body(body)
    }
}
