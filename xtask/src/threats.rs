//! `docs/threat-model.md` is held to its word: every threat has its row, and every test that a row names is there.
//!
//! The ids are those of the catalogue that the page speaks of. A row of it reads
//! `| id | attack | answer | tests |`, where tests are links such as `[name](../core/tests/hostile.rs)`.

use std::{collections::HashSet, fs, path::Path};

use crate::root;

/// The page.
const PAGE: &str = "docs/threat-model.md";

/// The families of ids, each with its last number; what is between is there too.
const FAMILIES: [(&str, u8); 10] = [
    ("RD", 5),
    ("SE", 28),
    ("CK", 26),
    ("LO", 21),
    ("GW", 20),
    ("GW-H", 12),
    ("PC", 3),
    ("JT", 42),
    ("ND", 18),
    ("LK", 15),
];
/// And those that stand alone.
const ALONE: [&str; 3] = ["ND-30", "ND-31", "ND-32"];

/// How a reason begins where there is no test.
const REASONS: [&str; 2] = ["Not applicable: ", "Waits for "];

/// Everything that the page promises and the repository does not keep.
pub(crate) fn problems() -> Result<Vec<String>, String> {
    let page = fs::read_to_string(root().join(PAGE)).map_err(|error| format!("{PAGE}: {error}"))?;
    Ok(untrue(&page, |file| fs::read_to_string(root().join(file)).ok()))
}

fn untrue(page: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut seen = HashSet::new();
    for (number, line) in (1..).zip(page.lines()) {
        let Some(row) = Row::read(line) else { continue };
        let complain = |fault: String| format!("{PAGE}:{number}: {}: {fault}", row.id);
        if !seen.insert(row.id) {
            problems.push(complain("it has another row; say everything in one".to_owned()));
        }
        let reason =
            REASONS.iter().any(|begins| row.shown.strip_prefix(begins).is_some_and(|why| why.len() > 20));
        if row.tests.is_empty() && !reason {
            let remedy = "name a test as [name](../file), or begin with `Not applicable: ` or `Waits for ` and say why";
            problems.push(complain(remedy.to_owned()));
        }
        let missing = row.tests.iter().filter_map(|(name, file)| fault(name, file, read(file)));
        problems.extend(missing.map(complain));
    }
    let missing = required().into_iter().filter(|id| !seen.contains(id.as_str()));
    problems.extend(missing.map(|id| format!("{PAGE}: {id} has no row; write one")));
    problems
}

/// What is wrong with a test that is named.
fn fault(name: &str, file: &str, text: Option<String>) -> Option<String> {
    let Some(text) = text else { return Some(format!("there is no {file}; where has `{name}` gone?")) };
    let Some(at) = text.find(&format!("fn {name}(")) else {
        return Some(format!("there is no `{name}` in {file}; name the test that there is"));
    };
    // The attributes are between the test and whatever came before it.
    let before = text[..at].rfind("}\n").map_or(0, |end| end);
    text[before..at].contains("#[ignore").then(|| format!("`{name}` is ignored, and shows nothing"))
}

fn required() -> Vec<String> {
    let numbered = |(family, last): (&str, u8)| {
        let dash = if family.contains('-') { "" } else { "-" };
        (1..=last).map(move |number| format!("{family}{dash}{number:02}")).collect::<Vec<_>>()
    };
    FAMILIES.into_iter().flat_map(numbered).chain(ALONE.map(str::to_owned)).collect()
}

/// A row of the page.
struct Row<'p> {
    id: &'p str,
    shown: &'p str,
    /// Name and file of each test.
    tests: Vec<(&'p str, &'p str)>,
}

impl<'p> Row<'p> {
    /// Reads a line; most are no rows.
    fn read(line: &'p str) -> Option<Self> {
        let cells: Vec<&str> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let &[id, _attack, _answer, shown] = cells.as_slice() else { return None };
        let (family, number) = id.split_once('-')?;
        let is_id =
            !family.is_empty() && family.bytes().all(|byte| byte.is_ascii_uppercase()) && !number.is_empty();
        is_id.then(|| Self { id, shown, tests: links(shown) })
    }
}

/// The links that lead to code.
fn links(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for part in text.split('[').skip(1) {
        let link = part.split_once("](../").and_then(|(name, rest)| Some((name, rest.split_once(')')?.0)));
        found.extend(link.filter(|(_, file)| Path::new(file).extension().is_some_and(|kind| kind == "rs")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(row: &str) -> Vec<String> {
        let read = |file: &str| {
            (file == "a/b.rs").then(|| {
                "fn one(\n}\n#[ignore = \"x\"]\n#[test]\nfn two(\n}\n\n#[test]\nfn three(".to_owned()
            })
        };
        untrue(row, read).into_iter().filter(|problem| !problem.ends_with("has no row; write one")).collect()
    }

    #[test]
    fn the_threat_model_keeps_its_word() {
        let problems = problems().unwrap();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }

    #[test]
    fn a_test_that_is_named_must_be_there_and_run() {
        assert_eq!(judged("| SE-01 | a | b | [one](../a/b.rs), [three](../a/b.rs) |"), [""; 0]);
        let gone = judged("| SE-01 | a | b | [four](../a/b.rs) |");
        assert!(gone[0].contains("SE-01: there is no `four` in a/b.rs"), "{gone:?}");
        assert!(judged("| SE-01 | a | b | [one](../a/c.rs) |")[0].contains("there is no a/c.rs"));
        assert!(judged("| SE-01 | a | b | [two](../a/b.rs) |")[0].contains("`two` is ignored"));
        assert!(
            judged("| SE-01 | a | b | [on](../a/b.rs) |")[0].contains("there is no `on`"),
            "not a part of a name"
        );
    }

    #[test]
    fn an_id_without_a_test_has_a_reason() {
        assert_eq!(judged("| SE-01 | a | b | Not applicable: there is no such thing here. |"), [""; 0]);
        assert_eq!(judged("| SE-01 | a | b | Waits for the issue on sessions. |"), [""; 0]);
        for row in [
            "| SE-01 | a | b | Not applicable: |",
            "| SE-01 | a | b | Not applicable: no |",
            "| SE-01 | a | b | later |",
        ] {
            assert_eq!(judged(row).len(), 1, "{row}");
        }
    }

    #[test]
    fn every_id_has_one_row() {
        let problems = untrue("| SE-01 | a | b | Waits for a very good reason indeed |\n", |_| None);
        assert_eq!(problems.len(), required().len() - 1);
        assert!(!problems.iter().any(|problem| problem.contains("SE-01")));
        let twice = "| SE-01 | a | b | Waits for a very good reason indeed |\n".repeat(2);
        assert!(untrue(&twice, |_| None)[0].contains("another row"));
    }
}
