//! Reading variables by their rows, and collecting everything that is wrong with them.

use std::{collections::BTreeMap, fs, net::SocketAddr, time::Duration};

use vestibule::config::Problem;

use crate::{
    elsewhere,
    row::{Kind, OURS, Row, THEIRS},
    rows::ROWS,
    value::{self, Fault},
};

/// A variable that is set.
#[derive(Clone)]
struct Set {
    /// The variable that set it: the one that a problem names.
    name: &'static str,
    value: String,
}

/// The variables that are set, and the problems so far. No value of a secret is ever part of a problem.
pub(crate) struct Environment {
    values: BTreeMap<&'static str, Set>,
    defaults: BTreeMap<&'static str, String>,
    pub(crate) problems: Vec<Problem>,
}

impl Environment {
    /// Takes the variables that begin with one of our prefixes, `None` standing for a value that is no text.
    pub(crate) fn new(
        variables: impl IntoIterator<Item = (String, Option<String>)>,
        defaults: BTreeMap<&'static str, String>,
    ) -> Self {
        let mut environment = Self { values: BTreeMap::new(), defaults, problems: Vec::new() };
        // In order, so that the same environment always has the same problems.
        for (name, value) in variables.into_iter().collect::<BTreeMap<_, _>>() {
            environment.take(&name, value);
        }
        environment.check_what_is_always_so();
        environment
    }

    fn take(&mut self, name: &str, value: Option<String>) {
        let Some(suffix) = name.strip_prefix(OURS).or_else(|| name.strip_prefix(THEIRS)) else { return };
        // As in oauth2-proxy, a variable that is set to nothing is not set.
        if value.as_deref() == Some("") {
            return;
        }
        let known = ROWS.iter().find_map(|row| {
            let names = [Some(row.name), row.oauth2_proxy];
            names.into_iter().flatten().find(|own| *own == name).map(|own| (row, own))
        });
        let Some((row, name)) = known else { return self.unknown(name, suffix) };
        let Some(value) = value else {
            self.problems.push(Problem::new(name, "it is not UTF-8", "write it as UTF-8 text"));
            return;
        };
        match self.values.get(row.suffix()) {
            Some(other) if other.value != value => {
                let fault = format!("{} is set to something else", other.name);
                self.problems.push(Problem::new(name, fault, "set only one of the two"));
            }
            _ => {}
        }
        // Variables come in order, and ours after oauth2-proxy's: where both are set, ours wins.
        self.values.insert(row.suffix(), Set { name, value });
    }

    fn unknown(&mut self, name: &str, suffix: &str) {
        let remedy = match elsewhere::instead(suffix) {
            Some(instead) => instead.to_owned(),
            None => match elsewhere::nearest(suffix, ROWS.iter().map(|row| row.suffix())) {
                Some(meant) => format!("use {meant}, if that was meant, or leave it out"),
                None => "leave it out".to_owned(),
            },
        };
        self.problems.push(Problem::new("environment", format!("there is no option {name}"), remedy));
    }

    fn check_what_is_always_so(&mut self) {
        for row in ROWS {
            let (Kind::Always(values), Some(set)) = (row.kind, self.values.get(row.suffix())) else {
                continue;
            };
            let value = set.value.as_str();
            let says_the_same = values.iter().any(|always| {
                *always == value || value::flag(always).is_ok_and(|flag| value::flag(value) == Ok(flag))
            });
            if !says_the_same {
                let fault = format!("`{value}` is not possible here");
                let remedy = format!("leave it out; it is always `{}`: {}", values[0], row.meaning);
                self.problems.push(Problem::new(set.name, fault, remedy));
            }
        }
    }

    /// The name of the variable that sets an option, or that would.
    pub(crate) fn name(&self, row: &Row) -> &'static str {
        self.values.get(row.suffix()).map_or(row.known_as(), |set| set.name)
    }

    pub(crate) fn is_set(&self, row: &Row) -> bool {
        self.values.contains_key(row.suffix())
    }

    pub(crate) fn problem(&mut self, row: &Row, fault: impl Into<String>, remedy: impl Into<String>) {
        let name = self.name(row);
        self.problems.push(Problem::new(name, fault, remedy));
    }

    /// Adds problems of somebody else's, under the names of their options. What was said about an option stands.
    pub(crate) fn adopt(&mut self, problems: Vec<Problem>) {
        let known: Vec<_> = self.problems.iter().map(|problem| problem.field).collect();
        self.problems.extend(problems.into_iter().filter(|problem| !known.contains(&problem.field)));
    }

    pub(crate) fn text(&self, row: &Row) -> Option<String> {
        let set = self.values.get(row.suffix()).map(|set| &set.value);
        set.or_else(|| self.defaults.get(row.suffix())).cloned()
    }

    /// A text that must be there.
    pub(crate) fn required(&mut self, row: &Row) -> String {
        self.text(row).unwrap_or_else(|| {
            self.problem(row, "it is not set", format!("set it: {}", row.meaning));
            String::new()
        })
    }

    pub(crate) fn list(&self, row: &Row) -> Vec<String> {
        self.text(row).map(|text| value::list(&text)).unwrap_or_default()
    }

    pub(crate) fn words(&self, row: &Row) -> Vec<String> {
        self.text(row).map(|text| value::words(&text)).unwrap_or_default()
    }

    pub(crate) fn flag(&mut self, row: &Row) -> Option<bool> {
        self.parsed(row, value::flag)
    }

    pub(crate) fn duration(&mut self, row: &Row) -> Option<Duration> {
        self.parsed(row, value::duration)
    }

    pub(crate) fn address(&mut self, row: &Row) -> Option<SocketAddr> {
        self.parsed(row, value::address)
    }

    /// One of a row's choices; its first is not taken where nothing is set.
    pub(crate) fn choice(&mut self, row: &Row) -> Option<&'static str> {
        let Kind::Choice(choices) = row.kind else { return None };
        let text = self.text(row)?;
        let chosen = choices.iter().copied().find(|choice| *choice == text);
        if chosen.is_none() {
            self.problem(
                row,
                format!("`{text}` is none of its values"),
                format!("write `{}`", choices.join("` or `")),
            );
        }
        chosen
    }

    fn parsed<T>(&mut self, row: &Row, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        let text = self.text(row)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err((fault, remedy)) => {
                self.problem(row, format!("`{text}`: {fault}"), remedy);
                None
            }
        }
    }

    /// A secret from its variable or from the file that the other variable names, and the row that it came by.
    pub(crate) fn secret<'r>(&mut self, row: &'r Row, file_row: &'r Row) -> Option<(Vec<u8>, &'r Row)> {
        let Some(path) = self.text(file_row) else {
            return self.text(row).map(|text| (text.into_bytes(), row));
        };
        if self.is_set(row) {
            let other = self.name(row);
            self.problem(file_row, format!("{other} is set too"), "set only one of the two");
            return None;
        }
        match fs::read(&path) {
            Ok(bytes) => Some((bytes, file_row)),
            Err(error) => {
                self.problem(
                    file_row,
                    format!("{path} cannot be read: {error}"),
                    "give a file that this program may read",
                );
                None
            }
        }
    }
}
