//! Which headers say who is signed in, on the answer to a proxy's question.
//!
//! Every chosen header goes out with every answer that lets somebody through, empty where there is nothing to say: a
//! proxy that copies what is there would otherwise let the client's own copy pass. One that is not chosen never goes
//! out, and its proxy must not copy it.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use memchr::memchr;
use serde_json::Value;

use crate::{
    config::{Problem, is_header_name},
    exchange::Purpose,
    identity::Identity,
    provider::{Provider, ProviderError, UserHeader},
    response::Response,
    session::SessionView,
};

/// What a header says about whoever is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Says {
    /// The provider's name for the account: what is permanent for OpenID Connect, the login for GitHub.
    User,
    /// The e-mail address, empty unless the provider says that it is verified, or
    /// [`Builder::insecure_unverified_email`](crate::config::Builder::insecure_unverified_email) is set.
    Email,
    /// The name that the account signs in by.
    PreferredUsername,
    /// The name that people call the person by.
    Name,
    /// Groups, as far as the session keeps them, joined by commas.
    Groups,
    /// The account, as its issuer names it.
    Subject,
    /// Who vouches for the account.
    Issuer,
    /// The id of the provider that the session came through.
    Provider,
    /// A further claim, which the session keeps for that: a text, number or truth value, or a list of them, joined by
    /// commas.
    Claim(String),
}

/// Which headers say who is signed in. `GAP-Auth`, which logs read, always goes out, with the e-mail address as in
/// [`Says::Email`], or else the user; the subject, where that name could be taken for an address.
#[derive(Clone, Debug)]
pub struct IdentityHeaders {
    headers: Vec<(String, Says)>,
    email_for_user: bool,
}

/// Those of oauth2-proxy: `X-Auth-Request-User`, `-Email`, `-Preferred-Username` and `-Groups`.
impl Default for IdentityHeaders {
    fn default() -> Self {
        Self::none()
            .header("x-auth-request-user", Says::User)
            .header("x-auth-request-email", Says::Email)
            .header("x-auth-request-preferred-username", Says::PreferredUsername)
            .header("x-auth-request-groups", Says::Groups)
    }
}

impl IdentityHeaders {
    /// `GAP-Auth` alone.
    pub fn none() -> Self {
        Self { headers: Vec::new(), email_for_user: false }
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, says: Says) -> Self {
        self.headers.push((name.into().to_ascii_lowercase(), says));
        self
    }

    /// Lets [`Says::User`] be the verified e-mail address, where there is one. Where there is none and the name has an
    /// `@` in it, the account's subject stands there instead: a name must not pose as somebody's address.
    pub fn prefer_email_to_user(mut self) -> Self {
        self.email_for_user = true;
        self
    }

    /// The claims that the session must keep.
    pub(crate) fn named_claims(&self) -> impl Iterator<Item = &String> {
        self.headers.iter().filter_map(|(_, says)| match says {
            Says::Claim(name) => Some(name),
            _ => None,
        })
    }

    /// What is wrong with the choice.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut seen = BTreeSet::from(["gap-auth", "x-auth-request-access-token"]);
        for (name, _) in &self.headers {
            let mut problem = |fault: &str, remedy: &str| {
                let fault = format!("`{name}` {fault}");
                problems.push(Problem::new("identity_headers", fault, remedy));
            };
            if !is_header_name(name) {
                problem("is no header", "use letters, digits and `-`, as in `X-Forwarded-User`");
            } else if name.starts_with("x-accel-")
                || !["x-", "remote-"].iter().any(|own| name.starts_with(own))
            {
                // Whatever else means something to a proxy or a browser has a name without these.
                problem("means something else", "begin it with `X-` or `Remote-`, as in `X-Forwarded-User`");
            } else if !seen.insert(name) {
                problem("has two meanings", "choose one for each header");
            }
        }
        problems
    }

    /// The choice, as it is applied.
    pub(crate) fn compile(self, unverified_email: bool) -> ChosenHeaders {
        let headers = self.headers.into_iter().map(|(name, says)| (interned(&name), says)).collect();
        ChosenHeaders { headers, email_for_user: self.email_for_user, unverified_email }
    }
}

/// A name that lasts as long as the process. Each is kept once, however often a configuration is read anew.
fn interned(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let name: &'static str = Box::leak(name.into());
    names.insert(name);
    name
}

/// The headers that say who is signed in.
#[derive(Debug)]
pub(crate) struct ChosenHeaders {
    headers: Vec<(&'static str, Says)>,
    email_for_user: bool,
    unverified_email: bool,
}

impl ChosenHeaders {
    /// Says who it is, or with every header that it is nobody.
    pub(crate) fn say(&self, mut response: Response, session: Option<&SessionView<'_>>) -> Response {
        // Looked at once, for all that it stands in.
        let address = session.and_then(|session| self.address(session));
        let who = address.or_else(|| session.map(|session| header_value(name_unlike_address(session))));
        response.headers.push(("gap-auth", who.unwrap_or_default().to_owned()));
        response.headers.extend(self.headers.iter().map(|(name, says)| {
            (*name, session.map_or_else(String::new, |session| self.value(says, session, address)))
        }));
        response
    }

