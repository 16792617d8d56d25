//! What there is to configure. Nothing is looked at before [`Builder::build`], which then names every problem at once.

use url::Url;
use vestibule::{
    address::{below, is_loopback_http},
    config::{ConfigError, Problem},
    oauth2::{ClientAuthentication, OAuth2Spec, PROTOCOL_PARAMETERS, is_one_of},
    secret::Secret,
};

use crate::{
    identify::GitHub,
    membership::{Restriction, Team},
};

/// Collects what there is to configure about GitHub and the application that is registered there.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    id: String,
    label: String,
    client_id: String,
    client_secret: Secret,
    base: String,
    login_url: Option<String>,
    redeem_url: Option<String>,
    api_url: Option<String>,
    issuer: Option<String>,
    scopes: Option<Vec<String>>,
    extra_parameters: Vec<(String, String)>,
    organizations: Vec<String>,
    teams: Vec<String>,
}

impl Builder {
    pub(crate) fn new(client_id: String, client_secret: Secret) -> Self {
        Self {
            id: "github".into(),
            label: "GitHub".into(),
            client_id,
            client_secret,
            base: "https://github.com".into(),
            login_url: None,
            redeem_url: None,
            api_url: None,
            issuer: None,
            scopes: None,
            extra_parameters: Vec::new(),
            organizations: Vec::new(),
            teams: Vec::new(),
        }
    }

    /// Sets the name in paths, sessions and metrics; `github` where it is not set. It must never change.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Sets the name that people know the provider by.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Goes to a GitHub Enterprise at this address instead of github.com.
    pub fn enterprise(mut self, base: impl Into<String>) -> Self {
        self.base = base.into();
        self
    }

    /// Sets where the browser is sent (oauth2-proxy's `login_url`).
    pub fn login_url(mut self, url: impl Into<String>) -> Self {
        self.login_url = Some(url.into());
        self
    }

    /// Sets where a code becomes a token (oauth2-proxy's `redeem_url`).
    pub fn redeem_url(mut self, url: impl Into<String>) -> Self {
        self.redeem_url = Some(url.into());
        self
    }

    /// Sets where the REST interface begins (what oauth2-proxy takes from `validate_url`). What follows `/api/v3` in it
    /// is left out, so that the value of that option can stay as it is.
    pub fn api_url(mut self, url: impl Into<String>) -> Self {
        self.api_url = Some(url.into());
        self
    }

