//! The outside of a site: a provider that answers as it is told, an application that decides, and a browser that is
//! sent away and comes back. Every response that passes through here is held against [`oracle`].

use std::sync::Arc;

use serde_json::{Value, json};
use vestibule::{
    Vestibule,
    exchange::{HttpRequest, HttpResponse, Purpose},
    flow::{Answer, Claim, Decision, Effect, Outcome},
    request::PlainHead,
    response::Response,
    time::Timestamp,
    transcript::{Inputs, Transcript},
};

use crate::{
    oracle,
    readers::{form, query, values},
    site::{ATTEMPTS, NOW, OWN, SESSION},
};

/// The access token that an honest provider gives out.
pub(crate) const ACCESS_TOKEN: &str = "an-access-token";

/// Everything that a run may ask for, and what it has asked for.
pub(crate) struct Outside {
    pub(crate) now: Timestamp,
    /// What is answered before a browser is sent away; only OAuth 1.0a asks.
    pub(crate) begin: HttpResponse,
    pub(crate) token: HttpResponse,
    pub(crate) profile: HttpResponse,
    pub(crate) claim: Claim,
    pub(crate) decision: Option<Decision>,
    /// How often a run asked for an attempt to be taken.
    pub(crate) claims: usize,
    /// What the provider was asked.
    pub(crate) requests: Vec<(Purpose, HttpRequest)>,
    /// How often the application was asked.
    pub(crate) decisions: usize,
    seeds: u64,
}

/// A response with a body of that type.
pub(crate) fn reply(status: u16, media_type: &[u8], body: impl Into<Vec<u8>>) -> HttpResponse {
    let mut response = HttpResponse::new(body.into());
    if let Ok(status) = http::StatusCode::from_u16(status) {
        *response.status_mut() = status;
    }
    if let Ok(media_type) = http::HeaderValue::from_bytes(media_type) {
        response.headers_mut().insert(http::header::CONTENT_TYPE, media_type);
    }
    response
}

pub(crate) fn json_reply(value: &Value) -> HttpResponse {
    reply(200, b"application/json", value.to_string())
}

impl Outside {
    /// A provider that knows Ada, and an application that lets her in.
    pub(crate) fn honest() -> Self {
        Self {
            now: NOW,
            begin: HttpResponse::default(),
            token: json_reply(&json!({"access_token": ACCESS_TOKEN, "token_type": "bearer"})),
            profile: json_reply(&json!({
                "id": "7", "login": "ada", "name": "Ada", "email": "ada@company.example", "verified": true,
            })),
            claim: Claim::First,
            decision: Some(Decision::allow()),
            claims: 0,
            requests: Vec::new(),
            decisions: 0,
            seeds: 0,
        }
    }

    /// Whether nobody outside was asked for anything.
    pub(crate) fn is_untouched(&self) -> bool {
        self.claims == 0 && self.requests.is_empty() && self.decisions == 0
    }

    /// A request and its answer, with all that lies between.
    pub(crate) fn visit(&mut self, site: &Arc<Vestibule>, head: PlainHead, body: &[u8]) -> Outcome {
        self.seeds += 1;
        self.visit_with(site, head, body, self.seeds)
    }

    /// As [`Outside::visit`], with randomness of the caller's choosing.
    pub(crate) fn visit_with(
        &mut self,
        site: &Arc<Vestibule>,
        head: PlainHead,
        body: &[u8],
        number: u64,
    ) -> Outcome {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        let inputs = Inputs { head, body: body.to_vec(), now: self.now, seed };
        let transcript = Transcript::record(site, inputs, |effect| (self.perform(effect), self.now));
        oracle::sound(&transcript.outcome.response);
        transcript.outcome
    }

    fn perform(&mut self, effect: &Effect) -> Answer {
        match effect {
            Effect::Claim { .. } => {
                self.claims += 1;
                Answer::Claim(self.claim)
            }
            Effect::Decide(_) => {
                self.decisions += 1;
                Answer::Decide(self.decision.clone())
            }
            Effect::Http { purpose, request, .. } => {
                self.requests.push((*purpose, request.clone()));
                let reply = match purpose {
                    Purpose::Begin => &self.begin,
                    Purpose::Token => &self.token,
                    _ => &self.profile,
                };
                Answer::Http(Ok(reply.clone()))
            }
            other => panic!("no provider of these sites asks for that: {other:?}"),
        }
    }
}

/// A sign-in that a browser has begun.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    pub(crate) state: String,
    pub(crate) challenge: String,
    pub(crate) cookie_name: String,
    pub(crate) cookie_value: String,
    /// Where it leads, as an absolute address.
    pub(crate) lands: String,
}

impl Begun {
    /// Begins a sign-in that is to lead to `target`, and looks at what the provider is asked.
    pub(crate) fn new(site: &Arc<Vestibule>, target: &str, seed: u64) -> Self {
        let mut outside = Outside::honest();
        let rd: String = url::form_urlencoded::byte_serialize(target.as_bytes()).collect();
        let path = site.paths().of(vestibule::paths::Endpoint::SignIn);
        let head = PlainHead::navigation(&format!("{path}?switch=1&rd={rd}"));
        let response = outside.visit_with(site, head, b"", seed).response;
        let lands = if target.starts_with('/') { format!("{OWN}{target}") } else { target.to_owned() };
        Self::of(&response, lands).expect("a navigation to sign_in begins a sign-in")
    }

    /// What a response begins, if it begins anything.
    pub(crate) fn of(response: &Response, lands: String) -> Option<Self> {
        let asked = form(query(response.get("location")?).as_bytes());
        let only = |name: &str| match values(&asked, name)[..] {
            [value] => Some(value.to_owned()),
            _ => None,
        };
        let (cookie_name, cookie_value) = cookies_set(response)
            .into_iter()
            .find(|(name, value)| name.starts_with(ATTEMPTS) && !value.is_empty())?;
        let (state, challenge) = (only("state")?, only("code_challenge")?);
        Some(Self { state, challenge, cookie_name, cookie_value, lands })
    }

    pub(crate) fn cookie(&self) -> String {
        format!("{}={}", self.cookie_name, self.cookie_value)
    }
}

/// Name and value of each cookie that a response sets; the value is empty where it takes the cookie away.
pub(crate) fn cookies_set(response: &Response) -> Vec<(String, String)> {
    let pair = |line: &str| {
        let (name, value) = line.split(';').next()?.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    };
    response.set_cookies().filter_map(pair).collect()
}

/// The session that a response hands out, if it does.
pub(crate) fn session_set(response: &Response) -> Option<String> {
    cookies_set(response)
        .into_iter()
        .find(|(name, value)| name == SESSION && !value.is_empty())
        .map(|(_, value)| value)
}

/// The sealed session cookie of somebody who signed in a moment ago.
pub(crate) fn session(site: &Arc<Vestibule>) -> String {
    let begun = Begun::new(site, "/", 1);
    let head = PlainHead::navigation(&format!("/oauth2/callback?code=c&state={}", begun.state))
        .with("cookie", begun.cookie());
    let response = Outside::honest().visit_with(site, head, b"", 2).response;
    session_set(&response).expect("an honest sign-in ends in a session")
}
