//! ID tokens and signed userinfo, each wrong in one thing, end to end. `provider-oidc/tests` has the same rows in every
//! variant and without a network; here is what they come to: no session, a page with the right code, and nothing asked
//! of the provider after the wrong token.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod claims;
mod differential;
mod headers;
mod keys;
mod shapes;
mod signatures;
mod userinfo;

use std::fmt::Debug;

use vestibule_conformance::{Lie, Site};

/// The lie is found out, and nothing comes of it.
async fn refuses(site: &Site, lie: impl Into<Lie>, case: impl Debug) {
    site.provider().honest().lie(lie);
    site.sign_in().await.refused_id_token(case);
}

/// What is told is no lie, or none that matters: somebody is signed in.
async fn accepts(site: &Site, lie: impl Into<Lie>, case: impl Debug) {
    site.provider().honest().lie(lie);
    let outcome = site.sign_in().await;
    assert!(outcome.is_signed_in(), "{case:?}: {:?}", outcome.code());
}

/// Without a lie somebody is signed in: what was refused before was refused for the lie.
async fn accepts_the_truth(site: &Site) {
    site.provider().honest();
    let outcome = site.sign_in().await;
    assert!(outcome.is_signed_in(), "{:?}", outcome.code());
}

/// Now, as the provider sees it.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
