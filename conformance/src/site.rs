//! Our side of a sign-in, and the provider that it talks to.

use vestibule::{
    Vestibule,
    driver::{AdmitAll, Driver, Host as _},
    request::PlainHead,
    seal::KeyRing,
};
use vestibule_dev_provider::{DevProvider, Endpoint, Running};
use vestibule_oidc::Oidc;
use vestibule_reqwest::ReqwestHost;

use crate::{Browser, Outcome, Round, Watched, client};

/// A site, and its provider. Whoever comes to the provider is alice, unless it is told otherwise.
#[derive(Debug)]
pub struct Site {
    driver: Driver,
    host: Watched,
    provider: Running,
}

type Change<T> = Box<dyn FnOnce(T) -> T>;

/// What is different about a site. Nothing is, where nothing is said.
pub struct SiteBuilder {
    provider: Change<vestibule_dev_provider::Builder>,
    client: Change<vestibule_oidc::Builder>,
    site: Change<vestibule::config::Builder>,
}

impl std::fmt::Debug for SiteBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SiteBuilder").finish_non_exhaustive()
    }
}

impl SiteBuilder {
    /// Changes how the provider is set up.
    #[must_use]
    pub fn provider(
        mut self,
        change: impl FnOnce(vestibule_dev_provider::Builder) -> vestibule_dev_provider::Builder + 'static,
    ) -> Self {
        self.provider = Box::new(change);
        self
    }

    /// Changes how the client is set up.
    #[must_use]
    pub fn client(
        mut self,
        change: impl FnOnce(vestibule_oidc::Builder) -> vestibule_oidc::Builder + 'static,
    ) -> Self {
        self.client = Box::new(change);
        self
    }

    /// Changes how the site is set up.
    #[must_use]
    pub fn site(
        mut self,
        change: impl FnOnce(vestibule::config::Builder) -> vestibule::config::Builder + 'static,
    ) -> Self {
        self.site = Box::new(change);
        self
    }

    /// Starts a provider, and the site before it.
    ///
    /// # Panics
    /// A test has described something that cannot be.
    pub async fn start(mut self) -> Site {
        let change = std::mem::replace(&mut self.provider, Box::new(|builder| builder));
        let provider = change(registered(DevProvider::builder())).start().await;
        let provider = provider.expect("a test describes a provider that can be");
        provider.sign_in_as(Some("alice"));
        self.before(provider)
    }

    /// The site before a provider that runs already.
    ///
    /// # Panics
    /// A test has described something that cannot be.
    pub fn before(self, provider: Running) -> Site {
        let client = Oidc::builder(provider.issuer(), client::ID).client_secret(client::SECRET);
        let client = (self.client)(client).build().expect("a test describes a client that can be");
        let keys = KeyRing::new(["the secret of a site that lives for one test"]);
        let site =
            Vestibule::builder(client::REDIRECT_URI).keys(keys.expect("it is long enough")).provider(client);
        let site = (self.site)(site).build().expect("a test describes a site that can be");
        let host = Watched::new(ReqwestHost::new().expect("the system has certificates"));
        Site { driver: Driver::new(site, host.clone(), AdmitAll), host, provider }
    }
}

/// A provider at which the client is registered, with one more redirect URI for sites that have two providers.
fn registered(builder: vestibule_dev_provider::Builder) -> vestibule_dev_provider::Builder {
    let [plain, first, second] = ["", "/oidc", "/other"].map(|end| format!("{}{end}", client::REDIRECT_URI));
    builder.client(client::ID, Some(client::SECRET), [plain, first, second])
}

impl Site {
    /// A site with nothing special about it, before an honest provider.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// For something special.
    pub fn builder() -> SiteBuilder {
        SiteBuilder {
            provider: Box::new(|builder| builder),
            client: Box::new(|builder| builder),
            site: Box::new(|builder| builder),
        }
    }

    /// The provider, to be told what to do.
    pub fn provider(&self) -> &Running {
        &self.provider
    }

    /// The driver, to be asked something by hand.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    /// The host.
    pub fn host(&self) -> &Watched {
        &self.host
    }

    /// Lets so many seconds pass, here and at the provider.
    pub fn wait(&self, seconds: i64) {
        self.host.shift_clock(seconds);
        self.provider.shift_clock(seconds);
    }

    /// Sends a new browser once round, and says what came of it.
    pub async fn sign_in(&self) -> Outcome {
        self.begin().await.finish().await
    }

    /// Sends a new browser to the provider, and stops there.
    pub async fn begin(&self) -> Round<'_> {
        Round::begin(self, Browser::default()).await
    }

    /// Sends a browser to the provider by an address of ours, and stops there.
    pub async fn begin_at(&self, browser: Browser, target: &str) -> Round<'_> {
        Round::begin_at(self, browser, target).await
    }

    /// What the provider was asked so far, in order.
    pub fn asked(&self) -> Vec<Endpoint> {
        let requests = self.provider.requests();
        requests.iter().filter_map(|request| endpoint(&request.path)).collect()
    }

    /// What `auth` says about whoever holds these cookies.
    ///
    /// # Panics
    /// `auth` needed something from outside to answer.
    pub fn auth(&self, browser: &Browser) -> u16 {
        let head = browser.with_cookies(PlainHead::fetch("/oauth2/auth"));
        match self.driver.vestibule().handle(&head, b"", self.host.now(), [7; 32]) {
            vestibule::flow::Step::Done(outcome) => outcome.response.status,
            vestibule::flow::Step::Needs(effect, _) => panic!("`auth` asked for {effect:?}"),
        }
    }

    /// The session of whoever holds these cookies.
    pub fn session_of(&self, browser: &Browser) -> Option<vestibule::session::Session> {
        let head = browser.with_cookies(PlainHead::fetch("/"));
        self.driver.vestibule().session(&head, self.host.now()).ok()
    }
}

/// The endpoint at a path.
fn endpoint(path: &str) -> Option<Endpoint> {
    use Endpoint::{Authorize, EndSession, Keys, Metadata, Token, Userinfo};
    [Metadata, Keys, Authorize, Token, Userinfo, EndSession]
        .into_iter()
        .find(|endpoint| path.ends_with(endpoint.path()))
}
