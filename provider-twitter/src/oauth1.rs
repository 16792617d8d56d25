//! The client's side of OAuth 1.0a (RFC 5849), as far as three-legged authorization needs it. Nothing in here is X's own.
//!
//! It does no I/O and draws no randomness: the time is an argument, and so is the secret that nonces are derived from.

mod consumer;
mod credentials;
mod signature;

pub(crate) use consumer::{Consumer, Moment};
pub(crate) use credentials::{Credentials, Members};
