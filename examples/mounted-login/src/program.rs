//! The application as a program, on whichever framework, configured by the environment.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it tells whoever started it where it listens, or why not"
)]

use std::{env, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;
use vestibule::{driver::Driver, seal::KeyRing};
use vestibule_reqwest::ReqwestHost;
use vestibule_twitter::{Twitter, TwitterOAuth1};

use crate::Login;

const HELP: &str = "\
It is configured by the environment:
  SITE                  what browsers call it, such as https://app.example
  CONSUMER_KEY          the app's API key at X; for OAuth 2.0 its client id
  CONSUMER_SECRET       and its secret
  COOKIE_SECRET         at least 32 bytes: openssl rand -base64 32
and, where the defaults do not fit:
  LISTEN                127.0.0.1:8080
  PROTOCOL              oauth1, or oauth2
  LOGIN_PAGE            /login, the page with the link
  REQUEST_TOKEN         /login/requestToken, where the link leads
  CALLBACK_URL          /login/callbackUrl, where X sends browsers back to
  SIGN_OUT              /login/signOut
  REDIRECT_ON_SUCCESS   /, where people land
  X_SITE, X_API         other addresses than X's own, for tests";

/// Runs the program of this name. `serve` puts the login into a framework's application, and serves that.
pub async fn run(name: &str, serve: impl AsyncFnOnce(TcpListener, Login, Driver) -> Result<()>) -> ExitCode {
    let outcome = match env::args().nth(1) {
        None => configured(serve).await,
        Some(_) => {
            println!("usage: {name}\n\n{HELP}");
            return ExitCode::SUCCESS;
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn configured(serve: impl AsyncFnOnce(TcpListener, Login, Driver) -> Result<()>) -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let login = login()?;
    let driver = driver(&login)?;
    let address = said("LISTEN").unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(&address).await;
    let listener = listener.with_context(|| format!("{address} cannot be listened at"))?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(listener, login, driver).await
}

/// Every path as the environment has it.
fn login() -> Result<Login> {
    let login = Login::new(needed("SITE")?);
    let login = set(login, "LOGIN_PAGE", |login, path| login.mount_on(path));
    let login = set(login, "REQUEST_TOKEN", |login, path| login.request_token_at(path));
    let login = set(login, "CALLBACK_URL", |login, path| login.callback_at(path));
    let login = set(login, "SIGN_OUT", |login, path| login.sign_out_at(path));
    Ok(set(login, "REDIRECT_ON_SUCCESS", |login, path| login.redirect_on_success(path)))
}

fn set(login: Login, name: &str, to: impl FnOnce(Login, String) -> Login) -> Login {
    match said(name) {
        Some(path) => to(login, path),
        None => login,
    }
}

fn driver(login: &Login) -> Result<Driver> {
    let (key, secret) = (needed("CONSUMER_KEY")?, needed("CONSUMER_SECRET")?);
    let keys = KeyRing::new([needed("COOKIE_SECRET")?]).context("COOKIE_SECRET")?;
    let (site, api, host) = (said("X_SITE"), said("X_API"), ReqwestHost::new()?);
    Ok(match said("PROTOCOL").as_deref() {
        None | Some("oauth1") => {
            let x = TwitterOAuth1::builder(key, secret);
            let x = site.into_iter().fold(x, |x, site| x.site(site));
            login.driver(api.into_iter().fold(x, |x, api| x.api(api)).build()?, keys, host)?
        }
        Some("oauth2") => {
            let x = Twitter::builder(key).client_secret(secret);
            let x = site.into_iter().fold(x, |x, site| x.site(site));
            login.driver(api.into_iter().fold(x, |x, api| x.api(api)).build()?, keys, host)?
        }
        Some(_) => bail!("PROTOCOL is `oauth1` or `oauth2`"),
    })
}

fn said(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn needed(name: &str) -> Result<String> {
    said(name).with_context(|| format!("{name} is not set; --help says what there is to set"))
}
