//! Somebody to be signed in as, in an application's own tests.

use std::{fmt, time::Duration};

use futures_util::FutureExt as _;
use serde::Serialize;

use crate::{
    driver::Driver,
    entropy::Entropy,
    identity::{Identity, SignIn, Tokens},
    limits::SESSION_BYTES_MAX,
    session::{ApplicationData, Session, SessionId},
    stored::keep::{self, Started, Starting},
    time::Timestamp,
};

/// A person who is signed in to a site without having been at any provider.
///
/// What a browser of theirs would send is sealed by the site's own keys, at the time of its driver. Everything after
/// that is as in life: the session is opened, limits and rules are applied, and whoever may not enter does not.
///
/// ```
/// use vestibule::{Vestibule, driver::{AdmitAll, Driver}, request::PlainHead, seal::KeyRing};
/// use vestibule::testkit::{MemoryHost, MemoryProvider, Person};
///
/// let vestibule = Vestibule::builder("https://app.example/oauth2/callback")
///     .keys(KeyRing::new(["a secret of at least 32 bytes, kept"]).unwrap())
///     .provider(MemoryProvider::new("github"))
///     .groups(["staff"])
///     .build()
///     .unwrap();
/// let driver = Driver::new(vestibule, MemoryHost::new(), AdmitAll);
///
/// let asks = |person: Person| {
///     let head = PlainHead::fetch("/").with("cookie", person.cookie_header(&driver));
///     driver.vestibule().session(&head, driver.now())
/// };
/// assert_eq!(asks(Person::new("7").group("staff")).unwrap().identity.subject, "7");
/// assert!(asks(Person::new("8").group("guests")).is_err());
/// ```
///
/// Tests that use an adapter have it in one line: `vestibule_axum::testing`, `vestibule_actix::testing`.
#[derive(Clone)]
#[must_use = "a person is signed in by what is made of them: `cookie_header`, or an adapter's `signed_in`"]
pub struct Person {
    identity: Identity,
    provider: Option<String>,
    application: Option<ApplicationData>,
    tokens: Option<Tokens>,
    ago: Duration,
}

impl Person {
    /// A person whose account is called `subject` by the provider.
    pub fn new(subject: impl fmt::Display) -> Self {
        let identity = Identity::new(subject);
        Self { identity, provider: None, application: None, tokens: None, ago: Duration::ZERO }
    }

    fn with(mut self, change: impl FnOnce(Identity) -> Identity) -> Self {
        self.identity = change(self.identity);
        self
    }

    /// Sets the name that the account signs in by.
    pub fn username(self, username: impl Into<String>) -> Self {
        self.with(|identity| identity.username(username.into()))
    }

