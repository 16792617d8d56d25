//! Settings: what all options say, checked as a whole.

use std::{
    collections::BTreeMap,
    env, fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use vestibule::{
    access::AccessRule,
    config::{ConfigError, Flavour, Keep, Problem, StartParameter, TokenHeaders},
    identity_headers::IdentityHeaders,
    pages::PageStyle,
    paths::Paths,
    seal::KeyRing,
    secret::Secret,
};

use crate::{
    access, assemble,
    bearer::Bearer,
    checks,
    given::File,
    options::Options,
    pages,
    providers::{self, Made, Providers},
    row::{Heeded, OURS, Row, THEIRS},
    rows::{self, ROWS},
    server::Server,
    sessions::{Sessions, Store},
    terms,
    value::Listen,
};

/// Everything that options say, and nothing that is wrong with it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Where an application listens.
    pub http_address: SocketAddr,
    /// How the gateway runs.
    pub server: Server,
    /// Where the endpoints are. An application may add to them before it builds.
    pub paths: Paths,
    /// How log lines are written.
    pub log_format: LogFormat,
    pub(crate) redirect_url: String,
    pub(crate) keys: Option<KeyRing>,
    pub(crate) cookie_name: Option<String>,
    pub(crate) cookie_domain: Option<String>,
    pub(crate) session_age: Option<Duration>,
    pub(crate) sessions: Sessions,
    /// `None` for every domain, and for accounts without an address.
    pub(crate) email_domains: Option<Vec<String>>,
    pub(crate) unverified_email: bool,
    pub(crate) groups: Vec<String>,
    pub(crate) return_origins: Vec<String>,
    pub(crate) providers: Vec<Made>,
    pub(crate) flavour: Flavour,
    pub(crate) emails: Vec<String>,
    pub(crate) keep_groups: Option<Keep>,
    pub(crate) rules: Vec<AccessRule>,
    /// Groups and claims that those ask for.
    pub(crate) kept_for_rules: (Vec<String>, BTreeMap<String, String>),
    pub(crate) bearer: Bearer,
    pub(crate) shows_sign_in_page: bool,
    pub(crate) start_parameters: Vec<StartParameter>,
    pub(crate) pages: PageStyle,
    pub(crate) identity_headers: IdentityHeaders,
    pub(crate) token_headers: TokenHeaders,
    pub(crate) provider_proxy: Option<Secret>,
    pub(crate) trusted_proxies: Vec<String>,
    pub(crate) client_header: Option<String>,
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

/// Reads settings: for an application where nothing else is said.
#[derive(Clone)]
#[must_use = "a reader does nothing until it reads"]
pub struct Reader {
    heeded: Heeded,
    defaults: BTreeMap<&'static str, String>,
    flags: Vec<(String, Vec<String>)>,
    file: Option<PathBuf>,
    providers: Providers,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A value may be a secret.
        let flags: Vec<_> = self.flags.iter().map(|(name, _)| name).collect();
        f.debug_struct("Reader")
            .field("heeded", &self.heeded)
            .field("defaults", &self.defaults.keys())
            .field("flags", &flags)
            .field("file", &self.file)
            .field("providers", &self.providers)
            .finish()
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            heeded: Heeded::Everywhere,
            defaults: BTreeMap::new(),
            flags: Vec::new(),
            file: None,
            providers: Providers::default(),
        }
    }
}

impl Reader {
    /// A reader for the gateway, which heeds every option.
    pub fn gateway() -> Self {
        Self { heeded: Heeded::ByTheGateway, ..Self::default() }
    }

    /// Another value for an option that is not set.
    pub fn with_default(mut self, row: &'static Row, value: impl Into<String>) -> Self {
        self.defaults.insert(row.suffix(), value.into());
        self
    }

    /// An option of the command line, such as `--email-domain`, with every value that it was given. It wins over the
    /// same option of the environment or the file.
    pub fn with_flag(mut self, name: impl Into<String>, values: impl IntoIterator<Item = String>) -> Self {
        self.flags.push((name.into(), values.into_iter().collect()));
        self
    }

    /// A TOML file of options, such as `email_domains = ["example.com"]`. The environment wins over it.
    pub fn with_file(mut self, path: impl AsRef<Path>) -> Self {
        self.file = Some(path.as_ref().to_owned());
        self
    }

    /// Kinds of providers beside those that are always there.
    pub fn with_providers(mut self, providers: Providers) -> Self {
        self.providers = providers;
        self
    }

    /// Reads, with the process's environment.
    ///
    /// # Errors
    /// Everything that is wrong, each with the option and the remedy.
    pub fn from_env(self) -> Result<Settings, ConfigError> {
        self.read(of_the_process())
    }

