//! `/userinfo`: claims about the person whom an access token belongs to (OpenID Connect Core §5.3).

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use super::{Arrived, parameter};
use crate::{
    Signing,
    grants::Grant,
    jose::Draft,
    journal::Received,
    json::Members,
    lie::Object,
    shared::{Shared, State as Current},
};

pub(super) async fn userinfo(State(shared): State<Arc<Shared>>, Extension(received): Arrived) -> Response {
    let anywhere = |parameters: &[(String, String)]| parameter(parameters, "access_token").is_some();
    if anywhere(&received.query) || anywhere(&received.form) {
        return refused(StatusCode::BAD_REQUEST, "Bearer error=\"invalid_request\"");
    }
    let Some(token) = bearer(&received) else {
        return refused(StatusCode::UNAUTHORIZED, "Bearer");
    };
    let state = shared.state();
    let grant = state.grants.of_access_token(token, shared.clock.now());
    let Some((grant, claims)) = grant.and_then(|grant| {
        let claims = claims(&state, &grant)?;
        Some((grant, claims))
    }) else {
        return refused(StatusCode::UNAUTHORIZED, "Bearer error=\"invalid_token\"");
    };
    match state.told.signed_userinfo() {
        Some(signing) => signed(&shared, &state, &grant, claims, &signing),
        None => super::json(StatusCode::OK, edited(&state, claims).to_json()),
    }
}

fn bearer(received: &Received) -> Option<&str> {
    let (scheme, token) = received.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn claims(state: &Current, grant: &Grant) -> Option<Members> {
    let sub = state.told.userinfo_of().unwrap_or(&grant.sub);
    let mut claims = Members::new().with("sub", sub);
    // A lie may name somebody who does not exist; the honest subject always does.
    match state.person(sub) {
        Some(person) => claims.extend(person.claims(&grant.scope)),
        None if sub == grant.sub => return None,
        None => {}
    }
    Some(claims)
}

fn edited(state: &Current, mut claims: Members) -> Members {
    state.told.edit(Object::Userinfo, &mut claims);
    claims
}

/// The same as a JWT, which also says by whom and for whom it is (OpenID Connect Core §5.3.2).
fn signed(shared: &Shared, state: &Current, grant: &Grant, claims: Members, signing: &Signing) -> Response {
    let mut honest = Members::new().with("iss", shared.issuer.as_str()).with("aud", grant.client_id.as_str());
    honest.extend(claims);
    let secret = state.client(&grant.client_id).and_then(|client| client.secret.as_deref());
    let workshop = shared.workshop(&state.keys, secret);
    let header = |header: Members| header.to_json();
    let honest_payload = honest.to_json().into_bytes();
    let payload = edited(state, honest).to_json().into_bytes();
    let draft = Draft { typ: "JWT", honest_payload, payload, header: &header };
    let mut response = super::json(StatusCode::OK, draft.sign(&workshop, signing).into_text());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwt"));
    response
}

/// An error of a protected resource (RFC 6750 §3).
fn refused(status: StatusCode, challenge: &'static str) -> Response {
    let error = challenge.split('"').nth(1);
    let mut response = super::json(status, Members::new().with_some("error", error).to_json());
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}
