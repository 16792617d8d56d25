//! The site that everything is measured on: a provider that answers from memory, and somebody who has signed in.

use std::sync::Arc;

use async_trait::async_trait;
use http::{Request, request::Parts};
use url::Url;
use vestibule::{
    Vestibule,
    config::{Builder, Keep},
    conversation::Http,
    exchange::{HttpResponse, Purpose},
    flow::{Answer, Claim, Decision, Effect, Machine, Step},
    identity::{Identity, Tokens},
    oauth2::{OAuth2, OAuth2Spec},
    provider::ProviderError,
    response::Response,
    seal::KeyRing,
    time::Timestamp,
};
use vestibule_axum::Head;

use crate::browser;

/// Where `auth` is, on the server and in the proxy's file.
pub const AUTH: &str = "/oauth2/auth";
/// Where a sign-in begins that leads back to a page.
pub const START: &str = "/oauth2/start?rd=%2Fprojects%2F42%2Fboard%3Fview%3Dweek";

/// What its cookies are sealed with.
pub const SECRET: &str = "a secret that is used for nothing but benchmarks";
/// Where its provider sends browsers back to.
pub const REDIRECT_URL: &str = "https://app.example.com/oauth2/callback";
const SUBJECT: &str = "f81d4fae-7dec-41d0-8765-00a0c91e6bf6";

/// A plain OAuth 2 provider.
struct InMemory {
    spec: OAuth2Spec,
    groups: usize,
}

#[async_trait]
impl OAuth2 for InMemory {
    fn spec(&self) -> &OAuth2Spec {
        &self.spec
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let user: serde_json::Value = http.get_json(Purpose::Profile, &at("user"), tokens).await?;
        let text = |name: &str| user[name].as_str().map(str::to_owned);
        Ok(Identity::new(text("sub").unwrap_or_default())
            .username(text("login"))
            .name(text("name"))
            .verified_email(text("email"))
            .groups((0..self.groups).map(|number| format!("engineering-{number}"))))
    }
}

fn at(path: &str) -> Url {
    Url::parse(&format!("https://id.example.com/{path}")).expect("the address is a literal")
}

/// The site, whose sessions hold that many groups. Two are typical.
pub fn vestibule(groups: usize) -> Arc<Vestibule> {
    built(builder(groups))
}

/// What a builder comes to that [`builder`] has begun.
pub fn built(builder: Builder) -> Arc<Vestibule> {
    Arc::new(builder.build().expect("the set-up is a whole one"))
}

/// The same, for more to be said about it.
pub fn builder(groups: usize) -> Builder {
    let spec =
        OAuth2Spec::new("company", "Company", at("authorize"), at("token"), "client", Some("secret".into()))
            .scopes(["openid", "profile", "email"])
            .issuer("https://id.example.com");
    Vestibule::builder(REDIRECT_URL)
        .keys(KeyRing::new([SECRET]).expect("the secret is long enough"))
        .provider(InMemory { spec, groups })
        .email_domains(["example.com"])
        .keep_groups(Keep::All)
}

/// An account at the provider, and what its token calls are answered with.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name there.
    pub subject: String,
    /// What the application is given to ask for more.
    pub access_token: String,
    /// What it is given to go on with when that has ended.
    pub refresh_token: Option<String>,
}

impl Account {
    /// The one that everything is measured with that is not about many.
    pub fn typical() -> Self {
        let (subject, access_token) = (SUBJECT.to_owned(), "2YotnFZFEjr1zCsicMWpAA".to_owned());
        Self { subject, access_token, refresh_token: None }
    }
}

/// A request that a browser sends: all of its headers, and these cookies.
pub fn request(target: &str, cookie: &str) -> Parts {
    let mut request = Request::get(target).header("host", "app.example.com");
    for (name, value) in browser::HEADERS {
        request = request.header(name, value);
    }
    if !cookie.is_empty() {
        request = request.header("cookie", cookie);
    }
    request.body(()).expect("all of it is plain text").into_parts().0
}

/// What the machine is given as randomness. Numbers do: nothing that is sealed here protects anybody.
pub fn seed(number: u8) -> [u8; 32] {
    [number; 32]
}

/// The redirect to the provider: the attempt's cookie, and the callback that the provider sends the browser to.
pub fn begin(vestibule: &Arc<Vestibule>, now: Timestamp) -> (String, String) {
    begin_by(vestibule, now, seed(1))
}

