//! From settings to a vestibule and its host: the same for every example and for the gateway.

use vestibule::{
    Vestibule,
    config::{Builder, ConfigError, Flavour, Keep, Problem},
    identity::Identity,
};
use vestibule_reqwest::{HostError, ReqwestHost};

use crate::{Settings, row::Row, rows};

impl Settings {
    /// A vestibule to be built, with the providers in it. The application adds what is its own.
    ///
    /// # Errors
    /// Nothing that reading the settings has not said already.
    pub fn builder(&self) -> Result<Builder, ConfigError> {
        Ok(self.assemble())
    }

    /// Everything that would keep a vestibule from being built, under the options' names.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = match self.assemble().build() {
            Ok(_) => Vec::new(),
            Err(error) => error.problems,
        };
        // What is missing altogether has been said in the words of options.
        problems.retain(|problem| {
            !(problem.field == "keys" && self.keys.is_none()
                || problem.field == "provider" && self.providers.is_empty())
        });
        for problem in &mut problems {
            if problem.field == "trusted_proxies" {
                // The core speaks of its own method there.
                problem.remedy = LIST_THEM.to_owned();
            }
            if NEEDS_STORE.contains(&problem.field) && self.store().is_none() {
                problem.remedy = KEEP_THEM.to_owned();
            }
            problem.field = row_of(problem.field).map_or(problem.field, |row| self.name_of(row));
        }
        // Reading the system's certificates takes time, and can wait where there is nothing else to look at.
        if !self.ca_files.is_empty() || self.provider_proxy.is_some() {
            problems.extend(self.host().err().map(|error| {
                let row = if matches!(error, HostError::Proxy) {
                    &rows::PROVIDER_PROXY
                } else {
                    &rows::PROVIDER_CA_FILES
                };
                Problem::new(self.name_of(row), error.to_string(), "or leave it out, if it is not needed")
            }));
        }
        problems
    }

    /// A builder with everything that is sound in it.
    fn assemble(&self) -> Builder {
        let mut builder = Vestibule::builder(&self.redirect_url).paths(self.paths.clone());
        if let Some(keys) = &self.keys {
            builder = builder.keys(keys.clone());
        }
        if let Some(name) = &self.cookie_name {
            builder = builder.cookie_name(name);
        }
        if let Some(domain) = &self.cookie_domain {
            builder = builder.cookie_domain(domain);
        }
        if let Some(age) = self.session_age {
            builder = builder.session_age(age);
        }
        builder = self.sessions.say_to(builder);
        if let Some(domains) = &self.email_domains {
            builder = builder.email_domains(domains);
        }
        if self.unverified_email {
            builder = builder.insecure_unverified_email();
        }
        if !self.groups.is_empty() {
            builder = builder.groups(&self.groups);
        }
        for origin in &self.return_origins {
            builder = builder.allow_return_to(origin);
        }
        if !self.emails.is_empty() {
            builder = builder.emails(&self.emails);
        }
        if let Some(keep) = &self.keep_groups {
            builder = builder.keep_groups(keep.clone());
        }
        builder = self.start_parameters.iter().copied().fold(builder, Builder::start_parameter);
        if self.shows_sign_in_page {
            builder = builder.always_show_sign_in_page();
        }
        builder = self.asking(builder.pages(self.pages.clone()));
        self.providers.iter().fold(builder, |builder, made| builder.shared_provider(made.provider.clone()))
    }

    /// What is said about the proxy that asks.
    fn asking(&self, builder: Builder) -> Builder {
        let mut builder = builder.flavour(self.flavour).trusted_proxies(&self.trusted_proxies);
        builder = builder.identity_headers(self.identity_headers.clone());
        builder = builder.token_headers(self.token_headers.clone());
        builder = self.rules.iter().cloned().fold(builder, Builder::rule);
        // What is wrong with an issuer was said when it was read.
        let issuers = self.bearer.issuers.iter().filter_map(|issuer| issuer.clone().build_bearer().ok());
        builder = issuers.fold(builder, Builder::bearer);
        if self.bearer.or_session {
            builder = builder.bearer_or_session();
        }
        match &self.client_header {
            Some(header) => builder.client_address_from(header),
            None => builder,
        }
    }

    /// The callback's address, as registered at the provider.
    pub fn redirect_url(&self) -> &str {
        &self.redirect_url
    }

    /// The ids of the providers.
    pub fn provider_ids(&self) -> impl Iterator<Item = &str> {
        self.providers.iter().map(|made| made.provider.id())
    }

    /// Other origins that a sign-in may lead back to, those with a `*` in them included.
    pub fn return_origins(&self) -> &[String] {
        &self.return_origins
    }

    /// Somebody made up whom the rules for everybody let in, who is in every group and has every claim that
    /// options name.
    pub fn somebody(&self) -> Identity {
        let domain = self.email_domains.as_ref().and_then(|domains| domains.first());
        let domain = domain.map_or("example.com".to_owned(), |domain| match domain.trim_start_matches('*') {
            below if below.starts_with('.') => format!("somewhere{below}"),
            domain => domain.to_owned(),
        });
        let email = self.emails.first().cloned().unwrap_or_else(|| format!("somebody@{domain}"));
        let mut groups = self.groups.clone();
        if let Some(Keep::Named(named)) = &self.keep_groups {
            groups.extend(named.iter().cloned());
        }
        let (for_rules, claims) = &self.kept_for_rules;
        groups.extend(for_rules.iter().cloned());
        let somebody =
            Identity::new("0123456789abcdef0123456789abcdef").issuer("https://provider.example.com");
        let somebody = somebody.username("somebody".to_owned()).verified_email(email).groups(groups);
        claims.iter().fold(somebody, |somebody, (name, value)| somebody.claim(name, value.clone()))
    }

    /// The host that reaches the providers.
    ///
    /// # Errors
    /// The system has no certificates of authorities, or the files that were given have none.
    pub fn host(&self) -> Result<ReqwestHost, HostError> {
        let mut builder = ReqwestHost::builder();
        for file in &self.ca_files {
            builder = builder.extra_ca_file(file);
        }
        if self.only_given_cas {
            builder = builder.only_given_cas();
        }
        if let Some(proxy) = &self.provider_proxy {
            builder = builder.proxy(proxy.clone());
        }
        builder.build()
    }
}

