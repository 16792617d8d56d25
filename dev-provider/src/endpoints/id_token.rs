//! ID tokens (OpenID Connect Core §2), and every lie about them.

use serde_json::{Value, json};

use crate::{
    Client, Signing,
    grants::Grant,
    jose::Draft,
    json::Members,
    shared::{Shared, State},
};

pub(super) fn issue(
    shared: &Shared,
    state: &mut State,
    client: &Client,
    grant: &Grant,
    access_token: &str,
    nonce: Option<&str>,
) -> String {
    if state.told.rotates_before_signing() {
        state.rotate_keys(false);
    }
    let honest = claims(shared, state, client, grant, access_token, nonce);
    let workshop = shared.workshop(&state.keys, client.secret.as_deref());
    let header = |header: Members| state.told.header(header);
    let draft = Draft {
        typ: "JWT",
        honest_payload: honest.to_json().into_bytes(),
        payload: state.told.payload(&honest),
        header: &header,
    };
    let signing = state.told.signing().unwrap_or(Signing::With(shared.settings.alg));
    let compact = draft.sign(&workshop, &signing);
    match state.told.raw_id_token() {
        Some(template) => compact.fill(template),
        None => compact.into_text(),
    }
}

fn claims(
    shared: &Shared,
    state: &State,
    client: &Client,
    grant: &Grant,
    access_token: &str,
    nonce: Option<&str>,
) -> Members {
    let now = shared.clock.now();
    let settings = &shared.settings;
    let several = !settings.more_audiences.is_empty();
    let audience: Value = if several {
        json!([std::slice::from_ref(&client.id), settings.more_audiences.as_slice()].concat())
    } else {
        json!(client.id)
    };
    let mut claims = Members::new()
        .with("iss", shared.issuer.as_str())
        .with("sub", grant.sub.as_str())
        .with("aud", audience)
        .with("exp", now + settings.id_token_life)
        .with("iat", now)
        .with("auth_time", grant.auth_time)
        .with_some("nonce", nonce)
        .with("at_hash", settings.alg.left_half(access_token))
        .with_some("azp", several.then_some(client.id.as_str()))
        .with("sid", grant.sid.as_str());
    if settings.claims_in_id_token
        && let Some(person) = state.person(&grant.sub)
    {
        claims.extend(person.claims(&grant.scope));
    }
    claims
}
