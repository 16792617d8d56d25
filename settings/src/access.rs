//! Who may have what: `[[rule]]` tables, and oauth2-proxy's options that let requests through without a session.

use std::collections::BTreeMap;

use vestibule::{
    access::{AccessRule, PathPattern, Requirement},
    config::Problem,
};

use crate::{
    given::{File, Value},
    options::Options,
    row::Row,
    rows, value,
};

/// What the rules of the file ask for that a session keeps: groups, and claims with a value each.
pub(crate) fn kept(file: &File) -> (Vec<String>, BTreeMap<String, String>) {
    let tables = || file.tables.get("rule").into_iter().flatten();
    let groups = tables().filter_map(|table| Table::new(table).list("groups")).flatten().collect();
    let mut claims: BTreeMap<String, String> = BTreeMap::new();
    for claim in tables().filter_map(|table| Table::new(table).list("claims")).flatten() {
        let Some((name, value)) = claim.split_once('=') else { continue };
        // The longest counts: it has to fit.
        let longest = claims.entry(name.trim().to_owned()).or_default();
        if longest.len() < value.trim().len() {
            *longest = value.trim().to_owned();
        }
    }
    (groups, claims)
}

/// Every rule, those of the file first.
pub(crate) fn read(options: &mut Options, file: &File) -> Vec<AccessRule> {
    let tables = file.tables.get("rule").map(Vec::as_slice).unwrap_or_default();
    let mut rules = Vec::new();
    for (number, table) in (1..).zip(tables) {
        match Table::new(table).rule() {
            Ok(rule) => rules.push(rule),
            Err((fault, remedy)) => {
                options.problems.push(Problem::new("rule", format!("rule {number}: {fault}"), remedy));
            }
        }
    }
    if options.flag(&rows::SKIP_AUTH_PREFLIGHT).unwrap_or(false) {
        rules.push(AccessRule::public().methods(["OPTIONS"]));
    }
    let clients = options.list(&rows::TRUSTED_IPS);
    if !clients.is_empty() {
        rules.push(AccessRule::public().clients(clients));
    }
    for row in [&rows::SKIP_AUTH_ROUTES, &rows::SKIP_AUTH_REGEX] {
        for route in options.list(row) {
            match skipped(&route, row) {
                Ok(rule) => rules.push(rule),
                Err((fault, remedy)) => options.problem(row, format!("`{route}`: {fault}"), remedy),
            }
        }
    }
    rules
}

/// A route that oauth2-proxy lets through: `expression`, `METHOD=expression` or `METHOD!=expression`.
pub(crate) struct Skipped<'r> {
    pub(crate) method: Option<&'r str>,
    /// Whether it is every path but those.
    pub(crate) is_negated: bool,
    pub(crate) expression: &'r str,
}

impl<'r> Skipped<'r> {
    /// Only one of the two rows has methods.
    pub(crate) fn read(route: &'r str, row: &Row) -> Self {
        let all = Self { method: None, is_negated: false, expression: route };
        if *row != rows::SKIP_AUTH_ROUTES {
            return all;
        }
        let (method, rest) = route.split_at(route.bytes().take_while(u8::is_ascii_alphabetic).count());
        let method = (!method.is_empty()).then_some(method);
        match (rest.strip_prefix("!="), rest.strip_prefix('=')) {
            (Some(expression), _) => Self { method, is_negated: true, expression },
            (_, Some(expression)) => Self { method, is_negated: false, expression },
            _ => all,
        }
    }
}

/// An expression means there whatever contains a match of it, and here it must say that it begins at the path's
/// beginning.
fn skipped(route: &str, row: &Row) -> Result<AccessRule, (String, String)> {
    let Skipped { method, is_negated, expression } = Skipped::read(route, row);
    if !expression.starts_with('^') {
        let fault = "it would fit whatever has it anywhere in its path".to_owned();
        return Err((fault, format!("begin it with `^`: `^{expression}`")));
    }
    let mut rule = AccessRule::public();
    if let Some(method) = method {
        rule = rule.methods([method.to_ascii_uppercase()]);
    }
    let path = PathPattern::regex(expression);
    Ok(if is_negated { rule.except_paths([path]) } else { rule.paths([path]) })
}

/// What a `[[rule]]` table may say.
pub(crate) const KEYS: [&str; 11] = [
    "access",
    "hosts",
    "paths",
    "except_paths",
    "methods",
    "clients",
    "emails",
    "email_domains",
    "groups",
    "claims",
    "providers",
];

/// A `[[rule]]` table.
struct Table<'t> {
    left: BTreeMap<&'t str, &'t Value>,
}

type Fault = (String, String);

impl<'t> Table<'t> {
    fn new(table: &'t BTreeMap<String, Value>) -> Self {
        Self { left: table.iter().map(|(key, value)| (key.as_str(), value)).collect() }
    }

    fn list(&mut self, key: &str) -> Option<Vec<String>> {
        Some(match self.left.remove(key)? {
            Value::Text(text) => vec![text.clone()],
            Value::List(items) => items.clone(),
            Value::NotText => Vec::new(),
        })
    }

