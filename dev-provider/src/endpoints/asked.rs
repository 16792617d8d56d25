//! Reads an authorization request, and decides where its errors may go.

use super::{doubled, parameter};
use crate::{Client, shared::State};

/// An authorization request that may be answered.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) client: Client,
    pub(super) back: Back,
    pub(super) scope: String,
    pub(super) nonce: Option<String>,
    pub(super) code_challenge: String,
    pub(super) prompts: Vec<String>,
    pub(super) login_hint: Option<String>,
    pub(super) max_age: Option<i64>,
}

/// Where the answer goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Back {
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) form_post: bool,
}

/// Why a request is not answered with a code.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Nobody knows where an answer could go, so the person is told.
    Page(&'static str),
    /// The client is told.
    Error(Back, &'static str, &'static str),
}

impl Asked {
    pub(super) fn read(state: &State, parameters: &[(String, String)]) -> Result<Self, Refused> {
        // client_id and redirect_uri first: until they fit, an error must not be sent anywhere (RFC 6749 §4.1.2.1).
        if matches!(doubled(parameters), Some("client_id" | "redirect_uri")) {
            return Err(Refused::Page("The request names its client or its redirect URI twice."));
        }
        let Some(client) = parameter(parameters, "client_id").and_then(|id| state.client(id)) else {
            return Err(Refused::Page("No client with this client_id is registered here."));
        };
        let redirect_uri = parameter(parameters, "redirect_uri").unwrap_or_default();
        if !client.redirect_uris.iter().any(|registered| registered == redirect_uri) {
            return Err(Refused::Page(
                "This redirect_uri is not registered for the client. It must fit exactly.",
            ));
        }
        let back = Back {
            redirect_uri: redirect_uri.to_owned(),
            state: parameter(parameters, "state").map(ToOwned::to_owned),
            form_post: parameter(parameters, "response_mode") == Some("form_post"),
        };
        check(parameters).map_err(|(error, description)| Refused::Error(back.clone(), error, description))?;
        let text = |name: &str| parameter(parameters, name).map(ToOwned::to_owned);
        Ok(Self {
            client: client.clone(),
            back,
            scope: text("scope").unwrap_or_default(),
            nonce: text("nonce"),
            code_challenge: text("code_challenge").unwrap_or_default(),
            prompts: text("prompt").unwrap_or_default().split(' ').map(ToOwned::to_owned).collect(),
            login_hint: text("login_hint"),
            max_age: parameter(parameters, "max_age").and_then(|age| age.parse().ok()),
        })
    }

    pub(super) fn has_prompt(&self, prompt: &str) -> bool {
        self.prompts.iter().any(|asked| asked == prompt)
    }
}

fn check(parameters: &[(String, String)]) -> Result<(), (&'static str, &'static str)> {
    let invalid = |description| Err(("invalid_request", description));
    if doubled(parameters).is_some() {
        return invalid("a parameter is there twice");
    }
    if parameter(parameters, "request").is_some() {
        return Err(("request_not_supported", "request objects are not supported"));
    }
    if parameter(parameters, "request_uri").is_some() {
        return Err(("request_uri_not_supported", "request objects are not supported"));
    }
    match parameter(parameters, "response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "response_type must be code")),
        None => return invalid("response_type is missing"),
    }
    if !matches!(parameter(parameters, "response_mode"), None | Some("query" | "form_post")) {
        return invalid("response_mode must be query or form_post");
    }
    match parameter(parameters, "code_challenge") {
        // SHA-256 in base64url without padding.
        Some(challenge) if challenge.len() == 43 && challenge.bytes().all(is_base64url) => {}
        Some(_) => return invalid("code_challenge is not a SHA-256 hash in base64url"),
        None => return invalid("code_challenge is missing; PKCE is required"),
    }
    if parameter(parameters, "code_challenge_method") != Some("S256") {
        return invalid("transform algorithm not supported; code_challenge_method must be S256");
    }
    let prompts: Vec<&str> = parameter(parameters, "prompt").unwrap_or_default().split(' ').collect();
    if prompts.contains(&"none") && prompts.len() > 1 {
        return invalid("prompt none excludes every other");
    }
    if parameter(parameters, "max_age").is_some_and(|age| !age.parse::<i64>().is_ok_and(|age| age >= 0)) {
        return invalid("max_age is not a number of seconds");
    }
    Ok(())
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}
