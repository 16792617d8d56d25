//! What every provider is asked, row by row. `docs/provider-test-kit.md` is drawn from this list.

mod authorization;
mod basics;
mod begin;
mod code;
mod discovery;
mod email;
mod ending;
mod id_token;
mod id_token_claims;
mod id_token_form;
mod keys;
mod leaks;
mod openid;
mod profile;
mod refresh;
mod refreshed;
mod subject;
mod token;
mod token_values;

use super::{
    bench::{Bench, Not, Outcome},
    report::{Line, Report, Verdict},
};

/// One thing that is asked of a provider.
pub(super) struct Row {
    /// Begins with the id that the threat has in the catalogue (`docs/threat-model.md`), where it has one.
    id: &'static str,
    about: &'static str,
    remedy: &'static str,
    check: fn(&Bench<'_>) -> Outcome,
}

/// Rows that belong together.
struct Group {
    title: &'static str,
    rows: &'static [Row],
}

const fn row(
    id: &'static str,
    about: &'static str,
    remedy: &'static str,
    check: fn(&Bench<'_>) -> Outcome,
) -> Row {
    Row { id, about, remedy, check }
}

const fn group(title: &'static str, rows: &'static [Row]) -> Group {
    Group { title, rows }
}

/// What is printed and logged comes last: it is collected on the way.
const GROUPS: [Group; 19] = [
    group("A good day", basics::ROWS),
    group("The authorization request", authorization::ROWS),
    group("Before the browser is sent away", begin::ROWS),
    group("The code, and the client's secret", code::ROWS),
    group("The token reply", token::ROWS),
    group("What stands in the token reply", token_values::ROWS),
    group("Replies about the person", profile::ROWS),
    group("Who it is", subject::ROWS),
    group("The e-mail address", email::ROWS),
    group("Refresh", refresh::ROWS),
    group("Revocation and sign-out", ending::ROWS),
    group("OpenID Connect: discovery", discovery::ROWS),
    group("OpenID Connect: keys", keys::ROWS),
    group("OpenID Connect: the ID token's signature", id_token::ROWS),
    group("OpenID Connect: the ID token's form", id_token_form::ROWS),
    group("OpenID Connect: the ID token's claims", id_token_claims::ROWS),
    group("OpenID Connect: the occasion, and userinfo", openid::ROWS),
    group("OpenID Connect: refreshed ID tokens", refreshed::ROWS),
    group("What is printed and logged", leaks::ROWS),
];

fn all() -> impl Iterator<Item = &'static Row> {
    GROUPS.iter().flat_map(|group| group.rows)
}

/// The names of all rows.
pub(super) fn names() -> Vec<&'static str> {
    all().map(|row| row.id).collect()
}

pub(super) fn run(bench: &Bench<'_>) -> Report {
    let exempt = &bench.kit.exempt;
    let mut lines: Vec<_> =
        all().map(|row| Line { row: row.id, about: row.about, verdict: row.verdict(bench) }).collect();
    if let Some((unknown, _)) = exempt.iter().find(|(id, _)| !all().any(|row| row.id == id)) {
        lines.push(Line {
            row: "does_not_apply",
            about: "Only rows that there are can be left out.",
            verdict: Verdict::Failed {
                seen: format!("there is no row `{unknown}`"),
                remedy: "take a name from docs/provider-test-kit.md",
            },
        });
    }
    Report { provider: bench.kit.provider.id().to_owned(), rows: lines }
}

impl Row {
    fn verdict(&self, bench: &Bench<'_>) -> Verdict {
        if let Some((_, because)) = bench.kit.exempt.iter().find(|(id, _)| id == self.id) {
            return Verdict::NotApplicable { why: because.clone() };
        }
        match (self.check)(bench) {
            Ok(()) => Verdict::Passed,
            Err(Not::Applicable(why)) => Verdict::NotApplicable { why },
            Err(Not::Failed(seen)) => Verdict::Failed { seen, remedy: self.remedy },
        }
    }
}

/// The whole list as `docs/provider-test-kit.md`.
pub(super) fn documentation() -> String {
    let mut page = format!(
        "# What the test kit asks of a provider\n\n\
         {} rows, drawn from `core/src/testkit/provider_kit/rows`; a test keeps this page equal to them, and another shows for each row \
         a\nprovider that is broken in one place and caught by that row alone (`core/tests/provider_kit`). How to run them \
         is in the\ndocumentation of `vestibule::testkit`. A name that begins as in [the threat model](threat-model.md) is \
         about that threat.\n",
        all().count()
    );
    for Group { title, rows } in &GROUPS {
        page +=
            &format!("\n## {title}\n\n| row | what is asked | what to do where it fails |\n|---|---|---|\n");
        for row in *rows {
            page += &format!("| `{}` | {} | {} |\n", row.id, row.about, row.remedy);
        }
    }
    page
}
