//! What arrived and what was handed out, for tests to assert on.

use std::{collections::VecDeque, sync::Arc};

use axum::http::request::Parts;
use url::form_urlencoded;

/// How many entries are kept; the oldest go first.
const KEPT_MAX: usize = 50_000;

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query's parameters in order, decoded.
    pub query: Vec<(String, String)>,
    /// The form's parameters in order, decoded; empty unless the body was a form.
    pub form: Vec<(String, String)>,
    /// The headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, whatever it was.
    pub body: Vec<u8>,
}

impl Received {
    pub(crate) fn new(head: &Parts, body: &[u8]) -> Self {
        let decode = |bytes: &[u8]| form_urlencoded::parse(bytes).into_owned().collect();
        let headers = head.headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let mut received = Self {
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: decode(head.uri.query().unwrap_or_default().as_bytes()),
            form: Vec::new(),
            headers: headers.collect(),
            body: body.to_vec(),
        };
        let content_type = received.header("content-type").unwrap_or_default();
        if content_type.split(';').next().unwrap_or_default().trim() == "application/x-www-form-urlencoded" {
            received.form = decode(body);
        }
        received
    }

    /// The first parameter of that name in the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        first(&self.query, name)
    }

    /// The first parameter of that name in the form.
    pub fn form(&self, name: &str) -> Option<&str> {
        first(&self.form, name)
    }

    /// The first header of that name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// Whether `text` is anywhere in the request: in the path, the decoded query or form, a header or the body.
    pub fn mentions(&self, text: &str) -> bool {
        let pairs = self.query.iter().chain(&self.form).chain(&self.headers);
        let body = String::from_utf8_lossy(&self.body);
        self.path.contains(text)
            || body.contains(text)
            || pairs.into_iter().any(|(name, value)| name.contains(text) || value.contains(text))
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.headers.iter().filter(|(header, _)| header == "cookie");
        let pairs =
            cookies.flat_map(|(_, value)| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }
}

/// The first value of a name.
fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

/// What kind of secret was handed out.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// An authorization code.
    Code,
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
    /// An ID token, as it was sent.
    IdToken,
}

/// A secret that was handed out, so that a test can look for it where it must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// What it is.
    pub kind: Secret,
    /// The secret itself.
    pub value: String,
}

/// The last requests and secrets.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    received: VecDeque<Arc<Received>>,
    issued: VecDeque<Issued>,
}

impl Journal {
    pub(crate) fn receive(&mut self, request: Arc<Received>) {
        push(&mut self.received, request);
    }

    pub(crate) fn issue(&mut self, kind: Secret, value: &str) {
        push(&mut self.issued, Issued { kind, value: value.to_owned() });
    }

    pub(crate) fn received(&self) -> impl Iterator<Item = &Received> {
        self.received.iter().map(AsRef::as_ref)
    }

    pub(crate) fn issued(&self) -> impl Iterator<Item = &Issued> {
        self.issued.iter()
    }

    /// Whether exactly this ID token was handed out.
    pub(crate) fn issued_id_token(&self, token: &str) -> bool {
        self.issued.iter().any(|issued| issued.kind == Secret::IdToken && issued.value == token)
    }

    pub(crate) fn forget_received(&mut self) {
        self.received.clear();
    }
}

fn push<T>(queue: &mut VecDeque<T>, entry: T) {
    if queue.len() == KEPT_MAX {
        queue.pop_front();
    }
    queue.push_back(entry);
}