    /// Sets the name that people call the person by.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.with(|identity| identity.name(name.into()))
    }

    /// Sets an address that the provider has verified.
    pub fn email(self, email: impl Into<String>) -> Self {
        self.with(|identity| identity.verified_email(email.into()))
    }

    /// Sets an address of which the provider does not say that it is verified.
    pub fn unverified_email(self, email: impl Into<String>) -> Self {
        self.with(|identity| identity.email(email.into()))
    }

    /// Sets the address of a picture.
    pub fn picture(self, picture: impl Into<String>) -> Self {
        self.with(|identity| identity.picture(picture.into()))
    }

    /// Adds a group. The session keeps it only where the site keeps it of everybody.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.identity.groups.push(group.into());
        self
    }

    /// Adds a claim. The session keeps it only where the site keeps it of everybody.
    pub fn claim(self, name: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        self.with(|identity| identity.claim(name, value))
    }

    /// Sets who vouches for the account; otherwise that is the [`MemoryProvider`](super::MemoryProvider) of the
    /// provider's id, so that this and a whole sign-in there lead to the same account.
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        self.with(|identity| identity.issuer(issuer))
    }

    /// Sets the id of the provider that the person has come through; the site's first otherwise.
    pub fn provider(mut self, id: impl Into<String>) -> Self {
        self.provider = Some(id.into());
        self
    }

    /// Attaches what the application itself would have attached when the person signed in.
    ///
    /// # Panics
    /// `data` cannot be written as JSON.
    pub fn data(mut self, version: u32, data: &impl Serialize) -> Self {
        let data = ApplicationData::new(version, data).expect("the test's data can be written as JSON");
        self.application = Some(data);
        self
    }

    /// Gives the person tokens. The site keeps those of them that it keeps of everybody.
    pub fn tokens(mut self, tokens: Tokens) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Lets the person have signed in some time ago instead of just now. A session that would have ended since has.
    pub fn signed_in_ago(mut self, ago: Duration) -> Self {
        self.ago = ago;
        self
    }

    /// Who the person is to a provider.
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The cookies that a browser of the person's sends to `driver`'s site: names and values.
    ///
    /// # Panics
    /// The site has no provider of that id, or the session or the tokens do not fit into a cookie; or the site keeps its
    /// sessions in a store that is not a [`MemoryStore`](crate::store::MemoryStore): this waits for none.
    pub fn cookies(&self, driver: &Driver) -> Vec<(String, String)> {
        let vestibule = driver.vestibule();
        let provider = match &self.provider {
            Some(id) => vestibule.provider(id).unwrap_or_else(|| panic!("the site has no provider `{id}`")),
            None => vestibule.providers.first().expect("no site is built without a provider"),
        };
        let mut entropy = Entropy::new(driver.seed());
        let signed_in = Timestamp::from_unix(driver.now().unix().saturating_sub_unsigned(self.ago.as_secs()));
        let mut identity = self.identity.clone();
        if identity.issuer.is_empty() {
            identity.issuer = super::memory_provider::origin(provider.id());
        }
        vestibule.keep(&mut identity);
        let tokens = self.tokens.clone().unwrap_or_else(|| Tokens::new("a token"));
        let kept = vestibule.keep_tokens.of(&tokens).filter(|_| self.tokens.is_some());
        let sign_in = SignIn::new(provider.id(), identity, tokens);
        let expires = signed_in.after(vestibule.session_age);
        let mut session = Session::new(SessionId::new(entropy.bytes()), sign_in, signed_in, expires);
        session.user_header = provider.user_header();
        session.application.clone_from(&self.application);

        if vestibule.keeps_sessions() {
            let ticket = vestibule.ticket_cookie(session.id, expires, &mut entropy);
            self.keep_in_store(driver, session);
            return vec![pair(&ticket)];
        }
        let name = vestibule.session_cookie.clone();
        let sealed =
            vestibule.keys.seal(&vestibule.session_binding, entropy.bytes(), expires, &session.to_bytes());
        let size = name.len() + sealed.expose().len();
        let part = session.largest_part();
        assert!(
            size <= SESSION_BYTES_MAX,
            "the session has {size} bytes of {SESSION_BYTES_MAX}; the largest part is: {part}"
        );
        let mut cookies = vec![(name, sealed.expose().to_owned())];
        if let Some(kept) = kept {
            let line = vestibule.tokens_cookie(&kept, &session, size, &mut entropy);
            let line = line.unwrap_or_else(|reason| panic!("{reason}"));
            cookies.push(pair(&line));
        }
        cookies
    }

    fn keep_in_store(&self, driver: &Driver, session: Session) {
        let now = driver.now();
        if session.expires <= now {
            return;
        }
        // Whatever was ended until now was ended before.
        let answered = now.after(Duration::from_secs(1));
        let tokens = self.tokens.clone().unwrap_or_else(|| Tokens::new("a token"));
        let starting = Starting { session, tokens, before: None, answered };
        let work = driver.shelf_work(|vestibule, http, entropy| async move {
            keep::start(&vestibule, &http, entropy, starting).await
        });
        let started =
            work.now_or_never().expect("a test's store answers at once: give the site a `MemoryStore`");
        let started = started.unwrap_or_else(|error| panic!("the session store: {error}"));
        assert_eq!(started, Started::Now, "the session does not fit into the store");
    }

    /// The same as the value of a `Cookie` header.
    ///
    /// # Panics
    /// As [`Person::cookies`] does.
    pub fn cookie_header(&self, driver: &Driver) -> String {
        let pairs = self.cookies(driver).into_iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }
}

/// Name and value of a `Set-Cookie` line.
fn pair(line: &str) -> (String, String) {
    let pair = line.split(';').next().and_then(|pair| pair.split_once('='));
    let (name, value) = pair.expect("every cookie's line begins with its name and value");
    (name.to_owned(), value.to_owned())
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("identity", &self.identity).finish_non_exhaustive()
    }
}
