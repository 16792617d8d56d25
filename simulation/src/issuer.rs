//! A provider that rotates refresh tokens, and takes everything back when it sees one twice.

use std::collections::{BTreeMap, BTreeSet};

use vestibule::exchange::{HttpRequest, HttpResponse};

/// Whose a token is: the person, and the provider's own session.
type Owner = (String, String);

#[derive(Default)]
pub(crate) struct Issuer {
    minted: u32,
    access: BTreeMap<String, Owner>,
    good: BTreeMap<String, Owner>,
    spent: BTreeSet<String>,
    codes: BTreeSet<String>,
    /// Whose grants are over.
    pub(crate) over: BTreeSet<String>,
    /// Which of its sessions it has refused to refresh.
    pub(crate) refused: BTreeSet<String>,
    /// How often somebody's groups have changed.
    pub(crate) changes: BTreeMap<String, u32>,
    /// How many tokens were taken back.
    pub(crate) taken_back: u64,
    /// What it has seen that nobody may do.
    pub(crate) outrage: Option<&'static str>,
}

/// The name of the provider's own session that a code is of.
pub(crate) fn idp_session(code: &str) -> String {
    format!("sid-{code}")
}

impl Issuer {
    pub(crate) fn changes_of(&self, person: &str) -> u32 {
        self.changes.get(person).copied().unwrap_or_default()
    }

    /// Answers; a code is `person.number`.
    pub(crate) fn answer(&mut self, request: &HttpRequest) -> HttpResponse {
        match request.uri().path() {
            "/token" => self.token(request.body()),
            "/user" => self.user(request),
            "/revoke" => {
                self.taken_back += 1;
                respond(200, String::new())
            }
            "/keys" => respond(200, "{}".to_owned()),
            _ => respond(404, String::new()),
        }
    }

    fn token(&mut self, body: &[u8]) -> HttpResponse {
        let mut refresh_token = None;
        let mut code = None;
        for (name, value) in url::form_urlencoded::parse(body) {
            match &*name {
                "refresh_token" => refresh_token = Some(value.into_owned()),
                "code" => code = Some(value.into_owned()),
                _ => {}
            }
        }
        match (refresh_token, code) {
            (Some(token), _) => {
                if !self.spent.insert(token.clone()) {
                    self.outrage = Some("a refresh token was used twice");
                }
                let owner = self.good.remove(&token);
                if let Some(owner) = owner.clone().filter(|(person, _)| !self.over.contains(person)) {
                    return self.mint(owner);
                }
                self.refused.extend(owner.map(|(_, session)| session));
                respond(400, r#"{"error":"invalid_grant"}"#.to_owned())
            }
            (None, Some(code)) => {
                if !self.codes.insert(code.clone()) {
                    self.outrage = Some("an attempt was answered twice");
                }
                let person = code.split('.').next().unwrap_or_default().to_owned();
                self.over.remove(&person);
                self.mint((person, idp_session(&code)))
            }
            _ => respond(400, String::new()),
        }
    }

    fn user(&self, request: &HttpRequest) -> HttpResponse {
        let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer "));
        let person = token.and_then(|token| self.access.get(token)).map_or("", |(person, _)| person);
        respond(200, format!(r#"{{"login":"{person}","group":"{}"}}"#, self.changes_of(person)))
    }

    fn mint(&mut self, owner: Owner) -> HttpResponse {
        self.minted += 1;
        let (access, refresh) = (format!("access-{}", self.minted), format!("refresh-{}", self.minted));
        let reply = format!(
            r#"{{"access_token":"{access}","token_type":"bearer","refresh_token":"{refresh}","expires_in":300,"sid":"{}"}}"#,
            owner.1
        );
        self.access.insert(access, owner.clone());
        self.good.insert(refresh, owner);
        respond(200, reply)
    }
}

pub(crate) fn respond(status: u16, body: String) -> HttpResponse {
    let mut response = HttpResponse::new(body.into_bytes());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", json);
    response
}
