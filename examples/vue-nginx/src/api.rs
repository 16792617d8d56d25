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

pub(crate) async fn userinfo(
    SignedIn(session): SignedIn,
) -> ([(header::HeaderName, &'static str); 1], Json<UserInfo>) {
    let identity = session.identity;
    let session = User { username: identity.username, name: identity.name, email: identity.email };
    let now = jiff::Timestamp::now().to_string();
    ([(header::CACHE_CONTROL, "no-store")], Json(UserInfo { session, now }))
}

pub(crate) async fn first_seen(SignedIn(session): SignedIn) -> Json<Option<first_seen::Since>> {
    Json(session.data(first_seen::VERSION))
}

pub(crate) async fn no_auth() -> &'static str {
    "public, route!"
}
