//! What can be wrong with a set-up, each with its remedy.

use std::{collections::BTreeSet, time::Duration};

use url::Url;

use super::{Builder, Problem};
use crate::{
    address::is_safe, limits::SESSION_AGE_MAX, paths::Endpoint, return_target::ReturnPolicy, rules::Addresses,
};

impl Builder {
    pub(super) fn checked_redirect_url(&self, problems: &mut Vec<Problem>) -> Option<Url> {
        let mut problem =
            |fault: String, remedy: &str| problems.push(Problem::new("redirect_url", fault, remedy));
        let Ok(url) = Url::parse(&self.redirect_url) else {
            problem(
                "it is not an absolute address".to_owned(),
                "give the address that is registered at the provider, such as https://app.example/oauth2/callback",
            );
            return None;
        };
        // A password in it, or whatever else does not belong there, is none of a problem's, which a log shows.
        let (mut shown, has_credentials) =
            (url.clone(), !url.username().is_empty() || url.password().is_some());
        shown.set_query(None);
        shown.set_fragment(None);
        let _ = shown.set_username("").and_then(|()| shown.set_password(None));
        if !is_safe(&url) {
            problem(
                format!("`{shown}` is not https"),
                "use https; plain http works on loopback addresses only",
            );
        }
        if url.fragment().is_some() || url.query().is_some() || has_credentials {
            problem(
                format!("`{shown}` has a query, a fragment or credentials"),
                "register an address without them",
            );
        }
        let callback = self.paths.of(Endpoint::Callback);
        if url.path() != callback {
            problem(
                format!("its path is `{}`, but the callback is at `{callback}`", url.path()),
                "make them equal: set the prefix, or rename the callback, or register the other address",
            );
        }
        Some(url)
    }

    pub(super) fn check_providers(&self, redirect_url: Option<&Url>, problems: &mut Vec<Problem>) {
        if self.providers.is_empty() {
            problems.push(Problem::new("provider", "there is none", "add at least one provider"));
        }
        let mut seen = BTreeSet::new();
        for provider in &self.providers {
            let id = provider.id();
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
            if id.is_empty() || id.len() > 64 || !id.bytes().all(plain) {
                let fault = format!("`{id}` cannot stand in a path");
                problems.push(Problem::new("provider", fault, "use lower-case letters, digits, `-` and `_`"));
            }
            if !seen.insert(id) {
                let fault = format!("two providers are called `{id}`");
                problems.push(Problem::new("provider", fault, "give each an id of its own"));
            }
            if provider.answers_by_form_post() && redirect_url.is_some_and(|url| url.scheme() != "https") {
                let fault = format!("`{id}` answers by a form, whose cookie browsers keep for https only");
                problems.push(Problem::new("provider", fault, "use https, or let it answer in the query"));
            }
            problems.extend(provider.problems());
        }
    }

    pub(super) fn check_the_rest(&self, problems: &mut Vec<Problem>) {
        for (fault, remedy) in self.paths.problems() {
            problems.push(Problem::new("paths", fault, remedy));
        }
        self.check_sign_in_page(problems);
        problems.extend(self.bearers.problems(self.providers.iter().map(|provider| provider.id())));
        problems.extend(self.token_headers.problems());
        problems.extend(self.keeping.problems(&self.providers));
        problems.extend(self.pages.problems());
        if self.keys.is_none() {
            let remedy = "give at least one secret of 32 bytes: generate one with `openssl rand -base64 32`";
            problems.push(Problem::new("keys", "there are none", remedy));
        }
        let token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if self.cookie_name.is_empty() || self.cookie_name.len() > 64 || !self.cookie_name.bytes().all(token)
        {
            let fault = format!("`{}` cannot name a cookie", self.cookie_name);
            problems.push(Problem::new(
                "cookie_name",
                fault,
                "use up to 64 letters, digits, `-`, `_` and `.`",
            ));
        }
        if self.cookie_name.to_ascii_lowercase().starts_with("__") {
            let fault = format!("`{}` begins with a prefix of its own", self.cookie_name);
            problems.push(Problem::new(
                "cookie_name",
                fault,
                "leave `__Host-` away: it is added where the site is https",
            ));
        }
        if self.session_age < Duration::from_secs(1) || SESSION_AGE_MAX < self.session_age {
            let fault = format!("{:?} is no length for a session", self.session_age);
            problems.push(Problem::new("session_age", fault, "give between a second and 400 days"));
        }
        problems.extend(self.rules.addresses.iter().flat_map(Addresses::problems));
        if self.rules.groups.as_ref().is_some_and(Vec::is_empty) {
            let remedy = "name at least one, or leave the rule away";
            problems.push(Problem::new("groups", "there are none, so that nobody may enter", remedy));
        }
    }

    pub(super) fn return_policy(
        &self,
        redirect_url: Option<&Url>,
        problems: &mut Vec<Problem>,
    ) -> Option<ReturnPolicy> {
        let own = self.paths.all().map(|(path, _)| path.to_owned()).chain(self.sign_in_page.clone());
        let mut policy = ReturnPolicy::new(redirect_url?).never(self.paths.prefix(), own);
        for (number, origin) in self.allowed_origins.iter().enumerate() {
            match policy.clone().allow(origin) {
                Ok(wider) => policy = wider,
                // By its number: an address may have a password in it.
                Err(error) => problems.push(Problem::new(
                    "allow_return_to",
                    format!("entry {} is {error}", number + 1),
                    "correct it, or leave it away",
                )),
            }
        }
        Some(policy)
    }
}
