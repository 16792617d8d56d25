//! Who signs people in, as far as variables say it.

use vestibule::secret::Secret;
use vestibule_oidc::Algorithm;

use crate::{options::Options, row::Row, rows};

/// What is said about the provider and the client that is registered there.
#[derive(Debug)]
pub(crate) struct ProviderSettings {
    pub(crate) which: Option<Which>,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) label: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) prompt: Option<String>,
}

/// Which provider, with what only that one has; `None` above where that is not known.
#[derive(Debug)]
pub(crate) enum Which {
    Oidc(OidcSettings),
    GitHub(GitHubSettings),
}

/// What only an OpenID Connect issuer has.
#[derive(Debug)]
pub(crate) struct OidcSettings {
    pub(crate) issuer: String,
    pub(crate) groups_claim: Option<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) acr_values: Vec<String>,
    pub(crate) form_post: bool,
}

/// What only GitHub has.
#[derive(Debug)]
pub(crate) struct GitHubSettings {
    pub(crate) organization: Option<String>,
    /// Each `organisation/team`.
    pub(crate) teams: Vec<String>,
    pub(crate) login_url: Option<String>,
    pub(crate) redeem_url: Option<String>,
    pub(crate) api_url: Option<String>,
}

static OIDC_ONLY: [&Row; 6] = [
    &rows::OIDC_ISSUER_URL,
    &rows::OIDC_GROUPS_CLAIM,
    &rows::OIDC_EXTRA_AUDIENCES,
    &rows::OIDC_ENABLED_SIGNING_ALGS,
    &rows::ACR_VALUES,
    &rows::AUTH_REQUEST_RESPONSE_MODE,
];

static GITHUB_ONLY: [&Row; 6] = [
    &rows::GITHUB_ORG,
    &rows::GITHUB_TEAM,
    &rows::LOGIN_URL,
    &rows::REDEEM_URL,
    &rows::VALIDATE_URL,
    &rows::PROFILE_URL,
];

impl ProviderSettings {
    pub(crate) fn of(options: &mut Options) -> Self {
        let client_id = options.required(&rows::CLIENT_ID);
        let client_secret = client_secret(options);
        let which = match which(options) {
            Some("github") => {
                let remedy = "leave it out: GitHub is no OpenID Connect issuer";
                refuse(options, &OIDC_ONLY, "it means nothing to GitHub", remedy);
                Some(Which::GitHub(GitHubSettings::of(options)))
            }
            Some(_) => {
                let remedy = "leave it out: the issuer's own metadata says where its endpoints are";
                refuse(options, &GITHUB_ONLY, "it is for PROVIDER=github only", remedy);
                Some(Which::Oidc(OidcSettings::of(options)))
            }
            None => None,
        };
        Self {
            which,
            client_id,
            client_secret,
            label: options.text(&rows::PROVIDER_DISPLAY_NAME),
            scopes: options.words(&rows::SCOPE),
            prompt: options.text(&rows::PROMPT),
        }
    }

    /// Whether the provider is asked for a membership, so that not everybody who has an account may enter.
    pub(crate) fn names_members(&self) -> bool {
        matches!(&self.which, Some(Which::GitHub(github)) if github.organization.is_some() || !github.teams.is_empty())
    }
}

impl OidcSettings {
    fn of(options: &mut Options) -> Self {
        let mut algorithms = Vec::new();
        for name in options.list(&rows::OIDC_ENABLED_SIGNING_ALGS) {
            match Algorithm::parse(&name) {
                Some(algorithm) => algorithms.push(algorithm),
                None => {
                    let fault = format!("`{name}` is no algorithm that ID tokens may be signed with");
                    options.problem(
                        &rows::OIDC_ENABLED_SIGNING_ALGS,
                        fault,
                        "write names such as RS256 or ES256",
                    );
                }
            }
        }
        Self {
            issuer: options.required(&rows::OIDC_ISSUER_URL),
            groups_claim: options.text(&rows::OIDC_GROUPS_CLAIM),
            audiences: options.list(&rows::OIDC_EXTRA_AUDIENCES),
            algorithms,
            acr_values: options.words(&rows::ACR_VALUES),
            form_post: options.choice(&rows::AUTH_REQUEST_RESPONSE_MODE) == Some("form_post"),
        }
    }
}

impl GitHubSettings {
    fn of(options: &mut Options) -> Self {
        if options.text(&rows::CLIENT_SECRET).or(options.text(&rows::CLIENT_SECRET_FILE)).is_none() {
            options.problem(&rows::CLIENT_SECRET, "it is not set", "set it: GitHub has no public clients");
        }
        let organization = options.text(&rows::GITHUB_ORG);
        let mut teams = Vec::new();
        for team in options.list(&rows::GITHUB_TEAM) {
            match (team.split_once([':', '/']), &organization) {
                (Some((organization, team)), _) => teams.push(format!("{organization}/{team}")),
                (None, Some(organization)) => teams.push(format!("{organization}/{team}")),
                (None, None) => {
                    let fault = format!("nothing says of which organisation `{team}` is a team");
                    options.problem(
                        &rows::GITHUB_TEAM,
                        fault,
                        "set GITHUB_ORG too, or write `organisation:team`",
                    );
                }
            }
        }
        // oauth2-proxy finds the interface by the one, whatever the other says.
        let profile_url = options.text(&rows::PROFILE_URL);
        let beside_profile =
            profile_url.map(|url| url.trim_end_matches('/').trim_end_matches("/user").to_owned());
        Self {
            organization,
            teams,
            login_url: options.text(&rows::LOGIN_URL),
            redeem_url: options.text(&rows::REDEEM_URL),
            api_url: options.text(&rows::VALIDATE_URL).or(beside_profile),
        }
    }
}

/// oauth2-proxy's other providers are, with few exceptions, OpenID Connect issuers.
fn which(options: &mut Options) -> Option<&'static str> {
    let Some(text) = options.text(&rows::PROVIDER) else {
        options.required(&rows::PROVIDER);
        return None;
    };
    let issuer = match text.as_str() {
        "google" => "https://accounts.google.com",
        "entra-id" | "azure" | "adfs" => "https://login.microsoftonline.com/TENANT/v2.0",
        "keycloak" | "keycloak-oidc" => "https://HOST/realms/REALM",
        "gitlab" => "https://gitlab.com",
        "login.gov" => "https://secure.login.gov/",
        _ => return options.choice(&rows::PROVIDER),
    };
    let remedy = format!("set it to `oidc`, and OIDC_ISSUER_URL to {issuer}");
    options.problem(&rows::PROVIDER, format!("`{text}` is not a provider of its own here"), remedy);
    None
}

fn client_secret(options: &mut Options) -> Option<Secret> {
    let (bytes, row) = options.secret(&rows::CLIENT_SECRET, &rows::CLIENT_SECRET_FILE)?;
    match std::str::from_utf8(&bytes).map(str::trim) {
        Ok(text) if !text.is_empty() => Some(Secret::new(text)),
        _ => {
            options.problem(row, "it is empty, or no text", "give the secret as the provider shows it");
            None
        }
    }
}

fn refuse(options: &mut Options, rows: &[&Row], fault: &str, remedy: &str) {
    for row in rows {
        if options.is_set(row) {
            options.problem(row, fault, remedy);
        }
    }
}
