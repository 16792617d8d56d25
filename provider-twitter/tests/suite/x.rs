//! An X of the test's choosing, a site that signs people in with it, and one browser.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use serde_json::json;
use url::Url;
use vestibule::{
    Vestibule,
    exchange::{HttpFailure, HttpRequest, HttpResponse},
    flow::{Answer, Claim, Decision, Effect},
    identity::{SignIn, Tokens},
    provider::Provider,
    request::PlainHead,
    response::{Event, Response},
    seal::KeyRing,
    time::Timestamp,
    transcript::{Inputs, Transcript},
};
use vestibule_twitter::{Builder, OAuth1Builder, Twitter, TwitterOAuth1};

pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
pub(crate) const NUMBER: &str = "2244994945";

/// The replies that X's documentation shows, with values that must not be seen anywhere.
pub(crate) const REQUEST_TOKEN: &str = "oauth_token=NPcudxy0yU5T3tBzho7iCotZ3cnetKwcTIRlX0iwRl0&oauth_token_secret=canary-veNRnAWe6inFuo8o2u&\
     oauth_callback_confirmed=true";
pub(crate) const ACCESS_TOKEN: &str = "oauth_token=2244994945-canary-kagSNqWge8gB1&oauth_token_secret=canary-PbKfYqSryyeKDWz4ebtY&\
     user_id=2244994945&screen_name=XDevelopers";

pub(crate) fn token_reply() -> String {
    json!({
        "token_type": "bearer",
        "expires_in": 7200,
        "access_token": "canary-access-token",
        "scope": "users.read tweet.read users.email",
    })
    .to_string()
}

pub(crate) fn me() -> String {
    json!({
        "data": {
            "id": NUMBER,
            "name": "X Dev",
            "username": "XDevelopers",
            "profile_image_url": "https://pbs.twimg.com/profile_images/1/a_normal.jpg",
            "confirmed_email": "dev@x.example",
        }
    })
    .to_string()
}

pub(crate) fn credentials() -> String {
    json!({
        "id": 2_244_994_945_u64,
        "id_str": NUMBER,
        "name": "X Dev",
        "screen_name": "XDevelopers",
        "profile_image_url_https": "https://pbs.twimg.com/profile_images/1/a_normal.jpg",
        "email": "dev@x.example",
    })
    .to_string()
}

pub(crate) fn twitter() -> Builder {
    Twitter::builder("client-id").client_secret("canary-client-secret")
}

pub(crate) fn oauth1() -> OAuth1Builder {
    TwitterOAuth1::builder("consumer-key", "canary-consumer-secret")
}

/// X and what it answers by path, and the site.
pub(crate) struct X {
    vestibule: Arc<Vestibule>,
    answers: HashMap<&'static str, Result<(u16, &'static str, String), HttpFailure>>,
    jar: BTreeMap<String, String>,
    visits: u8,
    pub(crate) now: Timestamp,
    /// What X was asked.
    pub(crate) asked: Vec<HttpRequest>,
    /// Who signed in last.
    pub(crate) signed_in: Option<Arc<SignIn>>,
    pub(crate) event: Option<Event>,
    /// All transcripts, printed.
    pub(crate) printed: String,
}

impl X {
    /// An honest X, and a site with that provider.
    pub(crate) fn with(provider: impl Provider) -> Self {
        let site = Vestibule::builder("https://app.example/oauth2/callback")
            .keys(KeyRing::new(["0123456789abcdef0123456789abcdef"]).unwrap())
            .provider(provider)
            .keep_tokens();
        let x = Self {
            vestibule: Arc::new(site.build().unwrap()),
            answers: HashMap::new(),
            jar: BTreeMap::new(),
            visits: 0,
            now: NOW,
            asked: Vec::new(),
            signed_in: None,
            event: None,
            printed: String::new(),
        };
        x.answering("/2/oauth2/token", 200, "application/json", token_reply())
            .answering("/2/users/me", 200, "application/json", me())
            .answering("/oauth/request_token", 200, "text/html; charset=utf-8", REQUEST_TOKEN)
            .answering("/oauth/access_token", 200, "text/html; charset=utf-8", ACCESS_TOKEN)
            .answering("/1.1/account/verify_credentials.json", 200, "application/json", credentials())
    }

    pub(crate) fn oauth2() -> Self {
        Self::with(twitter().build().unwrap())
    }

    pub(crate) fn oauth1() -> Self {
        Self::with(oauth1().build().unwrap())
    }

    pub(crate) fn answering(
        mut self,
        path: &'static str,
        status: u16,
        media_type: &'static str,
        body: impl Into<String>,
    ) -> Self {
        self.answers.insert(path, Ok((status, media_type, body.into())));
        self
    }

