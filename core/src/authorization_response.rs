//! What a browser brought back from a provider: parsed and bounded, not yet believed.

use crate::{
    limits::{CALLBACK_PARAMETERS_MAX, CODE_BYTES_MAX, REQUEST_TOKEN_BYTES_MAX, STATE_BYTES_MAX},
    provider::OAuthError,
    refusal::Refusal,
    secret::{AuthorizationCode, RequestToken, State},
};

/// An authorization response of OAuth 2 (RFC 6749 §4.1.2), or a callback of OAuth 1.0a (RFC 5849 §2.2).
#[derive(Debug)]
pub(crate) struct AuthorizationResponse {
    pub(crate) reference: Reference,
    pub(crate) answer: Answer,
    /// `iss` (RFC 9207). An empty one is there, and wrong.
    pub(crate) issuer: Option<String>,
}

/// By what a callback says which attempt it answers. That of one protocol is never that of the other, whatever the
/// texts are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// `state` of OAuth 2.
    State(State),
    /// `oauth_token` of OAuth 1.0a.
    RequestToken(RequestToken),
}

/// What the provider says came of it.
#[derive(Debug)]
pub(crate) enum Answer {
    Code(AuthorizationCode),
    Error(OAuthError),
}

/// The parameters of both protocols, as far as they came.
#[derive(Default)]
struct Parameters {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    token: Option<String>,
    verifier: Option<String>,
    denied: Option<String>,
    issuer: Option<String>,
}

impl AuthorizationResponse {
    /// Reads a query or a form body. Unknown parameters are passed over (RFC 6749 §4.1.2).
    ///
    /// # Errors
    /// A parameter of a protocol is missing, doubled, empty or too large, there is both an answer and an error, or there
    /// are parameters of both protocols.
    pub(crate) fn parse(form: &[u8]) -> Result<Self, Refusal> {
        let Parameters { state, code, error, token, verifier, denied, issuer } = Parameters::read(form)?;
        let (reference, answer) = match (state, code, error, token, verifier, denied) {
            (Some(state), Some(code), None, None, None, None) => (known_by_state(state)?, answered(code)?),
            (Some(state), None, Some(error), None, None, None) => {
                (known_by_state(state)?, Answer::Error(OAuthError::parse(&error)))
            }
            (None, None, None, Some(token), Some(verifier), None) => {
                (known_by_token(token)?, answered(verifier)?)
            }
            // X says so when somebody cancels; RFC 5849 leaves it open.
            (None, None, None, None, None, Some(token)) => {
                (known_by_token(token)?, Answer::Error(OAuthError::AccessDenied))
            }
            _ => return Err(Refusal::CallbackMalformed),
        };
        Ok(Self { reference, answer, issuer })
    }
}

impl Parameters {
    fn read(form: &[u8]) -> Result<Self, Refusal> {
        let mut parameters = Self::default();
        for (number, (name, value)) in url::form_urlencoded::parse(form).enumerate() {
            let Some(slot) = parameters.slot(&name) else {
                if number >= CALLBACK_PARAMETERS_MAX {
                    return Err(Refusal::CallbackMalformed);
                }
                continue;
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(Refusal::CallbackMalformed);
            }
        }
        Ok(parameters)
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "state" => &mut self.state,
            "code" => &mut self.code,
            "error" => &mut self.error,
            "oauth_token" => &mut self.token,
            "oauth_verifier" => &mut self.verifier,
            "denied" => &mut self.denied,
            "iss" => &mut self.issuer,
            _ => return None,
        })
    }
}

fn known_by_state(state: String) -> Result<Reference, Refusal> {
    bounded(state, STATE_BYTES_MAX).map(|state| Reference::State(State::new(state)))
}

fn known_by_token(token: String) -> Result<Reference, Refusal> {
    bounded(token, REQUEST_TOKEN_BYTES_MAX).map(|token| Reference::RequestToken(RequestToken::new(token)))
}

fn answered(code: String) -> Result<Answer, Refusal> {
    bounded(code, CODE_BYTES_MAX).map(|code| Answer::Code(AuthorizationCode::new(code)))
}

fn bounded(value: String, bytes_max: usize) -> Result<String, Refusal> {
    Some(value).filter(|value| (1..=bytes_max).contains(&value.len())).ok_or(Refusal::CallbackMalformed)
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
            "oauth_token=t",
            "oauth_verifier=v",
            "oauth_token=&oauth_verifier=v",
            "oauth_token=t&oauth_verifier=",
            "oauth_token=t&oauth_verifier=v&denied=t",
            "oauth_token=t&denied=t",
            "denied=",
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
            "oauth_token=t&oauth_token=t&oauth_verifier=v",
            "oauth_token=t&oauth_verifier=v&oauth_verifier=v",
            "denied=t&%64enied=t",
        ] {
            assert_eq!(parse(query).err(), Some(Refusal::CallbackMalformed), "{query}");
        }
    }

    #[test]
    fn se_16_an_answer_speaks_one_protocol() {
        for query in [
            "code=a&state=s&oauth_token=t",
            "code=a&state=s&oauth_verifier=v",
            "code=a&state=s&denied=t",
            "error=a&state=s&denied=t",
            "oauth_token=t&oauth_verifier=v&state=s",
            "oauth_token=t&oauth_verifier=v&code=a",
            "oauth_token=t&oauth_verifier=v&error=access_denied",
            "denied=t&state=s",
            "oauth_token=t&code=a",
            "state=s&oauth_verifier=v",
        ] {
            assert_eq!(parse(query).err(), Some(Refusal::CallbackMalformed), "{query}");
        }
    }

    #[test]
    fn a_verifier_is_the_code_of_oauth_1_and_a_cancelled_sign_in_is_denied() {
        let callback = parse("oauth_token=t%2F%2B&oauth_verifier=v&iss=https%3A%2F%2Fop&extra=1").unwrap();
        assert_eq!(callback.reference, Reference::RequestToken(RequestToken::new("t/+")));
        assert!(matches!(callback.answer, Answer::Code(code) if code.expose() == "v"));
        assert_eq!(callback.issuer.as_deref(), Some("https://op"));
        let denied = parse("denied=t").unwrap();
        assert_eq!(denied.reference, Reference::RequestToken(RequestToken::new("t")));
        assert!(matches!(denied.answer, Answer::Error(OAuthError::AccessDenied)));
        assert_ne!(denied.reference, Reference::State(State::new("t")), "one text, two protocols");
        let long = |bytes: usize| "x".repeat(bytes);
        for query in [
            format!("denied={}", long(REQUEST_TOKEN_BYTES_MAX + 1)),
            format!("oauth_token={}&oauth_verifier=v", long(REQUEST_TOKEN_BYTES_MAX + 1)),
            format!("oauth_token=t&oauth_verifier={}", long(CODE_BYTES_MAX + 1)),
        ] {
            assert_eq!(parse(&query).err(), Some(Refusal::CallbackMalformed));
        }
        assert!(parse(&format!("denied={}", long(REQUEST_TOKEN_BYTES_MAX))).is_ok());
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
