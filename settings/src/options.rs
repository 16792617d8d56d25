//! Options by their rows, from wherever they were given, and everything that is wrong with them.

use std::{collections::BTreeMap, fs, time::Duration};

use vestibule::config::Problem;

use crate::{
    assemble::row_of,
    elsewhere,
    given::{File, Value},
    row::{self, Heeded, Kind, OURS, Row, THEIRS},
    rows::ROWS,
    value::{self, Fault},
};

/// An option that is set.
#[derive(Clone)]
struct Set {
    /// The name by which it was set: the one that a problem names.
    name: &'static str,
    value: Value,
}

/// The options that are set, and the problems so far. No value of a secret is ever part of a problem.
pub(crate) struct Options {
    values: BTreeMap<&'static str, Set>,
    defaults: BTreeMap<&'static str, String>,
    heeded: Heeded,
    /// Whether options that are not set are spoken of as they are written in a file.
    as_in_a_file: bool,
    pub(crate) problems: Vec<Problem>,
}

impl Options {
    /// Nothing is set yet. `heeded` says for whom options are read.
    pub(crate) fn new(heeded: Heeded, defaults: BTreeMap<&'static str, String>) -> Self {
        Self { values: BTreeMap::new(), defaults, heeded, as_in_a_file: false, problems: Vec::new() }
    }

    /// A command line's options: `--client-id` by that name. They are taken first, and win.
    pub(crate) fn take_flags(&mut self, flags: impl IntoIterator<Item = (String, Vec<String>)>) {
        for (name, mut values) in flags {
            let known = self.row(|row| row.flag() == name);
            let value = if values.len() == 1 { Value::Text(values.remove(0)) } else { Value::List(values) };
            match known {
                Some(row) => self.set(row, row.flag(), value),
                None => {
                    let suffix = name.trim_start_matches('-').to_ascii_uppercase().replace('-', "_");
                    self.unknown("command line", &name, &suffix);
                }
            }
        }
    }

    /// Variables that begin with one of our prefixes. What a command line has set stays.
    pub(crate) fn take_variables(&mut self, variables: impl IntoIterator<Item = (String, Option<String>)>) {
        let mut seen: BTreeMap<&'static str, Set> = BTreeMap::new();
        // In order, so that the same environment always has the same problems.
        for (name, value) in variables.into_iter().collect::<BTreeMap<_, _>>() {
            let Some(suffix) = name.strip_prefix(OURS).or_else(|| name.strip_prefix(THEIRS)) else {
                continue;
            };
            // As in oauth2-proxy, a variable that is set to nothing is not set.
            if value.as_deref() == Some("") {
                continue;
            }
            let Some(row) = self.row(|row| row.name == name || row.oauth2_proxy == Some(&name)) else {
                self.unknown("environment", &name, suffix);
                continue;
            };
            let name = if row.name == name { row.name } else { row.known_as() };
            let value = value.map_or(Value::NotText, Value::Text);
            if let Some(other) = seen.get(row.suffix()).filter(|other| other.value != value) {
                let fault = format!("{} is set to something else", other.name);
                self.problems.push(Problem::new(name, fault, "set only one of the two"));
            }
            // Variables come in order, and ours after oauth2-proxy's: where both are set, ours wins.
            seen.insert(row.suffix(), Set { name, value });
        }
        for (suffix, set) in seen {
            self.values.entry(suffix).or_insert(set);
        }
    }

    /// A file's options. What a command line or a variable has set stays.
    pub(crate) fn take_file(&mut self, file: &File) {
        self.as_in_a_file = true;
        for (key, value) in &file.values {
            match self.row(|row| row.key() == key) {
                Some(row) => self.set(row, row.key(), value.clone()),
                None => self.unknown("file", key, &key.to_ascii_uppercase()),
            }
        }
    }

    /// Options of a part of the file, of which none is set yet.
    pub(crate) fn section(&self) -> Self {
        let mut section = Self::new(self.heeded, BTreeMap::new());
        section.as_in_a_file = true;
        section
    }

    pub(crate) fn set(&mut self, row: &'static Row, name: &'static str, value: Value) {
        if value != Value::Text(String::new()) && value != Value::List(Vec::new()) {
            self.values.entry(row.suffix()).or_insert(Set { name, value });
        }
    }

    /// Whether options are read for the gateway.
    pub(crate) fn is_for_the_gateway(&self) -> bool {
        self.heeded == Heeded::ByTheGateway
    }

