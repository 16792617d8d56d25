//! The key set (RFC 7517 §5).

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::{Value, json};

use crate::{
    json::Members,
    lie::Object,
    shared::{Shared, State as Current},
};

pub(super) async fn keys(State(shared): State<Arc<Shared>>) -> Response {
    let state = shared.state();
    let body = state.told.raw_keys().map_or_else(|| key_set(&shared, &state), ToOwned::to_owned);
    let mut response = super::json(StatusCode::OK, body);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

fn key_set(shared: &Shared, state: &Current) -> String {
    let alg = shared.settings.alg;
    let retired = state.retired.iter().flat_map(|keys| keys.published(alg));
    let mut texts: Vec<String> = state.told.extra_keys().iter().map(Value::to_string).collect();
    for key in state.keys.published(alg).into_iter().chain(retired) {
        let mut members = Members::of(&key);
        state.told.edit(Object::Key, &mut members);
        texts.push(members.to_json());
    }
    // The keys were edited as texts, and go into the set as one more text.
    let mut set = Members::new().with("keys", json!([]));
    set.edit("keys", &crate::Edit::Text(format!("[{}]", texts.join(","))));
    state.told.edit(Object::KeySet, &mut set);
    set.to_json()
}
