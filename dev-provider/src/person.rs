//! The people who can sign in. All of them are invented.

use serde_json::{Map, Value, json};

use crate::json::Members;

/// A person who can be chosen at `/authorize`.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    pub(crate) sub: String,
    pub(crate) username: String,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) email_verified: bool,
    pub(crate) groups: Vec<String>,
    pub(crate) more: Map<String, Value>,
}

impl Person {
    /// A person of whom only the subject and the username are known.
    pub fn new(sub: impl Into<String>, username: impl Into<String>) -> Self {
        Self {
            sub: sub.into(),
            username: username.into(),
            name: None,
            email: None,
            email_verified: false,
            groups: Vec::new(),
            more: Map::new(),
        }
    }

    /// The full name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// An address that was verified.
    #[must_use]
    pub fn verified_email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self.email_verified = true;
        self
    }

    /// An address that nobody verified.
    #[must_use]
    pub fn unverified_email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self.email_verified = false;
        self
    }

    /// The groups, in place of earlier ones.
    #[must_use]
    pub fn groups<G: Into<String>>(mut self, groups: impl IntoIterator<Item = G>) -> Self {
        self.groups = groups.into_iter().map(Into::into).collect();
        self
    }

    /// One claim more, given with whatever scope.
    #[must_use]
    pub fn with(mut self, claim: impl Into<String>, value: impl Into<Value>) -> Self {
        self.more.insert(claim.into(), value.into());
        self
    }

    /// The four who are there unless the builder was told otherwise: between them they cover a verified and an
    /// unverified address, none at all, names beyond ASCII, and groups or none.
    pub fn invented() -> Vec<Self> {
        vec![
            Self::new("1001", "alice")
                .name("Alice Ashworth")
                .verified_email("alice@example.com")
                .groups(["staff", "admins"]),
            Self::new("1002", "bob").name("Bob Brandt").unverified_email("bob@example.com").groups(["staff"]),
            Self::new("1003", "chloe").name("Chloé Nuñez-Łęcka").verified_email("chloe@example.org"),
            Self::new("1004", "dmitri"),
        ]
    }

    /// The claims that these scopes give a right to, `sub` not among them.
    pub(crate) fn claims(&self, scope: &str) -> Members {
        let asked = |name: &str| scope.split(' ').any(|scope| scope == name);
        let mut claims = Members::new();
        if asked("profile") {
            claims = claims
                .with_some("name", self.name.as_deref())
                .with("preferred_username", self.username.as_str());
        }
        if let Some(email) = self.email.as_deref()
            && asked("email")
        {
            claims = claims.with("email", email).with("email_verified", self.email_verified);
        }
        // No standard says which scope brings groups; providers differ, so either will do here.
        if (asked("groups") || asked("profile")) && !self.groups.is_empty() {
            claims = claims.with("groups", json!(self.groups));
        }
        claims.extend(Members::of(&Value::Object(self.more.clone())));
        claims
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_decide_what_is_told() {
        let alice = &Person::invented()[0];
        assert_eq!(alice.claims("openid").to_json(), "{}");
        assert_eq!(
            alice.claims("openid email").to_json(),
            r#"{"email":"alice@example.com","email_verified":true}"#
        );
        assert!(alice.claims("openid profile").to_json().contains(r#""groups":["staff","admins"]"#));
    }
}
