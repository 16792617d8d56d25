//! What is given: a command line, variables and a file, as they stand.

use std::{collections::BTreeMap, fmt, fs, path::Path};

use vestibule::config::Problem;

/// The value of an option.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// One text. Where the option is a list, commas separate its items.
    Text(String),
    /// A list that was written as one, so that its items may have commas in them.
    List(Vec<String>),
    /// A variable that is no text.
    NotText,
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may be a secret.
        f.write_str(match self {
            Self::Text(_) => "Text(..)",
            Self::List(_) => "List(..)",
            Self::NotText => "NotText",
        })
    }
}

/// The tables that a file may have beside options, each several times.
pub(crate) const TABLES: [&str; 3] = ["provider", "rule", "bearer"];

/// A file's content.
#[derive(Debug, Default)]
pub(crate) struct File {
    /// Options by their name in the file.
    pub(crate) values: BTreeMap<String, Value>,
    /// `[[provider]]`, `[[rule]]` and `[[bearer]]`, in the order of the file.
    pub(crate) tables: BTreeMap<&'static str, Vec<BTreeMap<String, Value>>>,
}

impl File {
    pub(crate) fn read(path: &Path, problems: &mut Vec<Problem>) -> Self {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let fault = format!("{} cannot be read: {error}", path.display());
                problems.push(Problem::new("file", fault, "give a TOML file that this program may read"));
                return Self::default();
            }
        };
        let table = match toml::from_str(&text) {
            Ok(table) => table,
            Err(error) => {
                // The error shows the line, which may hold a secret: only where it is goes on.
                let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
                let fault = format!("{} is no TOML: line {line}: {}", path.display(), error.message());
                let remedy =
                    "write `name = \"value\"`, with quotes around texts and square brackets around lists";
                problems.push(Problem::new("file", fault, remedy));
                return Self::default();
            }
        };
        Self::of(table, problems)
    }

    fn of(table: toml::Table, problems: &mut Vec<Problem>) -> Self {
        let mut file = Self::default();
        for (key, value) in table {
            match TABLES.into_iter().find(|table| *table == key && is_list_of_tables(&value)) {
                Some(name) => {
                    file.tables.insert(name, tables(name, value, problems));
                }
                None => {
                    if let Some(value) = read(&key, value, problems) {
                        file.values.insert(key, value);
                    }
                }
            }
        }
        file
    }
}

/// `provider` is an option as well as a table's name.
fn is_list_of_tables(value: &toml::Value) -> bool {
    matches!(value, toml::Value::Array(items) if items.iter().any(toml::Value::is_table))
}

fn tables(
    name: &'static str,
    value: toml::Value,
    problems: &mut Vec<Problem>,
) -> Vec<BTreeMap<String, Value>> {
    let toml::Value::Array(items) = value else { return Vec::new() };
    let mut tables = Vec::new();
    for item in items {
        let toml::Value::Table(table) = item else {
            let fault = "one of its items is no table";
            problems.push(Problem::new(name, fault, format!("write each as `[[{name}]]`")));
            continue;
        };
        let items = table
            .into_iter()
            .filter_map(|(key, value)| read(&key, value, problems).map(|value| (key, value)))
            .collect();
        tables.push(items);
    }
    tables
}

/// What a file says about one option, as text: it means the same as in a variable.
fn read(key: &str, value: toml::Value, problems: &mut Vec<Problem>) -> Option<Value> {
    let scalar = |value: toml::Value| match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    };
    let read = match value {
        toml::Value::Array(items) => {
            items.into_iter().map(scalar).collect::<Option<Vec<_>>>().map(Value::List)
        }
        value => scalar(value).map(Value::Text),
    };
    if read.is_none() {
        let fault = format!("the value of `{key}` is neither a text, a number, a flag nor a list of those");
        problems.push(Problem::new("file", fault, "write it as a text in quotes"));
    }
    read
}
