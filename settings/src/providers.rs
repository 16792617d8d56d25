//! Who signs people in, as far as options say it: one provider at the top, or several in `[[provider]]` tables.

mod github;
mod oauth2;
mod oidc;
mod registry;
mod twitter;

pub(crate) use oidc::{issuer, with_token_rules};
pub use registry::{ProviderOptions, Providers};

use std::{collections::BTreeMap, fmt, sync::Arc};

use vestibule::{
    config::{ConfigError, Problem},
    provider::Provider,
    secret::Secret,
};

use crate::{
    given::{File, Value},
    options::Options,
    row::Row,
    rows,
};

/// A provider that is set up.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) provider: Arc<dyn Provider>,
    /// Whether it is asked for a membership, so that not everybody who has an account may enter.
    pub(crate) names_members: bool,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Made").field(&self.provider.id()).finish()
    }
}

/// What is the same for every kind.
pub(crate) struct Common {
    /// `None` where there is one provider only: then it has the name of its kind.
    pub(crate) id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) label: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) prompt: Option<String>,
}

/// The options that are about one provider, and that may stand in a table of its own.
static PROVIDER_ROWS: &[&Row] = &[
    &rows::PROVIDER,
    &rows::PROVIDER_DISPLAY_NAME,
    &rows::CLIENT_ID,
    &rows::CLIENT_SECRET,
    &rows::CLIENT_SECRET_FILE,
    &rows::SCOPE,
    &rows::PROMPT,
    &rows::OIDC_ISSUER_URL,
    &rows::OIDC_GROUPS_CLAIM,
    &rows::OIDC_EXTRA_AUDIENCES,
    &rows::OIDC_ENABLED_SIGNING_ALGS,
    &rows::ACR_VALUES,
    &rows::AUTH_REQUEST_RESPONSE_MODE,
    &rows::GITHUB_ORG,
    &rows::GITHUB_TEAM,
    &rows::LOGIN_URL,
    &rows::REDEEM_URL,
    &rows::VALIDATE_URL,
    &rows::PROFILE_URL,
    &rows::OAUTH2_SUBJECT_CLAIM,
    &rows::OAUTH2_USERNAME_CLAIM,
    &rows::OAUTH2_NAME_CLAIM,
    &rows::OAUTH2_EMAIL_CLAIM,
    &rows::OAUTH2_EMAIL_VERIFIED_CLAIM,
    &rows::OAUTH2_GROUPS_CLAIM,
    &rows::OAUTH2_CLIENT_AUTHENTICATION,
];

/// What a table may call an option beside its own name.
static SHORT_NAMES: [(&str, &Row); 2] = [("kind", &rows::PROVIDER), ("label", &rows::PROVIDER_DISPLAY_NAME)];

/// The option that a table calls so.
pub(crate) fn row(key: &str) -> Option<&'static Row> {
    let short = SHORT_NAMES.iter().find(|(name, _)| *name == key).map(|(_, row)| *row);
    short.or_else(|| PROVIDER_ROWS.iter().find(|row| row.key() == key).copied())
}

/// Every provider that options speak of.
pub(crate) fn read(options: &mut Options, file: &File, kinds: &Providers) -> Vec<Made> {
    let tables = file.tables.get("provider").map(Vec::as_slice).unwrap_or_default();
    if tables.is_empty() {
        return one(options, None, BTreeMap::new(), kinds).into_iter().collect();
    }
    for row in PROVIDER_ROWS {
        if options.is_set(row) {
            options.problem(
                row,
                "providers have tables of their own",
                "write it into one of these `[[provider]]`",
            );
        }
    }
    tables.iter().filter_map(|table| in_table(options, table, kinds)).collect()
}

