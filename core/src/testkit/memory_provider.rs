//! A provider that is a value: whom it signs in, the test says.

use std::collections::BTreeMap;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use url::Url;

use super::Person;
use crate::{
    conversation::Http,
    entropy::code_challenge,
    exchange::{HttpFailure, HttpRequest, HttpResponse, Purpose},
    identity::{Identity, Tokens},
    limits::CODE_BYTES_MAX,
    oauth2::{OAuth2, OAuth2Spec},
    provider::ProviderError,
    secret::CodeVerifier,
};

/// What the hosts of all such providers end in; nobody can own a name below `example`.
const DOMAIN: &str = "memory.example";
const CLIENT: &str = "test";

/// A provider in memory. At a site that has it, a chosen person goes through the whole real sign-in: `start`, the
/// provider, the callback, the token call, the rules, the application's hook.
///
/// ```
/// # use std::convert::Infallible;
/// # use futures_util::{FutureExt as _, stream};
/// # use vestibule::{Vestibule, driver::{AdmitAll, Driver}, request::PlainHead, response::Response, seal::KeyRing};
/// use vestibule::testkit::{CookieJar, MemoryHost, MemoryProvider, Person};
///
/// # let keys = KeyRing::new(["a secret of at least 32 bytes, kept"]).unwrap();
/// let builder = Vestibule::builder("https://app.example/oauth2/callback").keys(keys);
/// let vestibule = builder.provider(MemoryProvider::new("github")).build().unwrap();
/// let driver = Driver::new(vestibule, MemoryHost::new(), AdmitAll);
/// let send = |head: PlainHead| -> Response { /* through your framework */
/// #   futures_executor::block_on(driver.answer(&head, stream::empty::<Result<&[u8], Infallible>>()))
/// # };
///
/// let mut jar = CookieJar::default();
/// let away = send(PlainHead::navigation("/oauth2/sign_in?rd=/deep"));
/// jar.take(away.set_cookies());
/// let back = MemoryProvider::sign_in(away.get("location").unwrap(), &Person::new(7).username("ada")).unwrap();
/// let target = format!("{}?{}", back.path(), back.query().unwrap());
/// let landed = send(PlainHead::navigation(&target).with("cookie", jar.header().unwrap()));
/// assert_eq!(landed.get("location"), Some("https://app.example/deep"));
/// ```
///
/// What it hands out, code and token alike, carries what it knows: it remembers nothing, and any of the same id is the
/// same provider.
#[derive(Clone, Debug)]
pub struct MemoryProvider {
    spec: OAuth2Spec,
}

/// What a code stands for.
#[derive(Serialize, Deserialize)]
struct Given {
    identity: Identity,
    challenge: String,
    redirect_uri: String,
}

impl MemoryProvider {
    /// The provider called `id`, which must be able to stand in a host's name.
    ///
    /// # Panics
    /// It cannot.
    pub fn new(id: &str) -> Self {
        let origin = origin(id);
        let at = |path: &str| {
            Url::parse(&format!("{origin}/{path}")).unwrap_or_else(|_| panic!("`{id}` names no host"))
        };
        let secret = Some("known to every test".into());
        let spec = OAuth2Spec::new(id, id, at("authorize"), at("token"), CLIENT, secret).issuer(&origin);
        Self { spec }
    }

    /// Sets the name that people know it by.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.spec.label = label.into();
        self
    }

    /// Where the browser is sent back to that has been sent to `location`, once `person` has signed in there. `None`
    /// where that is no provider of this kind.
    ///
    /// # Panics
    /// The request is not one that a provider may answer, or there is more to the person than fits into a code.
    pub fn sign_in(location: &str, person: &Person) -> Option<Url> {
        let asked = Asked::read(location)?;
        let challenge = asked.parameter("code_challenge").to_owned();
        assert_eq!(asked.parameter("code_challenge_method"), "S256", "RFC 7636 §4.3");
        let redirect_uri = asked.parameter("redirect_uri").to_owned();
        let code = packed(&Given { identity: person.identity().clone(), challenge, redirect_uri });
        assert!(code.len() <= CODE_BYTES_MAX, "there is more to this person than fits into a code");
        Some(asked.answer("code", &code))
    }

    /// The same once the person has pressed "Cancel".
    ///
    /// # Panics
    /// The request is not one that a provider may answer.
    pub fn cancel(location: &str) -> Option<Url> {
        Asked::read(location).map(|asked| asked.answer("error", "access_denied"))
    }
}