/// What to do where no proxy is trusted and one has to be.
const LIST_THEM: &str = "list the addresses that your proxy asks from: `trusted_proxy_ips = [\"127.0.0.1\"]` in the file, \
                         or TRUSTED_PROXY_IPS=127.0.0.1, for one on this machine; `unix` for one that asks on a unix socket";

/// What a cookie alone cannot do, by the core's names.
const NEEDS_STORE: [&str; 4] = ["idle_limit", "refresh_tokens", "backchannel_logout", "frontchannel_logout"];
/// What to do where something needs a store and there is none.
const KEEP_THEM: &str = "set SESSION_STORE_TYPE to `redis` or `memory`, or leave it out";

/// What the proxy that asks expects, by its name in options.
pub(crate) fn flavour(name: Option<&str>) -> Flavour {
    match name {
        Some("nginx") => Flavour::Nginx,
        Some("forward-auth") => Flavour::ForwardAuth,
        Some("ext-authz") => Flavour::ExtAuthz,
        _ => Flavour::OAuth2Proxy,
    }
}

/// The option that a field of a builder is set by.
pub(crate) fn row_of(field: &str) -> Option<&'static Row> {
    Some(match field {
        "redirect_url" => &rows::REDIRECT_URL,
        "paths" => &rows::PROXY_PREFIX,
        "keys" => &rows::COOKIE_SECRET,
        "cookie_domain" => &rows::COOKIE_DOMAINS,
        "cookie_name" => &rows::COOKIE_NAME,
        "session_age" => &rows::COOKIE_EXPIRE,
        "idle_limit" => &rows::IDLE_LIMIT,
        "backchannel_logout" => &rows::BACKCHANNEL_LOGOUT,
        "frontchannel_logout" => &rows::FRONTCHANNEL_LOGOUT,
        "refresh_tokens" | "refresh_every" => &rows::COOKIE_REFRESH,
        "email_domains" => &rows::EMAIL_DOMAINS,
        "allow_return_to" => &rows::WHITELIST_DOMAINS,
        "provider" => &rows::PROVIDER,
        "issuer" | "tenants" | "discovery_tenant" => &rows::OIDC_ISSUER_URL,
        "client_id" | "consumer_key" => &rows::CLIENT_ID,
        "client_secret" | "client_authentication" | "consumer_secret" => &rows::CLIENT_SECRET,
        "scopes" => &rows::SCOPE,
        "extra_parameter" => &rows::PROMPT,
        "acr_values" => &rows::ACR_VALUES,
        "algorithms" => &rows::OIDC_ENABLED_SIGNING_ALGS,
        "login_url" => &rows::LOGIN_URL,
        "redeem_url" => &rows::REDEEM_URL,
        "api_url" => &rows::VALIDATE_URL,
        "organization" => &rows::GITHUB_ORG,
        "team" => &rows::GITHUB_TEAM,
        "groups_claim" => &rows::OIDC_GROUPS_CLAIM,
        "trusted_proxies" => &rows::TRUSTED_PROXY_IPS,
        "emails" => &rows::AUTHENTICATED_EMAILS_FILE,
        "bearer_or_session" => &rows::BEARER_TOKEN_LOGIN_FALLBACK,
        "token_headers" => &rows::SET_BASIC_AUTH,
        "identity_headers" => &rows::IDENTITY_HEADERS,
        "client_address_from" => &rows::REAL_CLIENT_IP_HEADER,
        _ => return None,
    })
}
