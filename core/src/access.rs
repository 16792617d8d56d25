//! Who may have what, by host, path, method and client, for applications behind a proxy that asks `auth`.
//!
//! Rules are ordered, and the first that fits decides; where none fits, whoever is signed in may enter. They are about
//! the request that the proxy asks about, as far as that is known for sure. In doubt a rule gives nothing away: one
//! that opens something to everybody is passed over, and any other closes.
//!
//! ```
//! use vestibule::access::{AccessRule, PathPattern, Requirement};
//!
//! let rules = [
//!     AccessRule::public().methods(["GET", "HEAD"]).paths([PathPattern::prefix("/assets/")]),
//!     AccessRule::signed_in(Requirement::new().groups(["admins"])).paths([PathPattern::prefix("/admin")]),
//!     AccessRule::nobody().hosts(["old.example.com"]),
//! ];
//! # let _ = rules;
//! ```
//!
//! Paths are compared to the letter: where an application takes `/ADMIN` for `/admin`, say what is open, and close the
//! rest.

mod decision;
mod requirement;

pub(crate) use decision::{AccessRules, Ruling};
pub use requirement::Requirement;

/// What a rule says about the requests that it fits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Access {
    /// Everybody may have it, signed in or not.
    Public,
    /// Whoever is signed in and meets this may have it.
    SignedIn(Requirement),
    /// Nobody may have it.
    Nobody,
}

/// A rule: which requests it fits, and who may have those. Every part that is set must fit, and what is not set fits
/// everything.
#[derive(Clone, Debug)]
pub struct AccessRule {
    access: Access,
    hosts: Option<Vec<String>>,
    paths: Option<Vec<PathPattern>>,
    except_paths: Vec<PathPattern>,
    methods: Option<Vec<String>>,
    clients: Option<Vec<String>>,
}

impl AccessRule {
    /// A rule for every request.
    pub fn new(access: Access) -> Self {
        Self { access, hosts: None, paths: None, except_paths: Vec::new(), methods: None, clients: None }
    }

    /// Lets everybody have it.
    pub fn public() -> Self {
        Self::new(Access::Public)
    }

    /// Lets whoever is signed in and meets `requirement` have it.
    pub fn signed_in(requirement: Requirement) -> Self {
        Self::new(Access::SignedIn(requirement))
    }

    /// Lets nobody have it.
    pub fn nobody() -> Self {
        Self::new(Access::Nobody)
    }

    /// For these hosts: `app.example.com` at whatever port, `app.example.com:8443`, or `*.example.com` for any name
    /// below it.
    pub fn hosts<S: Into<String>>(mut self, hosts: impl IntoIterator<Item = S>) -> Self {
        add(&mut self.hosts, hosts.into_iter().map(Into::into));
        self
    }

    /// For these paths.
    pub fn paths(mut self, paths: impl IntoIterator<Item = PathPattern>) -> Self {
        add(&mut self.paths, paths);
        self
    }

    /// Not for these paths.
    pub fn except_paths(mut self, paths: impl IntoIterator<Item = PathPattern>) -> Self {
        self.except_paths.extend(paths);
        self
    }

    /// For these methods, in upper case. `GET` does not stand for `HEAD`.
    pub fn methods<S: Into<String>>(mut self, methods: impl IntoIterator<Item = S>) -> Self {
        add(&mut self.methods, methods.into_iter().map(Into::into));
        self
    }

    /// For clients with these addresses, or in these networks, as far as a trusted proxy says where a request comes
    /// from. Where whoever asks is no trusted proxy, the client is not known.
    pub fn clients<S: Into<String>>(mut self, clients: impl IntoIterator<Item = S>) -> Self {
        add(&mut self.clients, clients.into_iter().map(Into::into));
        self
    }
}

/// Adds to a list, which is then there even if it is empty: a list that nobody is on is not one that is not set.
fn add<T>(list: &mut Option<Vec<T>>, more: impl IntoIterator<Item = T>) {
    list.get_or_insert_default().extend(more);
}

/// Which paths a rule fits. Queries are no part of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathPattern {
    /// This path and no other.
    Exact(String),
    /// This path and whatever is below it: `/public` fits `/public` and `/public/x`, never `/publicity`. With a slash
    /// at the end it fits only what is below.
    Prefix(String),
    /// Whatever this regular expression fits. It must begin with `^`.
    Regex(String),
}

impl PathPattern {
    /// This path and no other.
    pub fn exact(path: impl Into<String>) -> Self {
        Self::Exact(path.into())
    }

    /// This path and whatever is below it.
    pub fn prefix(path: impl Into<String>) -> Self {
        Self::Prefix(path.into())
    }

    /// Whatever this regular expression fits.
    pub fn regex(expression: impl Into<String>) -> Self {
        Self::Regex(expression.into())
    }
}
