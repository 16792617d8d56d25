//! What there is to configure for OAuth 2.0. Nothing is looked at before [`Builder::build`], which then names every
//! problem at once.

use vestibule::{
    address::below,
    config::{ConfigError, Problem},
    exchange::Purpose,
    oauth2::OAuth2Spec,
    provider::OAuthError,
    secret::Secret,
};

use crate::{
    addresses::{API, SITE, address, check_given, check_id},
    identify::Twitter,
};

/// What `GET /2/users/me` asks of a token.
const NEEDED_SCOPES: [&str; 2] = ["tweet.read", "users.read"];
/// What it asks of a token for the e-mail address.
const EMAIL_SCOPE: &str = "users.email";

/// Collects what there is to configure about X and the app that is registered there.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    id: String,
    label: String,
    client_id: String,
    client_secret: Option<Secret>,
    scopes: Vec<String>,
    site: String,
    api: String,
}

impl Builder {
    pub(crate) fn new(client_id: String) -> Self {
        Self {
            id: "twitter".into(),
            label: "X".into(),
            client_id,
            client_secret: None,
            scopes: NEEDED_SCOPES.into_iter().chain([EMAIL_SCOPE]).map(str::to_owned).collect(),
            site: SITE.into(),
            api: API.into(),
        }
    }

    /// Sets the name in paths, sessions and metrics; `twitter` where it is not set. It must never change.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Sets the name that people know the provider by.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets the secret of a confidential client: a web app or an automated app. Without one it is a public client: a
    /// native app or a single page app.
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// Asks for these scopes instead of `tweet.read users.read users.email`. The first two are needed; without the third
    /// nobody has an e-mail address.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Asks for a refresh token too (the scope `offline.access`). An access token lasts two hours.
    pub fn offline_access(mut self) -> Self {
        self.scopes.push("offline.access".into());
        self
    }

    /// Sets where X's pages begin, to which the browser is sent; `https://x.com` where it is not set.
    pub fn site(mut self, url: impl Into<String>) -> Self {
        self.site = url.into();
        self
    }

    /// Sets where X's interface begins; `https://api.x.com` where it is not set.
    pub fn api(mut self, url: impl Into<String>) -> Self {
        self.api = url.into();
        self
    }

    /// The provider.
    ///
    /// # Errors
    /// Everything that cannot work as configured, each with the field and the remedy.
    pub fn build(self) -> Result<Twitter, ConfigError> {
        let mut problems = Vec::new();
        check_id(&self.id, &mut problems);
        check_given("client_id", self.client_id.is_empty(), &mut problems);
        check_given(
            "client_secret",
            self.client_secret.as_ref().is_some_and(Secret::is_empty),
            &mut problems,
        );
        check_scopes(&self.scopes, &mut problems);
        let site = address("site", &self.site, &mut problems);
        let api = address("api", &self.api, &mut problems);
        ConfigError::check(problems)?;
        let may_see_email = self.scopes.iter().any(|scope| scope == EMAIL_SCOPE);
        let (authorize, token) = (below(&site, "i/oauth2/authorize"), below(&api, "2/oauth2/token"));
        // X takes a secret from the `Authorization` header only, which is where a spec puts it.
        let spec = OAuth2Spec::new(self.id, self.label, authorize, token, self.client_id, self.client_secret)
            .scopes(self.scopes)
            // X says so of a code or a refresh token that is spent, too old or another client's.
            .token_error(Purpose::Token, "invalid_request", OAuthError::InvalidGrant)
            .token_error(Purpose::Refresh, "invalid_request", OAuthError::InvalidGrant)
            .revocation_endpoint(below(&api, "2/oauth2/revoke"));
        Ok(Twitter::new(spec, &api, may_see_email))
    }
}

fn check_scopes(scopes: &[String], problems: &mut Vec<Problem>) {
    let is_scope = |scope: &String| !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic());
    if !scopes.iter().all(is_scope) {
        let fault = "one of them is empty or has a space in it";
        problems.push(Problem::new("scopes", fault, "give each scope by itself"));
    }
    for needed in NEEDED_SCOPES {
        if !scopes.iter().any(|scope| scope == needed) {
            let fault = format!("`{needed}` is not among them");
            let remedy = "add it: X says who signed in to tokens with `tweet.read` and `users.read` only";
            problems.push(Problem::new("scopes", fault, remedy));
        }
    }
}
