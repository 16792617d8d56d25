//! Fuzz targets for everything that reads bytes from outside, as plain functions.
//!
//! A target takes bytes such as a browser, a proxy, a provider or an attacker might send, hands them to the code that
//! reads them, and panics where something comes of it that must not. "Nothing crashed" is the least of it: whatever is
//! accepted is held against a second reader that is written here, in `readers` and `oracle`, and never against the
//! code under test.
//!
//! The same functions are called by `fuzz/` (libFuzzer, which needs a nightly toolchain) and by `tests/corpus.rs`,
//! which replays `corpus/` with every `cargo test`. How inputs are written is in `text`.

mod issuer;
mod operations;
mod oracle;
mod outside;
mod readers;
mod site;
mod targets;
mod text;

/// What came of an input; there is no third. A corpus in which nothing is ever accepted proves nothing, so the replay
/// looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Something in it was believed: somebody is signed in, a token holds, a target may be gone to.
    Accepted,
    /// Nothing was.
    Refused,
}

impl Seen {
    fn accepted(accepted: bool) -> Self {
        if accepted { Self::Accepted } else { Self::Refused }
    }
}

/// A target: what it is called here, in `fuzz/fuzz_targets` and in `corpus/`, and the function.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Target {
    /// The name.
    pub name: &'static str,
    /// Takes one input, and panics where an invariant is broken.
    pub run: fn(&[u8]) -> Seen,
}

/// Every target there is.
pub const TARGETS: [Target; 20] = [
    Target { name: "access_rules", run: access_rules },
    Target { name: "callback_form", run: callback_form },
    Target { name: "callback_query", run: callback_query },
    Target { name: "callback_token", run: callback_token },
    Target { name: "cookie_header", run: cookie_header },
    Target { name: "discovery", run: discovery },
    Target { name: "email_rule", run: email_rule },
    Target { name: "forwarded_headers", run: forwarded_headers },
    Target { name: "github", run: github },
    Target { name: "id_token", run: id_token },
    Target { name: "json", run: json },
    Target { name: "key_set", run: key_set },
    Target { name: "operations", run: operations },
    Target { name: "profile", run: profile },
    Target { name: "request_head", run: request_head },
    Target { name: "return_target", run: return_target },
    Target { name: "session_cookie", run: session_cookie },
    Target { name: "signed_claims", run: signed_claims },
    Target { name: "token_reply", run: token_reply },
    Target { name: "userinfo", run: userinfo },
];

pub use operations::operations;
pub use targets::{
    access_rules::access_rules,
    callback::{callback_form, callback_query},
    callback_token::callback_token,
    cookies::{cookie_header, session_cookie},
    discovery::discovery,
    email_rule::email_rule,
    forwarded_headers::forwarded_headers,
    github::github,
    id_token::{id_token, signed_claims},
    json::json,
    key_set::key_set,
    profile::profile,
    request_head::request_head,
    return_target::return_target,
    token_reply::token_reply,
    userinfo::userinfo,
};
