//! Token replies as providers really send them, brought into the one form that RFC 6749 §5.1 describes.

use serde_json::{Map, Value};

use crate::{
    exchange::{HttpResponse, Purpose},
    json,
    oauth2::Dialect,
    provider::{OAuthError, ProviderError},
};

/// Reads a reply of a token endpoint into a JSON object that holds an access token.
///
/// An `error` counts with any status but those that say "not now": GitHub reports errors with status 200 (RFC 6749 §5.2 asks for 400).
/// Form-encoded replies, `expires_in` as text, and scopes as a list or separated by commas are understood.
///
/// # Errors
/// The provider refused, is not available, or its reply holds no usable access token.
pub fn normalise(purpose: Purpose, response: &HttpResponse) -> Result<Map<String, Value>, ProviderError> {
    normalise_from(&Dialect::default(), purpose, response)
}

/// As [`normalise`], from a provider of which more is known.
pub(crate) fn normalise_from(
    dialect: &Dialect,
    purpose: Purpose,
    response: &HttpResponse,
) -> Result<Map<String, Value>, ProviderError> {
    let status = response.status().as_u16();
    if matches!(status, 429 | 500..=599) {
        return Err(ProviderError::Unavailable { purpose, status });
    }
    let members = members(response);
    if let Some(error) = members.as_ref().and_then(|members| members.get("error")) {
        let meaning = error.as_str().map_or(OAuthError::Other, |error| dialect.error(purpose, error));
        return Err(ProviderError::Refused(meaning));
    }
    match status {
        200 => {}
        300..=399 => return Err(broken(purpose, "it redirects, and redirects are not followed")),
        400..=499 => return Err(ProviderError::Refused(OAuthError::Other)),
        _ => return Err(broken(purpose, "its status is not 200")),
    }
    let mut members = members.ok_or(broken(purpose, "it is neither a JSON object nor a form"))?;
    if dialect.token_type_may_be_missing {
        members.entry("token_type").or_insert_with(|| "bearer".into());
    }
    for required in ["access_token", "token_type"] {
        if members.get(required).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(broken(purpose, "it lacks access_token or token_type"));
        }
    }
    // A token of another type must not be used (RFC 6749 §7.1).
    if !members["token_type"].as_str().is_some_and(|name| name.eq_ignore_ascii_case("bearer")) {
        return Err(broken(purpose, "its token_type is not Bearer"));
    }
    let token = members["access_token"].as_str().unwrap_or_default();
    if !token.bytes().all(|byte| (0x21..0x7f).contains(&byte)) {
        return Err(broken(purpose, "its access_token cannot stand in a header"));
    }
    expires_in(purpose, &mut members)?;
    scope(&mut members);
    Ok(members)
}

fn broken(purpose: Purpose, fault: &'static str) -> ProviderError {
    ProviderError::Broken { purpose, fault }
}

fn members(response: &HttpResponse) -> Option<Map<String, Value>> {
    let media_type = response.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if media_type.is_some_and(|media_type| media_type.starts_with("application/x-www-form-urlencoded")) {
        let mut members = Map::new();
        for (name, value) in url::form_urlencoded::parse(response.body()) {
            // Of two members of one name, two readers would take different ones, as in JSON.
            if members.insert(name.into_owned(), Value::String(value.into_owned())).is_some() {
                return None;
            }
        }
        return Some(members);
    }
    json::parse(response.body()).ok()
}

/// A number of seconds, or a number as text; anything else that is there is an error, never "no limit".
fn expires_in(purpose: Purpose, members: &mut Map<String, Value>) -> Result<(), ProviderError> {
    let seconds = match members.get("expires_in") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.parse::<u64>().ok()),
        Some(value) => Some(value.as_u64()),
    };
    match seconds {
        None => members.remove("expires_in"),
        Some(Some(seconds)) => members.insert("expires_in".into(), Value::from(seconds.min(u32::MAX.into()))),
        Some(None) => return Err(broken(purpose, "its expires_in is not a number of seconds")),
    };
    Ok(())
}

fn scope(members: &mut Map<String, Value>) {
    let scopes: Vec<String> = match members.remove("scope") {
        Some(Value::String(text)) => split(&text),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).flat_map(split).collect(),
        _ => return,
    };
    if !scopes.is_empty() {
        members.insert("scope".into(), Value::String(scopes.join(" ")));
    }
}

fn split(scopes: &str) -> Vec<String> {
    scopes.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, media_type: &str, body: &str) -> Result<Map<String, Value>, ProviderError> {
        let response = http::Response::builder().status(status).header("content-type", media_type);
        normalise(Purpose::Token, &response.body(body.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn an_error_with_status_200_is_an_error() {
        let reply = read(200, "application/json", r#"{"error":"bad_verification_code","access_token":"t"}"#);
        assert_eq!(reply, Err(ProviderError::Refused(OAuthError::InvalidGrant)));
        let reply = read(200, "application/x-www-form-urlencoded", "error=incorrect_client_credentials");
        assert_eq!(reply, Err(ProviderError::Refused(OAuthError::InvalidClient)));
    }

    #[test]
    fn dialects_come_out_in_one_form() {
        let json = read(
            200,
            "application/json; charset=utf-8",
            r#"{"access_token":"t","token_type":"bEaReR","expires_in":"3600","scope":"repo,gist"}"#,
        )
        .unwrap();
        assert_eq!((json["expires_in"].as_u64(), json["scope"].as_str()), (Some(3600), Some("repo gist")));
        let form = read(200, "application/x-www-form-urlencoded", "access_token=t&token_type=bearer&scope=")
            .unwrap();
        assert_eq!((form["access_token"].as_str(), form.get("scope")), (Some("t"), None));
        let list =
            read(200, "application/json", r#"{"access_token":"t","token_type":"bearer","scope":["a","b"]}"#)
                .unwrap();
        assert_eq!(list["scope"], "a b");
    }

    #[test]
    fn two_members_of_one_name_are_refused_in_a_form_too() {
        let reply =
            read(200, "application/x-www-form-urlencoded", "access_token=a&access_token=b&token_type=bearer");
        assert!(matches!(reply, Err(ProviderError::Broken { .. })), "{reply:?}");
    }

    #[test]
    fn what_is_not_a_bearer_token_is_refused() {
        for body in [
            r#"{"access_token":"t","token_type":"mac"}"#,
            r#"{"access_token":"t","token_type":1}"#,
            r#"{"access_token":"t"}"#,
            r#"{"access_token":"","token_type":"bearer"}"#,
            r#"{"access_token":"a\nb","token_type":"bearer"}"#,
            r#"{"access_token":"t","token_type":"bearer","expires_in":-1}"#,
            r#"{"access_token":"t","token_type":"bearer","expires_in":1.5}"#,
            "[]",
            "<html>",
        ] {
            let reply = read(200, "application/json", body);
            assert!(matches!(reply, Err(ProviderError::Broken { .. })), "{body}: {reply:?}");
        }
    }

    #[test]
    fn a_status_says_whether_trying_later_helps() {
        assert_eq!(
            read(503, "text/html", "x"),
            Err(ProviderError::Unavailable { purpose: Purpose::Token, status: 503 })
        );
        let outage = read(503, "application/json", r#"{"error":"server_error"}"#);
        assert_eq!(outage, Err(ProviderError::Unavailable { purpose: Purpose::Token, status: 503 }));
        assert_eq!(read(401, "text/html", "x"), Err(ProviderError::Refused(OAuthError::Other)));
        assert!(matches!(read(302, "text/html", ""), Err(ProviderError::Broken { .. })));
    }
}
