//! What the page asks for.

use axum::{Json, http::header};
use serde::Serialize;
use vestibule_axum::SignedIn;

use crate::first_seen;

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

/// What is one person's must not be kept for the next one by a cache in between.
type Own<T> = ([(header::HeaderName, &'static str); 1], Json<T>);

fn own<T>(content: T) -> Own<T> {
    ([(header::CACHE_CONTROL, "no-store")], Json(content))
}

pub(crate) async fn userinfo(SignedIn(session): SignedIn) -> Own<UserInfo> {
    let identity = session.identity;
    let session = User { username: identity.username, name: identity.name, email: identity.email };
    let now = jiff::Timestamp::now().to_string();
    own(UserInfo { session, now })
}

pub(crate) async fn first_seen(SignedIn(session): SignedIn) -> Own<Option<first_seen::Since>> {
    own(session.data(first_seen::VERSION))
}

pub(crate) async fn no_auth() -> &'static str {
    "public, route!"
}
