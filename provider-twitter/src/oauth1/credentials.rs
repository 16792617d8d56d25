//! Tokens with their secrets, and the replies that they come in (RFC 5849 §2.1 and §2.3).

use std::collections::BTreeMap;

use url::form_urlencoded;
use vestibule::{
    exchange::{HttpResponse, Purpose},
    limits::REQUEST_TOKEN_BYTES_MAX,
    provider::ProviderError,
    secret::Secret,
};

const TOKEN: &str = "oauth_token";
const SECRET: &str = "oauth_token_secret";

/// A token, and what requests with it are signed with. Temporary ones are called a request token too.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) token: Secret,
    pub(crate) secret: Secret,
}

impl Credentials {
    pub(crate) fn new(token: impl Into<Secret>, secret: impl Into<Secret>) -> Self {
        Self { token: token.into(), secret: secret.into() }
    }

    /// As a form, to be sealed.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair(TOKEN, self.token.expose()).append_pair(SECRET, self.secret.expose());
        form.finish().into_bytes()
    }

    /// What [`Credentials::to_bytes`] has written.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Members::of(bytes)?.credentials()
    }
}

/// What a reply says. Two readers of two members of one name would take different ones, so there are none.
pub(crate) struct Members(BTreeMap<String, Secret>);

impl Members {
    fn of(form: &[u8]) -> Option<Self> {
        let mut members = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(form) {
            if members.insert(name.into_owned(), Secret::new(value)).is_some() {
                return None;
            }
        }
        Some(Self(members))
    }

    /// Reads the body of a reply. It is a form, whatever its media type says: providers call it `text/html` too.
    ///
    /// # Errors
    /// It says something twice.
    pub(crate) fn read(purpose: Purpose, response: &HttpResponse) -> Result<Self, ProviderError> {
        let fault = "it has two members of one name";
        Self::of(response.body()).ok_or(ProviderError::Broken { purpose, fault })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(Secret::expose)
    }

    /// The token and its secret, where both are there, and no longer than what an attempt can hold.
    pub(crate) fn credentials(&self) -> Option<Credentials> {
        let bounded =
            |name| self.get(name).filter(|value| (1..=REQUEST_TOKEN_BYTES_MAX).contains(&value.len()));
        Some(Credentials::new(bounded(TOKEN)?, bounded(SECRET)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_found_again_to_the_byte() {
        let credentials = Credentials::new("a+b/=&%", "ж \n");
        let found = Credentials::from_bytes(&credentials.to_bytes()).expect("it was written here");
        assert_eq!((found.token, found.secret), (credentials.token, credentials.secret));
    }

    #[test]
    fn a_token_comes_once_with_its_secret_and_is_not_too_long() {
        let read = |form: &str| Members::of(form.as_bytes()).and_then(|members| members.credentials());
        assert!(read("oauth_token=t&oauth_token_secret=s&more=1").is_some());
        let long = "x".repeat(REQUEST_TOKEN_BYTES_MAX + 1);
        for form in [
            "",
            "oauth_token=t",
            "oauth_token_secret=s",
            "oauth_token=&oauth_token_secret=s",
            "oauth_token=t&oauth_token_secret=",
            "oauth_token=t&oauth_token=t&oauth_token_secret=s",
            "{\"oauth_token\":\"t\",\"oauth_token_secret\":\"s\"}",
            &format!("oauth_token={long}&oauth_token_secret=s"),
            &format!("oauth_token=t&oauth_token_secret={long}"),
        ] {
            assert!(read(form).is_none(), "{form}");
        }
    }
}
