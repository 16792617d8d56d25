//! What the page asks for, as values: how they are answered with is a framework's matter.

use serde::Serialize;
use vestibule::session::Session;

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
