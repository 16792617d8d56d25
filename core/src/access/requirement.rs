//! What somebody must be to have something.

use serde_json::Value;

use crate::{
    access::add,
    config::Problem,
    refusal::Refusal,
    rules::{Addresses, one_of_groups},
    session::SessionView,
};

/// What a rule asks of whoever is signed in. Every part that is set must be met; of a part's values one is enough.
#[derive(Clone, Debug, Default)]
pub struct Requirement {
    addresses: Option<Addresses>,
    groups: Option<Vec<String>>,
    claims: Vec<(String, Vec<String>)>,
    providers: Option<Vec<String>>,
}

impl Requirement {
    /// Asks nothing but a session.
    pub fn new() -> Self {
        Self::default()
    }

    /// A verified e-mail address that is one of these, or of one of [`Requirement::email_domains`].
    pub fn emails<S: Into<String>>(mut self, emails: impl IntoIterator<Item = S>) -> Self {
        self.addresses.get_or_insert_default().add_emails(emails);
        self
    }

    /// A verified e-mail address of one of these domains (`example.com`, or `*.example.com` for any name below it), or
    /// one of [`Requirement::emails`].
    pub fn email_domains<S: Into<String>>(mut self, domains: impl IntoIterator<Item = S>) -> Self {
        self.addresses.get_or_insert_default().add_domains(domains);
        self
    }

    /// Membership of one of these groups. The session keeps them.
    pub fn groups<S: Into<String>>(mut self, groups: impl IntoIterator<Item = S>) -> Self {
        add(&mut self.groups, groups.into_iter().map(Into::into));
        self
    }

    /// A claim that is one of these values, or a list with one of them in it. The session keeps it. Numbers and truth
    /// values are compared as they are written in JSON.
    pub fn claim<S: Into<String>>(
        mut self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = S>,
    ) -> Self {
        self.claims.push((name.into(), values.into_iter().map(Into::into).collect()));
        self
    }

    /// A sign-in through one of these providers, by their ids. Where it is one, browsers are sent straight there.
    pub fn providers<S: Into<String>>(mut self, providers: impl IntoIterator<Item = S>) -> Self {
        add(&mut self.providers, providers.into_iter().map(Into::into));
        self
    }

    /// Decides about somebody who is signed in; `unverified_email` says whether any address counts.
    pub(crate) fn admit(&self, session: &SessionView<'_>, unverified_email: bool) -> Result<(), Refusal> {
        if self.providers.as_ref().is_some_and(|ids| !ids.iter().any(|id| id == session.provider)) {
            return Err(Refusal::ProviderNotAllowed);
        }
        if let Some(addresses) = &self.addresses {
            addresses.admit(session.email, session.email_verified || unverified_email)?;
        }
        if let Some(groups) = &self.groups {
            one_of_groups(groups, &session.groups)?;
        }
        if self.claims.is_empty() {
            return Ok(());
        }
        let claims = session.claims();
        let met = |(name, allowed): &(String, Vec<String>)| match claims.get(name) {
            Some(Value::Array(values)) => values.iter().any(|value| is_one_of(value, allowed)),
            Some(value) => is_one_of(value, allowed),
            None => false,
        };
        if self.claims.iter().all(met) { Ok(()) } else { Err(Refusal::ClaimNotAllowed) }
    }

    /// The provider that whoever wants this must sign in through, where there is only one.
    pub(crate) fn only_provider(&self) -> Option<&str> {
        match self.providers.as_deref() {
            Some([only]) => Some(only),
            _ => None,
        }
    }

    /// The groups that the session must keep.
    pub(crate) fn named_groups(&self) -> impl Iterator<Item = &String> {
        self.groups.iter().flatten()
    }

    /// The claims that the session must keep.
    pub(crate) fn named_claims(&self) -> impl Iterator<Item = &String> {
        self.claims.iter().map(|(name, _)| name)
    }

    /// What is wrong with it: a fault and a remedy each.
    pub(crate) fn problems(&self, is_provider: impl Fn(&str) -> bool) -> Vec<(String, String)> {
        let mut problems: Vec<(String, String)> = Vec::new();
        let mut problem = |fault: String, remedy: &str| problems.push((fault, remedy.to_owned()));
        for Problem { fault, remedy, .. } in self.addresses.iter().flat_map(Addresses::problems) {
            problem(format!("of its e-mail addresses {fault}"), &remedy);
        }
        let leave = "name at least one, or leave it away";
        if self.groups.as_ref().is_some_and(Vec::is_empty) {
            problem("it names no groups, so that nobody may enter".to_owned(), leave);
        }
        if self.providers.as_ref().is_some_and(Vec::is_empty) {
            problem("it names no providers, so that nobody may enter".to_owned(), leave);
        }
        for id in self.providers.iter().flatten().filter(|id| !is_provider(id)) {
            problem(format!("there is no provider `{id}`"), "use the id of one that is set up");
        }
        for (name, values) in &self.claims {
            let own = match name.as_str() {
                "email" | "email_verified" => {
                    "ask for `emails` or `email_domains` instead: those must be verified"
                }
                "groups" => "ask for `groups` instead",
                _ if values.is_empty() => "name at least one value",
                _ => continue,
            };
            problem(format!("it cannot go by the claim `{name}`"), own);
        }
        problems
    }
}

fn is_one_of(value: &Value, allowed: &[String]) -> bool {
    match value {
        Value::String(text) => allowed.contains(text),
        Value::Bool(_) | Value::Number(_) => allowed.contains(&value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}
