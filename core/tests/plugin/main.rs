//! What a plain OAuth 2 provider can express, seen from outside: by the requests that it makes and what it makes of the
//! answers.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

mod dialects;
mod discovery;
mod exchanges;
mod kit;
mod op;
mod profiles;
mod requests;
mod sign_out;
