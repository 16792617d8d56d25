//! What the page asks for, as values: how they are answered with is a framework's matter.

use serde::Serialize;
use vestibule::{driver::Driver, identity::Identity, session::Session, store::StoreError, time::Timestamp};

use crate::first_seen::{self, Since};

/// What everybody may read.
pub(crate) const NO_AUTH: &str = "public, route!";

/// What is one person's must not be kept for the next one by a cache in between.
pub(crate) const CACHE_CONTROL: &str = "no-store";

/// Who is signed in, and what time it is: the same shape as in the original system.
#[derive(Serialize)]
pub(crate) struct UserInfo {
    session: User,
    now: String,
}

#[derive(Serialize)]
struct User {
    username: Option<String>,
    name: Option<String>,
    email: Option<String>,
}

pub(crate) fn userinfo(session: Session) -> UserInfo {
    let identity = session.identity;
    let session = User { username: identity.username, name: identity.name, email: identity.email };
    UserInfo { session, now: format!("{:.3}", jiff::Timestamp::now()) }
}

pub(crate) fn first_seen(session: &Session) -> Option<Since> {
    session.data(first_seen::VERSION)
}

/// One of a person's sessions, for a page that lists them.
#[derive(Serialize)]
pub(crate) struct Listed {
    signed_in: String,
    seen: String,
    expires: String,
    /// Whether it is the one that asks.
    is_this: bool,
}

/// How many sessions have ended.
#[derive(Serialize)]
pub(crate) struct Ended {
    ended: usize,
}

/// Every session of the person whose one `session` is.
pub(crate) async fn sessions(driver: &Driver, session: &Session) -> Result<Vec<Listed>, StoreError> {
    let Identity { issuer, subject, .. } = &session.identity;
    let time = |time: Timestamp| {
        jiff::Timestamp::from_second(time.unix()).map_or_else(|_| String::new(), |time| time.to_string())
    };
    let all = driver.sessions(issuer, subject).await?;
    let listed = all.iter().map(|one| Listed {
        signed_in: time(one.signed_in),
        seen: time(one.seen),
        expires: time(one.expires),
        is_this: one.id == session.id,
    });
    Ok(listed.collect())
}

/// Ends every session of the person whose one `session` is, this one too: "sign out everywhere".
pub(crate) async fn end_sessions(driver: &Driver, session: &Session) -> Result<Ended, StoreError> {
    let Identity { issuer, subject, .. } = &session.identity;
    Ok(Ended { ended: driver.end_sessions(issuer, subject, None).await? })
}
