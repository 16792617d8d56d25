//! Sessions that end elsewhere, seen from outside: at Keycloak, at `oidc-provider` and at a provider that lies, with an
//! application on two instances that have one Redis and nothing else in common, each on a framework of its own.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod hostile;
mod keycloak;
mod oidc_provider;
mod pair;
