//! The provider's plugin: plain OAuth 2 by the core, and what OpenID Connect adds for sessions that end.

use async_trait::async_trait;
use url::Url;
use vestibule::{
    conversation::Http,
    exchange::{HttpRequest, Purpose},
    identity::{Identity, SignIn, Tokens},
    oauth2::{OAuth2, OAuth2Spec},
    provider::{Answered, AuthorizationRequest, Begun, LogoutNotice, Provider, ProviderError},
    secret::Secret,
    time::Timestamp,
};

pub(crate) const ISSUER: &str = "https://plain.example";

struct Plain {
    spec: OAuth2Spec,
    user: Url,
}

#[async_trait]
impl OAuth2 for Plain {
    fn spec(&self) -> &OAuth2Spec {
        &self.spec
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let user: serde_json::Value = http.get_json(Purpose::Profile, &self.user, tokens).await?;
        let group = user["group"].as_str().unwrap_or_default().to_owned();
        Ok(Identity::new(user["login"].as_str().unwrap_or_default()).groups([group]))
    }
}

pub(crate) struct Plugin(Plain);

impl Plugin {
    pub(crate) fn new() -> Self {
        let at = |path: &str| Url::parse(&format!("{ISSUER}/{path}")).expect("it is a constant");
        let spec =
            OAuth2Spec::new("plain", "Plain", at("authorize"), at("token"), "client", Some("s".into()));
        let spec = spec.issuer(ISSUER).revocation_endpoint(at("revoke"));
        Self(Plain { spec, user: at("user") })
    }
}

/// A logout token: the issuer's signature is a word.
pub(crate) fn logout_token(signature: &str, jti: u32, kind: &str, name: &str, issued: i64) -> String {
    format!("{signature}|{jti}|{kind}|{name}|{issued}")
}

#[async_trait]
impl Provider for Plugin {
    fn id(&self) -> &str {
        Provider::id(&self.0)
    }

    fn label(&self) -> &str {
        Provider::label(&self.0)
    }

    async fn begin(&self, http: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        self.0.begin(http, request).await
    }

    async fn finish(&self, http: &Http, answered: &Answered) -> Result<SignIn, ProviderError> {
        let sign_in = self.0.finish(http, answered).await?;
        Ok(sign_in.idp_session(http.token_reply().text("sid")))
    }

    async fn refresh(&self, http: &Http, sign_in: &SignIn) -> Result<SignIn, ProviderError> {
        self.0.refresh(http, sign_in).await
    }

    async fn revoke(&self, http: &Http, tokens: &Tokens) -> Result<(), ProviderError> {
        self.0.revoke(http, tokens).await
    }

    fn tells_of_logout(&self) -> bool {
        true
    }

    async fn logout_token(&self, http: &Http, token: &Secret) -> Result<LogoutNotice, ProviderError> {
        let parts: Vec<&str> = token.expose().split('|').collect();
        let ["signed", jti, kind, name, issued] = parts[..] else {
            return Err(ProviderError::LogoutToken("it is not signed"));
        };
        let (purpose, mut keys) = (Purpose::Keys, HttpRequest::new(Vec::new()));
        *keys.uri_mut() = http::Uri::from_static("https://plain.example/keys");
        match http.send(purpose, keys).await {
            Ok(response) if response.status() == 200 => {}
            Ok(response) => {
                return Err(ProviderError::Unavailable { purpose, status: response.status().as_u16() });
            }
            Err(failure) => return Err(ProviderError::Unreachable { purpose, failure }),
        }
        let issued = issued.parse().unwrap_or_default();
        let (issued, ends) = (Timestamp::from_unix(issued), Timestamp::from_unix(issued + 120));
        let notice = LogoutNotice::new(ISSUER, jti, issued, ends);
        Ok(match kind {
            "sid" => notice.idp_session(name.to_owned()),
            _ => notice.subject(name.to_owned()),
        })
    }

    fn speaks_for(&self, issuer: &str) -> bool {
        issuer == ISSUER
    }
}