    fn rule(mut self) -> Result<AccessRule, Fault> {
        let requirement = self.requirement()?;
        let access = self.list("access").unwrap_or_else(|| vec!["signed_in".to_owned()]).join(",");
        // What a rule excepts, it closes where the rule opens, and the other way round.
        let (bare, excepted) = match &*access {
            "public" => (Bare::Opens, Bare::Closes),
            "nobody" => (Bare::Closes, Bare::Opens),
            _ => (Bare::SaysNothing, Bare::Opens),
        };
        let mut rule = match (&*access, requirement) {
            ("signed_in", requirement) => AccessRule::signed_in(requirement.unwrap_or_default()),
            ("public", None) => AccessRule::public(),
            ("nobody", None) => AccessRule::nobody(),
            ("public" | "nobody", Some(_)) => {
                let fault = "it asks something of people whom it does not ask who they are".to_owned();
                return Err((fault, "leave that out, or write `access = \"signed_in\"`".to_owned()));
            }
            (other, _) => {
                let fault = format!("`{other}` is no access");
                return Err((fault, "write `public`, `signed_in` or `nobody`".to_owned()));
            }
        };
        if let Some(hosts) = self.list("hosts") {
            rule = rule.hosts(hosts);
        }
        if let Some(paths) = self.list("paths") {
            rule = rule.paths(patterns(&paths, bare)?);
        }
        if let Some(paths) = self.list("except_paths") {
            rule = rule.except_paths(patterns(&paths, excepted)?);
        }
        if let Some(methods) = self.list("methods") {
            rule = rule.methods(methods);
        }
        if let Some(clients) = self.list("clients") {
            rule = rule.clients(clients);
        }
        match self.left.keys().next() {
            Some(key) => {
                let remedy = format!("leave it out; there are {}", KEYS.join(", "));
                Err((format!("`{key}` is no part of a rule"), remedy))
            }
            None => Ok(rule),
        }
    }

    /// What is asked of whoever is signed in; `None` where nothing is.
    fn requirement(&mut self) -> Result<Option<Requirement>, Fault> {
        let mut requirement = None;
        let mut add = |change: &dyn Fn(Requirement) -> Requirement| {
            requirement = Some(change(requirement.take().unwrap_or_default()));
        };
        if let Some(emails) = self.list("emails") {
            add(&|requirement| requirement.emails(emails.clone()));
        }
        if let Some(domains) = self.list("email_domains") {
            add(&|requirement| requirement.email_domains(domains.clone()));
        }
        if let Some(groups) = self.list("groups") {
            add(&|requirement| requirement.groups(groups.clone()));
        }
        if let Some(providers) = self.list("providers") {
            add(&|requirement| requirement.providers(providers.clone()));
        }
        let mut claims: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for claim in self.list("claims").into_iter().flatten() {
            let Some((name, value)) = claim.split_once('=') else {
                let fault = format!("`{claim}` says no value");
                return Err((fault, "write `claims = [\"department=sales\"]`".to_owned()));
            };
            claims.entry(name.trim().to_owned()).or_default().push(value.trim().to_owned());
        }
        for (name, values) in claims {
            add(&|requirement| requirement.claim(&name, values.clone()));
        }
        Ok(requirement)
    }
}

/// What is meant by a path by itself. Whoever closes `/admin` means all of it, and whoever opens `/health` no more; where
/// people who are signed in are asked for more, either may be meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bare {
    Opens,
    Closes,
    SaysNothing,
}

fn patterns(texts: &[String], bare: Bare) -> Result<Vec<PathPattern>, Fault> {
    texts.iter().map(|text| pattern(text, bare)).collect()
}

/// `^…` is a regular expression. `/x/*` is what is below `/x`, and `/x` itself too unless the rule opens it.
fn pattern(text: &str, bare: Bare) -> Result<PathPattern, Fault> {
    if text.starts_with('^') {
        return Ok(PathPattern::regex(text));
    }
    let below = text.strip_suffix("/*");
    let path = below.unwrap_or(text);
    if path.contains('*') {
        let fault = format!("`{text}` has a `*` elsewhere than in a `/*` at its end");
        return Err((
            fault,
            "write `/x/*` for what is below `/x`, or a regular expression: `^/x/[^/]+$`".to_owned(),
        ));
    }
    let all = match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    };
    Ok(match (below, bare) {
        (Some(below), Bare::Opens) => PathPattern::prefix(format!("{below}/")),
        (Some(_), _) | (None, Bare::Closes) => PathPattern::prefix(all),
        (None, Bare::Opens) => PathPattern::exact(text),
        (None, Bare::SaysNothing) => {
            let below = all.trim_end_matches('/');
            let fault = format!("`{text}` does not say whether what is below is meant");
            let remedy = format!("write `{below}/*` for it and all below it, or `^{text}$` for it alone");
            return Err((fault, remedy));
        }
    })
}

/// Addresses that may enter, one a line; `#` begins a remark.
pub(crate) fn emails(options: &mut Options) -> Vec<String> {
    let Some(path) = options.text(&rows::AUTHENTICATED_EMAILS_FILE) else { return Vec::new() };
    if options.list(&rows::EMAIL_DOMAINS).iter().any(|domain| domain == "*") {
        let other = options.name(&rows::EMAIL_DOMAINS);
        let fault = format!("{other} is `*`, so that everybody may enter whatever is in it");
        options.problem(
            &rows::AUTHENTICATED_EMAILS_FILE,
            fault,
            format!("leave one of the two out; most likely {other}"),
        );
        return Vec::new();
    }
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
            let emails: Vec<_> = lines.flat_map(value::list).collect();
            if emails.is_empty() {
                options.problem(
                    &rows::AUTHENTICATED_EMAILS_FILE,
                    "no address is in it",
                    "write one on each line",
                );
            }
            emails
        }
        Err(error) => {
            let remedy = "give a file that this program may read";
            let fault = format!("{path} cannot be read: {error}");
            options.problem(&rows::AUTHENTICATED_EMAILS_FILE, fault, remedy);
            Vec::new()
        }
    }
}
