//! A provider as RFC 6749 and RFC 7636 have it: a code is good once, for whoever can show the verifier.

use serde_json::json;
use sha2::{Digest as _, Sha256};
use vestibule::exchange::{HttpFailure, HttpRequest, HttpResponse, Purpose};

use crate::{
    outside::{json_reply, reply},
    readers::{base64url, form, values},
};

/// A code that was given out.
struct Code {
    challenge: String,
    person: usize,
    spent: bool,
}

/// The provider.
#[derive(Default)]
pub(super) struct Provider {
    codes: Vec<Code>,
    /// 0 for none; else: cannot be reached, has an error, answers with garbage.
    pub(super) fault: usize,
    /// How many codes it was shown.
    pub(super) token_requests: usize,
}

impl Provider {
    /// A person signs in for the attempt that this challenge belongs to.
    pub(super) fn signs_in(&mut self, challenge: &str, person: usize) -> String {
        self.codes.push(Code { challenge: challenge.to_owned(), person, spent: false });
        format!("code-{}", self.codes.len() - 1)
    }

    /// A code that was given out before, whatever became of it.
    pub(super) fn earlier_code(&self, number: usize) -> Option<String> {
        (!self.codes.is_empty()).then(|| format!("code-{}", number % self.codes.len()))
    }

    /// Who signs in if this code is shown with the verifier of that attempt.
    pub(super) fn would_accept(&self, code: &str, challenge: &str) -> Option<usize> {
        let number: usize = code.strip_prefix("code-")?.parse().ok()?;
        let code = self.codes.get(number)?;
        (self.fault == 0 && !code.spent && code.challenge == challenge).then_some(code.person)
    }

    pub(super) fn answer(
        &mut self,
        purpose: Purpose,
        request: &HttpRequest,
    ) -> Result<HttpResponse, HttpFailure> {
        match (purpose, self.fault) {
            (Purpose::Token, fault) => {
                self.token_requests += 1;
                let answer = self.token(request);
                match fault {
                    // The answer is lost, not the question: the code is spent all the same.
                    1 => Err(HttpFailure::Broken),
                    2 => Ok(reply(500, b"text/html", "<h1>Oh no</h1>")),
                    _ => Ok(answer),
                }
            }
            (Purpose::Profile, 3) => Ok(json_reply(&json!(["<script>", null]))),
            (Purpose::Profile, _) => {
                let bearer = request.headers()[http::header::AUTHORIZATION].to_str().unwrap_or_default();
                let person = bearer.strip_prefix("Bearer token-").expect("it is one of the tokens given out");
                Ok(json_reply(&json!({"id": person, "login": format!("person-{person}")})))
            }
            (other, _) => panic!("nobody should ask for {other}"),
        }
    }

    fn token(&mut self, request: &HttpRequest) -> HttpResponse {
        let sent = form(request.body());
        let only = |name: &str| match values(&sent, name)[..] {
            [value] => value.to_owned(),
            _ => panic!("{name} stands in a token request once"),
        };
        let challenge = base64url(Sha256::digest(only("code_verifier")));
        let number = only("code").strip_prefix("code-").and_then(|number| number.parse::<usize>().ok());
        let code = number.and_then(|number| self.codes.get_mut(number));
        if let Some(code) = code {
            let was_spent = std::mem::replace(&mut code.spent, true);
            if !was_spent && code.challenge == challenge {
                let token = format!("token-{}", code.person);
                return json_reply(&json!({"access_token": token, "token_type": "bearer"}));
            }
        }
        reply(400, b"application/json", r#"{"error":"invalid_grant"}"#)
    }
}