    /// Reads, with these variables. Others than ours may be among them.
    ///
    /// # Errors
    /// Everything that is wrong, each with the option and the remedy.
    pub fn from_env_map(
        self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Settings, ConfigError> {
        self.read(variables.into_iter().map(|(name, value)| (name, Some(value))))
    }

    /// A TOML file that means the same as everything that is given, without secrets; and everything that is wrong
    /// with it, which is written down all the same.
    pub fn in_our_terms(self) -> (String, Vec<Problem>) {
        let (options, file) = self.clone().options(of_the_process());
        let problems = self.from_env().err().map(|error| error.problems).unwrap_or_default();
        (terms::print(&options, &file), problems)
    }

    /// Everything that is given, unread.
    fn options(self, variables: impl IntoIterator<Item = (String, Option<String>)>) -> (Options, File) {
        let ours =
            variables.into_iter().filter(|(name, _)| name.starts_with(OURS) || name.starts_with(THEIRS));
        let mut options = Options::new(self.heeded, self.defaults);
        options.take_flags(self.flags);
        options.take_variables(ours);
        let file = self.file.as_ref().map(|path| File::read(path, &mut options.problems));
        if let Some(file) = &file {
            options.take_file(file);
        }
        (options, file.unwrap_or_default())
    }

    fn read(
        self,
        variables: impl IntoIterator<Item = (String, Option<String>)>,
    ) -> Result<Settings, ConfigError> {
        let (heeded, kinds) = (self.heeded, self.providers.clone());
        let in_sight = checks::secrets_in_sight(self.flags.iter().map(|(name, _)| name.as_str()));
        let (mut options, file) = self.options(variables);
        options.check_what_is_always_so();
        let mut settings = Settings::of(&mut options, &file, &kinds);
        settings.warnings.extend(in_sight);
        if heeded == Heeded::Everywhere && !matches!(settings.server.listen, Listen::Tcp(_)) {
            let remedy = "write `host:port`: only the gateway listens elsewhere";
            options.problem(&rows::HTTP_ADDRESS, "an application listens at an address", remedy);
        }
        options.adopt(settings.problems());
        settings
            .warnings
            .retain(|warning| options.problems.iter().all(|problem| problem.field != warning.field));
        ConfigError::check(options.problems)?;
        Ok(settings)
    }
}

/// The process's variables. Other people's may hold anything; only ours must be text.
fn of_the_process() -> impl Iterator<Item = (String, Option<String>)> {
    env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok())))
}

impl Settings {
    /// Reads the process's environment for an application, with every option's own default.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with the variable and the remedy.
    pub fn from_env() -> Result<Self, ConfigError> {
        Reader::default().from_env()
    }

    /// Reads these variables for an application, with every option's own default.
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

    /// Where sessions are kept, if not in cookies.
    pub fn store(&self) -> Option<&Store> {
        self.sessions.store.as_ref()
    }

    /// Takes the store of settings that are at work already, if these name the same one: its connection stays, and
    /// what is in memory is not lost.
    pub fn share_store(&mut self, before: &Store) {
        self.sessions.share(before);
    }

    fn of(options: &mut Options, file: &File, kinds: &Providers) -> Self {
        let mut warnings = Vec::new();
        let redirect_url = options.required(&rows::REDIRECT_URL);
        checks::cookie_secure(options, &redirect_url);
        let providers = providers::read(options, file, kinds);
        let email_domains = checks::email_domains(options);
        let emails = access::emails(options);
        let groups = options.list(&rows::ALLOWED_GROUPS);
        let bearer = Bearer::read(options, file);
        checks::somebody_is_named(options, &providers, &groups, !bearer.issuers.is_empty());
        let ca_files: Vec<PathBuf> =
            options.list(&rows::PROVIDER_CA_FILES).into_iter().map(Into::into).collect();
        let trusts_system = options.flag(&rows::USE_SYSTEM_TRUST_STORE).unwrap_or(false);
        let paths = Paths::below(&checks::prefix(options));
        checks::upstreams(options, paths.prefix());
        let server = Server::of(options, &paths);
        Self {
            http_address: match server.listen {
                Listen::Tcp(address) => address,
                _ => SocketAddr::from(([127, 0, 0, 1], 4180)),
            },
            server,
            paths,
            log_format: match options.choice(&rows::LOG_FORMAT) {
                Some("json") => LogFormat::Json,
                _ => LogFormat::Text,
            },
            redirect_url,
            keys: checks::keys(options, &mut warnings),
            cookie_name: options.text(&rows::COOKIE_NAME),
            cookie_domain: checks::cookie_domain(options),
            session_age: options.duration(&rows::COOKIE_EXPIRE),
            sessions: Sessions::read(options),
            email_domains,
            unverified_email: options.flag(&rows::INSECURE_OIDC_ALLOW_UNVERIFIED_EMAIL).unwrap_or(false),
            groups,
            return_origins: checks::return_origins(options),
            providers,
            emails,
            keep_groups: checks::keep_groups(options),
            rules: access::read(options, file),
            kept_for_rules: access::kept(file),
            bearer,
            flavour: assemble::flavour(options.choice(&rows::FLAVOUR)),
            token_headers: checks::token_headers(options),
            shows_sign_in_page: options.flag(&rows::SKIP_PROVIDER_BUTTON) == Some(false),
            start_parameters: checks::start_parameters(options),
            pages: pages::style(options),
            identity_headers: checks::identity_headers(options),
            provider_proxy: options.text(&rows::PROVIDER_PROXY).map(Secret::new),
            trusted_proxies: options.list(&rows::TRUSTED_PROXY_IPS),
            client_header: options.text(&rows::REAL_CLIENT_IP_HEADER),
            only_given_cas: !ca_files.is_empty() && !trusts_system,
            ca_files,
            names: ROWS.iter().map(|row| (row.suffix(), options.name(row))).collect(),
            warnings,
        }
    }

    pub(crate) fn name_of(&self, row: &Row) -> &'static str {
        self.names.get(row.suffix()).copied().unwrap_or(row.known_as())
    }
}
