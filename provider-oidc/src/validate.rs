//! From what was collected to a configuration that can work, or to everything that is wrong with it.

use url::Url;
use vestibule::{
    address::is_loopback_http,
    config::{ConfigError, Problem},
    oauth2::{PROTOCOL_PARAMETERS, is_one_of},
    secret::Secret,
};

use crate::{
    algorithm::{Algorithm, KeyKind},
    config::{Builder, Config, Settings},
    issuer::{Issuer, PLACEHOLDER, Tenants, is_tenant_id},
};

/// Parameters that have a method of their own, because something else depends on them.
const PARAMETERS_WITH_A_METHOD: [&str; 3] = ["acr_values", "max_age", "response_mode"];

/// What is wrong, so far.
struct Problems(Vec<Problem>);

impl Problems {
    fn unless(&mut self, sound: bool, field: &'static str, fault: &str, remedy: &str) {
        if !sound {
            self.0.push(Problem::new(field, fault, remedy));
        }
    }
}

pub(crate) fn validate(builder: Builder) -> Result<Config, ConfigError> {
    let mut problems = Problems(Vec::new());
    issuer_is_an_address(&builder, &mut problems);
    tenants_fit(&builder, &mut problems);
    let Builder { issuer, tenants, discovery_tenant, settings } = builder;
    client_is_whole(&settings, &mut problems);
    request_is_ours(&settings, &mut problems);
    algorithms_are_sound(&settings, &mut problems);
    claims_have_names(&settings, &mut problems);
    let issuer = match tenants {
        None => Issuer::Exact(issuer),
        Some(tenants) => {
            let discovery = discovery_tenant.unwrap_or_else(|| match &tenants {
                Tenants::Listed(tenants) if tenants.len() == 1 => tenants[0].clone(),
                _ => "common".to_owned(),
            });
            Issuer::Template { text: issuer, tenants, discovery }
        }
    };
    let metadata_url = issuer.metadata_url();
    problems.unless(metadata_url.is_ok() || !problems.0.is_empty(), "issuer", NO_ADDRESS, WHOLE_ADDRESS);
    ConfigError::check(problems.0)?;
    let metadata_url =
        metadata_url.expect("where it is no address, that was a problem and ended this function");
    Ok(Config { issuer, metadata_url, settings })
}

/// As [`validate`], for whoever takes tokens from API clients.
pub(crate) fn validate_bearer(builder: Builder) -> Result<Config, ConfigError> {
    let keyed_with_secret = |algorithm: &Algorithm| algorithm.key_kind() == KeyKind::Secret;
    let mut problems = Problems(Vec::new());
    problems.unless(
        !builder.settings.algorithms.iter().any(keyed_with_secret),
        "algorithms",
        "everybody who knows the client's secret could make a token",
        "name algorithms with public keys for the tokens of API clients",
    );
    ConfigError::check(problems.0)?;
    validate(builder)
}

const NO_ADDRESS: &str = "it is no address";
const WHOLE_ADDRESS: &str =
    "write the issuer's whole address, beginning with https://, as its own metadata spells it";

/// OpenID Connect Discovery §2: an https address without query or fragment. Plain http never leaves this machine.
fn issuer_is_an_address(builder: &Builder, problems: &mut Problems) {
    let with_tenant = builder.issuer.replace(PLACEHOLDER, "common");
    let Ok(url) = Url::parse(&with_tenant) else {
        return problems.unless(false, "issuer", NO_ADDRESS, WHOLE_ADDRESS);
    };
    problems.unless(
        (url.scheme() == "https" || is_loopback_http(&url)) && url.has_host(),
        "issuer",
        "it is not https",
        "use https; plain http is for an issuer on 127.0.0.1, [::1] or localhost",
    );
    problems.unless(
        url.query().is_none() && url.fragment().is_none(),
        "issuer",
        "it has a query or a fragment",
        "leave them out: an issuer has neither",
    );
    problems.unless(
        url.username().is_empty() && url.password().is_none(),
        "issuer",
        "it has a user name or a password in it",
        "leave them out",
    );
    problems.unless(
        !with_tenant.contains("/.well-known/"),
        "issuer",
        "it is the address of the issuer's metadata",
        "give the issuer itself, without /.well-known/openid-configuration",
    );
}

