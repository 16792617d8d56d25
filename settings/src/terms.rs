//! A configuration written down in our own terms, from wherever it came, and without its secrets.

use std::fmt::Write as _;

use toml::Value as Toml;

use crate::{
    access, bearer,
    given::{File, TABLES, Value},
    options::Options,
    providers,
    row::{Kind, Row},
    rows::{self, ROWS},
    value,
};

/// The options that are rules here.
static RULES: [&Row; 4] =
    [&rows::SKIP_AUTH_PREFLIGHT, &rows::TRUSTED_IPS, &rows::SKIP_AUTH_ROUTES, &rows::SKIP_AUTH_REGEX];

/// A TOML file that means the same.
pub(crate) fn print(options: &Options, file: &File) -> String {
    let mut text = String::from("# This configuration in the gateway's own terms. Secrets are not shown.\n");
    for row in ROWS.iter().filter(|row| options.is_set(row) && !RULES.contains(row)) {
        text.push_str(&line(row, options));
    }
    for name in TABLES {
        for table in file.tables.get(name).into_iter().flatten() {
            let _ = write!(text, "\n[[{name}]]\n");
            for (key, value) in table {
                // Writing to a string cannot fail.
                let _ = match is_shown(name, key) && !has_credentials(value) {
                    true => writeln!(text, "{key} = {}", toml(value)),
                    false => writeln!(text, "# {key} is set and not shown"),
                };
            }
        }
    }
    rules(&mut text, options);
    text
}

/// Whether an option of a table is known to be no secret. A provider of somebody's own may have any.
fn is_shown(table: &str, key: &str) -> bool {
    match table {
        "provider" => providers::row(key).map_or(key == "id", |row| row.kind != Kind::Secret),
        "bearer" => bearer::KEYS.contains(&key),
        _ => access::KEYS.contains(&key),
    }
}

/// Whether an address has a name, and so perhaps a password, before its host.
fn has_credentials(value: &Value) -> bool {
    let in_text = |text: &str| {
        let rest = text.split_once("://").map(|(_, rest)| rest);
        rest.is_some_and(|rest| rest.split(['/', '?', '#']).next().is_some_and(|host| host.contains('@')))
    };
    match value {
        Value::Text(text) => text.split(',').any(in_text),
        Value::List(items) => items.iter().any(|item| in_text(item)),
        Value::NotText => false,
    }
}

fn line(row: &Row, options: &Options) -> String {
    let key = row.key();
    let own = Value::List(options.list(row));
    // Whoever writes a password into a host that may be returned to writes it without a scheme, too.
    let is_host = |text: &String| text.contains('@');
    if has_credentials(&own) || *row == rows::WHITELIST_DOMAINS && options.list(row).iter().any(is_host) {
        return format!("# {key} is set and not shown\n");
    }
    match row.kind {
        Kind::Always(["true", "false"]) => format!("# {key} has no effect here\n"),
        Kind::Always(values) => format!("# {key} is always `{}` here\n", values[0]),
        _ if *row == rows::UPSTREAMS => format!("# {key} has no effect here\n"),
        Kind::Secret => format!("# {key} is set and not shown{}\n", in_a_file(row)),
        Kind::List => format!("{key} = {}\n", toml(&Value::List(options.list(row)))),
        Kind::Words => format!("{key} = {}\n", toml(&Value::Text(options.words(row).join(" ")))),
        Kind::Flag => {
            let flag = options.text(row).and_then(|text| value::flag(&text).ok()).unwrap_or_default();
            format!("{key} = {flag}\n")
        }
        _ => format!("{key} = {}\n", toml(&Value::Text(options.text(row).unwrap_or_default()))),
    }
}

fn in_a_file(secret: &Row) -> String {
    let file = ROWS.iter().find(|row| row.suffix() == format!("{}_FILE", secret.suffix()));
    file.map_or_else(String::new, |file| format!("; write it into a file, and name that by {}", file.key()))
}

fn toml(value: &Value) -> String {
    let text = |text: &String| Toml::String(text.clone());
    match value {
        Value::Text(own) => text(own).to_string(),
        Value::List(items) => Toml::Array(items.iter().map(text).collect()).to_string(),
        Value::NotText => "\"\"".to_owned(),
    }
}

/// What needs no session, as tables. They come after those of the file, which count first.
fn rules(text: &mut String, options: &Options) {
    let mut rule = |lines: &[(&str, Vec<String>)]| {
        text.push_str("\n[[rule]]\naccess = \"public\"\n");
        for (key, items) in lines.iter().filter(|(_, items)| !items.is_empty()) {
            let _ = writeln!(text, "{key} = {}", toml(&Value::List(items.clone())));
        }
    };
    if options.text(&rows::SKIP_AUTH_PREFLIGHT).is_some_and(|text| value::flag(&text) == Ok(true)) {
        rule(&[("methods", vec!["OPTIONS".to_owned()])]);
    }
    if options.is_set(&rows::TRUSTED_IPS) {
        rule(&[("clients", options.list(&rows::TRUSTED_IPS))]);
    }
    for row in [&rows::SKIP_AUTH_ROUTES, &rows::SKIP_AUTH_REGEX] {
        for route in options.list(row) {
            let access::Skipped { method, is_negated, expression } = access::Skipped::read(&route, row);
            let methods = method.map(|method| method.to_ascii_uppercase()).into_iter().collect();
            let paths = if is_negated { "except_paths" } else { "paths" };
            let mut lines = [("methods", methods), (paths, vec![expression.to_owned()])];
            // As the tables of a file come, so that what is printed twice is the same.
            lines.sort();
            rule(&lines);
        }
    }
}
