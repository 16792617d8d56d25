//! How a vestibule is set up. Everything is checked at once, before the first request.

mod asking;
mod cautions;
mod checks;
mod cookie_domain;
mod own_pages;

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use url::Url;

use self::asking::Asking;
pub use self::asking::Flavour;
pub(crate) use self::asking::is_header_name;
pub(crate) use self::cookie_domain::is_under;
use crate::{
    access::AccessRules,
    bearer::Bearers,
    cookie::CookieScope,
    identity::Identity,
    identity_headers::ChosenHeaders,
    limits::SESSION_AGE_DEFAULT,
    pages::{PageStyle, Pages},
    paths::Paths,
    provider::Provider,
    proxies::TrustedProxies,
    return_target::{ReturnPolicy, ReturnTarget},
    rules::EntryRules,
    seal::{Binding, KeyRing},
    session::SESSION_PURPOSE,
    stored::{Keeping, TICKET_PURPOSE},
    tokens::TokenKeeping,
};

pub use crate::endpoints::{Prompt, SignInWith, StartParameter, TokenHeaders};

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The setting.
    pub field: &'static str,
    /// What is wrong with it.
    pub fault: String,
    /// What to do about it.
    pub remedy: String,
}

impl Problem {
    /// A problem with the setting `field`.
    pub fn new(field: &'static str, fault: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { field, fault: fault.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.field, self.fault, self.remedy)
    }
}

/// Everything that is wrong with a configuration, at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    /// Each problem, with its remedy.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    /// An error out of these problems; `Ok` where there are none.
    ///
    /// # Errors
    /// There are problems.
    pub fn check(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} problem(s):", self.problems.len())?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

impl std::error::Error for ConfigError {}

/// Which of a person's groups or claims the session keeps. A cookie has little room.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keep {
    /// Those of these names.
    Named(BTreeSet<String>),
    /// Every one.
    All,
}

impl Keep {
    /// Those of these names.
    pub fn named<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self::Named(names.into_iter().map(Into::into).collect())
    }

    pub(crate) fn keeps(&self, name: &str) -> bool {
        match self {
            Self::Named(names) => names.contains(name),
            Self::All => true,
        }
    }
}

/// A vestibule that is set up: immutable, shared, and without any I/O of its own.
pub struct Vestibule {
    pub(crate) redirect_url: Url,
    /// `scheme://host[:port]` of the redirect URL: the site as browsers see it, whatever headers say.
    pub(crate) origin: String,
    pub(crate) paths: Paths,
    pub(crate) providers: Vec<Arc<dyn Provider>>,
    pub(crate) keys: KeyRing,
    pub(crate) cookies: CookieScope,
    pub(crate) session_cookie: String,
    pub(crate) session_binding: Binding,
    pub(crate) ticket_binding: Binding,
    pub(crate) rules: EntryRules,
    pub(crate) policy: ReturnPolicy,
    /// A page of the application's own that people sign in from.
    pub(crate) sign_in_page: Option<String>,
    /// Where a sign-in leads that has no better place.
    pub(crate) landing: ReturnTarget,
    pub(crate) session_age: Duration,
    pub(crate) flavour: Flavour,
    pub(crate) proxies: TrustedProxies,
    /// The header in which a trusted proxy says where a request comes from.
    pub(crate) client_header: String,
    pub(crate) access: AccessRules,
    pub(crate) identity_headers: ChosenHeaders,
    pub(crate) keep_groups: Keep,
    pub(crate) keep_claims: Keep,
    pub(crate) bearers: Bearers,
    pub(crate) keep_tokens: TokenKeeping,
    pub(crate) keeping: Keeping,
    pub(crate) token_headers: TokenHeaders,
    pub(crate) pages: Pages,
    pub(crate) start_parameters: Vec<StartParameter>,
    pub(crate) always_show_sign_in_page: bool,
}

