//! `emulate` from npm, in the part of GitHub.
//!
//! Found by reading and trying version 0.12.2, `emulate start --service github --seed FILE --port N`:
//!
//! - `--port 0` is refused; without `--host` it listens on 127.0.0.1 alone. The addresses in its
//!   answers say `localhost` unless `--base-url` says otherwise. It prints `Ready.` once it answers.
//! - The seed file is JSON or YAML with one key a service. Under `github`:
//!   `users: [{login, name, email, bio, company, site_admin …}]`,
//!   `orgs: [{login, name, members: [{login, role: "admin" | "member"}]}]` (membership lives in a
//!   team `members` that it makes), and
//!   `oauth_apps: [{client_id, client_secret, name, redirect_uris}]`. With no `oauth_apps` every
//!   client is accepted; with some, id, secret and exact redirect URI are checked. Two users,
//!   `admin` and `ghost`, exist in any case.
//! - `GET /login/oauth/authorize` is a page with one form a user (hidden fields `login`, `state`, …);
//!   it asks every time, whoever has signed in before. It knows neither PKCE nor `iss`.
//! - `POST /login/oauth/access_token` answers a wrong secret or code with status 200 and an
//!   `error`, as GitHub does; with `Accept: application/x-www-form-urlencoded` it answers a form.
//! - The API lies at the root, not under `/api/v3`: `/user`, `/user/emails` (always exactly one
//!   address: primary and verified), `/user/orgs`, `/orgs/{org}/memberships/{login}`,
//!   `/orgs/{org}/teams/{team}/memberships/{login}`. `/user/teams` and
//!   `/user/memberships/orgs` answer 404.

use std::{fs, process::Command};

use anyhow::Result;
use serde_json::json;
use tempfile::TempDir;

use crate::{Browser, Child, PATIENCE, client, ports, tools};

/// A running likeness of GitHub with two people: `ada`, of the organisation `analysts`, and
/// `grace`, of none.
#[derive(Debug)]
pub struct Emulate {
    port: u16,
    _child: Child,
    _folder: TempDir,
}

impl Emulate {
    /// Starts it for an application at `origin`.
    pub async fn github(origin: &str) -> Result<Self> {
        let port = ports::reserve()?;
        let folder = tempfile::Builder::new().prefix("vestibule-emulate-").tempdir()?;
        let seed = folder.path().join("seed.json");
        fs::write(&seed, people_and_client(origin))?;
        let mut child = Child::start(
            "emulate",
            Command::new(tools::node()?)
                .arg(tools::npm()?.join("node_modules/.bin/emulate"))
                .args(["start", "--service", "github", "--port", &port.to_string()])
                .args(["--base-url", &format!("http://127.0.0.1:{port}")])
                .arg("--seed")
                .arg(&seed)
                .current_dir(folder.path()),
        )?;
        child.line_with("Ready.", PATIENCE).await?;
        Ok(Self { port, _child: child, _folder: folder })
    }

    /// Where it answers; the authorize page is below, and so is the API.
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Presses the button of `login` on its authorize page.
    pub async fn sign_in(browser: &Browser, login: &str) -> Result<()> {
        browser.click(&format!("form:has(input[name=login][value=\"{login}\"]) button")).await
    }
}

fn people_and_client(origin: &str) -> String {
    json!({
        "github": {
            "users": [
                { "login": "ada", "name": "Ada Lovelace", "email": "ada@example.com" },
                { "login": "grace", "name": "Grace Hopper", "email": "grace@example.org" },
            ],
            "orgs": [{
                "login": "analysts",
                "name": "Analysts",
                "members": [{ "login": "ada", "role": "member" }],
            }],
            "oauth_apps": [{
                "client_id": client::ID,
                "client_secret": client::SECRET,
                "name": "Vue example",
                "redirect_uris": client::callbacks(origin),
            }],
        },
    })
    .to_string()
}
