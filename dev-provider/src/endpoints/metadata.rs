//! The discovery document (OpenID Connect Discovery §3).

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::json;

use crate::{
    json::Members,
    lie::{Endpoint, Object},
    shared::Shared,
};

pub(super) async fn metadata(State(shared): State<Arc<Shared>>) -> Response {
    let mut document = honest(&shared);
    shared.state().told.edit(Object::Metadata, &mut document);
    let mut response = super::json(StatusCode::OK, document.to_json());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

fn honest(shared: &Shared) -> Members {
    let url = |endpoint: Endpoint| shared.url(endpoint.path());
    Members::new()
        .with("issuer", shared.issuer.as_str())
        .with("authorization_endpoint", url(Endpoint::Authorize))
        .with("token_endpoint", url(Endpoint::Token))
        .with("userinfo_endpoint", url(Endpoint::Userinfo))
        .with("jwks_uri", url(Endpoint::Keys))
        .with("end_session_endpoint", url(Endpoint::EndSession))
        .with("backchannel_logout_supported", true)
        .with("backchannel_logout_session_supported", true)
        .with("frontchannel_logout_supported", true)
        .with("frontchannel_logout_session_supported", true)
        .with("scopes_supported", json!(["openid", "profile", "email", "groups", "offline_access"]))
        .with("response_types_supported", json!(["code"]))
        .with("response_modes_supported", json!(["query", "form_post"]))
        .with("grant_types_supported", json!(["authorization_code", "refresh_token"]))
        .with("subject_types_supported", json!(["public"]))
        .with("id_token_signing_alg_values_supported", json!([shared.settings.alg.name()]))
        .with(
            "token_endpoint_auth_methods_supported",
            json!(["client_secret_basic", "client_secret_post", "none"]),
        )
        .with("code_challenge_methods_supported", json!(["S256"]))
        .with("prompt_values_supported", json!(["none", "login", "consent", "select_account"]))
        .with(
            "claims_supported",
            json!([
                "iss",
                "sub",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "nonce",
                "at_hash",
                "azp",
                "sid",
                "name",
                "preferred_username",
                "email",
                "email_verified",
                "groups"
            ]),
        )
        .with("claims_parameter_supported", false)
        .with("request_parameter_supported", false)
        .with("request_uri_parameter_supported", false)
        .with("authorization_response_iss_parameter_supported", true)
}
