//! A provider that answers as told, and the plainest plugin there is.

use std::collections::BTreeMap;

use async_trait::async_trait;
use url::Url;
use vestibule::{
    conversation::Http,
    exchange::Purpose,
    identity::{Identity, SignIn, Tokens},
    oauth2::{OAuth2, OAuth2Spec},
    provider::{AuthorizationRequest, Begun, Provider, ProviderError},
    secret::{CodeVerifier, Nonce, State},
    testkit::{self, Asked, Reaction},
    time::Timestamp,
};

pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);
pub(crate) const JSON: &str = "application/json";
pub(crate) const TOKENS: &str =
    r#"{"access_token":"a","token_type":"bearer","refresh_token":"r","expires_in":60}"#;

/// Names the account that its profile names.
pub(crate) struct Plain(pub(crate) OAuth2Spec);

#[async_trait]
impl OAuth2 for Plain {
    fn spec(&self) -> &OAuth2Spec {
        &self.0
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let user: serde_json::Value = http.get_json(Purpose::Profile, &at("user"), tokens).await?;
        Ok(Identity::new(&user["id"]).username(user["login"].as_str().map(str::to_owned)))
    }
}

/// A request as it went out.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) purpose: Purpose,
    pub(crate) url: String,
    pub(crate) authorization: Option<String>,
    /// Every value of a name, as two readers might take different ones.
    pub(crate) form: BTreeMap<String, Vec<String>>,
}

impl Sent {
    fn new(asked: &Asked) -> Self {
        let request = asked.request();
        let header = request.and_then(|request| request.headers().get("authorization"));
        let mut form: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(request.map_or(b"", |request| request.body())) {
            form.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        Self {
            purpose: asked.purpose(),
            url: asked.url(),
            authorization: header.map(|value| value.to_str().unwrap().to_owned()),
            form,
        }
    }

    /// What the form says of `name`, which it may say once.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let values = self.form.get(name)?;
        assert_eq!(values.len(), 1, "{name} stands in the form more than once");
        Some(&values[0])
    }
}

pub(crate) fn at(path: &str) -> Url {
    Url::parse(&format!("https://op.example/{path}")).unwrap()
}

/// A confidential client of `op.example`.
pub(crate) fn spec() -> OAuth2Spec {
    let secret = Some("secret".into());
    OAuth2Spec::new("op", "OP", at("authorize"), at("token"), "client", secret)
}

pub(crate) fn redirect_uri() -> Url {
    Url::parse("https://app.example/oauth2/callback").unwrap()
}

/// The honest answers: tokens, and a person.
pub(crate) fn honest(asked: &Asked) -> Reaction {
    match asked.purpose() {
        Purpose::Token | Purpose::Refresh => asked.answer(200, JSON, TOKENS),
        Purpose::Profile => asked.answer(200, JSON, r#"{"id":7,"login":"ada"}"#),
        _ => asked.answer(404, JSON, "{}"),
    }
}

/// Runs one of a provider's conversations.
pub(crate) fn talk<T, Fut>(
    part: impl FnOnce(Http) -> Fut,
    answer: impl Fn(&Asked) -> Reaction,
) -> (Result<T, ProviderError>, Vec<Sent>)
where
    Fut: Future<Output = Result<T, ProviderError>> + Send + 'static,
{
    let mut sent = Vec::new();
    let result = testkit::converse(NOW, part, |asked| {
        sent.push(Sent::new(asked));
        answer(asked)
    });
    (result, sent)
}

pub(crate) fn begin(
    provider: impl Provider,
    answer: impl Fn(&Asked) -> Reaction,
) -> (Result<Begun, ProviderError>, Vec<Sent>) {
    let verifier = CodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let request =
        AuthorizationRequest::new(State::new("state"), Nonce::new("nonce"), verifier, redirect_uri());
    talk(async move |http| provider.begin(&http, &request).await, answer)
}

pub(crate) fn finish(
    provider: impl Provider,
    answer: impl Fn(&Asked) -> Reaction,
) -> (Result<SignIn, ProviderError>, Vec<Sent>) {
    let part = async move |http| {
        let answered = testkit::answered("code", "nonce", "verifier", redirect_uri(), Vec::new());
        provider.finish(&http, &answered).await
    };
    talk(part, answer)
}

pub(crate) fn refresh(
    provider: impl Provider,
    before: SignIn,
    answer: impl Fn(&Asked) -> Reaction,
) -> (Result<SignIn, ProviderError>, Vec<Sent>) {
    talk(async move |http| provider.refresh(&http, &before).await, answer)
}

/// What is wrong with a spec, by field.
pub(crate) fn problems(spec: OAuth2Spec) -> Vec<&'static str> {
    Plain(spec).problems().iter().map(|problem| problem.field).collect()
}
