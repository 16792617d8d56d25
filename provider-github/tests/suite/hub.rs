//! A GitHub of the test's choosing.

use std::{collections::HashMap, sync::Mutex};

use serde_json::{Value, json};
use url::Url;
use vestibule::{
    exchange::{HttpFailure, HttpRequest, HttpResponse, Purpose},
    identity::SignIn,
    provider::{Begun, Provider as _, ProviderError},
    secret::{CodeVerifier, Nonce, State},
    testkit,
    time::Timestamp,
};
use vestibule_github::{Builder, GitHub};

pub(crate) const NOW: i64 = 1_700_000_000;

/// What comes back from one address.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl ToString) -> Self {
        let headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        Self { status, headers, body: body.to_string() }
    }

    pub(crate) fn json(body: &Value) -> Self {
        Self::new(200, body)
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn response(&self) -> HttpResponse {
        let mut response = http::Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(*name, value);
        }
        response.body(self.body.clone().into_bytes()).unwrap()
    }
}

/// Answers by address; what has none is 404, as at GitHub.
pub(crate) struct Hub {
    answers: HashMap<String, Result<Answer, HttpFailure>>,
    log: Mutex<Vec<(Purpose, HttpRequest)>>,
}

impl Hub {
    /// github.com, where `octocat` signs in and everything is as it should be.
    pub(crate) fn honest() -> Self {
        Self { answers: HashMap::new(), log: Mutex::new(Vec::new()) }
            .at("https://github.com/login/oauth/access_token", &Answer::json(&token()))
            .at("https://api.github.com/user", &Answer::json(&user()))
            .at("https://api.github.com/user/emails", &Answer::json(&emails()))
    }

    pub(crate) fn at(mut self, url: &str, answer: &Answer) -> Self {
        self.answers.insert(url.to_owned(), Ok(answer.clone()));
        self
    }

    pub(crate) fn silent_at(mut self, url: &str, failure: HttpFailure) -> Self {
        self.answers.insert(url.to_owned(), Err(failure));
        self
    }

    pub(crate) fn member_of(self, organization: &str, state: &str) -> Self {
        let membership = json!({
            "url": format!("https://api.github.com/orgs/{organization}/memberships/octocat"),
            "state": state,
            "role": "member",
            "organization": {"login": organization, "id": 1},
            "user": {"login": "octocat", "id": 1},
        });
        let url = format!("https://api.github.com/user/memberships/orgs/{organization}");
        self.at(&url, &Answer::json(&membership))
    }

    pub(crate) fn sign_in(&self, builder: Builder) -> Result<SignIn, ProviderError> {
        let github = builder.build().unwrap();
        let finish = async move |http: vestibule::conversation::Http| {
            let answered = testkit::answered("code", "nonce", "verifier", redirect_uri(), Vec::new());
            github.finish(&http, &answered).await
        };
        testkit::converse(Timestamp::from_unix(NOW), finish, |asked| {
            let request = asked.request().expect("GitHub has no documents");
            self.log.lock().unwrap().push((asked.purpose(), request.clone()));
            match self.answers.get(&asked.url()) {
                Some(Ok(answer)) => asked.respond(answer.response()),
                Some(Err(failure)) => asked.fail(*failure),
                None => asked.respond(Answer::new(404, r#"{"message":"Not Found"}"#).response()),
            }
        })
    }

    pub(crate) fn asked(&self) -> Vec<(Purpose, String)> {
        self.log
            .lock()
            .unwrap()
            .iter()
            .map(|(purpose, request)| (*purpose, request.uri().to_string()))
            .collect()
    }

    pub(crate) fn request(&self, purpose: Purpose) -> HttpRequest {
        self.log.lock().unwrap().iter().find(|(asked, _)| *asked == purpose).unwrap().1.clone()
    }
}

pub(crate) fn begin(builder: Builder) -> Begun {
    let github = builder.build().unwrap();
    let verifier = CodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let request = vestibule::provider::AuthorizationRequest::new(
        State::new("state"),
        Nonce::new("nonce"),
        verifier,
        redirect_uri(),
    );
    testkit::converse(
        Timestamp::from_unix(NOW),
        async move |http: vestibule::conversation::Http| github.begin(&http, &request).await,
        |asked| panic!("nothing need be asked, and {} was", asked.url()),
    )
    .unwrap()
}

pub(crate) fn github() -> Builder {
    GitHub::builder("Iv1.client", "the secret")
}

pub(crate) fn redirect_uri() -> Url {
    Url::parse("https://app.example/oauth2/callback").unwrap()
}

pub(crate) fn token() -> Value {
    json!({"access_token": "gho_16C7e42F292c6912E7710c838347Ae178B4a", "scope": "read:user,user:email", "token_type": "bearer"})
}

pub(crate) fn user() -> Value {
    json!({
        "login": "octocat",
        "id": 583_231,
        "node_id": "MDQ6VXNlcjU4MzIzMQ==",
        "avatar_url": "https://avatars.githubusercontent.com/u/583231?v=4",
        "html_url": "https://github.com/octocat",
        "type": "User",
        "site_admin": false,
        "name": "The Octocat",
        "company": null,
        "email": "public@octocat.example",
        "created_at": "2011-01-25T18:44:36Z",
    })
}

pub(crate) fn emails() -> Value {
    json!([
        {"email": "old@octocat.example", "verified": true, "primary": false, "visibility": null},
        {"email": "octocat@github.com", "verified": true, "primary": true, "visibility": "public"},
        {"email": "583231+octocat@users.noreply.github.com", "verified": true, "primary": false, "visibility": null},
    ])
}
