//! OpenID Connect issuers, those among them that oauth2-proxy has names for.

use vestibule_oidc::{Algorithm, Builder, Oidc};

use crate::{
    options::Options,
    providers::{Common, Made, built, refuse_others},
    row::Row,
    rows,
};

/// What is known about an issuer by its name.
pub(super) struct Preset {
    issuer: Option<&'static str>,
    label: Option<&'static str>,
}

/// oauth2-proxy's names for issuers that need nothing of their own.
pub(super) fn preset(kind: &str) -> Option<Preset> {
    let (issuer, label) = match kind {
        "oidc" | "keycloak-oidc" | "adfs" => (None, None),
        "entra-id" => (None, Some("Microsoft")),
        "google" => (Some("https://accounts.google.com"), Some("Google")),
        "gitlab" => (Some("https://gitlab.com"), Some("GitLab")),
        _ => return None,
    };
    Some(Preset { issuer, label })
}

/// The issuer of the one provider, if it is an OpenID Connect issuer.
pub(crate) fn issuer(options: &Options) -> Option<String> {
    let known = || preset(&options.text(&rows::PROVIDER)?)?.issuer.map(str::to_owned);
    options.text(&rows::OIDC_ISSUER_URL).or_else(known)
}

/// What the provider's tokens must say, whether they come from the provider itself or from an API client.
pub(crate) fn with_token_rules(mut builder: Builder, options: &Options) -> Builder {
    builder = builder.acr_values(options.words(&rows::ACR_VALUES));
    if let Some(claim) = options.text(&rows::OIDC_GROUPS_CLAIM) {
        builder = builder.groups_claim(claim);
    }
    // Those that are none are told about by `check_algorithms`.
    let names = options.list(&rows::OIDC_ENABLED_SIGNING_ALGS);
    let algorithms: Vec<_> = names.iter().filter_map(|name| Algorithm::parse(name)).collect();
    if !algorithms.is_empty() {
        builder = builder.algorithms(algorithms);
    }
    options.list(&rows::OIDC_EXTRA_AUDIENCES).into_iter().fold(builder, Builder::trusted_audience)
}

static OWN: [&Row; 6] = [
    &rows::OIDC_ISSUER_URL,
    &rows::OIDC_GROUPS_CLAIM,
    &rows::OIDC_EXTRA_AUDIENCES,
    &rows::OIDC_ENABLED_SIGNING_ALGS,
    &rows::ACR_VALUES,
    &rows::AUTH_REQUEST_RESPONSE_MODE,
];

pub(super) fn make(options: &mut Options, common: Common, preset: &Preset) -> Option<Made> {
    let remedy = "leave it out: the issuer's own metadata says where its endpoints are";
    refuse_others(
        options,
        &OWN,
        "it is not for OpenID Connect issuers: that is PROVIDER=github or oauth2",
        remedy,
    );
    let issuer = match preset.issuer {
        Some(issuer) => options.text(&rows::OIDC_ISSUER_URL).unwrap_or_else(|| issuer.to_owned()),
        None => options.required(&rows::OIDC_ISSUER_URL),
    };
    check_algorithms(options);
    let mut builder = with_token_rules(Oidc::builder(&issuer, &common.client_id), options);
    if let Some(id) = &common.id {
        builder = builder.id(id);
    }
    if let Some(secret) = common.client_secret {
        builder = builder.client_secret(secret);
    }
    if let Some(label) = common.label.as_deref().or(preset.label) {
        builder = builder.label(label);
    }
    if !common.scopes.is_empty() {
        builder = builder.scopes(&common.scopes);
    }
    if let Some(prompt) = &common.prompt {
        builder = builder.extra_parameter("prompt", prompt);
    }
    if options.choice(&rows::AUTH_REQUEST_RESPONSE_MODE) == Some("form_post") {
        builder = builder.form_post();
    }
    let provider = builder.build();
    let known_missing = issuer.is_empty() || common.client_id.is_empty();
    // What is missing altogether has been said in the words of options.
    if known_missing && provider.is_err() {
        return None;
    }
    built(options, provider).map(|provider| Made { provider, names_members: false })
}

fn check_algorithms(options: &mut Options) {
    for name in options.list(&rows::OIDC_ENABLED_SIGNING_ALGS) {
        if Algorithm::parse(&name).is_none() {
            let fault = format!("`{name}` is no algorithm that ID tokens may be signed with");
            options.problem(&rows::OIDC_ENABLED_SIGNING_ALGS, fault, "write names such as RS256 or ES256");
        }
    }
}
