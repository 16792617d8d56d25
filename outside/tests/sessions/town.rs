//! Two instances of the first system's application behind one nginx: one on axum and one on actix-web, with one Redis,
//! and with `oidc-provider`, whose access tokens live for seconds and whose refresh tokens can be used once.

use std::{fs, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use futures_util::future::try_join_all;
use reqwest::header::{ACCEPT, COOKIE, SET_COOKIE};
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use url::Url;
use vestibule_outside::{
    App, AppBuilder, Echo, Framework, Nginx, OidcProvider, Visitor, application, client, location, ports,
    redis::Redis,
};

use crate::relay::Relay;

/// How long access tokens live: the first of a grant, and those after it.
#[derive(Debug, Clone, Copy)]
pub struct Lives(pub u32, pub u32);

impl Lives {
    /// Nothing is refreshed during a test.
    pub const LONG: Self = Self(3_600, 3_600);

    /// The first must be refreshed at once, and then none.
    pub const FIRST_SHORT: Self = Self(5, 3_600);

    /// Returns once the first access token of whoever has just signed in has ended, by clocks that show whole seconds.
    pub async fn pass(self) {
        tokio::time::sleep(Duration::from_secs(u64::from(self.0) + 1)).await;
    }
}

/// How nginx chooses between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstreams {
    /// In turn.
    Both,
    /// The first, and the second where that fails.
    FirstThenSecond,
}

/// All of it.
pub struct Town {
    /// Where the sessions are.
    pub redis: Redis,
    /// What stands before the provider.
    pub relay: Relay,
    /// The two, axum first.
    pub apps: Vec<App>,
    /// What browsers talk to.
    pub origin: String,
    /// Connects anew for each request, so that many go out at once, and none at a connection that has died.
    pub http: reqwest::Client,
    claims: NamedTempFile,
    /// What is behind nginx where the two are no applications.
    page: Option<Echo>,
    _nginx: Nginx,
    _provider: OidcProvider,
}

/// What somebody with a cookie is answered.
#[derive(Debug)]
pub struct Seen {
    /// The status.
    pub status: u16,
    /// Whom the application takes them for, where it says so.
    pub email: Option<String>,
    /// The groups that a proxy is told.
    pub groups: Option<String>,
    /// Every cookie that is set by it.
    pub cookies: Vec<String>,
    /// The body.
    pub text: String,
}

impl Town {
    /// Starts everything.
    pub async fn start(lives: Lives) -> Result<Self> {
        Self::start_with(lives, Upstreams::Both, |_, app| app).await
    }

    /// The same, with the environment of the first and the second application changed at will.
    pub async fn start_with(
        lives: Lives,
        upstreams: Upstreams,
        change: impl Fn(usize, AppBuilder) -> AppBuilder,
    ) -> Result<Self> {
        Self::start_all([Framework::Axum, Framework::Actix], lives, upstreams, change).await
    }

    /// The same with two gateways in the place of the applications.
    pub async fn gateways(change: impl Fn(usize, AppBuilder) -> AppBuilder) -> Result<Self> {
        Self::start_all([Framework::Gateway; 2], Lives::LONG, Upstreams::Both, change).await
    }

    async fn start_all(
        frameworks: [Framework; 2],
        Lives(first, later): Lives,
        upstreams: Upstreams,
        change: impl Fn(usize, AppBuilder) -> AppBuilder,
    ) -> Result<Self> {
        let port = ports::reserve()?;
        let origin = format!("http://localhost:{port}");
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let issuer = format!("http://{}", listener.local_addr()?);
        let claims = NamedTempFile::new()?;
        fs::write(claims.path(), "{}")?;
        let lives = format!("[{first}, {later}]");
        let file = claims.path().to_str().context("a temporary file has a plain name")?;
        let environment = [("OIDC_ISSUER", &*issuer), ("OIDC_TOKEN_LIVES", &*lives), ("OIDC_CLAIMS", file)];
        let provider = OidcProvider::start_with(0, &origin, &environment).await?;
        let relay = Relay::start(listener, provider.port())?;
        let redis = Redis::start(&["--appendonly", "yes", "--maxmemory-policy", "noeviction"]).await?;
        let mut apps = Vec::new();
        for (number, framework) in frameworks.into_iter().enumerate() {
            let app = application(framework, &origin)
                .option("PROVIDER", "oidc")
                .option("OIDC_ISSUER_URL", &issuer)
                .option("CLIENT_ID", client::ID)
                .option("CLIENT_SECRET", client::SECRET)
                .option("SCOPE", "openid email profile groups")
                .option("SESSION_STORE_TYPE", "redis")
                .option("REDIS_CONNECTION_URL", redis.url());
            apps.push(change(number, app).start().await?);
        }
        let [one, two] = [apps[0].port(), apps[1].port()].map(|port| format!("server 127.0.0.1:{port};"));
        let other = match upstreams {
            Upstreams::Both => two,
            Upstreams::FirstThenSecond => two.replace(';', " backup;"),
        };
        let both = |servers: String| servers.replace(&one, &format!("{one} {other}"));
        let page = if frameworks[0] == Framework::Gateway { Some(Echo::start().await?) } else { None };
        let pages = page.as_ref().map_or(apps[0].port(), Echo::port);
        let nginx = Nginx::seed1_between(apps[0].port(), pages, port, both).await?;
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        let http = http.pool_max_idle_per_host(0).build()?;
        Ok(Self { redis, relay, apps, origin, http, claims, page, _nginx: nginx, _provider: provider })
    }

