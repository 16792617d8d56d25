//! A world in one process: a site, a provider that answers as told, a clock, and browsers with cookie jars.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "every test file uses a part of the world"
)]

pub mod threads;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use url::Url;
use vestibule::{
    Vestibule,
    config::Builder,
    conversation::Http,
    exchange::{HttpFailure, HttpResponse, Purpose},
    flow::{Answer, Claim, Decision, Effect, Outcome},
    identity::{Identity, Tokens},
    oauth2::{OAuth2, OAuth2Spec},
    provider::ProviderError,
    request::PlainHead,
    response::{Event, Response},
    seal::KeyRing,
    time::Timestamp,
    transcript::{Inputs, Transcript},
};

pub const ORIGIN: &str = "https://app.example";
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A provider as a third party would write it.
pub struct Plain {
    spec: OAuth2Spec,
}

impl Plain {
    pub fn new(id: &str) -> Self {
        let at = |path: &str| Url::parse(&format!("https://{id}.example/{path}")).unwrap();
        let secret = Some("canary-client-secret".into());
        let spec = OAuth2Spec::new(id, id.to_uppercase(), at("authorize"), at("token"), "client", secret);
        Self::of(spec.scopes(["user"]).issuer(format!("https://{id}.example")))
    }

    pub fn of(spec: OAuth2Spec) -> Self {
        Self { spec }
    }
}

#[async_trait]
impl OAuth2 for Plain {
    fn spec(&self) -> &OAuth2Spec {
        &self.spec
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let url = self.spec.token_endpoint.as_ref().unwrap().join("/user").unwrap();
        let user: serde_json::Value = http.get_json(Purpose::Profile, &url, tokens).await?;
        let text = |name: &str| user[name].as_str().map(str::to_owned);
        let groups = user["groups"].as_array().into_iter().flatten();
        let identity = Identity::new(user["id"].as_u64().unwrap_or_default())
            .username(text("login"))
            .name(text("name"))
            .groups(groups.filter_map(|group| group.as_str().map(str::to_owned)))
            .claim("plan", "gold");
        Ok(if user["verified"] == true {
            identity.verified_email(text("email"))
        } else {
            identity.email(text("email"))
        })
    }
}

/// The site and its surroundings.
pub struct World {
    pub vestibule: Arc<Vestibule>,
    pub now: Timestamp,
    seeds: u64,
    /// What the profile endpoint says.
    pub profile: serde_json::Value,
    /// What every exchange with the provider ends in, where it is set.
    pub failure: Option<HttpFailure>,
    pub token_reply: (u16, String),
    pub decision: Option<Decision>,
    /// Whether attempts count as answered before.
    pub claim: Claim,
    /// What the provider was asked, in order.
    pub asked: Vec<Purpose>,
    /// Bodies of token requests.
    pub token_requests: Vec<String>,
    /// Codes that the provider has given out, each with the challenge of its authorization request.
    pub codes: BTreeMap<String, String>,
    /// How long each exchange takes.
    pub pace: Duration,
}

pub fn builder() -> Builder {
    Vestibule::builder(format!("{ORIGIN}/oauth2/callback")).keys(KeyRing::new([SECRET]).unwrap())
}

impl World {
    pub fn new() -> Self {
        Self::of(builder().provider(Plain::new("plain")))
    }

