//! OAuth errors as JSON (RFC 6749 §5.2).

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::json;
use crate::json::Members;

/// An error of the token endpoint.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OAuthError {
    pub(super) error: &'static str,
    pub(super) description: &'static str,
}

impl OAuthError {
    pub(super) fn new(error: &'static str, description: &'static str) -> Self {
        Self { error, description }
    }

    pub(super) fn invalid_grant(description: &'static str) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(super) fn invalid_request(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }

    pub(super) fn invalid_client(description: &'static str) -> Self {
        Self::new("invalid_client", description)
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let unknown_client = self.error == "invalid_client";
        let status = if unknown_client { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        let body = Members::new().with("error", self.error).with("error_description", self.description);
        let mut response = json(status, body.to_json());
        if unknown_client {
            let challenge = HeaderValue::from_static("Basic realm=\"token\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
