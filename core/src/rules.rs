//! Who may enter, by what is known about the account.

use std::collections::BTreeSet;

use memchr::memchr;

use crate::{config::Problem, identity::Identity, refusal::Refusal};

/// Who may enter: every part that is set must agree.
#[derive(Clone, Debug, Default)]
pub(crate) struct EntryRules {
    /// E-mail addresses that will do; none means any address, or none at all.
    pub(crate) addresses: Option<Addresses>,
    /// Groups of which one is needed; none means that no group is.
    pub(crate) groups: Option<Vec<String>>,
    /// Whether an address counts that the provider has not verified.
    pub(crate) unverified_email: bool,
}

impl EntryRules {
    /// Decides whether somebody may enter.
    pub(crate) fn admit(
        &self,
        email: Option<&str>,
        email_verified: bool,
        groups: &[&str],
    ) -> Result<(), Refusal> {
        if let Some(addresses) = &self.addresses {
            addresses.admit(email, email_verified || self.unverified_email)?;
        }
        self.groups.as_ref().map_or(Ok(()), |allowed| one_of_groups(allowed, groups))
    }

    /// Decides about an account by everything that the provider said, before the session drops any of it.
    pub(crate) fn admit_account(&self, identity: &Identity) -> Result<(), Refusal> {
        let groups: Vec<_> = identity.groups.iter().map(String::as_str).collect();
        self.admit(identity.email.as_deref(), identity.email_verified, &groups)
    }
}

/// Whether somebody is in one of these groups, which are compared to the letter.
pub(crate) fn one_of_groups(allowed: &[String], groups: &[&str]) -> Result<(), Refusal> {
    let fits = groups.iter().any(|group| allowed.iter().any(|allowed| allowed == group));
    if fits { Ok(()) } else { Err(Refusal::GroupNotAllowed) }
}

/// Which e-mail addresses will do: those that are listed, and those of a listed domain.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses {
    /// Whole addresses, in lower case.
    emails: BTreeSet<String>,
    /// `example.com`, or `*.example.com` for any name below it, in lower case.
    domains: Vec<String>,
}

impl Addresses {
    pub(crate) fn add_emails<S: Into<String>>(&mut self, emails: impl IntoIterator<Item = S>) {
        self.emails.extend(emails.into_iter().map(|email| email.into().to_ascii_lowercase()));
    }

    pub(crate) fn add_domains<S: Into<String>>(&mut self, domains: impl IntoIterator<Item = S>) {
        self.domains.extend(domains.into_iter().map(|domain| domain.into().to_ascii_lowercase()));
    }

    /// Decides about an address; `counts` says whether the provider's word on it is good enough.
    pub(crate) fn admit(&self, email: Option<&str>, counts: bool) -> Result<(), Refusal> {
        let email = email.ok_or(Refusal::EmailMissing)?;
        if !counts {
            return Err(Refusal::EmailUnverified);
        }
        let domain = email_domain(email).ok_or(Refusal::EmailNotAllowed)?;
        let fits = self.domains.iter().any(|allowed| domain_matches(allowed, domain))
            || (!self.emails.is_empty() && self.emails.contains(&email.to_ascii_lowercase()));
        if fits { Ok(()) } else { Err(Refusal::EmailNotAllowed) }
    }

    /// What is wrong with the lists.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.emails.is_empty() && self.domains.is_empty() {
            let remedy = "name at least one, or leave the rule away to let in any address";
            problems.push(Problem::new("email_domains", "there are none, so that nobody may enter", remedy));
        }
        for domain in &self.domains {
            let name = domain.strip_prefix("*.").or_else(|| domain.strip_prefix('.')).unwrap_or(domain);
            if !is_domain(name) {
                let fault = format!("`{domain}` is not a domain");
                let remedy = "write `example.com`, or `*.example.com` for any name below it";
                problems.push(Problem::new("email_domains", fault, remedy));
            }
        }
        for email in self.emails.iter().filter(|email| email_domain(email).is_none()) {
            let fault = format!("`{email}` is not a plain address");
            problems.push(Problem::new(
                "emails",
                fault,
                "write one address an entry, as in `ada@example.com`",
            ));
        }
        problems
    }
}

