//! From settings to a vestibule and its host: the same for every example and for the gateway.

use vestibule::{
    Vestibule,
    config::{Builder, ConfigError, Problem},
    provider::Provider,
    secret::Secret,
};
use vestibule_github::GitHub;
use vestibule_oidc::Oidc;
use vestibule_reqwest::{HostError, ReqwestHost};

use crate::{
    Settings,
    provider::{GitHubSettings, OidcSettings, ProviderSettings, Which},
    row::Row,
    rows,
};

impl Settings {
    /// A vestibule to be built, with the provider in it. The application adds what is its own.
    ///
    /// # Errors
    /// Nothing that reading the settings has not said already.
    pub fn builder(&self) -> Result<Builder, ConfigError> {
        let (builder, problems) = self.assemble();
        ConfigError::check(problems)?;
        Ok(builder)
    }

    /// Everything that would keep a vestibule from being built, under the variables' names.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let (builder, mut problems) = self.assemble();
        if let Err(error) = builder.build() {
            problems.extend(error.problems);
        }
        // What is missing altogether has been said in the words of variables, or by the provider itself.
        problems.retain(|problem| {
            !(problem.field == "keys" && self.keys.is_none() || problem.field == "provider")
        });
        for problem in &mut problems {
            problem.field = row_of(problem.field).map_or(problem.field, |row| self.name_of(row));
        }
        // Reading the system's certificates takes time, and can wait where there are no others.
        if !self.ca_files.is_empty()
            && let Err(error) = self.host()
        {
            let remedy = "or leave it out, if the system trusts the provider's certificate";
            problems.push(Problem::new(self.name_of(&rows::PROVIDER_CA_FILES), error.to_string(), remedy));
        }
        problems
    }

    /// A builder with everything that is sound in it, and what is wrong with the provider.
    fn assemble(&self) -> (Builder, Vec<Problem>) {
        let mut builder = Vestibule::builder(&self.redirect_url).paths(self.paths.clone());
        if let Some(keys) = &self.keys {
            builder = builder.keys(keys.clone());
        }
        if let Some(name) = &self.cookie_name {
            builder = builder.cookie_name(name);
        }
        if let Some(age) = self.session_age {
            builder = builder.session_age(age);
        }
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
        match &self.provider.which {
            Some(Which::Oidc(oidc)) => with(builder, self.provider.oidc(oidc)),
            Some(Which::GitHub(github)) => with(builder, self.provider.github(github)),
            None => (builder, Vec::new()),
        }
    }

    /// The host that reaches the provider.
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
        builder.build()
    }
}

fn with(builder: Builder, provider: Result<impl Provider, ConfigError>) -> (Builder, Vec<Problem>) {
    match provider {
        Ok(provider) => (builder.provider(provider), Vec::new()),
        Err(error) => (builder, error.problems),
    }
}

impl ProviderSettings {
    fn oidc(&self, oidc: &OidcSettings) -> Result<Oidc, ConfigError> {
        let mut builder = Oidc::builder(&oidc.issuer, &self.client_id).acr_values(&oidc.acr_values);
        if let Some(secret) = &self.client_secret {
            builder = builder.client_secret(secret.clone());
        }
        if let Some(label) = &self.label {
            builder = builder.label(label);
        }
        if !self.scopes.is_empty() {
            builder = builder.scopes(&self.scopes);
        }
        if let Some(prompt) = &self.prompt {
            builder = builder.extra_parameter("prompt", prompt);
        }
        if let Some(claim) = &oidc.groups_claim {
            builder = builder.groups_claim(claim);
        }
        if !oidc.algorithms.is_empty() {
            builder = builder.algorithms(oidc.algorithms.iter().copied());
        }
        if oidc.form_post {
            builder = builder.form_post();
        }
        oidc.audiences.iter().fold(builder, vestibule_oidc::Builder::trusted_audience).build()
    }

    fn github(&self, github: &GitHubSettings) -> Result<GitHub, ConfigError> {
        let secret = self.client_secret.clone().unwrap_or_else(|| Secret::new(""));
        let mut builder = GitHub::builder(&self.client_id, secret);
        if let Some(label) = &self.label {
            builder = builder.label(label);
        }
        if !self.scopes.is_empty() {
            builder = builder.scopes(&self.scopes);
        }
        if let Some(prompt) = &self.prompt {
            builder = builder.extra_parameter("prompt", prompt);
        }
        if let Some(url) = &github.login_url {
            builder = builder.login_url(url);
        }
        if let Some(url) = &github.redeem_url {
            builder = builder.redeem_url(url);
        }
        if let Some(url) = &github.api_url {
            builder = builder.api_url(url);
        }
        if let Some(name) = &github.organization {
            builder = builder.organization(name);
        }
        github.teams.iter().fold(builder, vestibule_github::Builder::team).build()
    }
}

/// The option that a field of a builder is set by.
fn row_of(field: &str) -> Option<&'static Row> {
    Some(match field {
        "redirect_url" => &rows::REDIRECT_URL,
        "paths" => &rows::PROXY_PREFIX,
        "keys" => &rows::COOKIE_SECRET,
        "cookie_name" => &rows::COOKIE_NAME,
        "session_age" => &rows::COOKIE_EXPIRE,
        "email_domains" => &rows::EMAIL_DOMAINS,
        "allow_return_to" => &rows::WHITELIST_DOMAINS,
        "provider" => &rows::PROVIDER,
        "issuer" | "tenants" | "discovery_tenant" => &rows::OIDC_ISSUER_URL,
        "client_id" => &rows::CLIENT_ID,
        "client_secret" | "client_authentication" => &rows::CLIENT_SECRET,
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
        _ => return None,
    })
}
