//! Sessions in a store, seen from outside: two instances of a site, the store that they share, a provider that rotates
//! refresh tokens and takes everything back when it sees one twice, and a clock.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "in a test, the panic is the report")]

mod ending;
mod issuer;
mod keeping;
mod lifetimes;
mod outages;
mod refresh;
mod refresh_failing;
mod refresh_raced;
mod shelf;
mod signing_in;
mod town;