impl Vestibule {
    /// Begins a set-up. `redirect_url` is the address that providers send browsers back to, as registered there:
    /// its origin is this site's own, and its path is the callback's.
    pub fn builder(redirect_url: impl Into<String>) -> Builder {
        Builder {
            redirect_url: redirect_url.into(),
            paths: Paths::default(),
            providers: Vec::new(),
            keys: None,
            cookie_name: "vestibule".to_owned(),
            cookie_domain: None,
            rules: EntryRules::default(),
            allowed_origins: Vec::new(),
            sign_in_page: None,
            land_on: None,
            session_age: SESSION_AGE_DEFAULT,
            flavour: Flavour::default(),
            asking: Asking::default(),
            keep_groups: Keep::Named(BTreeSet::new()),
            keep_claims: Keep::Named(BTreeSet::new()),
            bearers: Bearers::default(),
            keep_tokens: TokenKeeping::default(),
            keeping: Keeping::default(),
            token_headers: TokenHeaders::none(),
            pages: PageStyle::new(),
            start_parameters: Vec::new(),
            always_show_sign_in_page: false,
        }
    }

    /// The paths of the endpoints, for routers.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Lets go of what the session does not keep of somebody.
    pub(crate) fn keep(&self, identity: &mut Identity) {
        identity.groups.retain(|group| self.keep_groups.keeps(group));
        identity.claims.retain(|claim, _| self.keep_claims.keeps(claim));
    }

    pub(crate) fn provider(&self, id: &str) -> Option<&Arc<dyn Provider>> {
        self.providers.iter().find(|provider| provider.id() == id)
    }

    /// Where a provider sends browsers back to. With several providers each has an address of its own, so that an
    /// answer that reaches the wrong one is noticed (RFC 9700 §4.4.2).
    pub(crate) fn redirect_uri(&self, provider: &dyn Provider) -> Url {
        let mut url = self.redirect_url.clone();
        if self.providers.len() > 1 {
            url.set_path(&format!("{}/{}", self.redirect_url.path(), provider.id()));
        }
        url
    }

    pub(crate) fn binding(&self, purpose: &str, cookie_name: &str) -> Binding {
        Binding::new(purpose, cookie_name, &self.origin)
    }
}

impl fmt::Debug for Vestibule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let providers: Vec<_> = self.providers.iter().map(|provider| provider.id()).collect();
        f.debug_struct("Vestibule")
            .field("redirect_url", &self.redirect_url.as_str())
            .field("paths", &self.paths)
            .field("providers", &providers)
            .field("session_age", &self.session_age)
            .finish_non_exhaustive()
    }
}

/// A set-up under way.
pub struct Builder {
    redirect_url: String,
    paths: Paths,
    providers: Vec<Arc<dyn Provider>>,
    keys: Option<KeyRing>,
    cookie_name: String,
    cookie_domain: Option<String>,
    rules: EntryRules,
    allowed_origins: Vec<String>,
    sign_in_page: Option<String>,
    land_on: Option<String>,
    session_age: Duration,
    flavour: Flavour,
    asking: Asking,
    keep_groups: Keep,
    keep_claims: Keep,
    pub(crate) bearers: Bearers,
    pub(crate) keep_tokens: TokenKeeping,
    pub(crate) keeping: Keeping,
    pub(crate) token_headers: TokenHeaders,
    pub(crate) pages: PageStyle,
    pub(crate) start_parameters: Vec<StartParameter>,
    pub(crate) always_show_sign_in_page: bool,
}

impl Builder {
    /// Adds a provider. With more than one, the redirect URI of each is the redirect URL, `/` and its id.
    pub fn provider(mut self, provider: impl Provider) -> Self {
        self.providers.push(Arc::new(provider));
        self
    }

    /// Adds a provider of which only this is known: one that a configuration has chosen.
    pub fn shared_provider(mut self, provider: Arc<dyn Provider>) -> Self {
        self.providers.push(provider);
        self
    }

    /// Sets the keys that cookies are sealed with.
    pub fn keys(mut self, keys: KeyRing) -> Self {
        self.keys = Some(keys);
        self
    }

    /// Sets where the endpoints are.
    pub fn paths(mut self, paths: Paths) -> Self {
        self.paths = paths;
        self
    }

