//! What there is to configure for OAuth 1.0a.

use vestibule::{config::ConfigError, secret::Secret};

use crate::{
    addresses::{API, address, check_given, check_id},
    oauth1::Consumer,
    three_legged::TwitterOAuth1,
};

/// Collects what there is to configure about X and the app that is registered there, for OAuth 1.0a.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct OAuth1Builder {
    id: String,
    label: String,
    consumer_key: String,
    consumer_secret: Secret,
    asks_for_profile: bool,
    site: Option<String>,
    api: String,
}

impl OAuth1Builder {
    pub(crate) fn new(consumer_key: String, consumer_secret: Secret) -> Self {
        Self {
            id: "twitter".into(),
            label: "X".into(),
            consumer_key,
            consumer_secret,
            asks_for_profile: true,
            site: None,
            api: API.into(),
        }
    }

    /// Sets the name in paths, sessions and metrics; `twitter` where it is not set. It must never change.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Sets the name that people know the provider by.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Asks for nothing beyond the token, which comes with the account's number and name: nobody has an e-mail address
    /// then, and a sign-in costs no question that X counts.
    pub fn without_profile(mut self) -> Self {
        self.asks_for_profile = false;
        self
    }

    /// Sets where the browser is sent, if that is not where the interface is.
    pub fn site(mut self, url: impl Into<String>) -> Self {
        self.site = Some(url.into());
        self
    }

    /// Sets where X's interface begins; `https://api.x.com` where it is not set.
    pub fn api(mut self, url: impl Into<String>) -> Self {
        self.api = url.into();
        self
    }

    /// The provider.
    ///
    /// # Errors
    /// Everything that cannot work as configured, each with the field and the remedy.
    pub fn build(self) -> Result<TwitterOAuth1, ConfigError> {
        let mut problems = Vec::new();
        check_id(&self.id, &mut problems);
        check_given("consumer_key", self.consumer_key.is_empty(), &mut problems);
        check_given("consumer_secret", self.consumer_secret.is_empty(), &mut problems);
        let api = address("api", &self.api, &mut problems);
        let site = match &self.site {
            Some(site) => address("site", site, &mut problems),
            None => api.clone(),
        };
        ConfigError::check(problems)?;
        let consumer = Consumer::new(self.consumer_key, self.consumer_secret);
        Ok(TwitterOAuth1 {
            id: self.id,
            label: self.label,
            consumer,
            asks_for_profile: self.asks_for_profile,
            site,
            api,
        })
    }
}
