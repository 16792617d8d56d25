//! An application that signs people in here.

use std::fmt;

use url::Url;

/// A registered client.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    pub(crate) id: String,
    pub(crate) secret: Option<String>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) post_logout_redirect_uris: Vec<String>,
    pub(crate) backchannel_logout_uri: Option<String>,
    pub(crate) frontchannel_logout_uri: Option<String>,
}

impl Client {
    /// A public client, without redirect URIs so far.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: None,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: None,
            frontchannel_logout_uri: None,
        }
    }

    /// Makes it a confidential client: its secret is asked for at the token endpoint.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// An address that codes may be sent to; compared byte by byte.
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.push(uri.into());
        self
    }

    /// An address that people may be sent to after signing out; compared byte by byte. A client that names none
    /// has the front page of each of its redirect URIs' origins.
    #[must_use]
    pub fn post_logout_redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.post_logout_redirect_uris.push(uri.into());
        self
    }

    /// Where it is sent a logout token when a session ends here; on loopback, by plain http.
    #[must_use]
    pub fn backchannel_logout_uri(mut self, uri: impl Into<String>) -> Self {
        self.backchannel_logout_uri = Some(uri.into());
        self
    }

    /// What the page of whoever signs out here shows in a frame; on loopback, by plain http.
    #[must_use]
    pub fn frontchannel_logout_uri(mut self, uri: impl Into<String>) -> Self {
        self.frontchannel_logout_uri = Some(uri.into());
        self
    }

    pub(crate) fn may_return_to(&self, uri: &str) -> bool {
        if !self.post_logout_redirect_uris.is_empty() {
            return self.post_logout_redirect_uris.iter().any(|registered| registered == uri);
        }
        let front_page =
            |uri: &String| Url::parse(uri).ok().map(|uri| format!("{}/", uri.origin().ascii_serialization()));
        self.redirect_uris.iter().filter_map(front_page).any(|page| page == uri)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("secret", &self.secret.as_ref().map(|_| "…"))
            .field("redirect_uris", &self.redirect_uris)
            .field("post_logout_redirect_uris", &self.post_logout_redirect_uris)
            .field("backchannel_logout_uri", &self.backchannel_logout_uri)
            .field("frontchannel_logout_uri", &self.frontchannel_logout_uri)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_page_is_registered_unless_others_are() {
        let client = Client::new("demo").redirect_uri("http://127.0.0.1:4180/oauth2/callback");
        assert!(client.may_return_to("http://127.0.0.1:4180/"));
        assert!(!client.may_return_to("http://127.0.0.1:4180/elsewhere"));
        assert!(!client.may_return_to("http://127.0.0.1:4181/"));

        let client = client.post_logout_redirect_uri("http://127.0.0.1:4180/bye");
        assert!(client.may_return_to("http://127.0.0.1:4180/bye"));
        assert!(!client.may_return_to("http://127.0.0.1:4180/"));
    }

    #[test]
    fn a_printed_client_keeps_its_secret() {
        assert!(!format!("{:?}", Client::new("demo").secret("hush")).contains("hush"));
    }
}