fn tenants_fit(builder: &Builder, problems: &mut Problems) {
    let is_tenant_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    problems.unless(
        builder
            .discovery_tenant
            .as_ref()
            .is_none_or(|tenant| !tenant.is_empty() && tenant.bytes().all(is_tenant_byte)),
        "discovery_tenant",
        "it is not the name of a tenant",
        "give `common`, `organizations`, `consumers`, or a tenant's identifier or domain",
    );
    let placeholders = builder.issuer.matches(PLACEHOLDER).count();
    match &builder.tenants {
        None => {
            problems.unless(
                placeholders == 0,
                "tenants",
                "the issuer has {tenantid} in it, and nothing says whose accounts may sign in",
                "name them with `tenants`, or allow all with `any_tenant`",
            );
            problems.unless(
                builder.discovery_tenant.is_none(),
                "discovery_tenant",
                "the issuer has no {tenantid} in it",
                "leave it out, or write {tenantid} into the issuer, where the tenant stands",
            );
        }
        Some(tenants) => {
            problems.unless(
                placeholders == 1,
                "tenants",
                "the issuer does not have {tenantid} in it exactly once",
                "write {tenantid} once into the issuer, where the tenant stands; or leave out the tenants",
            );
            if let Tenants::Listed(tenants) = tenants {
                problems.unless(
                    !tenants.is_empty() && tenants.iter().all(|tenant| is_tenant_id(tenant)),
                    "tenants",
                    "not all of them are identifiers, or there are none",
                    "list tenants by their identifiers, UUIDs in lower case: tokens do not carry domain names",
                );
            }
        }
    }
}

fn client_is_whole(settings: &Settings, problems: &mut Problems) {
    let is_id_byte = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    problems.unless(
        !settings.id.is_empty() && settings.id.bytes().all(is_id_byte),
        "id",
        "it cannot stand in a path as it is",
        "use lower-case letters, digits, - and _",
    );
    problems.unless(
        !settings.client_id.is_empty(),
        "client_id",
        "it is empty",
        "give the client id that the issuer registered",
    );
    problems.unless(
        !settings.client_secret.as_ref().is_some_and(Secret::is_empty),
        "client_secret",
        "it is empty",
        "give the secret that the issuer registered, or leave it out for a public client",
    );
    problems.unless(
        settings.client_authentication.is_none() || settings.client_secret.is_some(),
        "client_authentication",
        "there is no client_secret to authenticate with",
        "give a client_secret, or leave this out: a public client does not authenticate",
    );
}

fn request_is_ours(settings: &Settings, problems: &mut Problems) {
    // RFC 6749 §3.3: what a scope may consist of.
    let is_scope = |scope: &String| {
        !scope.is_empty() && scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
    };
    problems.unless(
        settings.scopes.iter().all(is_scope),
        "scopes",
        "one of them is empty, or has a character in it that no scope has",
        "give each scope by itself: no spaces, quotation marks or backslashes in it",
    );
    let names = || settings.extra_parameters.iter().map(|(name, _)| name.as_str());
    problems.unless(
        !names()
            .any(|name| is_one_of(&PROTOCOL_PARAMETERS, name) && !PARAMETERS_WITH_A_METHOD.contains(&name)),
        "extra_parameter",
        "one of them is the protocol's own",
        "leave it out: it is set for each sign-in",
    );
    problems.unless(
        !names().any(|name| PARAMETERS_WITH_A_METHOD.contains(&name)),
        "extra_parameter",
        "one of them changes what the answer must be",
        "use the methods `acr_values`, `max_age` and `form_post` instead: the answer is checked against them",
    );
    problems.unless(
        settings.acr_values.iter().all(|value| !value.is_empty() && !value.contains(' ')),
        "acr_values",
        "one of them is empty or has a space in it",
        "give each value by itself",
    );
}

fn algorithms_are_sound(settings: &Settings, problems: &mut Problems) {
    let algorithms = &settings.algorithms;
    let with_secret = algorithms.iter().filter(|algorithm| algorithm.key_kind() == KeyKind::Secret).count();
    problems.unless(
        !algorithms.is_empty(),
        "algorithms",
        "there are none",
        "name at least one; issuers use RS256 where nothing else was agreed",
    );
    // One list with both would let a public key be taken for a shared secret.
    problems.unless(
        with_secret == 0 || with_secret == algorithms.len(),
        "algorithms",
        "some are keyed with the client's secret and some with public keys",
        "name either HMAC algorithms or those with public keys",
    );
    // OpenID Connect Core §3.1.3.7 leaves open whose secret signs a token for several; so nobody's does.
    problems.unless(
        with_secret == 0 || settings.trusted_audiences.is_empty(),
        "trusted_audience",
        "tokens that are signed with a secret are for one client",
        "leave it out, or use algorithms with public keys",
    );
    let secret_bytes = settings.client_secret.as_ref().map_or(0, |secret| secret.expose().len());
    problems.unless(
        algorithms.iter().all(|algorithm| algorithm.secret_bytes_min() <= secret_bytes),
        "algorithms",
        "the client_secret is too short to sign with, or there is none",
        "use a secret of at least 32 bytes for HS256, 48 for HS384 or 64 for HS512; or better, public keys",
    );
}

fn claims_have_names(settings: &Settings, problems: &mut Problems) {
    for (field, claim) in
        [("username_claim", &settings.username_claim), ("groups_claim", &settings.groups_claim)]
    {
        problems.unless(!claim.is_empty(), field, "it is empty", "name the claim");
    }
}
