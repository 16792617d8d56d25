//! A provider that rotates refresh tokens, and takes the whole family back when it sees one for the second time.

use std::collections::BTreeMap;

use vestibule::exchange::{HttpFailure, HttpRequest, HttpResponse};

/// What it does instead of answering at one of its addresses.
#[derive(Clone, Copy, Debug)]
pub enum Instead {
    /// It answers with this status, and has done nothing.
    Status(u16),
    /// It does nothing and this is what is seen.
    Unheard(HttpFailure),
    /// It does what it was asked for, and the answer is lost.
    Lost,
    /// It does what it was asked for, and answers with something else.
    Garbage,
}

#[derive(Default)]
pub struct Issuer {
    /// How long access tokens live, in seconds.
    pub life: u64,
    pub groups: Vec<&'static str>,
    /// What it does instead, by path.
    pub instead: BTreeMap<&'static str, Instead>,
    /// Whom the next tokens are about, whoever asks.
    pub mistaken_for: Option<&'static str>,
    pub login: Option<&'static str>,
    /// The refresh tokens that it was sent, in order.
    pub sent: Vec<String>,
    pub codes: Vec<String>,
    pub revoked: Vec<String>,
    /// Whether it has seen a refresh token twice.
    pub reused: bool,
    minted: u32,
    /// Who an access token is about.
    access: BTreeMap<String, String>,
    /// The refresh tokens that are good for one more use.
    good: BTreeMap<String, String>,
}

impl Issuer {
    /// What the site sees.
    pub fn answer(&mut self, request: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let path = request.uri().path().trim_start_matches('/').to_owned();
        let form: BTreeMap<String, String> =
            url::form_urlencoded::parse(request.body()).into_owned().collect();
        if let Some(token) = form.get("refresh_token") {
            self.sent.push(token.clone());
        }
        let key = if form.contains_key("refresh_token") { "refresh" } else { path.as_str() };
        let instead = self.instead.get(key).copied();
        match instead {
            Some(Instead::Status(status)) => return Ok(response(status, "{}".into())),
            Some(Instead::Unheard(failure)) => return Err(failure),
            _ => {}
        }
        let (status, body) = match path.as_str() {
            "token" => self.token(&form),
            "user" => self.user(request),
            "revoke" => {
                self.revoked.push(form["token"].clone());
                self.good.remove(&form["token"]);
                (200, String::new())
            }
            _ => (404, String::new()),
        };
        match instead {
            Some(Instead::Lost) => Err(HttpFailure::TimedOut),
            Some(Instead::Garbage) => Ok(response(200, "<html>".into())),
            _ => Ok(response(status, body)),
        }
    }

    fn token(&mut self, form: &BTreeMap<String, String>) -> (u16, String) {
        let account = match form.get("refresh_token") {
            Some(token) => match self.good.remove(token) {
                Some(account) => account,
                None => {
                    self.reused = true;
                    self.good.clear();
                    return (400, r#"{"error":"invalid_grant"}"#.into());
                }
            },
            None => {
                self.codes.push(form["code"].clone());
                form["code"].clone()
            }
        };
        self.minted += 1;
        let (access, refresh) =
            (format!("canary-access-{}", self.minted), format!("canary-refresh-{}", self.minted));
        let about = self.mistaken_for.map_or_else(|| account.clone(), str::to_owned);
        self.access.insert(access.clone(), about);
        self.good.insert(refresh.clone(), account);
        let reply = serde_json::json!({ "access_token": access, "token_type": "bearer",
            "refresh_token": refresh, "expires_in": self.life });
        (200, reply.to_string())
    }

    fn user(&self, request: &HttpRequest) -> (u16, String) {
        let header = request.headers()["authorization"].to_str().unwrap();
        match self.access.get(header.trim_start_matches("Bearer ")) {
            Some(account) => {
                let number: u64 = account.bytes().fold(7, |sum, byte| sum * 31 + u64::from(byte));
                let login = self.login.unwrap_or(account);
                (200, serde_json::json!({ "id": number, "login": login, "groups": self.groups }).to_string())
            }
            None => (401, "{}".into()),
        }
    }

    /// The grant of everybody is over.
    pub fn forget_everybody(&mut self) {
        self.good.clear();
    }
}

fn response(status: u16, body: String) -> HttpResponse {
    let response = http::Response::builder().status(status).header("content-type", "application/json");
    response.body(body.into_bytes()).unwrap()
}