    pub(crate) fn silent_at(mut self, path: &'static str, failure: HttpFailure) -> Self {
        self.answers.insert(path, Err(failure));
        self
    }

    pub(crate) fn visit(&mut self, target: &str) -> Response {
        self.visits += 1;
        let mut head = PlainHead::navigation(target);
        if !self.jar.is_empty() {
            let pairs: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            head = head.with("cookie", pairs.join("; "));
        }
        let inputs = Inputs { head, body: Vec::new(), now: self.now, seed: [self.visits; 32] };
        let vestibule = Arc::clone(&self.vestibule);
        let transcript = Transcript::record(&vestibule, inputs, |effect| (self.perform(effect), self.now));
        self.printed += &format!("{transcript:?}");
        for line in transcript.outcome.response.set_cookies() {
            let (name, rest) = line.split_once('=').unwrap();
            self.jar.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
        self.jar.retain(|_, value| !value.is_empty());
        self.event = transcript.outcome.event;
        transcript.outcome.response
    }

    fn perform(&mut self, effect: &Effect) -> Answer {
        match effect {
            Effect::Claim { .. } => Answer::Claim(Claim::First),
            Effect::Decide(sign_in) => {
                self.signed_in = Some(Arc::clone(sign_in));
                Answer::Decide(Some(Decision::allow()))
            }
            Effect::Http { request, .. } => {
                self.asked.push(request.clone());
                assert_eq!(request.uri().host(), Some("api.x.com"), "{}", request.uri());
                Answer::Http(match &self.answers[request.uri().path()] {
                    Ok((status, media_type, body)) => Ok(response(*status, media_type, body)),
                    Err(failure) => Err(*failure),
                })
            }
            other => panic!("nobody asks for that: {other:?}"),
        }
    }

    /// Begins a sign-in, and says where the browser is sent.
    pub(crate) fn begin(&mut self) -> Url {
        let response = self.visit("/oauth2/start?rd=/deep");
        assert_eq!(response.status, 303, "{:?}", refused(&response));
        Url::parse(response.get("location").unwrap()).unwrap()
    }

    /// A whole sign-in by OAuth 2.0.
    pub(crate) fn sign_in(&mut self) -> Response {
        let state = parameter(&self.begin(), "state");
        self.visit(&format!("/oauth2/callback?state={state}&code=canary-code"))
    }

    /// A whole sign-in by OAuth 1.0a.
    pub(crate) fn sign_in_by_token(&mut self) -> Response {
        let token = parameter(&self.begin(), "oauth_token");
        self.visit(&format!("/oauth2/callback?oauth_token={token}&oauth_verifier=canary-verifier"))
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    /// The paths that were asked, in order.
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.asked.iter().map(|request| request.uri().path()).collect()
    }

    /// What the operator reads of a refusal.
    pub(crate) fn detail(&self) -> &str {
        match &self.event {
            Some(Event::Refused { detail: Some(detail), .. }) => detail,
            other => panic!("no refusal with a detail: {other:?}"),
        }
    }

    pub(crate) fn tokens(&self) -> Tokens {
        self.signed_in.as_ref().unwrap().tokens.clone()
    }

    /// Whether the site takes this browser for somebody, asked as a proxy asks.
    pub(crate) fn is_signed_in(&mut self) -> bool {
        self.visit("/oauth2/auth").status == 202
    }
}

pub(crate) fn response(status: u16, media_type: &str, body: &str) -> HttpResponse {
    let response = http::Response::builder().status(status).header("content-type", media_type);
    response.body(body.as_bytes().to_vec()).unwrap()
}

pub(crate) fn parameter(url: &Url, name: &str) -> String {
    let mut values = url.query_pairs().filter(|(own, _)| own == name);
    let (_, value) = values.next().unwrap_or_else(|| panic!("no {name} in {}", url.path()));
    assert!(values.next().is_none(), "{name} stands twice");
    value.into_owned()
}

/// Status and code of a refusal's page.
pub(crate) fn refused(response: &Response) -> (u16, String) {
    let body = String::from_utf8_lossy(&response.body);
    let code = body.split_once("<code>").and_then(|(_, rest)| rest.split_once("</code>"));
    (response.status, code.map(|(code, _)| code.to_owned()).unwrap_or_default())
}

/// The parameters of an `Authorization` header of OAuth 1.0a, decoded.
pub(crate) fn authorization(request: &HttpRequest) -> BTreeMap<String, String> {
    let header = request.headers()["authorization"].to_str().unwrap();
    let pairs = header.strip_prefix("OAuth ").unwrap().split(", ").map(|pair| pair.split_once('=').unwrap());
    let decoded = |value: &str| {
        let form = format!("v={}", value.trim_matches('"'));
        url::form_urlencoded::parse(form.as_bytes()).next().unwrap().1.into_owned()
    };
    pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect()
}
