//! A provider whose network is bad or whose answers are: every sign-in ends on a page, in time, and asks nothing twice.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod addresses;
mod descriptions;
mod keys;
mod limits;
mod pending;
mod token;
mod userinfo;

use vestibule_conformance::{Endpoint, Site};

/// Longer than descriptions and keys are used without asking again.
const UNTIL_DOCUMENTS_ARE_OLD: i64 = 3_700;
/// Longer than they are used at all.
const UNTIL_DOCUMENTS_ARE_GONE: i64 = 8 * 86_400;

/// As long as a document is not asked for again that could not be fetched.
const UNTIL_FAILURES_ARE_FORGOTTEN: i64 = 2;

/// How often an endpoint was asked so far.
fn times(site: &Site, endpoint: Endpoint) -> usize {
    site.provider().requests_to(endpoint).len()
}