    /// An address, by way of nginx.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The same at one of the two, without nginx.
    pub fn at_app(&self, app: usize, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.apps[app].port())
    }

    /// What the provider says of everybody from now on that differs from the usual.
    pub fn claims(&self, claims: &Value) -> Result<()> {
        Ok(fs::write(self.claims.path(), claims.to_string())?)
    }

    /// Somebody who has signed in as `login`, by way of nginx.
    pub async fn signed_in(&self, login: &str) -> Result<Visitor> {
        let (mut visitor, callback) = self.called_back(login).await?;
        let answer = visitor.navigate(callback.as_str()).await?;
        let status = answer.status();
        ensure!(status == 303, "{login} got {status}: {}", answer.text().await?);
        Ok(visitor)
    }

    /// Somebody whom the provider has just sent back, and where to.
    pub async fn called_back(&self, login: &str) -> Result<(Visitor, Url)> {
        let mut visitor = Visitor::new(&self.origin)?;
        let callback = self.to_callback(&mut visitor, login).await?;
        Ok((visitor, callback))
    }

    /// The way from the front page to the callback, at which it stops.
    pub async fn to_callback(&self, visitor: &mut Visitor, login: &str) -> Result<Url> {
        let asked = visitor.follow_until(&self.at("/"), self.relay.issuer()).await?;
        let callback = pages(self.relay.issuer(), asked, login, &self.origin).await?;
        ensure!(callback.path() == "/app/oauth2/callback", "the provider leads to {callback}");
        Ok(callback)
    }

    /// The request with which nginx asks for the page behind two gateways, on behalf of `visitor`.
    pub async fn page(&self, visitor: &Visitor) -> Result<Seen> {
        ensure!(self.page.is_some(), "these are applications, with data");
        see(&self.http, &self.at("/"), visitor).await
    }

    /// What the application's data looks like to `visitor`, by way of nginx: it is asked at one of the two whether they
    /// may, and the other one answers.
    pub async fn data(&self, visitor: &Visitor) -> Result<Seen> {
        see(&self.http, &self.at("/app/api/userinfo"), visitor).await
    }

    /// The same from one of the two.
    pub async fn data_of(&self, app: usize, visitor: &Visitor) -> Result<Seen> {
        see(&self.http, &self.at_app(app, "/app/api/userinfo"), visitor).await
    }

    /// What one of the two answers nginx about `visitor`.
    pub async fn auth_of(&self, app: usize, visitor: &Visitor) -> Result<Seen> {
        see(&self.http, &self.at_app(app, "/app/oauth2/auth"), visitor).await
    }

    /// So many questions of `visitor` at once, of which every other one goes to the other instance.
    pub async fn at_once(&self, number: usize, visitor: &Visitor) -> Result<Vec<Seen>> {
        try_join_all((0..number).map(|n| self.data_of(n % 2, visitor))).await
    }
}

/// Asks for `address` with the cookies of `visitor`, and keeps none that is set.
pub async fn see(http: &reqwest::Client, address: &str, visitor: &Visitor) -> Result<Seen> {
    let request =
        http.get(address).header(COOKIE, visitor.cookie_header()).header(ACCEPT, "application/json");
    let request = request.header("sec-fetch-mode", "cors").header("sec-fetch-dest", "empty");
    let answer = request.send().await.with_context(|| format!("while asking for {address}"))?;
    let text_of =
        |name: &str| answer.headers().get(name).and_then(|value| Some(value.to_str().ok()?.to_owned()));
    let cookies = answer.headers().get_all(SET_COOKIE).iter();
    let cookies = cookies.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect();
    let (status, groups) = (answer.status().as_u16(), text_of("x-auth-request-groups"));
    let told = text_of("x-auth-request-email");
    let text = answer.text().await?;
    let data: Value = serde_json::from_str(&text).unwrap_or_default();
    let email = data["session"]["email"].as_str().map(str::to_owned).or(told);
    Ok(Seen { status, email, groups, cookies, text })
}

impl Seen {
    /// They are `login`, and their browser is told nothing about cookies.
    pub fn assert_is(&self, login: &str) {
        assert!(matches!(self.status, 200 | 202), "{self:?}");
        assert_eq!(self.email.as_deref(), Some(format!("{login}@example.com").as_str()), "{self:?}");
        assert!(self.cookies.is_empty(), "{self:?}");
    }

    /// They are nobody.
    pub fn assert_is_nobody(&self) {
        assert!(matches!(self.status, 401 | 302), "{self:?}");
        assert_eq!(self.email, None, "{self:?}");
    }
}

/// Answers the provider's pages as `login`, until it sends the browser back to `origin`.
async fn pages(issuer: &str, mut address: Url, login: &str, origin: &str) -> Result<Url> {
    let mut visitor = Visitor::new(issuer)?;
    for _ in 0..20 {
        let mut answer = visitor.navigate(address.as_str()).await?;
        if answer.status() == 200 {
            let page = answer.text().await?;
            let action = page.split("action=\"").nth(1).and_then(|rest| rest.split('"').next());
            let action = address.join(action.with_context(|| format!("no form: {page}"))?)?;
            let login = [("prompt", "login"), ("login", login), ("password", "any")];
            let fields = if page.contains("name=\"login\"") { &login[..] } else { &[("prompt", "consent")] };
            answer = visitor.send(action.as_str(), fields).await?;
        }
        ensure!(answer.status().is_redirection(), "{}: {}", answer.status(), answer.text().await?);
        address = address.join(location(&answer)?)?;
        if address.as_str().starts_with(origin) {
            return Ok(address);
        }
    }
    bail!("the provider's pages do not end, lately at {address}")
}
