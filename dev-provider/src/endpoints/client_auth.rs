//! Who calls the token endpoint (RFC 6749 §2.3).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use url::form_urlencoded;

use super::{error::OAuthError, parameter};
use crate::{Client, journal::Received, shared::State};

/// The client that sent this request, by `client_secret_basic`, `client_secret_post` or, if public, by name.
pub(super) fn client<'a>(state: &'a State, received: &Received) -> Result<&'a Client, OAuthError> {
    let posted_id = parameter(&received.form, "client_id");
    let posted_secret = parameter(&received.form, "client_secret").map(ToOwned::to_owned);
    let (id, secret) = match received.header("authorization") {
        Some(_) if posted_secret.is_some() => {
            return Err(OAuthError::invalid_request("the client authenticates in two ways at once"));
        }
        Some(authorization) => {
            let malformed = OAuthError::invalid_client("the Authorization header is no client_secret_basic");
            let (id, secret) = basic(authorization).ok_or(malformed)?;
            if posted_id.is_some_and(|posted| posted != id) {
                return Err(OAuthError::invalid_request("two client ids contradict each other"));
            }
            (id, Some(secret))
        }
        None => {
            let missing = OAuthError::invalid_client("the client does not say who it is");
            (posted_id.ok_or(missing)?.to_owned(), posted_secret)
        }
    };
    let client = state.client(&id).ok_or(OAuthError::invalid_client("there is no such client"))?;
    match (&client.secret, secret) {
        (None, None) => Ok(client),
        (Some(registered), Some(sent)) if *registered == sent => Ok(client),
        (Some(_), Some(_)) => Err(OAuthError::invalid_client("the client's secret is wrong")),
        (Some(_), None) => Err(OAuthError::invalid_client("the client's secret is missing")),
        (None, Some(_)) => Err(OAuthError::invalid_client("a public client has no secret")),
    }
}

fn basic(authorization: &str) -> Option<(String, String)> {
    let (scheme, credentials) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = credentials.split_once(':')?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}

/// Undoes form encoding, which comes before base64 (RFC 6749 §2.3.1). A client that forgot it is told so by a
/// failure, where a lenient provider would hide the mistake until a secret has a `%` or a `+` in it.
fn form_decoded(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        return None;
    }
    let field = format!("field={text}");
    form_urlencoded::parse(field.as_bytes()).next().map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_is_decoded_twice() {
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let decoded = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(basic(&header("a%3Ab%25c+d%2B%C3%A9:p%40ss%3D")), decoded("a:b%c d+é", "p@ss="));
        assert_eq!(basic(&header("demo:secret")), decoded("demo", "secret"));
        assert_eq!(basic(&header("demo:")), decoded("demo", ""));
        assert_eq!(basic(&header("demo:a=b")), None);
        assert_eq!(basic(&header("demo")), None);
        assert_eq!(basic("Bearer x"), None);
        assert_eq!(basic("Basic"), None);
    }
}
