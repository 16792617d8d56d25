//! The demonstration: the application and a provider of invented people in one program, on this machine only.

use std::{
    env, io,
    net::{Ipv4Addr, SocketAddr},
};

use anyhow::{Context as _, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::net::TcpListener;
use vestibule::driver::Driver;
use vestibule_dev_provider::{DevProvider, Running};
use vestibule_reqwest::ReqwestHost;

use crate::{driver, reader};

/// Where the demonstration listens if it can.
const PORT: u16 = 4180;

/// A demonstration that is ready to be served.
#[derive(Debug)]
pub struct Demo {
    /// Where its application listens.
    pub listener: TcpListener,
    /// Its sign-in, for the application of a framework.
    pub driver: Driver,
    /// The address to open.
    pub address: String,
    /// Who signs people in; it runs as long as this lives and the runtime does.
    pub provider: Running,
}

impl Demo {
    /// Prepares one where the environment says (`VESTIBULE_HTTP_ADDRESS`), or at its usual port, or at a free one.
    ///
    /// # Errors
    /// It is to listen where other machines could reach it.
    pub async fn start() -> Result<Self> {
        let names = ["VESTIBULE_HTTP_ADDRESS", "OAUTH2_PROXY_HTTP_ADDRESS"];
        let asked_for = names.iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
        Self::at(asked_for.as_deref()).await
    }

    /// Prepares one at `address`.
    ///
    /// # Errors
    /// Other machines could reach it there, or something else listens there.
    pub async fn at(address: Option<&str>) -> Result<Self> {
        let listener = match address {
            Some(address) => {
                TcpListener::bind(loopback(address)?).await.context("the address cannot be listened at")?
            }
            None => usual_or_free_port().await?,
        };
        let address = format!("http://{}", listener.local_addr()?);
        let client_secret = random_text();
        let callback = format!("{address}/app/oauth2/callback");
        let provider =
            DevProvider::builder().client("demo", Some(&client_secret), [&callback]).start().await?;
        let settings = reader().from_env_map(
            [
                ("VESTIBULE_PROVIDER", "oidc"),
                ("VESTIBULE_PROVIDER_DISPLAY_NAME", "the development provider"),
                ("VESTIBULE_OIDC_ISSUER_URL", provider.issuer()),
                ("VESTIBULE_CLIENT_ID", "demo"),
                ("VESTIBULE_CLIENT_SECRET", &client_secret),
                ("VESTIBULE_COOKIE_SECRET", &random_text()),
                ("VESTIBULE_REDIRECT_URL", &callback),
                ("VESTIBULE_EMAIL_DOMAINS", "*"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        )?;
        // It asks nobody but the provider inside, so it needs no certificates, which this machine may not have.
        let host = ReqwestHost::builder().only_given_cas().build()?;
        let driver = driver(settings, host)?;
        Ok(Self { listener, driver, address: format!("{address}/"), provider })
    }
}

/// An address that no other machine can reach: here everybody can sign in as anybody.
fn loopback(address: &str) -> Result<SocketAddr> {
    match address.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        _ => bail!(
            "the demonstration lets anybody sign in as anybody, so it listens on this machine only, and `{address}` is \
             not 127.0.0.1:PORT or [::1]:PORT; to reach it from another machine use a tunnel such as ssh -L"
        ),
    }
}

async fn usual_or_free_port() -> Result<TcpListener> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, PORT)).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("there is no free port")
        }
        bound => bound.context("the address cannot be listened at"),
    }
}

/// 32 random bytes, new for each run.
fn random_text() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness once it has started");
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_machines_never_reach_it() {
        for address in ["127.0.0.1:0", "127.1.2.3:80", "[::1]:80"] {
            assert!(loopback(address).is_ok(), "{address}");
        }
        for address in ["0.0.0.0:80", "[::]:80", ":80", "192.168.0.1:80", "app.example:80", "localhost"] {
            assert!(loopback(address).is_err(), "{address}");
        }
    }
}
