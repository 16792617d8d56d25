//! A provider that rotates refresh tokens, and takes everything back when it sees one twice.

use std::collections::{BTreeMap, BTreeSet};

use vestibule::exchange::{HttpRequest, HttpResponse};

#[derive(Default)]
pub(crate) struct Issuer {
    minted: u32,
    access: BTreeMap<String, String>,
    good: BTreeMap<String, String>,
    spent: BTreeSet<String>,
    codes: BTreeSet<String>,
    /// Whose grants are over.
    pub(crate) over: BTreeSet<String>,
    /// What it has seen that nobody may do.
    pub(crate) outrage: Option<&'static str>,
}

impl Issuer {
    /// Answers; a code is `person.number`.
    pub(crate) fn answer(&mut self, request: &HttpRequest) -> HttpResponse {
        let form: BTreeMap<String, String> =
            url::form_urlencoded::parse(request.body()).into_owned().collect();
        let (status, body) = match (request.uri().path(), form.get("refresh_token"), form.get("code")) {
            ("/token", Some(token), _) => {
                if !self.spent.insert(token.clone()) {
                    self.outrage = Some("a refresh token was used twice");
                }
                match self.good.remove(token).filter(|person| !self.over.contains(person)) {
                    Some(person) => self.mint(person),
                    None => (400, r#"{"error":"invalid_grant"}"#.to_owned()),
                }
            }
            ("/token", None, Some(code)) => {
                if !self.codes.insert(code.clone()) {
                    self.outrage = Some("an attempt was answered twice");
                }
                let person = code.split('.').next().unwrap_or_default().to_owned();
                self.over.remove(&person);
                self.mint(person)
            }
            ("/user", ..) => {
                let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
                let token = header.and_then(|value| value.strip_prefix("Bearer "));
                let person = token.and_then(|token| self.access.get(token)).cloned().unwrap_or_default();
                (200, serde_json::json!({ "login": person }).to_string())
            }
            ("/revoke", ..) => (200, String::new()),
            _ => (404, String::new()),
        };
        respond(status, body)
    }

    fn mint(&mut self, person: String) -> (u16, String) {
        self.minted += 1;
        let (access, refresh) = (format!("access-{}", self.minted), format!("refresh-{}", self.minted));
        self.access.insert(access.clone(), person.clone());
        self.good.insert(refresh.clone(), person);
        let reply = serde_json::json!({ "access_token": access, "token_type": "bearer",
            "refresh_token": refresh, "expires_in": 300 });
        (200, reply.to_string())
    }
}

pub(crate) fn respond(status: u16, body: String) -> HttpResponse {
    let mut response = HttpResponse::new(body.into_bytes());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", json);
    response
}