/// Whether `allowed`, a domain or `*.domain` (any name below it), covers `domain`, in whatever case.
fn domain_matches(allowed: &str, domain: &str) -> bool {
    match allowed.strip_prefix("*.").or_else(|| allowed.strip_prefix('.')) {
        Some(parent) => {
            let at = domain.len().checked_sub(parent.len());
            at.and_then(|at| domain.split_at_checked(at)).is_some_and(|(below, end)| {
                end.eq_ignore_ascii_case(parent) && below.len() > 1 && below.ends_with('.')
            })
        }
        None => domain.eq_ignore_ascii_case(allowed),
    }
}

/// The domain of a plain address: exactly one `@`, visible ASCII, no quotes, no trailing dot.
fn email_domain(email: &str) -> Option<&str> {
    let (local, domain) = email.split_at_checked(memchr(b'@', email.as_bytes())?)?;
    let domain = &domain[1..];
    let whole = !local.is_empty() && local.bytes().all(|byte| PLAIN[usize::from(byte)]) && is_domain(domain);
    whole.then_some(domain)
}

/// What may stand before the `@`. A table, since it is looked at for everybody who is let through.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        plain[byte as usize] = !matches!(
            byte,
            b'@' | b'"' | b'(' | b')' | b',' | b':' | b';' | b'<' | b'>' | b'\\' | b'[' | b']'
        );
        byte += 1;
    }
    plain
};

/// Labels of letters, digits and `-`, with one dot between two.
fn is_domain(name: &str) -> bool {
    // Before the first label stands what could stand before any.
    let mut before = b'.';
    let plain = name.bytes().all(|byte| {
        let fits = byte.is_ascii_alphanumeric() || byte == b'-' || (byte == b'.' && before != b'.');
        before = byte;
        fits
    });
    plain && before != b'.'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(email: Option<&str>, email_verified: bool) -> Result<(), Refusal> {
        let mut addresses = Addresses::default();
        addresses.add_domains(["company.example", "*.sub.example"]);
        addresses.add_emails(["Eve@Other.example"]);
        let rules = EntryRules { addresses: Some(addresses), ..EntryRules::default() };
        rules.admit(email, email_verified, &[])
    }

    #[test]
    fn se_37_only_one_plain_address_of_an_exact_domain_matches() {
        for email in [
            "a@company.example",
            "a@COMPANY.example",
            "a.b+c@company.example",
            "a@x.SUB.example",
            "eve@other.example",
            "EVE@OTHER.example",
        ] {
            assert_eq!(admit(Some(email), true), Ok(()), "{email}");
        }
        for email in [
            "a@evil.example@company.example",
            "a@company.example.evil.example",
            "a@company.example.",
            "\"a@x\"@company.example",
            "\"a\"@company.example",
            "a＠company.example",
            "a@company.example ",
            "a@company.example\n",
            "a@company.example\0",
            "a@x,b@company.example",
            "@company.example",
            "a@badcompany.example",
            "a@sub.example",
            "a@.sub.example",
            "a@x..sub.example",
            "a@.x.sub.example",
            "a(b)@x.sub.example",
            "a@evilsub.example",
            "company.example",
            "x@other.example",
            "eve@other.example,a@x",
            "eve@other.example ",
            "",
        ] {
            assert_eq!(admit(Some(email), true), Err(Refusal::EmailNotAllowed), "{email:?}");
        }
        assert_eq!(admit(None, true), Err(Refusal::EmailMissing));
    }

    #[test]
    fn se_36_an_address_counts_only_where_the_provider_has_verified_it() {
        assert_eq!(admit(Some("a@company.example"), false), Err(Refusal::EmailUnverified));
    }

    #[test]
    fn se_38_a_group_must_match_to_the_letter() {
        let rules = EntryRules { groups: Some(vec!["staff".into()]), ..EntryRules::default() };
        let admit = |groups: &[&str]| rules.admit(None, false, groups);
        assert_eq!(admit(&["x", "staff"]), Ok(()));
        for groups in [&["Staff"][..], &["staff,x"], &["staff "], &[]] {
            assert_eq!(admit(groups), Err(Refusal::GroupNotAllowed), "{groups:?}");
        }
    }
}
