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
    journal::Received,
    logout::Farewell,
    pages,
    shared::{Shared, State as Current},
};

pub(super) async fn end_session(State(shared): State<Arc<Shared>>, Extension(received): Arrived) -> Response {
    let (farewell, response) = match ended(&shared, &received) {
        Ok(ended) => ended,
        Err(reason) => return pages::failure(StatusCode::BAD_REQUEST, reason),
    };
    farewell.send().await;
    response
}

/// Ends this browser's session and that of the hint, with whom to tell and what the browser gets.
fn ended(shared: &Shared, received: &Received) -> Result<(Farewell, Response), &'static str> {
    let parameters = if received.method == "POST" { &received.form } else { &received.query };
    let mut state = shared.state();
    let hint = match parameter(parameters, "id_token_hint") {
        None => None,
        // It may have expired and its key may be gone: that it was handed out here is what counts (§4).
        Some(token) if state.journal.issued_id_token(token) => claims(token),
        Some(_) => return Err("The id_token_hint was not issued here."),
    };
    let text = |name: &str| hint.as_ref().and_then(|claims| claims[name].as_str());
    let name = cookie_name(shared);
    let cookie = received.cookie(&name);
    let browser = cookie.and_then(|cookie| state.grants.browser(cookie)).map(|session| session.sid.clone());
    let farewell = Farewell::end(shared, &mut state, |signed_in| {
        [text("sid"), browser.as_deref()].contains(&Some(&signed_in.sid))
    });
    if let Some(cookie) = cookie {
        state.grants.forget_browser(cookie);
    }

    let (named, hinted) = (parameter(parameters, "client_id"), text("azp").or_else(|| text("aud")));
    // A client that sends both must mean the same (§2).
    let contradiction = named.is_some() && hinted.is_some() && named != hinted;
    let client_id = if contradiction { None } else { named.or(hinted) };
    let mut response = match parameter(parameters, "post_logout_redirect_uri") {
        None => pages::signed_out(&farewell.frames, None),
        Some(uri) => back(&state, client_id, uri, parameter(parameters, "state"), &farewell.frames),
    };
    let gone = format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    let gone = HeaderValue::try_from(gone).expect("a name and digits make a header");
    response.headers_mut().insert(header::SET_COOKIE, gone);
    Ok((farewell, response))
}

fn back(
    state: &Current,
    client_id: Option<&str>,
    uri: &str,
    passed: Option<&str>,
    frames: &[String],
) -> Response {
    let client = client_id.and_then(|id| state.client(id));
    if !client.is_some_and(|client| client.may_return_to(uri)) {
        let reason = "You are signed out. This post_logout_redirect_uri is not registered for the client.";
        return pages::failure(StatusCode::BAD_REQUEST, reason);
    }
    let passed: Vec<_> = passed.into_iter().map(|state| ("state".to_owned(), state.to_owned())).collect();
    let to = if passed.is_empty() { uri.to_owned() } else { with_query(uri, &passed) };
    // Frames are on a page: whoever is to see them cannot be sent on at once.
    if frames.is_empty() { redirect(&to) } else { pages::signed_out(frames, Some(&to)) }
}

fn claims(token: &str) -> Option<Value> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}
