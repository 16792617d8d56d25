//! Sign-ins against a GitHub of the test's choosing, with replies in the shape that GitHub's documentation shows.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

mod configuration;
mod hub;
mod identity;
mod kit;
mod membership;
