//! Sign-ins with an X of the test's choosing, with replies in the shape that X's documentation shows.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

mod configuration;
mod kit;
mod oauth1;
mod oauth2;
mod refusals;
mod revocation;
mod x;
