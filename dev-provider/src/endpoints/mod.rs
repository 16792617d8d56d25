//! What the provider answers, one file an endpoint.

mod asked;
mod authorize;
mod client_auth;
mod end_session;
mod error;
mod id_token;
mod keys;
mod metadata;
mod token;
mod userinfo;

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
    routing::{get, post},
};

use url::form_urlencoded;

use crate::{journal::Received, lie::Endpoint, shared::Shared};

/// The request as the journal has it: the body was read for that, so handlers take it from there.
type Arrived = Extension<Arc<Received>>;

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route(Endpoint::Metadata.path(), get(metadata::metadata))
        .route(Endpoint::Keys.path(), get(keys::keys))
        .route(Endpoint::Authorize.path(), get(authorize::authorize).post(authorize::authorize))
        .route(Endpoint::Token.path(), post(token::token))
        .route(Endpoint::Userinfo.path(), get(userinfo::userinfo).post(userinfo::userinfo))
        .route(Endpoint::EndSession.path(), get(end_session::end_session).post(end_session::end_session))
}

/// A JSON answer that no cache keeps.
fn json(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `uri` with these parameters added to its query. The rest of it stays byte for byte what was registered.
fn with_query(uri: &str, parameters: &[(String, String)]) -> String {
    let separator = if uri.contains('?') { '&' } else { '?' };
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("{uri}{separator}{query}")
}

/// The first parameter's name that is there twice. OAuth allows each once (RFC 6749 §3.1).
fn doubled(parameters: &[(String, String)]) -> Option<&str> {
    let mut seen = std::collections::HashSet::new();
    parameters.iter().map(|(name, _)| name.as_str()).find(|name| !seen.insert(*name))
}

/// A parameter's value; an empty one counts as absent (RFC 6749 §3.1).
fn parameter<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    found.filter(|value| !value.is_empty())
}