/// The provider of one table.
fn in_table(options: &mut Options, table: &BTreeMap<String, Value>, kinds: &Providers) -> Option<Made> {
    let (mut section, mut own) = (options.section(), BTreeMap::new());
    let mut id = None;
    for (key, value) in table {
        let row = row(key);
        if let Some(row) = row.filter(|row| row.key() != key && table.contains_key(row.key())) {
            let fault = format!("`{key}` is set too");
            section.problems.push(Problem::new(row.key(), fault, "set only one of the two"));
        }
        match (row, value) {
            (Some(row), _) => section.set(row, row.key(), value.clone()),
            (None, Value::Text(text)) if key == "id" => id = Some(text.clone()),
            (None, _) => {
                own.insert(key.clone(), value.clone());
            }
        }
    }
    let name = id.clone().unwrap_or_else(|| "without an id".to_owned());
    if id.is_none() {
        let remedy =
            "set it to a name of lower-case letters that never changes: it stands in the redirect URL";
        section.problems.push(Problem::new("id", "it is not set", remedy));
    }
    let made = one(&mut section, id, own, kinds);
    options.problems.extend(section.problems.into_iter().map(|problem| {
        let fault = format!("`{name}`: {}: {}", problem.field, problem.fault);
        Problem::new("provider", fault, problem.remedy)
    }));
    made
}

/// The provider that these options speak of; `own` are those that only its kind knows.
fn one(
    options: &mut Options,
    id: Option<String>,
    own: BTreeMap<String, Value>,
    kinds: &Providers,
) -> Option<Made> {
    let common = Common::of(options, id);
    let kind = options.required(&rows::PROVIDER);
    let mut own = own;
    let made = match &*kind {
        "" => None,
        "github" => github::make(options, common),
        "oauth2" => oauth2::make(options, common),
        "twitter" => twitter::make(options, common),
        "twitter-oauth1" => twitter::make_oauth1(options, common),
        name if kinds.has(name) => kinds.make(name, options, common, &mut own),
        name => match oidc::preset(name) {
            Some(preset) => oidc::make(options, common, &preset),
            None => {
                let (fault, remedy) = unknown(name, kinds);
                options.problem(&rows::PROVIDER, fault, remedy);
                None
            }
        },
    };
    for key in own.keys() {
        let fault = format!("there is no option {key} for a provider");
        options.problems.push(Problem::new("provider", fault, "leave it out"));
    }
    made
}

/// What to do about a kind that does not exist here.
fn unknown(name: &str, kinds: &Providers) -> (String, String) {
    let fault = format!("`{name}` is no kind of provider here");
    let remedy = match name {
        "azure" => {
            "set it to `entra-id`, and OIDC_ISSUER_URL to https://login.microsoftonline.com/TENANT/v2.0"
                .to_owned()
        }
        "keycloak" => {
            "set it to `keycloak-oidc`, and OIDC_ISSUER_URL to https://HOST/realms/REALM".to_owned()
        }
        "login.gov" => "use another: a client does not authenticate by a key of its own yet".to_owned(),
        _ => {
            let names: Vec<_> =
                ["oidc", "github", "twitter", "oauth2"].into_iter().chain(kinds.names()).collect();
            format!(
                "write `{}`; `oauth2` reaches any provider with an authorization, a token and a profile endpoint",
                names.join("` or `")
            )
        }
    };
    (fault, remedy)
}

impl Common {
    fn of(options: &mut Options, id: Option<String>) -> Self {
        Self {
            id,
            client_id: options.required(&rows::CLIENT_ID),
            client_secret: client_secret(options),
            label: options.text(&rows::PROVIDER_DISPLAY_NAME),
            scopes: options.words(&rows::SCOPE),
            prompt: options.text(&rows::PROMPT),
        }
    }
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

/// Refuses options that are about providers of other kinds.
fn refuse_others(options: &mut Options, own: &[&Row], fault: &str, remedy: &str) {
    // Whatever comes before the issuer's address is for every kind.
    let general = PROVIDER_ROWS.iter().position(|row| **row == rows::OIDC_ISSUER_URL).unwrap_or(0);
    for row in &PROVIDER_ROWS[general..] {
        if options.is_set(row) && !own.contains(row) {
            options.problem(row, fault, remedy);
        }
    }
}

/// Whatever was built, or its problems under the names of options.
fn built<P: Provider>(options: &mut Options, provider: Result<P, ConfigError>) -> Option<Arc<dyn Provider>> {
    match provider {
        Ok(provider) => Some(Arc::new(provider)),
        Err(error) => {
            options.adopt_renamed(error.problems);
            None
        }
    }
}
