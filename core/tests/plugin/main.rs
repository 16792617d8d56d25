//! What a plain OAuth 2 provider can express, seen from outside: by the requests that it makes and what it makes of the
//! answers.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

#[allow(dead_code, reason = "the tests of everything else that a spec says come next")]
mod op;
mod sign_out;