    pub fn of(builder: Builder) -> Self {
        Self {
            vestibule: Arc::new(builder.build().unwrap()),
            now: Timestamp::from_unix(1_800_000_000),
            seeds: 0,
            profile: serde_json::json!({
                "id": 7, "login": "ada", "name": "Ada", "email": "ada@a.example", "verified": true, "groups": ["staff"]
            }),
            failure: None,
            token_reply: (200, r#"{"access_token":"canary-access-token","token_type":"bearer"}"#.into()),
            decision: Some(Decision::allow()),
            claim: Claim::First,
            asked: Vec::new(),
            token_requests: Vec::new(),
            codes: BTreeMap::new(),
            pace: Duration::ZERO,
        }
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    pub fn seed(&mut self) -> [u8; 32] {
        self.seeds += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seeds.to_le_bytes());
        seed
    }

    pub fn record(&mut self, head: PlainHead, body: &[u8]) -> Transcript {
        let inputs = Inputs { head, body: body.to_vec(), now: self.now, seed: self.seed() };
        let vestibule = Arc::clone(&self.vestibule);
        Transcript::record(&vestibule, inputs, |effect| {
            self.wait(self.pace.as_secs());
            (self.perform(effect), self.now)
        })
    }

    pub fn handle(&mut self, head: PlainHead) -> Outcome {
        self.record(head, b"").outcome
    }

    fn perform(&mut self, effect: &Effect) -> Answer {
        match effect {
            Effect::Claim { .. } => Answer::Claim(self.claim),
            Effect::Decide(_) => Answer::Decide(self.decision.clone()),
            Effect::Http { purpose, request, .. } => {
                self.asked.push(*purpose);
                if *purpose == Purpose::Token {
                    self.token_requests.push(String::from_utf8(request.body().clone()).unwrap());
                    if !self.knows(request.body()) {
                        let body = br#"{"error":"invalid_grant"}"#.to_vec();
                        return Answer::Http(Ok(http::Response::builder().status(400).body(body).unwrap()));
                    }
                }
                Answer::Http(self.failure.map_or_else(|| Ok(self.reply(*purpose)), Err))
            }
            other => panic!("nobody asked for that: {other:?}"),
        }
    }

    /// Whether the code was given to whoever knows this verifier; any code will do where none was given out.
    fn knows(&self, form: &[u8]) -> bool {
        let form: BTreeMap<_, _> = url::form_urlencoded::parse(form).into_owned().collect();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
        self.codes.is_empty() || self.codes.get(&form["code"]) == Some(&challenge)
    }

    fn reply(&self, purpose: Purpose) -> HttpResponse {
        let (status, body) = match purpose {
            Purpose::Token => self.token_reply.clone(),
            _ => (200, self.profile.to_string()),
        };
        http::Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .body(body.into_bytes())
            .unwrap()
    }
}

/// A browser: a cookie jar, and the manners of one.
#[derive(Clone, Default)]
pub struct Browser {
    pub jar: BTreeMap<String, String>,
    pub last_event: Option<Event>,
}

impl Browser {
    pub fn cookie_header(&self) -> String {
        self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub fn with_cookies(&self, head: PlainHead) -> PlainHead {
        if self.jar.is_empty() { head } else { head.with("cookie", self.cookie_header()) }
    }

    pub fn send(&mut self, world: &mut World, head: PlainHead) -> Response {
        let outcome = world.handle(self.with_cookies(head));
        self.take(&outcome.response);
        self.last_event = outcome.event;
        outcome.response
    }

    /// Keeps and drops cookies as a browser does.
    pub fn take(&mut self, response: &Response) {
        for line in response.set_cookies() {
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if rest.contains("Max-Age=0;") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub fn visit(&mut self, world: &mut World, target: &str) -> Response {
        self.send(world, PlainHead::navigation(target))
    }

    /// Begins a sign-in and says what the provider is asked.
    pub fn begin(&mut self, world: &mut World, target: &str) -> Asked {
        let rd = url::form_urlencoded::byte_serialize(target.as_bytes()).collect::<String>();
        let response = self.visit(world, &format!("/oauth2/sign_in?switch=1&rd={rd}"));
        Asked::of(&response)
    }

    /// Comes back from the provider.
    pub fn come_back(&mut self, world: &mut World, asked: &Asked) -> Response {
        self.visit(world, &asked.callback("code=canary-code"))
    }

    pub fn sign_in(&mut self, world: &mut World, target: &str) -> Response {
        let asked = self.begin(world, target);
        self.come_back(world, &asked)
    }

    pub fn is_signed_in(&self, world: &World) -> bool {
        world.vestibule.session(&self.with_cookies(PlainHead::fetch("/")), world.now).is_ok()
    }
}

/// An authorization request, as the provider sees it.
#[derive(Debug)]
pub struct Asked {
    pub url: Url,
}

impl Asked {
    pub fn of(response: &Response) -> Self {
        assert_eq!(response.status, 303, "{response:?}");
        Self { url: Url::parse(response.get("location").unwrap()).unwrap() }
    }

    pub fn parameter(&self, name: &str) -> String {
        let mut found =
            self.url.query_pairs().filter(|(own, _)| own == name).map(|(_, value)| value.into_owned());
        let value = found.next().unwrap_or_else(|| panic!("no {name} in {}", self.url.path()));
        assert!(found.next().is_none(), "{name} stands twice");
        value
    }

    /// The callback's target with this outcome and the request's own state.
    pub fn callback(&self, outcome: &str) -> String {
        let redirect = Url::parse(&self.parameter("redirect_uri")).unwrap();
        format!("{}?{outcome}&state={}", redirect.path(), self.parameter("state"))
    }
}

/// The refusal's code that a page or a problem shows.
pub fn code(response: &Response) -> Option<String> {
    let body = String::from_utf8_lossy(&response.body).into_owned();
    if body.starts_with('{') {
        let problem: serde_json::Value = serde_json::from_str(&body).ok()?;
        return problem["code"].as_str().map(str::to_owned);
    }
    Some(body.split_once("<code>")?.1.split_once("</code>")?.0.to_owned())
}

pub fn refused(response: &Response) -> (u16, String) {
    (response.status, code(response).unwrap_or_default())
}
