//! The table of `docs/parity.md`: every difference there is, each with its reason, written by hand.

use std::{collections::BTreeSet, fmt::Write as _};

use anyhow::{Context, Result, ensure};

use crate::compare::Difference;

/// How many unlisted differences are shown in full.
const SHOWN: usize = 40;

/// One row: which parts of the answers to which cases differ, and how.
#[derive(Debug)]
struct Row {
    line: usize,
    /// Names, with `*` for any text.
    cases: Vec<String>,
    parts: Vec<String>,
    /// What one of them says; a cell that is no code only describes it.
    axum: Option<String>,
    actix: Option<String>,
}

/// The whole table.
#[derive(Debug)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    /// Reads the table of a page: its rows are the lines between bars, after the heading.
    pub(crate) fn read(page: &str) -> Result<Self> {
        let rows = (1..).zip(page.lines()).filter(|(_, line)| line.starts_with("| `"));
        let rows: Result<Vec<_>> = rows.map(|(number, line)| Row::read(number, line)).collect();
        let rows = rows?;
        ensure!(!rows.is_empty(), "the page has no table");
        Ok(Self(rows))
    }

    /// Every difference needs a row, and every name and part of a row a difference.
    pub(crate) fn judge(&self, found: &[Difference]) -> Result<()> {
        let mut used = BTreeSet::new();
        let mut unlisted = Vec::new();
        for difference in found {
            let mut listed = false;
            for row in self.0.iter().filter(|row| row.says(difference)) {
                listed = true;
                used.extend(
                    row.cases.iter().filter(|name| fits(name, &difference.case)).map(|name| (row.line, name)),
                );
                used.extend(
                    row.parts.iter().filter(|part| fits(part, &difference.part)).map(|part| (row.line, part)),
                );
            }
            if !listed {
                unlisted.push(difference);
            }
        }
        let mut problems = String::new();
        for difference in unlisted.iter().take(SHOWN) {
            let Difference { case, part, axum, actix } = difference;
            let _ = writeln!(problems, "{case}: {part}\n    axum:  {axum:?}\n    actix: {actix:?}");
        }
        if !unlisted.is_empty() {
            let _ = writeln!(
                problems,
                "{} differences are not in docs/parity.md: mend them, or give each a row with its reason",
                unlisted.len()
            );
        }
        for row in &self.0 {
            for name in row.cases.iter().chain(&row.parts).filter(|name| !used.contains(&(row.line, *name))) {
                let line = row.line;
                let _ = writeln!(
                    problems,
                    "docs/parity.md:{line}: `{name}` does not differ in this any more: strike it out"
                );
            }
        }
        ensure!(problems.is_empty(), "\n{problems}");
        Ok(())
    }
}

impl Row {
    fn read(line: usize, text: &str) -> Result<Self> {
        let cells: Vec<&str> = text.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [cases, parts, axum, actix, reason] = cells[..] else {
            anyhow::bail!(
                "docs/parity.md:{line}: {} cells; case, part, axum, actix and reason are five",
                cells.len()
            )
        };
        ensure!(reason.split(' ').count() > 4, "docs/parity.md:{line}: say why, in a sentence");
        let codes = |cell: &str| -> Result<Vec<String>> {
            cell.split(", ")
                .map(|name| code(name).with_context(|| format!("docs/parity.md:{line}: {name} is no code")))
                .collect()
        };
        Ok(Self { line, cases: codes(cases)?, parts: codes(parts)?, axum: code(axum), actix: code(actix) })
    }

    fn says(&self, difference: &Difference) -> bool {
        let as_said = |said: &Option<String>, is: &str| said.as_ref().is_none_or(|said| said == is);
        self.cases.iter().any(|name| fits(name, &difference.case))
            && self.parts.iter().any(|part| fits(part, &difference.part))
            && as_said(&self.axum, &difference.axum)
            && as_said(&self.actix, &difference.actix)
    }
}

/// The text of a cell that is one piece of code.
fn code(cell: &str) -> Option<String> {
    let inside = cell.strip_prefix('`')?.strip_suffix('`')?;
    (!inside.contains('`')).then(|| inside.to_owned())
}

/// Whether a name fits a pattern, in which `*` stands for any text.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(before) else { return false };
    rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| fits(after, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# Parity

| case | part | axum | actix | reason |
|---|---|---|---|---|
| `a/*`, `b` | `status`, `body` | longer | `404` | It is so because it is so. |
";

    fn found(case: &str, part: &str, actix: &str) -> Difference {
        Difference::of(case, part, "400", actix).unwrap()
    }

    #[test]
    fn a_difference_needs_a_row_and_a_row_a_difference() {
        let table = Table::read(PAGE).unwrap();
        let all = [found("a/x", "status", "404"), found("b", "body", "404")];
        table.judge(&all).unwrap();

        let other = [all.to_vec(), vec![found("c", "status", "404")]].concat();
        assert!(table.judge(&other).unwrap_err().to_string().contains("c: status"));
        let other_part = [all.to_vec(), vec![found("b", "order", "404")]].concat();
        assert!(table.judge(&other_part).unwrap_err().to_string().contains("b: order"));
        let other_value = [all.to_vec(), vec![found("b", "status", "405")]].concat();
        assert!(table.judge(&other_value).unwrap_err().to_string().contains("405"));
        let gone = table.judge(&all[..1]).unwrap_err().to_string();
        assert!(gone.contains("docs/parity.md:5: `b` does not differ"), "{gone}");
        assert!(gone.contains("docs/parity.md:5: `body` does not differ"), "{gone}");
    }

    #[test]
    fn a_row_without_a_reason_or_with_a_cell_too_few_is_no_row() {
        for row in [
            "| `a` | `b` | c | d | |",
            "| `a` | `b` | c | d | Just so. |",
            "| `a` | `b` | c | It is so because so. |",
        ] {
            assert!(Table::read(row).is_err(), "{row}");
        }
        assert!(Table::read("no table").is_err());
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("a*c", "abc", true),
            ("a*c", "abcd", false),
            ("*b*", "abc", true),
            ("a", "ab", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