    /// Whether one of them says who vouches for whoever the others name.
    pub(crate) fn tell_issuers_apart(&self) -> bool {
        self.headers.iter().any(|(_, says)| matches!(says, Says::Issuer | Says::Provider))
    }

    /// What one header says; `address` is that of [`ChosenHeaders::address`].
    fn value(&self, says: &Says, session: &SessionView<'_>, address: Option<&str>) -> String {
        let text = match (says, address) {
            (Says::Email, address) => return address.unwrap_or_default().to_owned(),
            (Says::User, Some(address)) if self.email_for_user => return address.to_owned(),
            (Says::User, None) if self.email_for_user => name_unlike_address(session),
            (Says::User, _) => session.user(),
            (Says::PreferredUsername, _) => session.username.unwrap_or_default(),
            (Says::Name, _) => session.name.unwrap_or_default(),
            (Says::Subject, _) => session.subject,
            (Says::Issuer, _) => session.issuer,
            (Says::Provider, _) => session.provider,
            (Says::Groups, _) => return joined(session.groups.iter().copied()),
            (Says::Claim(name), _) => return claim(session.claims().get(name)),
        };
        header_value(text).to_owned()
    }

    /// The name that the user header carries, and that goes with a password.
    pub(crate) fn user<'c>(&self, session: &SessionView<'c>) -> &'c str {
        if !self.email_for_user {
            return session.user();
        }
        self.address(session).unwrap_or_else(|| name_unlike_address(session))
    }

    /// The address, where it counts and can stand in a header. Whoever reads a header takes it for proven.
    fn address<'c>(&self, session: &SessionView<'c>) -> Option<&'c str> {
        let counts = session.email_verified || self.unverified_email;
        session.email.filter(|email| counts && !header_value(email).is_empty())
    }
}

/// A name that nobody could take for an address: people choose those themselves.
fn name_unlike_address<'c>(session: &SessionView<'c>) -> &'c str {
    Some(session.user()).filter(|name| !name.contains('@')).unwrap_or(session.subject)
}

/// Text that can stand in a header, or nothing: anything else would be read as another header, or another person.
pub(crate) fn header_value(text: &str) -> &str {
    // Nearly every value is of this kind; without a way out of the loop, many bytes are looked at at once.
    let visible = text.bytes().fold(true, |visible, byte| visible & matches!(byte, b'!'..=b'~'));
    if visible || !text.chars().any(char::is_control) && text.trim() == text { text } else { "" }
}

/// Whether something can stand in a list: what contains a comma would count as two.
pub(crate) fn fits_in_list(item: &str) -> bool {
    memchr(b',', item.as_bytes()).is_none() && !header_value(item).is_empty()
}

/// A list, joined by commas.
fn joined<'i>(items: impl Iterator<Item = &'i str> + Clone) -> String {
    let length: usize = items.clone().map(|item| item.len() + 1).sum();
    let mut joined = String::with_capacity(length.saturating_sub(1));
    for item in items.filter(|item| fits_in_list(item)) {
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(item);
    }
    joined
}

fn claim(value: Option<&Value>) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    };
    match value {
        Some(Value::Array(values)) => {
            let texts: Vec<_> = values.iter().map(text).collect();
            joined(texts.iter().map(String::as_str))
        }
        Some(value) => header_value(&text(value)).to_owned(),
        None => String::new(),
    }
}

/// Whether there is an account, and a name for it.
pub(crate) fn names_somebody(provider: &dyn Provider, identity: &Identity) -> Result<(), ProviderError> {
    let broken = |fault| Err(ProviderError::Broken { purpose: Purpose::Profile, fault });
    if identity.issuer.is_empty() || identity.subject.is_empty() {
        return broken("it names no account");
    }
    // An identity header without a name in it would make all such people one person.
    if header_value(user(provider, identity)).is_empty() {
        return broken("the account's name cannot stand in a header");
    }
    Ok(())
}

/// The name that identity headers will carry.
fn user<'i>(provider: &dyn Provider, identity: &'i Identity) -> &'i str {
    match provider.user_header() {
        UserHeader::Subject => &identity.subject,
        UserHeader::Username => identity.username.as_deref().unwrap_or(&identity.subject),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gw_h08_a_value_never_becomes_two_headers_or_two_groups() {
        for hostile in ["a\r\nx: y", "a\0", "a\u{85}", " a", "a ", "\u{7f}"] {
            assert_eq!(header_value(hostile), "", "{hostile:?}");
        }
        assert_eq!(header_value("Zoë ✓"), "Zoë ✓");
        assert_eq!(joined(["a", "b,c", "d\n", "e f"].into_iter()), "a,e f");
        for (value, text) in [
            (serde_json::json!("a,b"), "a,b"),
            (serde_json::json!("a\r\nx: y"), ""),
            (serde_json::json!(["a", "b,c", 7, true, null, ["x"], "d\n"]), "a,7,true"),
            (serde_json::json!({"a": "b"}), ""),
            (serde_json::json!(7.5), "7.5"),
        ] {
            assert_eq!(claim(Some(&value)), text, "{value}");
        }
    }

    #[test]
    fn a_name_is_kept_once() {
        let (one, other) = (interned("x-one"), interned(&String::from("x-one")));
        assert!(std::ptr::eq(one, other) && interned("x-two") == "x-two");
    }
}
