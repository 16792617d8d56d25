//! Keycloak: the OpenID provider that most people run, with an administrator who can end anybody's session.

use std::{
    process::Command,
    sync::{Arc, Weak},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::{Browser, Child, client, ports, tools};

/// The administrator, on loopback only.
const ADMIN: [&str; 2] = ["admin", "an-administrator-on-loopback"];

/// The password of every person there.
const PASSWORD: &str = "a-password-on-loopback";

/// How long its start may take: some twenty seconds on an idle core, beside other tests more.
const PATIENCE: Duration = Duration::from_secs(180);

/// Small, and quick to be there rather than quick later.
const JAVA: &str = "-Xms64m -Xmx400m -XX:TieredStopAtLevel=1";

/// The one that all tests of a process share: its start is what it costs.
static SHARED: Mutex<Weak<Keycloak>> = Mutex::const_new(Weak::new());

/// A running Keycloak. It ends with the last test that holds it.
#[derive(Debug)]
pub struct Keycloak {
    child: Child,
    port: u16,
}

/// A realm of its own for one test, with one client, [`client`], and people.
#[derive(Debug)]
pub struct Realm {
    keycloak: Arc<Keycloak>,
    name: String,
}

/// A session of somebody there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealmSession {
    /// What it is called; ID tokens say so as `sid`.
    pub id: String,
}

impl Keycloak {
    /// The one that other tests of this process use too, started by whoever comes first.
    pub async fn shared() -> Result<Arc<Self>> {
        let mut shared = SHARED.lock().await;
        if let Some(running) = shared.upgrade() {
            return Ok(running);
        }
        let started = Arc::new(Self::start().await?);
        *shared = Arc::downgrade(&started);
        Ok(started)
    }

    async fn start() -> Result<Self> {
        let port = ports::reserve()?;
        let mut child = Child::start(
            "keycloak",
            Command::new("sh")
                .arg(tools::keycloak()?.join("bin/kc.sh"))
                .args(["start", "--optimized", "--cache=local", "--http-enabled=true"])
                .args(["--hostname-strict=false", "--http-host=127.0.0.1"])
                .arg(format!("--http-port={port}"))
                .env("KC_BOOTSTRAP_ADMIN_USERNAME", ADMIN[0])
                .env("KC_BOOTSTRAP_ADMIN_PASSWORD", ADMIN[1])
                .env("JAVA_OPTS_KC_HEAP", JAVA),
        )?;
        child.line_with("Listening on: http://127.0.0.1:", PATIENCE).await?;
        Ok(Self { child, port })
    }

    /// Its log up to now.
    pub fn log(&self) -> String {
        self.child.output()
    }

    fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Does something as the administrator, and gives what comes of it.
    async fn administer(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        // A client of its own: connections belong to one test's runtime, and Keycloak to several tests.
        let http = Client::builder().no_proxy().build()?;
        // Such a token lives for a minute, so that each is used once.
        let form = [
            ("grant_type", "password"),
            ("client_id", "admin-cli"),
            ("username", ADMIN[0]),
            ("password", ADMIN[1]),
        ];
        let token = http.post(self.at("/realms/master/protocol/openid-connect/token")).form(&form);
        let token: Value = token.send().await?.error_for_status()?.json().await?;
        let token = token["access_token"].as_str().context("no access token for the administrator")?;
        let mut request = http.request(method.clone(), self.at(path)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{method} {path}: {status}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

impl Realm {
    /// A realm called `name` with these people, and a client that is what `client` makes of the usual one.
    pub async fn start(name: &str, people: &[&str], client: impl FnOnce(&mut Value)) -> Result<Self> {
        let keycloak = Keycloak::shared().await?;
        let mut ours = json!({
            "clientId": client::ID,
            "secret": client::SECRET,
            "redirectUris": [],
            "standardFlowEnabled": true,
            "attributes": {},
        });
        client(&mut ours);
        let person = |name: &&str| {
            json!({
                "username": name,
                "email": format!("{name}@example.com"),
                "emailVerified": true,
                "firstName": name,
                "lastName": "Example",
                "enabled": true,
                "credentials": [{"type": "password", "value": PASSWORD, "temporary": false}],
            })
        };
        let realm = json!({
            "realm": name,
            "enabled": true,
            "sslRequired": "none",
            "clients": [ours],
            "users": people.iter().map(person).collect::<Vec<_>>(),
        });
        keycloak.administer(Method::POST, "/admin/realms", Some(realm)).await?;
        Ok(Self { keycloak, name: name.to_owned() })
    }

    /// Its issuer identifier.
    pub fn issuer(&self) -> String {
        self.keycloak.at(&format!("/realms/{}", self.name))
    }

    /// Keycloak's log up to now.
    pub fn log(&self) -> String {
        self.keycloak.log()
    }

    fn admin(&self, path: &str) -> String {
        format!("/admin/realms/{}{path}", self.name)
    }

    /// Signs in on the page that is shown.
    pub async fn answer_page(browser: &Browser, person: &str) -> Result<()> {
        browser.fill("#username", person).await?;
        browser.fill("#password", PASSWORD).await?;
        browser.click("#kc-login").await
    }

    async fn id_of(&self, person: &str) -> Result<String> {
        let path = self.admin(&format!("/users?exact=true&username={person}"));
        let found = self.keycloak.administer(Method::GET, &path, None).await?;
        Ok(found[0]["id"].as_str().with_context(|| format!("nobody is called {person}"))?.to_owned())
    }

    /// The sessions of a person, the oldest first.
    pub async fn sessions(&self, person: &str) -> Result<Vec<RealmSession>> {
        let path = self.admin(&format!("/users/{}/sessions", self.id_of(person).await?));
        let mut found = self.keycloak.administer(Method::GET, &path, None).await?;
        let sessions = found.as_array_mut().context("no list of sessions")?;
        sessions.sort_by_key(|session| session["start"].as_i64());
        let id = |session: &Value| Some(RealmSession { id: session["id"].as_str()?.to_owned() });
        sessions.iter().map(|session| id(session).context("a session has an id")).collect()
    }

    /// An administrator ends one session.
    pub async fn end(&self, session: &RealmSession) -> Result<()> {
        let path = self.admin(&format!("/sessions/{}", session.id));
        self.keycloak.administer(Method::DELETE, &path, None).await.map(drop)
    }

    /// An administrator signs a person out everywhere.
    pub async fn sign_out(&self, person: &str) -> Result<()> {
        let path = self.admin(&format!("/users/{}/logout", self.id_of(person).await?));
        self.keycloak.administer(Method::POST, &path, None).await.map(drop)
    }
}
