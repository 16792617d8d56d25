//! `/authorize`: who is it, and may the client know?

use std::sync::{Arc, atomic::AtomicBool};

use axum::{
    Extension,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use super::{
    Arrived,
    asked::{Asked, Back, Refused},
    with_query,
};
use crate::{
    grants::{BrowserSession, Grant},
    jose::random_text,
    journal::{Received, Secret},
    pages,
    shared::{Shared, State as Current},
};

/// Whom the request is answered for.
enum Who {
    /// Somebody who signs in now.
    Person(String),
    /// Somebody whom this browser was signed in as before.
    Remembered(BrowserSession),
    /// Nobody yet: ask.
    Ask,
    /// Nobody, with this error.
    Nobody(&'static str, &'static str),
}

pub(super) async fn authorize(State(shared): State<Arc<Shared>>, Extension(received): Arrived) -> Response {
    let posted = received.method == "POST";
    let parameters = if posted { &received.form } else { &received.query };
    // The page's own buttons are no part of the request that it repeats.
    let is_button = |(name, _): &&(String, String)| posted && (name == "person" || name == "cancel");
    let (buttons, parameters): (Vec<_>, Vec<_>) = parameters.iter().partition(is_button);
    let parameters: Vec<(String, String)> = parameters.into_iter().cloned().collect();
    let button = buttons.first().map(|(name, value)| (name.as_str(), value.as_str()));

    let mut state = shared.state();
    let asked = match Asked::read(&state, &parameters) {
        Ok(asked) => asked,
        Err(Refused::Page(reason)) => return pages::failure(StatusCode::BAD_REQUEST, reason),
        Err(Refused::Error(back, error, description)) => {
            return answer_error(&shared, &state, &back, error, description);
        }
    };
    if let Some((error, description)) = state.told.refusal() {
        return answer_error(&shared, &state, &asked.back, error, description);
    }
    match who(&shared, &state, &asked, &received, button) {
        Who::Ask => pages::people(&asked.client.id, &state.people, &parameters),
        Who::Nobody(error, description) => answer_error(&shared, &state, &asked.back, error, description),
        Who::Remembered(session) => answer_code(&shared, &mut state, asked, &session),
        Who::Person(sub) => {
            let session = BrowserSession { sub, auth_time: shared.clock.now(), sid: random_text() };
            let mut response = answer_code(&shared, &mut state, asked, &session);
            if shared.settings.single_sign_on {
                let cookie = remember(&shared, &mut state, session);
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
    }
}

fn who(
    shared: &Shared,
    state: &Current,
    asked: &Asked,
    received: &Received,
    button: Option<(&str, &str)>,
) -> Who {
    let named = |name: &str| state.person_named(name).map(|person| person.sub.clone());
    if let Some(sub) = state.chosen.as_deref().and_then(named) {
        return Who::Person(sub);
    }
    match button {
        Some(("cancel", _)) => return Who::Nobody("access_denied", "the person cancelled"),
        Some((_, name)) => return named(name).map_or(Who::Ask, Who::Person),
        None => {}
    }
    let hinted = asked.login_hint.as_deref().and_then(named);
    let silent = asked.has_prompt("none");
    if let Some(sub) = &hinted
        && !silent
    {
        return Who::Person(sub.clone());
    }
    let remembered = received.cookie(&cookie_name(shared)).and_then(|cookie| state.grants.browser(cookie));
    let asks_anew = asked.has_prompt("login") || asked.has_prompt("select_account");
    if let Some(session) = remembered
        && !asks_anew
        && asked.max_age.is_none_or(|age| shared.clock.now() - session.auth_time < age)
        && hinted.is_none_or(|sub| sub == session.sub)
    {
        return Who::Remembered(session.clone());
    }
    if silent {
        return Who::Nobody("login_required", "nobody is signed in here");
    }
    Who::Ask
}

fn answer_code(shared: &Shared, state: &mut Current, asked: Asked, session: &BrowserSession) -> Response {
    let grant = Grant {
        client_id: asked.client.id,
        redirect_uri: asked.back.redirect_uri.clone(),
        sub: session.sub.clone(),
        scope: asked.scope,
        nonce: asked.nonce,
        code_challenge: asked.code_challenge,
        auth_time: session.auth_time,
        sid: session.sid.clone(),
        revoked: AtomicBool::new(false),
    };
    let expires = shared.clock.now() + shared.settings.code_life;
    let suffix = state.told.code_suffix().unwrap_or_default().to_owned();
    let code = state.grants.issue_code(grant, expires, &suffix);
    state.journal.issue(Secret::Code, &code);
    answer(shared, state, &asked.back, vec![("code".into(), code)])
}

fn answer_error(shared: &Shared, state: &Current, back: &Back, error: &str, description: &str) -> Response {
    let parameters = vec![("error".into(), error.into()), ("error_description".into(), description.into())];
    answer(shared, state, back, parameters)
}

/// Sends `parameters` to the client, with `state` and with `iss` (RFC 9207 §2, on errors too).
fn answer(shared: &Shared, told: &Current, back: &Back, mut parameters: Vec<(String, String)>) -> Response {
    parameters.extend(back.state.iter().map(|state| ("state".into(), state.clone())));
    parameters.push(("iss".into(), shared.issuer.clone()));
    told.told.callback(&mut parameters);
    if back.form_post {
        return pages::form_post(&back.redirect_uri, &parameters);
    }
    redirect(&with_query(&back.redirect_uri, &parameters))
}

/// A redirect that no cache keeps.
pub(super) fn redirect(to: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(to) else {
        return pages::failure(StatusCode::BAD_REQUEST, "The redirect URI cannot be sent as a header.");
    };
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Browsers keep cookies by host and not by port, and several providers may run beside each other.
pub(super) fn cookie_name(shared: &Shared) -> String {
    format!("dev-provider-{}", shared.address.port())
}

fn remember(shared: &Shared, state: &mut Current, session: BrowserSession) -> HeaderValue {
    let value = state.grants.remember_browser(session);
    let cookie = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax", cookie_name(shared));
    HeaderValue::try_from(cookie).expect("base64url and digits make a header")
}
