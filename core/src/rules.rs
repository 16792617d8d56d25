//! Who may enter, by what is known about the account.

use crate::{identity::Identity, refusal::Refusal};

/// Who may enter: every part that is set must agree.
#[derive(Clone, Debug, Default)]
pub(crate) struct EntryRules {
    /// Domains of e-mail addresses, in lower case; none means any address, or none at all.
    pub(crate) email_domains: Option<Vec<String>>,
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
        if let Some(domains) = &self.email_domains {
            let email = email.ok_or(Refusal::EmailMissing)?;
            if !email_verified && !self.unverified_email {
                return Err(Refusal::EmailUnverified);
            }
            let domain = email_domain(email).ok_or(Refusal::EmailNotAllowed)?;
            if !domains.iter().any(|allowed| domain_matches(allowed, &domain)) {
                return Err(Refusal::EmailNotAllowed);
            }
        }
        match &self.groups {
            Some(allowed) if !groups.iter().any(|group| allowed.iter().any(|allowed| allowed == group)) => {
                Err(Refusal::GroupNotAllowed)
            }
            _ => Ok(()),
        }
    }

    /// Decides about an account by everything that the provider said, before the session drops any of it.
    pub(crate) fn admit_account(&self, identity: &Identity) -> Result<(), Refusal> {
        let groups: Vec<_> = identity.groups.iter().map(String::as_str).collect();
        self.admit(identity.email.as_deref(), identity.email_verified, &groups)
    }
}

/// Whether `allowed`, a domain or `*.domain` (any name below it), covers `domain`.
fn domain_matches(allowed: &str, domain: &str) -> bool {
    match allowed.strip_prefix("*.").or_else(|| allowed.strip_prefix('.')) {
        Some(parent) => {
            domain.strip_suffix(parent).is_some_and(|below| below.len() > 1 && below.ends_with('.'))
        }
        None => domain == allowed,
    }
}

/// The lower-cased domain of a plain address: exactly one `@`, visible ASCII, no quotes, no trailing dot.
fn email_domain(email: &str) -> Option<String> {
    let (local, domain) = email.split_once('@')?;
    let plain = |byte: u8| {
        byte.is_ascii_graphic()
            && !matches!(
                byte,
                b'@' | b'"' | b'(' | b')' | b',' | b':' | b';' | b'<' | b'>' | b'\\' | b'[' | b']'
            )
    };
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let whole = !local.is_empty() && local.bytes().all(plain) && domain.split('.').all(label);
    whole.then(|| domain.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(email: Option<&str>, email_verified: bool) -> Result<(), Refusal> {
        let domains = vec!["company.example".to_owned(), "*.sub.example".to_owned()];
        let rules = EntryRules { email_domains: Some(domains), ..EntryRules::default() };
        rules.admit(email, email_verified, &[])
    }

    #[test]
    fn se_37_only_one_plain_address_of_an_exact_domain_matches() {
        for email in ["a@company.example", "a@COMPANY.example", "a.b+c@company.example", "a@x.sub.example"] {
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
            "a@evilsub.example",
            "company.example",
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
