//! What there is to configure. Nothing is looked at before [`Builder::build`], which then names every problem at once.

use std::time::Duration;

use url::Url;
use vestibule::{config::ConfigError, oauth2::ClientAuthentication, secret::Secret};

use crate::{
    Algorithm, Oidc, OidcBearer,
    issuer::{Issuer, Tenants},
};

/// Everything that a conversation needs to know about issuer and client. Made by [`Builder::build`] only.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) issuer: Issuer,
    pub(crate) metadata_url: Url,
    pub(crate) settings: Settings,
}

/// What a builder collects.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) client_authentication: Option<ClientAuthentication>,
    /// `openid` first, always.
    pub(crate) scopes: Vec<String>,
    pub(crate) extra_parameters: Vec<(String, String)>,
    pub(crate) form_post: bool,
    pub(crate) max_age: Option<u64>,
    pub(crate) acr_values: Vec<String>,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) trusted_audiences: Vec<String>,
    pub(crate) user_info: UserInfo,
    pub(crate) signed_user_info: bool,
    pub(crate) username_claim: String,
    pub(crate) groups_claim: String,
    /// Whether somebody asked for groups, so that their absence is worth a userinfo call.
    pub(crate) groups_wanted: bool,
    pub(crate) email_verified_text: bool,
}

/// When userinfo is asked. It is asked only after the ID token is proven, and must name the same subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserInfo {
    /// Where the ID token lacks something that was asked for and that the issuer may have.
    WhenNeeded,
    /// At every sign-in; the issuer must have the endpoint.
    Always,
    /// Never: the ID token says everything.
    Never,
}

/// Collects what there is to configure about an issuer and the client that is registered there.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    pub(crate) issuer: String,
    pub(crate) tenants: Option<Tenants>,
    pub(crate) discovery_tenant: Option<String>,
    pub(crate) settings: Settings,
}

impl Builder {
    pub(crate) fn new(issuer: String, client_id: String) -> Self {
        let settings = Settings {
            id: "oidc".into(),
            label: "OpenID Connect".into(),
            client_id,
            client_secret: None,
            client_authentication: None,
            scopes: ["openid", "profile", "email"].map(str::to_owned).into(),
            extra_parameters: Vec::new(),
            form_post: false,
            max_age: None,
            acr_values: Vec::new(),
            algorithms: vec![Algorithm::Rs256],
            trusted_audiences: Vec::new(),
            user_info: UserInfo::WhenNeeded,
            signed_user_info: false,
            username_claim: "preferred_username".into(),
            groups_claim: "groups".into(),
            groups_wanted: false,
            email_verified_text: false,
        };
        Self { issuer, tenants: None, discovery_tenant: None, settings }
    }

    /// Sets the name in paths, sessions and metrics; `oidc` where it is not set. It must never change.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.settings.id = id.into();
        self
    }

    /// Sets the name that people know the provider by.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.settings.label = label.into();
        self
    }

    /// Sets the client's secret. Without one the client is public, and PKCE alone protects the code.
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.settings.client_secret = Some(secret.into());
        self
    }

    /// Sets how the client proves who it is. Where it is not set, the issuer's description decides, and
    /// `client_secret_basic` is preferred.
    pub fn client_authentication(mut self, by: ClientAuthentication) -> Self {
        self.settings.client_authentication = Some(by);
        self
    }

    /// Asks for these scopes instead of `profile email`; `openid` is always asked for. Asking for `groups` means that
    /// userinfo is asked where the ID token has none.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        let others = scopes.into_iter().map(Into::into).filter(|scope: &String| scope != "openid");
        self.settings.scopes = std::iter::once("openid".to_owned()).chain(others).collect();
        self
    }

    /// Adds a parameter to the authorization request, for instance `prompt` or `hd`. The protocol's own are refused.
    pub fn extra_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.extra_parameters.push((name.into(), value.into()));
        self
    }

    /// Lets the issuer answer by a form that posts itself (`response_mode=form_post`).
    pub fn form_post(mut self) -> Self {
        self.settings.form_post = true;
        self
    }

    /// Lets people in only who showed the issuer who they are within that time (`max_age`, `auth_time`).
    pub fn max_age(mut self, age: Duration) -> Self {
        self.settings.max_age = Some(age.as_secs());
        self
    }

    /// Lets people in only who signed in in one of these ways (`acr_values`, `acr`).
    pub fn acr_values<S: Into<String>>(mut self, values: impl IntoIterator<Item = S>) -> Self {
        self.settings.acr_values = values.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the only algorithms that ID tokens may be signed with; RS256 where it is not set. What a token's header
    /// says is never enough.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.settings.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Accepts ID tokens that are meant for `audience` too. Whoever that is could use them to act as the person here.
    pub fn trusted_audience(mut self, audience: impl Into<String>) -> Self {
        self.settings.trusted_audiences.push(audience.into());
        self
    }

    /// Sets when userinfo is asked.
    pub fn user_info(mut self, when: UserInfo) -> Self {
        self.settings.user_info = when;
        self
    }

    /// Refuses userinfo that is not a signed token (`userinfo_signed_response_alg`).
    pub fn signed_user_info(mut self) -> Self {
        self.settings.signed_user_info = true;
        self
    }

    /// Sets the claim that is shown as the person's user name; `preferred_username` where it is not set.
    pub fn username_claim(mut self, claim: impl Into<String>) -> Self {
        self.settings.username_claim = claim.into();
        self
    }

    /// Sets the claim that lists groups; `groups` where it is not set. A name that begins with `/` is a JSON pointer,
    /// such as `/realm_access/roles` for Keycloak. Userinfo is asked where the ID token has none.
    pub fn groups_claim(mut self, claim: impl Into<String>) -> Self {
        self.settings.groups_claim = claim.into();
        self.settings.groups_wanted = true;
        self
    }

    /// Takes the text `"true"` for a verified address too, as Cognito and some others write it.
    pub fn accept_email_verified_text(mut self) -> Self {
        self.settings.email_verified_text = true;
        self
    }

    /// Admits the accounts of these tenants, by their identifiers, where the issuer has `{tenantid}` in it.
    pub fn tenants<S: Into<String>>(mut self, tenants: impl IntoIterator<Item = S>) -> Self {
        self.tenants = Some(Tenants::Listed(tenants.into_iter().map(Into::into).collect()));
        self
    }

    /// Admits the accounts of every tenant there is: anybody can make one. The application must decide by itself who
    /// may enter.
    pub fn any_tenant(mut self) -> Self {
        self.tenants = Some(Tenants::Any);
        self
    }

    /// Sets what stands for `{tenantid}` where the issuer's description is asked for: `organizations` or `consumers`,
    /// say. The one tenant that is admitted, or `common`, where it is not set.
    pub fn discovery_tenant(mut self, tenant: impl Into<String>) -> Self {
        self.discovery_tenant = Some(tenant.into());
        self
    }

    /// The provider.
    ///
    /// # Errors
    /// Everything that cannot work as configured, each with the field and the remedy.
    pub fn build(self) -> Result<Oidc, ConfigError> {
        crate::validate::validate(self).map(Oidc::new)
    }

    /// The issuer as one whose tokens let API clients in: see [`OidcBearer`]. The client id is the audience that they
    /// must be meant for; a trusted audience is another.
    ///
    /// # Errors
    /// Everything that cannot work as configured, each with the field and the remedy.
    pub fn build_bearer(self) -> Result<OidcBearer, ConfigError> {
        crate::validate::validate_bearer(self).map(OidcBearer::new)
    }
}