    /// The option that `is_meant`, if it is heeded here.
    fn row(&self, is_meant: impl Fn(&Row) -> bool) -> Option<&'static Row> {
        let heeded = |row: &&&Row| self.heeded == Heeded::ByTheGateway || row.heeded == Heeded::Everywhere;
        ROWS.iter().filter(heeded).find(|row| is_meant(row)).copied()
    }

    fn unknown(&mut self, place: &'static str, name: &str, suffix: &str) {
        let names = || ROWS.iter().map(|row| row.suffix());
        let remedy = match elsewhere::instead(suffix) {
            Some(instead) => instead.to_owned(),
            None => match elsewhere::nearest(suffix, names()) {
                Some(meant) if meant == suffix && place != "environment" => "leave it out".to_owned(),
                Some(meant) if meant == suffix => format!("leave it out, or write {OURS}{meant}"),
                Some(meant) => {
                    let meant = match place {
                        "file" => row::key(meant),
                        "command line" => row::flag(meant),
                        _ => meant.to_owned(),
                    };
                    format!("use {meant}, if that was meant, or leave it out")
                }
                None => "leave it out".to_owned(),
            },
        };
        self.problems.push(Problem::new(place, format!("there is no option {name}"), remedy));
    }

    /// Looks at the options that are always so here, once all of them are taken.
    pub(crate) fn check_what_is_always_so(&mut self) {
        for row in ROWS {
            let Some(set) = self.values.get(row.suffix()) else { continue };
            if set.value == Value::NotText {
                self.problems.push(Problem::new(set.name, "it is not UTF-8", "write it as UTF-8 text"));
                continue;
            }
            let Kind::Always(values) = row.kind else { continue };
            let value = joined(&set.value);
            let says_the_same = values.iter().any(|always| {
                *always == value || value::flag(always).is_ok_and(|flag| value::flag(&value) == Ok(flag))
            });
            if !says_the_same {
                let fault = format!("`{value}` is not possible here");
                let remedy = format!("leave it out; it is always `{}`: {}", values[0], row.meaning);
                self.problems.push(Problem::new(set.name, fault, remedy));
            }
        }
    }

    /// The name by which an option is set, or would be.
    pub(crate) fn name(&self, row: &Row) -> &'static str {
        let unset = || if self.as_in_a_file { row.key() } else { row.known_as() };
        self.values.get(row.suffix()).map_or_else(unset, |set| set.name)
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

    /// The same for problems of a builder's, whose fields are renamed to the options that set them.
    pub(crate) fn adopt_renamed(&mut self, mut problems: Vec<Problem>) {
        for problem in &mut problems {
            problem.field = row_of(problem.field).map_or(problem.field, |row| self.name(row));
        }
        self.adopt(problems);
    }

    pub(crate) fn text(&self, row: &Row) -> Option<String> {
        match self.values.get(row.suffix()) {
            Some(set) => Some(joined(&set.value)),
            None => self.defaults.get(row.suffix()).cloned(),
        }
    }

    /// A text that must be there.
    pub(crate) fn required(&mut self, row: &Row) -> String {
        self.text(row).unwrap_or_else(|| {
            self.problem(row, "it is not set", format!("set it: {}", row.meaning));
            String::new()
        })
    }

    pub(crate) fn list(&self, row: &Row) -> Vec<String> {
        match self.values.get(row.suffix()) {
            Some(Set { value: Value::List(items), .. }) => items.clone(),
            _ => self.text(row).map(|text| value::list(&text)).unwrap_or_default(),
        }
    }

    pub(crate) fn words(&self, row: &Row) -> Vec<String> {
        match self.values.get(row.suffix()) {
            Some(Set { value: Value::List(items), .. }) => items.clone(),
            _ => self.text(row).map(|text| value::words(&text)).unwrap_or_default(),
        }
    }

    pub(crate) fn flag(&mut self, row: &Row) -> Option<bool> {
        self.parsed(row, value::flag)
    }

    pub(crate) fn duration(&mut self, row: &Row) -> Option<Duration> {
        self.parsed(row, value::duration)
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

    pub(crate) fn parsed<T>(&mut self, row: &Row, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        let text = self.text(row)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err((fault, remedy)) => {
                self.problem(row, format!("`{text}`: {fault}"), remedy);
                None
            }
        }
    }

    /// A secret, or the content of the file that the other option names, and the row that it came by.
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

/// A list as one text, as it would stand in a variable.
fn joined(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::List(items) => items.join(","),
        Value::NotText => String::new(),
    }
}
