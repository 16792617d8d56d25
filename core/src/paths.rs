//! Where the endpoints are. Every path can be renamed; all of them are whole paths, as the browser sees them.

/// An endpoint of the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// A page to choose the provider, or straight on where there is only one.
    SignIn,
    /// Begins an attempt.
    Start,
    /// Finishes it.
    Callback,
    /// The question that a proxy asks.
    Auth,
    /// The session as JSON.
    Userinfo,
    /// Ends the session.
    SignOut,
    /// Where a provider tells the site that it has ended a session.
    BackchannelLogout,
    /// What a provider frames in the browser when it has ended a session.
    FrontchannelLogout,
}

impl Endpoint {
    /// Every endpoint there is.
    pub const ALL: [Self; 8] = [
        Self::SignIn,
        Self::Start,
        Self::Callback,
        Self::Auth,
        Self::Userinfo,
        Self::SignOut,
        Self::BackchannelLogout,
        Self::FrontchannelLogout,
    ];

    fn default_name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Start => "start",
            Self::Callback => "callback",
            Self::Auth => "auth",
            Self::Userinfo => "userinfo",
            Self::SignOut => "sign_out",
            Self::BackchannelLogout => "backchannel_logout",
            Self::FrontchannelLogout => "frontchannel_logout",
        }
    }

    /// Whether a provider's id may follow as one more segment.
    fn names_a_provider(self) -> bool {
        matches!(self, Self::Start | Self::Callback | Self::BackchannelLogout | Self::FrontchannelLogout)
    }
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route<'p> {
    pub(crate) endpoint: Endpoint,
    /// The segment after `start`, `callback` or one of the provider's ways to end sessions.
    pub(crate) provider: Option<&'p str>,
    /// Another name of the sign-out endpoint, where it stands outside the prefix.
    pub(crate) is_alias: bool,
}

/// The paths of all endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    prefix: String,
    /// In the order of [`Endpoint::ALL`].
    paths: [String; 8],
    sign_out_aliases: Vec<String>,
}

impl Paths {
    /// The default names below `prefix`, such as `/oauth2`.
    pub fn below(prefix: &str) -> Self {
        let prefix = prefix.trim_end_matches('/').to_owned();
        let paths = Endpoint::ALL.map(|endpoint| format!("{prefix}/{}", endpoint.default_name()));
        Self { prefix, paths, sign_out_aliases: Vec::new() }
    }

    /// Renames one endpoint: `path` is the whole path.
    pub fn rename(mut self, endpoint: Endpoint, path: impl Into<String>) -> Self {
        self.paths[index(endpoint)] = path.into();
        self
    }

    /// Lets `path` end the session too. Without a session it leads to `/`: a page that finds its session ended sends
    /// the browser there, and signs in again.
    pub fn sign_out_alias(mut self, path: impl Into<String>) -> Self {
        self.sign_out_aliases.push(path.into());
        self
    }

    /// The path of an endpoint.
    pub fn of(&self, endpoint: Endpoint) -> &str {
        &self.paths[index(endpoint)]
    }

    /// What all default paths begin with; empty for the root.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Every path that must lead here, for routers: those marked take one more segment, the provider's id.
    pub fn all(&self) -> impl Iterator<Item = (&str, bool)> {
        let own = Endpoint::ALL.into_iter().map(|endpoint| (self.of(endpoint), endpoint.names_a_provider()));
        own.chain(self.sign_out_aliases.iter().map(|alias| (alias.as_str(), false)))
    }

    /// What `path` leads to.
    pub(crate) fn route<'p>(&self, path: &'p str) -> Option<Route<'p>> {
        for endpoint in Endpoint::ALL {
            let Some(rest) = path.strip_prefix(self.of(endpoint)) else { continue };
            if rest.is_empty() {
                return Some(Route { endpoint, provider: None, is_alias: false });
            }
            if let Some(provider) = rest.strip_prefix('/').filter(|_| endpoint.names_a_provider()) {
                return (!provider.contains('/')).then_some(Route {
                    endpoint,
                    provider: Some(provider),
                    is_alias: false,
                });
            }
        }
        let is_alias = self.sign_out_aliases.iter().any(|alias| alias == path);
        is_alias.then_some(Route { endpoint: Endpoint::SignOut, provider: None, is_alias })
    }

    /// What is wrong with the paths, each with its remedy.
    pub(crate) fn problems(&self) -> Vec<(String, &'static str)> {
        let mut problems = Vec::new();
        for endpoint in Endpoint::ALL.into_iter().filter(|endpoint| endpoint.names_a_provider()) {
            let below = format!("{}/", self.of(endpoint));
            if let Some((path, _)) = self.all().find(|(path, _)| path.starts_with(&below)) {
                let fault = format!("`{path}` lies where providers' names stand");
                problems.push((fault, "move it out from below that endpoint"));
            }
        }
        let mut seen = std::collections::HashSet::new();
        for (path, _) in self.all() {
            if !is_plain(path) {
                problems.push((
                    format!("`{path}` is not a plain path"),
                    "begin with `/`, end without one, and use letters, digits, `-`, `_`, `.` and `~` between",
                ));
            }
            if !seen.insert(path) {
                problems.push((format!("`{path}` is used twice"), "give every endpoint a path of its own"));
            }
        }
        problems
    }
}

impl Default for Paths {
    fn default() -> Self {
        Self::below("/oauth2")
    }
}

/// Whether everybody reads `path` alike, the root apart.
pub(crate) fn is_plain(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~');
    path.starts_with('/') && !path.contains("//") && !path.ends_with('/') && path.bytes().all(plain)
}

fn index(endpoint: Endpoint) -> usize {
    // The variants have no values of their own, so that they count from zero in the order of `ALL`.
    endpoint as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(paths: &Paths, path: &str) -> Option<(Endpoint, Option<String>, bool)> {
        paths.route(path).map(|route| (route.endpoint, route.provider.map(str::to_owned), route.is_alias))
    }

    #[test]
    fn every_path_leads_to_its_endpoint_and_nothing_else_does() {
        let paths = Paths::below("/app/oauth2/")
            .rename(Endpoint::SignIn, "/login")
            .sign_out_alias("/app/oauth/logout");
        for (index, endpoint) in Endpoint::ALL.into_iter().enumerate() {
            assert_eq!(super::index(endpoint), index);
            assert_eq!(route(&paths, paths.of(endpoint)), Some((endpoint, None, false)));
        }
        assert_eq!(
            route(&paths, "/app/oauth2/start/github"),
            Some((Endpoint::Start, Some("github".into()), false))
        );
        assert_eq!(route(&paths, "/app/oauth/logout"), Some((Endpoint::SignOut, None, true)));
        for other in [
            "/app/oauth2",
            "/app/oauth2/auth/",
            "/app/oauth2/authx",
            "/app/oauth2/auth/x",
            "/app/oauth2/sign_in",
            "/app/oauth2/start/a/b",
            "/",
            "",
        ] {
            assert_eq!(route(&paths, other), None, "{other}");
        }
        assert!(paths.problems().is_empty());
        assert_eq!(Paths::below("oauth2").problems().len(), 8);
    }
}