/// The same with this randomness.
pub(crate) fn begin_by(vestibule: &Arc<Vestibule>, now: Timestamp, seed: [u8; 32]) -> (String, String) {
    let response = respond(vestibule.handle(&Head(&request(START, "")), b"", now, seed), now);
    let location = response.get("location").unwrap_or_default();
    let location = Url::parse(location).expect("the browser was sent to the provider");
    let state = location.query_pairs().find(|(name, _)| name == "state");
    let (_, state) = state.expect("every authorization request has a state");
    let callback = format!("/oauth2/callback?code=SplxlOBeZQQYbYS6WxSbIA&state={state}");
    (cookie_set(&response, |name| name.contains("_try_")), callback)
}

/// Signs somebody in, in the exchanges that a real sign-in takes, and gives the session cookie as `name=value`.
pub fn sign_in(vestibule: &Arc<Vestibule>, now: Timestamp) -> String {
    let (attempt, callback) = begin(vestibule, now);
    let response = respond(vestibule.handle(&Head(&request(&callback, &attempt)), b"", now, seed(2)), now);
    cookie_set(&response, is_of_a_session)
}

/// Lets a machine run to its answer; the provider answers from memory.
pub fn respond(mut step: Step, now: Timestamp) -> Response {
    loop {
        match step {
            Step::Done(outcome) => return outcome.response,
            Step::Needs(effect, machine) => step = answered(effect, machine, now),
        }
    }
}

/// One step further.
pub fn answered(effect: Effect, machine: Box<Machine>, now: Timestamp) -> Step {
    machine.step(answer(&effect, &Account::typical()), now)
}

/// What the provider, and whoever else is asked, says about an account.
pub fn answer(effect: &Effect, account: &Account) -> Answer {
    match effect {
        Effect::Claim { .. } => Answer::Claim(Claim::First),
        Effect::Http { purpose: Purpose::Token, .. } => {
            let mut reply = serde_json::json!({
                "access_token": account.access_token, "token_type": "bearer", "expires_in": 3600,
            });
            if let Some(token) = &account.refresh_token {
                reply["refresh_token"] = token.as_str().into();
            }
            json(&reply)
        }
        Effect::Http { .. } => json(&serde_json::json!({
            "sub": account.subject, "login": "ada.lovelace", "name": "Ada Lovelace",
            "email": "ada.lovelace@example.com",
        })),
        _ => Answer::Decide(Some(Decision::allow())),
    }
}

fn json(body: &serde_json::Value) -> Answer {
    let mut response = HttpResponse::new(body.to_string().into_bytes());
    let media_type = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", media_type);
    Answer::Http(Ok(response))
}

/// The cookie that a response sets under such a name, as the browser sends it back.
fn cookie_set(response: &Response, named: impl Fn(&str) -> bool) -> String {
    cookies_set(response, named)
        .next()
        .map(str::to_owned)
        .expect("the scripted exchange ends with that cookie")
}

/// Every cookie that a response sets under such a name, as the browser sends it back.
pub(crate) fn cookies_set(response: &Response, named: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
    let pairs = response.set_cookies().filter_map(|line| line.split(';').next());
    pairs.filter(move |pair| {
        pair.split_once('=').is_some_and(|(name, value)| named(name) && !value.is_empty())
    })
}

/// Whether a cookie of ours outlives the sign-in that sets it.
pub(crate) fn is_of_a_session(name: &str) -> bool {
    !name.contains("_try_") && !name.ends_with("_rounds")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

    #[test]
    fn somebody_signs_in_and_auth_knows_them_among_eighteen_headers() {
        let vestibule = vestibule(2);
        let cookie = sign_in(&vestibule, NOW);
        let parts = request(AUTH, &format!("{cookie}; {}", browser::OTHER_COOKIES));
        assert_eq!(parts.headers.len(), 18);
        let response = vestibule.grant(&Head(&parts), NOW).unwrap().response;
        assert_eq!(response.status, 202);
        assert_eq!(response.get("x-auth-request-email"), Some("ada.lovelace@example.com"));
        assert_eq!(response.get("x-auth-request-groups"), Some("engineering-0,engineering-1"));
    }

    #[test]
    fn a_cookie_among_sixty_others_is_still_read() {
        let vestibule = vestibule(2);
        let cookies = browser::cookies_beside(&sign_in(&vestibule, NOW), 60);
        assert!(vestibule.grant(&Head(&request(AUTH, &cookies)), NOW).is_some());
    }
}
