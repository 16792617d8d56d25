//! Why a provider does not start, with what to do about it.

use std::{io, net::SocketAddr};

use thiserror::Error;

use crate::Client;

/// Why a provider does not start.
#[non_exhaustive]
#[derive(Debug, Error)]
pub enum StartError {
    /// It was asked for something that it refuses; all of it at once.
    #[error("the development provider refuses to start: {}", list(.0))]
    Refused(Vec<Problem>),
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}. Stop what listens there, or bind port 0 for a free one")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The cryptographic library made no keys.
    #[error("no keys could be generated; the system's random source may be unavailable")]
    Keys,
}

/// One thing that is refused, with the remedy.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// The address can be reached from other machines.
    #[error(
        "it signs anybody in as anybody without a password, so it listens on loopback only and {0} is not \
         loopback. Bind 127.0.0.1 or [::1]; to reach it from another machine use a tunnel such as ssh -L"
    )]
    NotLoopback(SocketAddr),
    /// Two clients have one id.
    #[error(
        "client `{0}` is registered twice. Give each client its own id, and all its redirect URIs at once"
    )]
    DoubledClient(String),
    /// A client has no id.
    #[error("a client has an empty id. Give it one, such as `demo`")]
    EmptyClientId,
    /// A client has no redirect URI.
    #[error("client `{0}` has no redirect URI. Give the full address of the application's callback")]
    NoRedirectUri(String),
    /// A redirect URI can not be one.
    #[error(
        "client `{client}` cannot be sent to `{uri}`. A redirect URI is absolute and has no fragment, such as \
         http://127.0.0.1:4180/oauth2/callback"
    )]
    RedirectUri {
        /// The client.
        client: String,
        /// Its redirect URI.
        uri: String,
    },
    /// A client cannot be told at this address that a session has ended.
    #[error(
        "client `{client}` cannot be told of a logout at `{uri}`. This provider calls loopback only, by plain http: \
         give an address such as http://127.0.0.1:4180/oauth2/backchannel_logout"
    )]
    LogoutUri {
        /// The client.
        client: String,
        /// The address.
        uri: String,
    },
    /// Two people have one subject or one username.
    #[error("two people are `{0}`. Give each person a subject and a username of their own")]
    DoubledPerson(String),
    /// The issuer's path can not be one.
    #[error(
        "`{0}` cannot be the issuer's path. It begins with `/` and has letters, digits, `-`, `_`, `.` and `~`"
    )]
    IssuerPath(String),
}

/// What is wrong with one client alone.
pub(crate) fn problems_of(client: &Client) -> Vec<Problem> {
    let mut problems = Vec::new();
    if client.id.is_empty() {
        problems.push(Problem::EmptyClientId);
    }
    if client.redirect_uris.is_empty() {
        problems.push(Problem::NoRedirectUri(client.id.clone()));
    }
    for uri in client.redirect_uris.iter().chain(&client.post_logout_redirect_uris) {
        if !url::Url::parse(uri).is_ok_and(|parsed| parsed.fragment().is_none()) {
            problems.push(Problem::RedirectUri { client: client.id.clone(), uri: uri.clone() });
        }
    }
    for uri in client.backchannel_logout_uri.iter().chain(&client.frontchannel_logout_uri) {
        if !is_on_loopback(uri) {
            problems.push(Problem::LogoutUri { client: client.id.clone(), uri: uri.clone() });
        }
    }
    problems
}

fn is_on_loopback(uri: &str) -> bool {
    url::Url::parse(uri).is_ok_and(|uri| {
        let host = match uri.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            _ => false,
        };
        host && uri.scheme() == "http" && uri.fragment().is_none()
    })
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
