//! What a proxy asks of people beyond a session, in the query of its question: `auth?allowed_groups=a,b`.
//!
//! As oauth2-proxy reads it: each parameter may stand several times, and each value may be a list with commas; of a
//! parameter's values one is enough, and every parameter must be met. Unlike there, a parameter without a value lets
//! nobody in, and one that is misspelled is refused: both are a door that somebody meant to close.

use crate::{
    refusal::Refusal,
    rules::{Addresses, one_of_groups},
    session::SessionView,
};

/// What the query of a question asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Constraints {
    groups: Option<Vec<String>>,
    emails: Option<Addresses>,
    email_domains: Option<Addresses>,
    unknown: bool,
}

impl Constraints {
    pub(crate) fn read(query: &str) -> Self {
        let mut constraints = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let values = || value.split(',').filter(|value| !value.is_empty());
            match &*name {
                "allowed_groups" => {
                    constraints.groups.get_or_insert_default().extend(values().map(str::to_owned));
                }
                "allowed_emails" => constraints.emails.get_or_insert_default().add_emails(values()),
                "allowed_email_domains" => {
                    constraints.email_domains.get_or_insert_default().add_domains(values());
                }
                name => constraints.unknown |= name.to_ascii_lowercase().starts_with("allowed"),
            }
        }
        constraints
    }

    /// Decides about somebody who is signed in; `unverified_email` says whether any address counts.
    pub(crate) fn admit(&self, session: &SessionView<'_>, unverified_email: bool) -> Result<(), Refusal> {
        if self.unknown {
            return Err(Refusal::ConstraintUnknown);
        }
        for addresses in [&self.emails, &self.email_domains].into_iter().flatten() {
            addresses.admit(session.email, session.email_verified || unverified_email)?;
        }
        self.groups.as_ref().map_or(Ok(()), |groups| one_of_groups(groups, &session.groups))
    }

    /// The groups that it names.
    pub(crate) fn named_groups(&self) -> impl Iterator<Item = &String> {
        self.groups.iter().flatten()
    }
}