    /// Sets who vouches for accounts, and the `iss` that a callback may bring. Where it is not set, it follows from where
    /// the browser is sent: `https://github.com/login/oauth` for github.com.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Asks for these scopes instead of `read:user user:email`, and `read:org` where somebody must be a member.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Adds a parameter to the authorization request, for instance `allow_signup`. The protocol's own are refused.
    pub fn extra_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra_parameters.push((name.into(), value.into()));
        self
    }

    /// Lets in active members of this organisation. Several: members of any of them.
    pub fn organization(mut self, name: impl Into<String>) -> Self {
        self.organizations.push(name.into());
        self
    }

    /// Lets in members of this team, written `organisation/team` with the team's slug. Several: members of any of them.
    /// Beside organisations, both must hold.
    pub fn team(mut self, name: impl Into<String>) -> Self {
        self.teams.push(name.into());
        self
    }

    /// The provider.
    ///
    /// # Errors
    /// Everything that cannot work as configured, each with the field and the remedy.
    pub fn build(self) -> Result<GitHub, ConfigError> {
        let mut problems = self.problems();
        let addresses = self.addresses(&mut problems);
        let teams = self.teams.iter().filter_map(|team| Team::parse(team)).collect::<Vec<_>>();
        if teams.len() < self.teams.len() {
            let remedy = "write `organisation/team`, with the team's slug as it stands in its address";
            problems.push(Problem::new(
                "team",
                "one of them does not name an organisation and a team",
                remedy,
            ));
        }
        ConfigError::check(problems)?;
        let Addresses { login, redeem, api } = addresses;
        let issuer = self.issuer.unwrap_or_else(|| issuer_of(&login));
        let restriction = Restriction { organizations: self.organizations, teams };
        let scopes = self.scopes.unwrap_or_else(|| {
            let always = ["read:user", "user:email"].into_iter();
            always.chain((!restriction.is_none()).then_some("read:org")).map(str::to_owned).collect()
        });
        let spec =
            OAuth2Spec::new(self.id, self.label, login, redeem, self.client_id, Some(self.client_secret))
                .client_authentication(ClientAuthentication::Post)
                .scopes(scopes)
                .issuer(issuer);
        let spec = self
            .extra_parameters
            .into_iter()
            .fold(spec, |spec, (name, value)| spec.extra_parameter(name, value));
        Ok(GitHub::new(spec, api, restriction))
    }

    fn problems(&self) -> Vec<Problem> {
        let is_id_byte = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        let is_id = !self.id.is_empty() && self.id.bytes().all(is_id_byte);
        let is_scope =
            |scope: &String| !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic());
        let scopes_are = self.scopes.as_ref().is_none_or(|scopes| scopes.iter().all(is_scope));
        let ours = |name: &str| is_one_of(&PROTOCOL_PARAMETERS, name);
        let registered = "give it as GitHub shows it in the application's settings";
        [
            (is_id, "id", "it cannot stand in a path as it is", "use lower-case letters, digits, - and _"),
            (!self.client_id.is_empty(), "client_id", "it is empty", registered),
            (
                !self.client_secret.is_empty(),
                "client_secret",
                "it is empty; GitHub has no public clients",
                registered,
            ),
            (scopes_are, "scopes", "one of them is empty or has a space in it", "give each scope by itself"),
            (
                !self.extra_parameters.iter().any(|(name, _)| ours(name)),
                "extra_parameter",
                "one of them is the protocol's own",
                "leave it out: it is set for each sign-in",
            ),
            (
                self.organizations.iter().all(|name| is_name(name)),
                "organization",
                "one of them is not the name of an organisation",
                "write the name as it stands in the organisation's address",
            ),
        ]
        .into_iter()
        .filter(|(sound, ..)| !sound)
        .map(|(_, field, fault, remedy)| Problem::new(field, fault, remedy))
        .collect()
    }

    fn addresses(&self, problems: &mut Vec<Problem>) -> Addresses {
        let base = address("enterprise", &self.base, problems);
        let mut at = |field, given: &Option<String>, otherwise: Url| match given {
            Some(given) => address(field, given, problems),
            None => otherwise,
        };
        Addresses {
            login: at("login_url", &self.login_url, below(&base, "login/oauth/authorize")),
            redeem: at("redeem_url", &self.redeem_url, below(&base, "login/oauth/access_token")),
            api: interface(at("api_url", &self.api_url, api_of(&base))),
        }
    }
}

/// Where everything is.
struct Addresses {
    login: Url,
    redeem: Url,
    api: Url,
}

/// An address that may be asked: https, or plain http on this machine. What cannot be is a problem, and github.com stands
/// in for it until all problems are found.
fn address(field: &'static str, text: &str, problems: &mut Vec<Problem>) -> Url {
    let sound = |url: &Url| {
        (url.scheme() == "https" || is_loopback_http(url))
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    match Url::parse(text) {
        Ok(url) if sound(&url) => url,
        _ => {
            let remedy =
                "write the whole address, beginning with https://; plain http is for this machine only";
            problems.push(Problem::new(field, "it is no address that may be asked", remedy));
            Url::parse("https://github.com").expect("a constant that the tests parse")
        }
    }
}

/// github.com and GitHub Enterprise Cloud have a host of its own for the interface, GitHub Enterprise Server a path.
fn api_of(base: &Url) -> Url {
    let host = base.host_str().unwrap_or_default();
    let mut api = below(base, "api/v3");
    if host == "github.com" || host.ends_with(".ghe.com") {
        let of_its_own = format!("api.{host}");
        if api.set_host(Some(&of_its_own)).is_ok() {
            api.set_path("");
        }
    }
    api
}

/// The interface without what may follow its version in an address.
fn interface(mut url: Url) -> Url {
    if let Some(at) = url.path().find("/api/v3/") {
        let path = url.path()[..at + "/api/v3".len()].to_owned();
        url.set_path(&path);
    }
    url.set_query(None);
    url
}

/// The `iss` of an authorization server at GitHub: where the browser is sent, up to `/login/oauth` (RFC 9207).
fn issuer_of(login: &Url) -> String {
    let mut issuer = login.clone();
    issuer.set_query(None);
    let text = String::from(issuer);
    text.strip_suffix("/authorize").unwrap_or(&text).to_owned()
}

/// What a name at GitHub may consist of; nothing else gets into a path.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
