//! One suite against both frameworks' examples: the same bytes in the same environment, and every answer compared to the
//! byte: status line, headers, body, and what becomes of the connection.
//!
//! What must differ is masked (`mask.rs`); whatever else differs stands in `docs/parity.md` with its reason, or the run
//! fails. So it does where a row there tells of a difference that is none any more.

mod compare;
mod mask;
mod play;
mod program;
mod requests;
mod stories;
mod table;

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use vestibule_dev_provider::{DevProvider, Running};
use vestibule_outside::{Framework, PATIENCE, client, tools};

use crate::{
    compare::{Difference, differences},
    play::Player,
    program::{Environment, Program},
    table::Table,
};

/// Answers that are compared at the least: less would show that something is left out.
const COMPARED_MIN: usize = 1_000;

/// Single requests that are under way at the same time.
const AT_ONCE: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_the_same_or_the_table_says_why_not() -> Result<()> {
    let callbacks = Environment::ALL.map(Environment::callback);
    let provider = DevProvider::builder().client(client::ID, Some(client::SECRET), callbacks).start().await?;
    let mut found = Vec::new();
    let mut compared = 0;
    compared += Pair::start(Environment::Plain, &provider).await?.requests(&mut found).await?;
    for environment in Environment::ALL {
        let mut pair = Pair::start(environment, &provider).await?;
        compared += pair.stories(&mut found).await?;
        found.extend(pair.logs().await?);
    }
    let page = tools::repository().join("docs/parity.md");
    let page = fs::read_to_string(&page).with_context(|| format!("{} cannot be read", page.display()))?;
    ensure!(COMPARED_MIN <= compared, "only {compared} answers were compared");
    Table::read(&page)?.judge(&found)
}

/// Both programs, in one environment.
struct Pair {
    environment: Environment,
    provider: Running,
    axum: Program,
    actix: Program,
}

impl Pair {
    async fn start(environment: Environment, provider: &Running) -> Result<Self> {
        let (axum, actix) = tokio::try_join!(
            Program::start(Framework::Axum, environment, provider),
            Program::start(Framework::Actix, environment, provider),
        )?;
        Ok(Self { environment, provider: provider.clone(), axum, actix })
    }

    /// Sends every single request to both; says how many there were.
    async fn requests(&mut self, found: &mut Vec<Difference>) -> Result<usize> {
        self.provider.sign_in_as(Some("alice"));
        let axum = Player::new(&mut self.axum).signed_in().await?;
        let actix = Player::new(&mut self.actix).signed_in().await?;
        let cases = requests::all()?;
        // Several at once, for a server that closes on somebody who still speaks takes its time over that.
        for cases in cases.chunks(AT_ONCE) {
            let asked: Vec<_> = cases
                .iter()
                .map(|case| {
                    let ask = |program: &Program, session| {
                        let bytes = case.bytes("vestibule", session);
                        tokio::spawn(program::ask(program.app.port(), bytes, case.cut))
                    };
                    Ok((ask(&self.axum, axum.session()?), ask(&self.actix, actix.session()?)))
                })
                .collect::<Result<_>>()?;
            for (case, (ours, theirs)) in cases.iter().zip(asked) {
                let ours = ours.await?.with_context(|| format!("in {} on axum", case.name))?;
                let theirs = theirs.await?.with_context(|| format!("in {} on actix", case.name))?;
                found.extend(differences(&case.name, &ours, &theirs));
            }
        }
        Ok(cases.len())
    }

    /// Tells every story of this environment, first on one and then on the other.
    async fn stories(&mut self, found: &mut Vec<Difference>) -> Result<usize> {
        let mut compared = 0;
        for story in stories::of(self.environment) {
            let name = format!("{}/{}", self.environment.name(), story.name);
            let axum = Player::new(&mut self.axum).tell(&story).await;
            let axum = axum.with_context(|| format!("in {name} on axum"))?;
            let actix = Player::new(&mut self.actix).tell(&story).await;
            let actix = actix.with_context(|| format!("in {name} on actix"))?;
            ensure!(axum.len() == actix.len(), "{name} has {} answers and {}", axum.len(), actix.len());
            compared += axum.len();
            for (number, (ours, theirs)) in (1..).zip(axum.iter().zip(&actix)) {
                found.extend(ours.differences(&format!("{name}/{number}"), theirs));
            }
        }
        Ok(compared)
    }

    /// What both logs say, with nothing but times left out. Lines are on their way for a moment.
    async fn logs(&self) -> Result<Option<Difference>> {
        let end = Instant::now() + PATIENCE;
        loop {
            let (axum, actix) = (self.axum.events(), self.actix.events());
            ensure!(!axum.is_empty(), "the log of {} says nothing", self.environment.name());
            if axum == actix || end < Instant::now() {
                let only = |ours: &[String], theirs: &[String]| -> String {
                    let own: Vec<_> = ours.iter().filter(|event| !theirs.contains(event)).cloned().collect();
                    own.join("; ")
                };
                let (ours, theirs) = (only(&axum, &actix), only(&actix, &axum));
                return Ok(Difference::of(
                    &format!("{}/log", self.environment.name()),
                    "log",
                    &ours,
                    &theirs,
                ));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
