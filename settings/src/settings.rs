//! Settings: what the variables say, checked as a whole.

use std::{collections::BTreeMap, env, net::SocketAddr, path::PathBuf, time::Duration};

use vestibule::{
    config::{ConfigError, Problem},
    paths::Paths,
    seal::KeyRing,
};

use crate::{
    checks,
    environment::Environment,
    provider::ProviderSettings,
    row::{OURS, Row, THEIRS},
    rows::{self, ROWS},
};

/// Everything that the environment says, and nothing that is wrong with it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Where to listen.
    pub http_address: SocketAddr,
    /// Where the endpoints are. An application may add to them before it builds.
    pub paths: Paths,
    /// How log lines are written.
    pub log_format: LogFormat,
    pub(crate) redirect_url: String,
    pub(crate) keys: Option<KeyRing>,
    pub(crate) cookie_name: Option<String>,
    pub(crate) session_age: Option<Duration>,
    /// `None` for every domain, and for accounts without an address.
    pub(crate) email_domains: Option<Vec<String>>,
    pub(crate) unverified_email: bool,
    pub(crate) groups: Vec<String>,
    pub(crate) return_origins: Vec<String>,
    pub(crate) provider: ProviderSettings,
    pub(crate) ca_files: Vec<PathBuf>,
    pub(crate) only_given_cas: bool,
    /// The variable that sets each option, or that would.
    pub(crate) names: BTreeMap<&'static str, &'static str>,
    warnings: Vec<Problem>,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Reads settings.
#[derive(Clone, Debug, Default)]
#[must_use = "a reader does nothing until it reads"]
pub struct Reader {
    defaults: BTreeMap<&'static str, String>,
}

impl Reader {
    /// Another value for an option that is not set.
    pub fn with_default(mut self, row: &'static Row, value: impl Into<String>) -> Self {
        self.defaults.insert(row.suffix(), value.into());
        self
    }

    /// Reads the process's environment.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with the variable and the remedy.
    pub fn from_env(self) -> Result<Settings, ConfigError> {
        // Other people's variables may hold anything; only ours must be text.
        self.read(
            env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()))),
        )
    }

    /// Reads these variables. Others than ours may be among them.
    ///
    /// # Errors
    /// Everything that is wrong with them, each with the variable and the remedy.
    pub fn from_env_map(
        self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Settings, ConfigError> {
        self.read(variables.into_iter().map(|(name, value)| (name, Some(value))))
    }

    fn read(
        self,
        variables: impl IntoIterator<Item = (String, Option<String>)>,
    ) -> Result<Settings, ConfigError> {
        let ours =
            variables.into_iter().filter(|(name, _)| name.starts_with(OURS) || name.starts_with(THEIRS));
        let mut environment = Environment::new(ours, self.defaults);
        let mut settings = Settings::of(&mut environment);
        environment.adopt(settings.problems());
        settings
            .warnings
            .retain(|warning| environment.problems.iter().all(|problem| problem.field != warning.field));
        ConfigError::check(environment.problems)?;
        Ok(settings)
    }
}

impl Settings {
    /// Reads the process's environment, with every option's own default.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with the variable and the remedy.
    pub fn from_env() -> Result<Self, ConfigError> {
        Reader::default().from_env()
    }

    /// Reads these variables, with every option's own default.
    ///
    /// # Errors
    /// Everything that is wrong with them, each with the variable and the remedy.
    pub fn from_env_map(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        Reader::default().from_env_map(variables)
    }

    /// What can be used and had better be changed. For the log, at the start.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    fn of(environment: &mut Environment) -> Self {
        let mut warnings = Vec::new();
        let redirect_url = environment.required(&rows::REDIRECT_URL);
        checks::cookie_secure(environment, &redirect_url);
        let provider = ProviderSettings::of(environment);
        let email_domains = checks::email_domains(environment);
        let groups = environment.list(&rows::ALLOWED_GROUPS);
        checks::somebody_is_named(environment, &provider, &groups);
        let ca_files: Vec<PathBuf> =
            environment.list(&rows::PROVIDER_CA_FILES).into_iter().map(Into::into).collect();
        let trusts_system = environment.flag(&rows::USE_SYSTEM_TRUST_STORE).unwrap_or(false);
        Self {
            http_address: environment
                .address(&rows::HTTP_ADDRESS)
                .unwrap_or(SocketAddr::from(([127, 0, 0, 1], 4180))),
            paths: Paths::below(&checks::prefix(environment)),
            log_format: match environment.choice(&rows::LOG_FORMAT) {
                Some("json") => LogFormat::Json,
                _ => LogFormat::Text,
            },
            redirect_url,
            keys: checks::keys(environment, &mut warnings),
            cookie_name: environment.text(&rows::COOKIE_NAME),
            session_age: environment.duration(&rows::COOKIE_EXPIRE),
            email_domains,
            unverified_email: environment.flag(&rows::INSECURE_OIDC_ALLOW_UNVERIFIED_EMAIL).unwrap_or(false),
            groups,
            return_origins: checks::return_origins(environment),
            provider,
            only_given_cas: !ca_files.is_empty() && !trusts_system,
            ca_files,
            names: ROWS.iter().map(|row| (row.suffix(), environment.name(row))).collect(),
            warnings,
        }
    }

    pub(crate) fn name_of(&self, row: &Row) -> &'static str {
        self.names.get(row.suffix()).copied().unwrap_or(row.known_as())
    }
}
