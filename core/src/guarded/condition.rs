//! What a guard asks of whoever is signed in.

use std::time::Duration;

use crate::{
    access::Requirement,
    config::{ConfigError, Keep, Problem, Vestibule},
    guarded::Freshness,
    limits::FRESH_TIME_MIN,
    refusal::Refusal,
    session::SessionView,
    time::Timestamp,
};

/// What a guard asks of whoever is signed in. Everything that it names must be met.
///
/// ```
/// use std::time::Duration;
/// use vestibule::guarded::Condition;
///
/// let condition = Condition::new()
///     .any_group(["staff", "admins"])
///     .claim("role", "auditor")
///     .signed_in_within(Duration::from_secs(10 * 60));
/// # let _ = condition;
/// ```
///
/// A session keeps only the groups and claims that the configuration names (`Builder::keep_groups`,
/// `Builder::keep_claims`). A guard that goes by another one lets nobody in: it says so in the log when it is made,
/// [`Vestibule::check_condition`] returns it as an error, and whoever comes gets a page about a mistake of the site's.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    requirements: Vec<Requirement>,
    within: Option<Duration>,
}

impl Condition {
    /// Asks nothing but a session.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for membership of this group.
    pub fn group(self, name: impl Into<String>) -> Self {
        self.any_group([name])
    }

    /// Asks for membership of one of these groups.
    pub fn any_group<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        self.requirement(Requirement::new().groups(names))
    }

    /// Asks for a claim that is this value, or a list with it in it. Numbers and truth values are compared as they are
    /// written in JSON.
    pub fn claim(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.requirement(Requirement::new().claim(name, [value]))
    }

    /// Asks for whatever a rule for proxies can ask for: e-mail addresses and their domains, providers, one of several
    /// values.
    pub fn requirement(mut self, requirement: Requirement) -> Self {
        self.requirements.push(requirement);
        self
    }

    /// Asks that the person has shown who they are within that time, a minute at least; whoever has not is sent to do
    /// it again. Where the provider says when that was (`auth_time`), its word counts, give or take a minute between
    /// its clock and ours; a provider that does not say is believed that it asks whenever it is sent somebody.
    pub fn signed_in_within(mut self, time: Duration) -> Self {
        self.within = Some(self.within.map_or(time, |own| own.min(time)));
        self
    }

    /// Asks for what `other` asks for, too.
    pub fn and(mut self, other: Self) -> Self {
        self.requirements.extend(other.requirements);
        match other.within {
            Some(time) => self.signed_in_within(time),
            None => self,
        }
    }
}

/// What somebody who is signed in lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// They may not have it.
    Refused(Refusal),
    /// They must have shown who they are within that time.
    Fresh(Duration),
}

impl Condition {
    /// Decides about somebody. Who may not have it at all is not sent to sign in again first.
    pub(crate) fn admit(
        &self,
        session: &SessionView<'_>,
        unverified_email: bool,
        now: Timestamp,
    ) -> Result<(), Lack> {
        for requirement in &self.requirements {
            requirement.admit(session, unverified_email).map_err(Lack::Refused)?;
        }
        match self.within {
            Some(time) if !Freshness::of(session).within(time, now) => Err(Lack::Fresh(time)),
            _ => Ok(()),
        }
    }
}

impl Vestibule {
    /// Whether anybody can meet `condition` here.
    ///
    /// # Errors
    /// It names groups or claims that no session keeps, or makes no sense, each with what to do about it.
    pub fn check_condition(&self, condition: &Condition) -> Result<(), ConfigError> {
        let problem = |fault, remedy| Problem::new("guard", fault, remedy);
        let is_provider = |id: &str| self.provider(id).is_some();
        let mut problems = Vec::new();
        for requirement in &condition.requirements {
            let faults = requirement.problems(is_provider);
            // A claim that no guard can go by is not to be kept either.
            if faults.is_empty() {
                problems.extend(forgotten(
                    "group",
                    "keep_groups",
                    &self.keep_groups,
                    requirement.named_groups(),
                ));
                problems.extend(forgotten(
                    "claim",
                    "keep_claims",
                    &self.keep_claims,
                    requirement.named_claims(),
                ));
            }
            problems.extend(faults.into_iter().map(|(fault, remedy)| problem(fault, remedy)));
        }
        if condition.within.is_some_and(|time| time < FRESH_TIME_MIN) {
            let fault =
                format!("nobody signs in and is back within {:?}", condition.within.unwrap_or_default());
            problems.push(problem(fault, "let it be a minute at least".to_owned()));
        }
        ConfigError::check(problems)
    }
}

/// Names of which no session keeps any; of several, one is enough.
fn forgotten<'n>(
    kind: &str,
    setting: &str,
    kept: &Keep,
    names: impl Iterator<Item = &'n String>,
) -> Option<Problem> {
    let mut names = names.peekable();
    names.peek()?;
    let names: Vec<_> = names.map(String::as_str).collect();
    if names.iter().any(|name| kept.keeps(name)) {
        return None;
    }
    let fault = format!("no session keeps the {kind} `{}`", names.join("` or `"));
    let remedy = format!("let it, by `Builder::{setting}(Keep::named([\"{}\"]))`", names.join("\", \""));
    Some(Problem::new("guard", fault, remedy))
}