#[async_trait]
impl OAuth2 for MemoryProvider {
    fn spec(&self) -> &OAuth2Spec {
        &self.spec
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let unknown = ProviderError::Misconfigured { field: "token_endpoint", remedy: "name it" };
        let mut url = self.spec.token_endpoint.clone().ok_or(unknown)?;
        url.set_path("/user");
        http.get_json(Purpose::Profile, &url, tokens).await
    }
}

/// An authorization request (RFC 6749 §4.1.1).
struct Asked {
    parameters: BTreeMap<String, String>,
    issuer: String,
}

impl Asked {
    fn read(location: &str) -> Option<Self> {
        let url =
            Url::parse(location).ok().filter(|url| is_ours(url.host_str()) && url.path() == "/authorize")?;
        let parameters = url.query_pairs().into_owned().collect();
        let asked = Self { parameters, issuer: url.origin().ascii_serialization() };
        assert_eq!((asked.parameter("response_type"), asked.parameter("client_id")), ("code", CLIENT));
        Some(asked)
    }

    fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).unwrap_or_else(|| panic!("the authorization request has no `{name}`"))
    }

    fn answer(&self, name: &str, value: &str) -> Url {
        let redirect_uri = self.parameter("redirect_uri");
        let mut url = Url::parse(redirect_uri).unwrap_or_else(|_| panic!("`{redirect_uri}` is no address"));
        let (state, issuer) = (self.parameter("state"), self.issuer.as_str());
        url.query_pairs_mut().append_pair(name, value).append_pair("state", state).append_pair("iss", issuer);
        url
    }
}

/// What such a provider answers, where one is asked.
pub(super) fn answer(request: &HttpRequest) -> Option<Result<HttpResponse, HttpFailure>> {
    if !is_ours(request.uri().host()) {
        return None;
    }
    let (status, body) = match request.uri().path() {
        "/token" => token(request.body()),
        "/user" => user(request),
        _ => (404, String::new()),
    };
    let response = http::Response::builder().status(status).header("content-type", "application/json");
    Some(response.body(body.into_bytes()).map_err(|_| HttpFailure::Broken))
}

fn token(form: &[u8]) -> (u16, String) {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(form).into_owned().collect();
    let said = |name: &str| form.get(name).map_or("", String::as_str);
    let given = unpacked::<Given>(said("code")).filter(|given| {
        given.challenge == code_challenge(&CodeVerifier::new(said("code_verifier")))
            && given.redirect_uri == said("redirect_uri")
    });
    match given {
        Some(given) => {
            let token = packed(&given.identity);
            (200, serde_json::json!({ "access_token": token, "token_type": "bearer" }).to_string())
        }
        None => (400, r#"{"error":"invalid_grant"}"#.to_owned()),
    }
}

fn user(request: &HttpRequest) -> (u16, String) {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer "));
    match token.and_then(unpacked::<Identity>) {
        Some(identity) => (200, serde_json::to_string(&identity).unwrap_or_default()),
        None => (401, String::new()),
    }
}

/// Who vouches for accounts at the provider called `id`.
pub(super) fn origin(id: &str) -> String {
    format!("https://{id}.{DOMAIN}")
}

fn is_ours(host: Option<&str>) -> bool {
    let id = host.and_then(|host| host.strip_suffix(DOMAIN));
    id.is_some_and(|id| id.ends_with('.'))
}

fn packed(value: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap_or_default())
}

fn unpacked<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}