    /// Sets what our cookies' names begin with, after `__Host-`.
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.cookie_name = name.into();
        self
    }

    /// Lets in only whoever has a verified address of one of these domains: `example.com`, or `*.example.com` for
    /// any name below it; or one of [`Builder::emails`].
    pub fn email_domains<S: Into<String>>(mut self, domains: impl IntoIterator<Item = S>) -> Self {
        self.rules.addresses.get_or_insert_default().add_domains(domains);
        self
    }

    /// Lets in only whoever has one of these verified addresses, or one of a domain of [`Builder::email_domains`].
    pub fn emails<S: Into<String>>(mut self, emails: impl IntoIterator<Item = S>) -> Self {
        self.rules.addresses.get_or_insert_default().add_emails(emails);
        self
    }

    /// Lets an address count that the provider does not say it has verified: whoever can set a profile's address
    /// there, can enter here.
    pub fn insecure_unverified_email(mut self) -> Self {
        self.rules.unverified_email = true;
        self
    }

    /// Lets in only members of one of these groups. The session keeps them.
    pub fn groups<S: Into<String>>(mut self, groups: impl IntoIterator<Item = S>) -> Self {
        self.rules.groups = Some(groups.into_iter().map(Into::into).collect());
        self
    }

    /// Allows return targets at another origin: `https://host[:port]`, or `https://*.host[:port]` for one label.
    pub fn allow_return_to(mut self, origin: impl Into<String>) -> Self {
        self.allowed_origins.push(origin.into());
        self
    }

    /// Sets how long a session lasts, however busy it is: at least a second, at most 400 days.
    pub fn session_age(mut self, age: Duration) -> Self {
        self.session_age = age;
        self
    }

    /// Sets which groups the session keeps, beside those of [`Builder::groups`] and of rules. A proxy that asks for
    /// groups in its own words (`auth?allowed_groups=…`) finds only those that are kept.
    pub fn keep_groups(mut self, keep: Keep) -> Self {
        self.keep_groups = keep;
        self
    }

    /// Sets which further claims the session keeps, beside those of rules.
    pub fn keep_claims(mut self, keep: Keep) -> Self {
        self.keep_claims = keep;
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// Every problem there is, each with the setting and what to do about it.
    pub fn build(mut self) -> Result<Vestibule, ConfigError> {
        let mut problems = Vec::new();
        let redirect_url = self.checked_redirect_url(&mut problems);
        self.check_providers(redirect_url.as_ref(), &mut problems);
        self.check_the_rest(&mut problems);
        let (proxies, client_header) = self.checked_proxies(&mut problems);
        let access = self.checked_rules(&proxies, &mut problems);
        let policy = self.return_policy(redirect_url.as_ref(), &mut problems);
        let landing = self.landing(policy.as_ref(), &mut problems);
        let cookie_domain = self.checked_cookie_domain(redirect_url.as_ref(), &mut problems);
        ConfigError::check(problems)?;
        self.keep_what_rules_name();
        let identity_headers = self.chosen_headers();
        let (Some(redirect_url), Some(keys), Some(policy), Some(landing)) =
            (redirect_url, self.keys, policy, landing)
        else {
            return Err(ConfigError { problems: Vec::new() });
        };
        let origin = redirect_url.origin().ascii_serialization();
        let cookies = CookieScope::new(&self.cookie_name, redirect_url.scheme() == "https", cookie_domain);
        let session_cookie = cookies.session();
        Ok(Vestibule {
            session_binding: Binding::new(SESSION_PURPOSE, &session_cookie, &origin),
            ticket_binding: Binding::new(TICKET_PURPOSE, &session_cookie, &origin),
            redirect_url,
            origin,
            paths: self.paths,
            providers: self.providers,
            keys,
            cookies,
            session_cookie,
            rules: self.rules,
            policy,
            sign_in_page: self.sign_in_page,
            landing,
            session_age: self.session_age,
            flavour: self.flavour,
            proxies,
            client_header,
            access,
            identity_headers,
            keep_groups: self.keep_groups,
            keep_claims: self.keep_claims,
            bearers: self.bearers,
            keep_tokens: self.keep_tokens,
            keeping: self.keeping,
            token_headers: self.token_headers,
            pages: Pages::new(self.pages),
            start_parameters: self.start_parameters,
            always_show_sign_in_page: self.always_show_sign_in_page,
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("redirect_url", &self.redirect_url).finish_non_exhaustive()
    }
}
