//! Whose tokens let API clients in: those of the provider itself, of oauth2-proxy's `extra_jwt_issuers`, and of
//! `[[bearer]]` tables.

use std::collections::BTreeMap;

use vestibule::config::{ConfigError, Problem};
use vestibule_oidc::{Algorithm, Builder, Oidc};

use crate::{
    given::{File, Value},
    options::Options,
    providers, rows,
};

/// What is said about tokens of API clients.
#[derive(Debug, Default)]
pub(crate) struct Bearer {
    pub(crate) issuers: Vec<Builder>,
    /// Whether the session decides where a token proves nothing.
    pub(crate) or_session: bool,
}

impl Bearer {
    pub(crate) fn read(options: &mut Options, file: &File) -> Self {
        let mut issuers = Vec::new();
        if options.flag(&rows::SKIP_JWT_BEARER_TOKENS).unwrap_or(false) {
            issuers.extend(of_the_provider(options, file));
            for (number, issuer) in (1..).zip(options.list(&rows::EXTRA_JWT_ISSUERS)) {
                match issuer.split_once('=') {
                    Some((issuer, audience)) => {
                        issuers.push(Oidc::builder(issuer, audience).id(format!("extra-{number}")));
                    }
                    None => {
                        let fault = format!("entry {number} says no audience");
                        let remedy = "write `https://issuer.example=audience`";
                        options.problem(&rows::EXTRA_JWT_ISSUERS, fault, remedy);
                    }
                }
            }
        } else if options.is_set(&rows::EXTRA_JWT_ISSUERS) {
            let remedy = "set SKIP_JWT_BEARER_TOKENS too, or leave it out";
            options.problem(&rows::EXTRA_JWT_ISSUERS, "no tokens count", remedy);
        }
        let tables = file.tables.get("bearer").map(Vec::as_slice).unwrap_or_default();
        for (number, table) in (1..).zip(tables) {
            match of_table(table, number) {
                Ok(issuer) => issuers.push(issuer),
                Err((fault, remedy)) => {
                    options.problems.push(Problem::new("bearer", format!("table {number}: {fault}"), remedy));
                }
            }
        }
        issuers.retain(|issuer| match issuer.clone().build_bearer() {
            Ok(_) => true,
            Err(ConfigError { problems, .. }) => {
                options.problems.extend(problems.into_iter().map(|problem| {
                    let fault = format!("{}: {}", problem.field, problem.fault);
                    Problem::new("bearer", fault, problem.remedy)
                }));
                false
            }
        });
        let or_session = options.flag(&rows::BEARER_TOKEN_LOGIN_FALLBACK).unwrap_or(true);
        Self { or_session: or_session && !issuers.is_empty(), issuers }
    }
}

/// oauth2-proxy lets the provider's own tokens in, if they are meant for this client.
fn of_the_provider(options: &mut Options, file: &File) -> Option<Builder> {
    if file.tables.contains_key("provider") {
        let remedy = "write a `[[bearer]]` table for each issuer whose tokens count";
        options.problem(&rows::SKIP_JWT_BEARER_TOKENS, "there are several providers", remedy);
        return None;
    }
    let Some(issuer) = providers::issuer(options) else {
        let remedy = "leave it out, and write a `[[bearer]]` table for the issuer whose tokens count";
        options.problem(&rows::SKIP_JWT_BEARER_TOKENS, "the provider issues no such tokens", remedy);
        return None;
    };
    // Whatever its ID tokens must say, these must say too: they let the same people in.
    let builder = Oidc::builder(issuer, options.text(&rows::CLIENT_ID)?).id("bearer");
    Some(providers::with_token_rules(builder, options))
}

/// What a `[[bearer]]` table may say.
pub(crate) const KEYS: [&str; 5] = ["id", "issuer", "audiences", "groups_claim", "algorithms"];

/// A `[[bearer]]` table.
fn of_table(table: &BTreeMap<String, Value>, number: usize) -> Result<Builder, (String, String)> {
    let list = |key: &str| match table.get(key) {
        Some(Value::Text(text)) => vec![text.clone()],
        Some(Value::List(items)) => items.clone(),
        _ => Vec::new(),
    };
    let one = |key: &str| list(key).into_iter().next();
    if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err((
            format!("there is no option {key}"),
            format!("leave it out; there are {}", KEYS.join(", ")),
        ));
    }
    let mut audiences = list("audiences").into_iter();
    let (Some(issuer), Some(audience)) = (one("issuer"), audiences.next()) else {
        let fault = "it has no issuer, or no audiences".to_owned();
        return Err((fault, "set both: a token counts only if it is meant for somebody here".to_owned()));
    };
    let builder = Oidc::builder(issuer, audience).id(one("id").unwrap_or_else(|| format!("bearer-{number}")));
    let mut builder = audiences.fold(builder, Builder::trusted_audience);
    if let Some(claim) = one("groups_claim") {
        builder = builder.groups_claim(claim);
    }
    let mut algorithms = Vec::new();
    for name in list("algorithms") {
        match Algorithm::parse(&name) {
            Some(algorithm) => algorithms.push(algorithm),
            None => {
                let fault = format!("`{name}` is no algorithm that tokens may be signed with");
                return Err((fault, "write names such as RS256 or ES256".to_owned()));
            }
        }
    }
    Ok(if algorithms.is_empty() { builder } else { builder.algorithms(algorithms) })
}
