//! The group of paths that is mounted into the application, and everything about them that can be set.

use vestibule::{
    Vestibule,
    config::ConfigError,
    driver::{Driver, Host},
    paths::{Endpoint, Paths},
    provider::Provider,
    seal::KeyRing,
};

use crate::twitter_session::RegisterOnLogin;

/// Where the parts of the login are. What is not set has the names of the original system.
#[derive(Clone, Debug)]
#[must_use = "it is mounted by giving its driver to an application"]
pub struct Login {
    site: String,
    page: String,
    request_token: Option<String>,
    callback: Option<String>,
    sign_out: Option<String>,
    redirect_on_success: String,
}

impl Login {
    /// A login for a site at `site`, such as `https://app.example`: what browsers and X call it.
    pub fn new(site: impl Into<String>) -> Self {
        Self {
            site: site.into().trim_end_matches('/').to_owned(),
            page: "/login".to_owned(),
            request_token: None,
            callback: None,
            sign_out: None,
            redirect_on_success: "/".to_owned(),
        }
    }

    /// Sets where the page with the link is. Everything below that has no path of its own.
    pub fn mount_on(mut self, path: impl Into<String>) -> Self {
        self.page = path.into();
        self
    }

    /// Sets where the link leads; `requestToken` below the page otherwise.
    pub fn request_token_at(mut self, path: impl Into<String>) -> Self {
        self.request_token = Some(path.into());
        self
    }

    /// Sets where X sends browsers back to, as it is registered there; `callbackUrl` below the page otherwise.
    pub fn callback_at(mut self, path: impl Into<String>) -> Self {
        self.callback = Some(path.into());
        self
    }

    /// Sets where the session ends; `signOut` below the page otherwise.
    pub fn sign_out_at(mut self, path: impl Into<String>) -> Self {
        self.sign_out = Some(path.into());
        self
    }

    /// Sets where people land who have signed in; `/` otherwise.
    pub fn redirect_on_success(mut self, path: impl Into<String>) -> Self {
        self.redirect_on_success = path.into();
        self
    }

    /// The path of the page with the link.
    pub fn page(&self) -> &str {
        &self.page
    }

    /// The path of the page that people land on.
    pub fn landing(&self) -> &str {
        &self.redirect_on_success
    }

    /// The paths of vestibule's endpoints.
    pub fn paths(&self) -> Paths {
        let renamed = [
            (Endpoint::Start, "requestToken", &self.request_token),
            (Endpoint::Callback, "callbackUrl", &self.callback),
            (Endpoint::SignOut, "signOut", &self.sign_out),
        ];
        renamed.into_iter().fold(Paths::below(&self.page), |paths, (endpoint, name, path)| {
            let default = || format!("{}/{name}", self.page);
            paths.rename(endpoint, path.clone().unwrap_or_else(default))
        })
    }

    /// The login at work, with `provider` to sign in at: X, by either of its protocols.
    ///
    /// # Errors
    /// Everything that does not fit together, each with what to do about it.
    pub fn driver(
        &self,
        provider: impl Provider,
        keys: KeyRing,
        host: impl Host,
    ) -> Result<Driver, ConfigError> {
        let paths = self.paths();
        let vestibule = Vestibule::builder(format!("{}{}", self.site, paths.of(Endpoint::Callback)))
            .paths(paths)
            .provider(provider)
            .keys(keys)
            .sign_in_page(&self.page)
            .land_on(&self.redirect_on_success)
            .build()?;
        Ok(Driver::new(vestibule, host, RegisterOnLogin))
    }
}
