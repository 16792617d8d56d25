//! What a browser brought back from a provider: parsed and bounded, not yet believed.

use crate::{
    limits::{CALLBACK_PARAMETERS_MAX, CODE_BYTES_MAX, STATE_BYTES_MAX},
    provider::OAuthError,
    refusal::Refusal,
    secret::{AuthorizationCode, State},
};

/// An authorization response (RFC 6749 §4.1.2).
#[derive(Debug)]
pub(crate) struct AuthorizationResponse {
    pub(crate) state: State,
    pub(crate) answer: Answer,
    /// `iss` (RFC 9207). An empty one is there, and wrong.
    pub(crate) issuer: Option<String>,
}

/// What the provider says came of it.
#[derive(Debug)]
pub(crate) enum Answer {
    Code(AuthorizationCode),
    Error(OAuthError),
}

impl AuthorizationResponse {
    /// Reads a query or a form body. Unknown parameters are passed over (RFC 6749 §4.1.2).
    ///
    /// # Errors
    /// A parameter of the protocol is missing, doubled, empty or too large, or there is both a code and an error.
    pub(crate) fn parse(form: &[u8]) -> Result<Self, Refusal> {
        let mut known: [(&str, Option<String>); 4] =
            [("state", None), ("code", None), ("error", None), ("iss", None)];
        for (number, (name, value)) in url::form_urlencoded::parse(form).enumerate() {
            let Some((_, slot)) = known.iter_mut().find(|(known, _)| *known == name) else {
                if number >= CALLBACK_PARAMETERS_MAX {
                    return Err(Refusal::CallbackMalformed);
                }
                continue;
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(Refusal::CallbackMalformed);
            }
        }
        let [(_, state), (_, code), (_, error), (_, issuer)] = known;
        let state = bounded(state, STATE_BYTES_MAX).ok_or(Refusal::CallbackMalformed)?;
        let answer = match (code, error) {
            (Some(code), None) => {
                let code = bounded(Some(code), CODE_BYTES_MAX).ok_or(Refusal::CallbackMalformed)?;
                Answer::Code(AuthorizationCode::new(code))
            }
            (None, Some(error)) => Answer::Error(OAuthError::parse(&error)),
            _ => return Err(Refusal::CallbackMalformed),
        };
        Ok(Self { state: State::new(state), answer, issuer })
    }
}

fn bounded(value: Option<String>, bytes_max: usize) -> Option<String> {
    value.filter(|value| !value.is_empty() && value.len() <= bytes_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<AuthorizationResponse, Refusal> {
        AuthorizationResponse::parse(query.as_bytes())
    }

    #[test]
    fn se_16_code_and_error_exclude_each_other_and_nothing_may_be_empty() {
        for query in [
            "",
            "code=a",
            "state=s",
            "code=&state=s",
            "code=a&state=",
            "code=a&error=access_denied&state=s",
            "state=s&session_state=x",
        ] {
            assert_eq!(parse(query).err(), Some(Refusal::CallbackMalformed), "{query}");
        }
    }

    #[test]
    fn se_17_a_doubled_parameter_is_refused() {
        for query in [
            "code=a&code=a&state=s",
            "code=a&state=s&state=s",
            "code=a&state=s&iss=x&iss=x",
            "error=a&error=a&state=s",
            "c%6fde=a&code=b&state=s",
        ] {
            assert_eq!(parse(query).err(), Some(Refusal::CallbackMalformed), "{query}");
        }
    }

    #[test]
    fn a_code_survives_byte_for_byte() {
        let code = "%2B/=+~".repeat(280);
        let encoded: String = url::form_urlencoded::byte_serialize(code.as_bytes()).collect();
        let callback = parse(&format!("code={encoded}&state=s&extra=1")).unwrap();
        assert!(matches!(callback.answer, Answer::Code(parsed) if parsed.expose() == code));
        assert!(parse(&format!("code={}&state=s", "x".repeat(CODE_BYTES_MAX + 1))).is_err());
        assert!(parse(&format!("code=x&state={}", "s".repeat(STATE_BYTES_MAX + 1))).is_err());
    }

    #[test]
    fn an_error_is_known_by_name_or_other() {
        let error = |query| match parse(query).unwrap().answer {
            Answer::Error(error) => error,
            Answer::Code(_) => unreachable!("the query has no code"),
        };
        assert_eq!(
            error("error=access_denied&state=s&error_description=%3Cscript%3E"),
            OAuthError::AccessDenied
        );
        assert_eq!(error("error=%3Cscript%3E&state=s"), OAuthError::Other);
        assert_eq!(error("error=&state=s"), OAuthError::Other);
    }
}
