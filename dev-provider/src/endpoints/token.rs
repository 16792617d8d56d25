//! `/token`: codes and refresh tokens become tokens.

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};

use super::{Arrived, client_auth, doubled, error::OAuthError, id_token, parameter};
use crate::{
    Client,
    grants::Grant,
    jose::base64url,
    journal::{Received, Secret},
    json::Members,
    lie::Object,
    shared::{Shared, State as Current},
};

pub(super) async fn token(State(shared): State<Arc<Shared>>, Extension(received): Arrived) -> Response {
    match exchange(&shared, &mut shared.state(), &received) {
        Ok(answer) => super::json(StatusCode::OK, answer.to_json()),
        Err(error) => error.into_response(),
    }
}

fn exchange(shared: &Shared, state: &mut Current, received: &Received) -> Result<Members, OAuthError> {
    if received.form.is_empty() {
        return Err(OAuthError::invalid_request("the body is not application/x-www-form-urlencoded"));
    }
    if doubled(&received.form).is_some() {
        return Err(OAuthError::invalid_request("a parameter is there twice"));
    }
    let client = client_auth::client(state, received)?.clone();
    let mut answer = match parameter(&received.form, "grant_type") {
        Some("authorization_code") => {
            let grant = redeem_code(shared, state, &client, received)?;
            tokens(shared, state, &client, &grant, grant.nonce.as_deref())
        }
        Some("refresh_token") => {
            let grant = redeem_refresh_token(shared, state, &client, received)?;
            // A refreshed ID token has no nonce of its own (OpenID Connect Core §12.2).
            tokens(shared, state, &client, &grant, None)
        }
        Some(_) => return Err(OAuthError::new("unsupported_grant_type", "neither code nor refresh token")),
        None => return Err(OAuthError::invalid_request("grant_type is missing")),
    };
    state.told.edit(Object::TokenAnswer, &mut answer);
    Ok(answer)
}

fn redeem_code(
    shared: &Shared,
    state: &mut Current,
    client: &Client,
    received: &Received,
) -> Result<Arc<Grant>, OAuthError> {
    let missing = OAuthError::invalid_request("code is missing");
    let code = parameter(&received.form, "code").ok_or(missing)?;
    let unknown = OAuthError::invalid_grant("the code is unknown, used, expired or another client's");
    let grant = state.grants.redeem_code(code, &client.id, shared.clock.now()).ok_or(unknown)?;
    if parameter(&received.form, "redirect_uri") != Some(&grant.redirect_uri) {
        return Err(OAuthError::invalid_grant("redirect_uri is not the one that the code was sent to"));
    }
    let verifier = parameter(&received.form, "code_verifier").unwrap_or_default();
    // RFC 7636 §4.1 gives the length, §4.6 the comparison.
    let hash = base64url(digest::digest(&digest::SHA256, verifier.as_bytes()));
    if !(43..=128).contains(&verifier.len()) || hash != grant.code_challenge {
        return Err(OAuthError::invalid_grant("code_verifier does not fit the code_challenge"));
    }
    Ok(grant)
}

fn redeem_refresh_token(
    shared: &Shared,
    state: &mut Current,
    client: &Client,
    received: &Received,
) -> Result<Arc<Grant>, OAuthError> {
    let missing = OAuthError::invalid_request("refresh_token is missing");
    let token = parameter(&received.form, "refresh_token").ok_or(missing)?;
    let unknown =
        OAuthError::invalid_grant("the refresh token is unknown, used, revoked or another client's");
    let grant = state.grants.redeem_refresh_token(token, &client.id, shared.clock.now()).ok_or(unknown)?;
    if state.person(&grant.sub).is_none() {
        return Err(OAuthError::invalid_grant("the person is gone"));
    }
    Ok(grant)
}

/// New tokens for a grant; with a refresh token if it has a right to one, which replaces the one used up.
fn tokens(
    shared: &Shared,
    state: &mut Current,
    client: &Client,
    grant: &Arc<Grant>,
    nonce: Option<&str>,
) -> Members {
    let life = shared.settings.access_token_life;
    let access_token = state.grants.issue_access_token(grant, shared.clock.now() + life);
    state.journal.issue(Secret::AccessToken, &access_token);
    let mut answer = Members::new()
        .with("access_token", access_token.as_str())
        .with("token_type", "Bearer")
        .with("expires_in", life)
        .with("scope", grant.scope.as_str());
    if grant.asked("offline_access") || shared.settings.always_refresh_token {
        let refresh_token = state.grants.issue_refresh_token(grant);
        state.journal.issue(Secret::RefreshToken, &refresh_token);
        answer = answer.with("refresh_token", refresh_token);
    }
    if grant.asked("openid") {
        let id_token = id_token::issue(shared, state, client, grant, &access_token, nonce);
        state.journal.issue(Secret::IdToken, &id_token);
        answer = answer.with("id_token", id_token);
    }
    answer
}
