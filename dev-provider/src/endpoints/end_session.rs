//! `/end_session`: signs out here, and leads back where that is registered (OpenID Connect RP-Initiated Logout).

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{
    Arrived,
    authorize::{cookie_name, redirect},
    parameter, with_query,
};
use crate::{
    pages,
    shared::{Shared, State as Current},
};

pub(super) async fn end_session(State(shared): State<Arc<Shared>>, Extension(received): Arrived) -> Response {
    let parameters = if received.method == "POST" { &received.form } else { &received.query };
    let mut state = shared.state();
    let hint = match parameter(parameters, "id_token_hint") {
        None => None,
        // It may have expired and its key may be gone: that it was handed out here is what counts (§4).
        Some(token) if state.journal.issued_id_token(token) => claims(token),
        Some(_) => {
            let reason = "The id_token_hint was not issued here.";
            return pages::failure(StatusCode::BAD_REQUEST, reason);
        }
    };
    let text = |name: &str| hint.as_ref().and_then(|claims| claims[name].as_str());
    if let Some(sid) = text("sid") {
        state.grants.revoke(|grant| grant.sid == sid);
    }
    let name = cookie_name(&shared);
    if let Some(cookie) = received.cookie(&name) {
        state.grants.forget_browser(cookie);
    }

    let (named, hinted) = (parameter(parameters, "client_id"), text("azp").or_else(|| text("aud")));
    // A client that sends both must mean the same (§2).
    let contradiction = named.is_some() && hinted.is_some() && named != hinted;
    let client_id = if contradiction { None } else { named.or(hinted) };
    let mut response = match parameter(parameters, "post_logout_redirect_uri") {
        None => pages::signed_out(),
        Some(uri) => back(&state, client_id, uri, parameter(parameters, "state")),
    };
    let gone = format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    let gone = HeaderValue::try_from(gone).expect("a name and digits make a header");
    response.headers_mut().insert(header::SET_COOKIE, gone);
    response
}

fn back(state: &Current, client_id: Option<&str>, uri: &str, passed: Option<&str>) -> Response {
    let client = client_id.and_then(|id| state.client(id));
    if !client.is_some_and(|client| client.may_return_to(uri)) {
        let reason = "You are signed out. This post_logout_redirect_uri is not registered for the client.";
        return pages::failure(StatusCode::BAD_REQUEST, reason);
    }
    let passed: Vec<_> = passed.into_iter().map(|state| ("state".to_owned(), state.to_owned())).collect();
    redirect(&if passed.is_empty() { uri.to_owned() } else { with_query(uri, &passed) })
}

fn claims(token: &str) -> Option<Value> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}
