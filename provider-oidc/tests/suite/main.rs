//! Sign-ins against an issuer of the test's choosing. Tests that begin with `jt_` or `nd_` are rows of the catalogue of
//! hostile tokens and endpoints; those in `certification` are rows of OpenID's own list for relying parties.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

mod algorithms;
mod bearer;
mod certification;
mod claims;
mod configuration;
mod discovery;
mod headers;
mod keys;
mod kit;
mod logout;
mod mint;
mod mutations;
mod op;
mod refresh;
mod requests;
mod shape;
mod sign_out;
mod tenants;
mod times;
mod userinfo;
