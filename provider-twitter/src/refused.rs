//! What X means by an error of its older interface.

use serde::Deserialize;
use vestibule::{
    exchange::{HttpResponse, Purpose},
    json,
    provider::{OAuthError, ProviderError},
};

/// The body of an error. Not all are of this shape.
#[derive(Deserialize)]
struct Errors {
    errors: Vec<Numbered>,
}

#[derive(Deserialize)]
struct Numbered {
    code: u32,
}

/// Whether the app may not ask this, whoever the token is from: its access level ends before (453), or nobody's app may
/// (87).
pub(crate) fn to_the_app(response: &HttpResponse) -> bool {
    response.status() == http::StatusCode::FORBIDDEN && matches!(number(response), Some(453 | 87))
}

/// Why a request was refused, by the number that X gives, or by what was asked for.
pub(crate) fn by(purpose: Purpose, response: &HttpResponse) -> ProviderError {
    let error = match (number(response), purpose) {
        (Some(135), _) => {
            let remedy = "set this machine's clock: X does not accept the time of its requests";
            return ProviderError::Misconfigured { field: "clock", remedy };
        }
        (Some(415), _) => OAuthError::RedirectUriMismatch,
        (Some(89), _) => OAuthError::InvalidGrant,
        _ if response.status() != http::StatusCode::UNAUTHORIZED => OAuthError::Other,
        // A verifier that is spent has no number.
        (None, Purpose::Token) => OAuthError::InvalidGrant,
        // Whatever else is not accepted, the app or its signature is it: only a number would say that a token has ended.
        _ => OAuthError::InvalidClient,
    };
    ProviderError::Refused(error)
}

fn number(response: &HttpResponse) -> Option<u32> {
    let errors = json::parse::<Errors>(response.body()).ok()?;
    errors.errors.first().map(|error| error.code)
}
