//! The second original system, running: Streamlit, its nginx file, and `vestibule` where oauth2-proxy was.

use anyhow::{Context, Result};

use crate::{App, AppBuilder, Browser, COOKIE_SECRET, Idp, Nginx, Reply, Streamlit, Wire, ports};

/// The program in oauth2-proxy's place.
const PROGRAM: &str = "vestibule";

/// nginx before Streamlit, the gateway that it asks, and the provider that the gateway sends people to.
#[derive(Debug)]
pub struct Seed2 {
    /// Who signs people in.
    pub idp: Idp,
    /// What nginx asks.
    pub gateway: App,
    /// The application.
    pub streamlit: Streamlit,
    /// What the browser talks to.
    pub nginx: Nginx,
    /// Where that is.
    pub origin: String,
}

impl Seed2 {
    /// Starts everything, with `provider` given the origin that it must lead back to.
    pub async fn start(provider: impl AsyncFnOnce(&str) -> Result<Idp>) -> Result<Self> {
        let port = ports::reserve()?;
        let origin = format!("http://localhost:{port}");
        let idp = provider(&origin).await?;
        let gateway = AppBuilder::new(PROGRAM)
            .env_file("examples/streamlit-nginx/.env")?
            .option("HTTP_ADDRESS", "127.0.0.1:0")
            .option("COOKIE_SECRET", COOKIE_SECRET)
            .option("REDIRECT_URL", format!("{origin}/oauth2/callback"));
        let gateway = idp.configure(gateway).start().await?;
        let streamlit = Streamlit::start().await?;
        let nginx = Nginx::seed2(streamlit.port(), gateway.port(), port).await?;
        Ok(Self { idp, gateway, streamlit, nginx, origin })
    }

    /// An address of the system.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Asks for Streamlit's WebSocket as a browser does, with these cookies, and gives the answer.
    pub async fn web_socket(&self, cookies: &str) -> Result<Reply> {
        let mut wire = Wire::to(self.nginx.port()).await?;
        let (origin, host) = (&self.origin, self.origin.trim_start_matches("http://"));
        let cookies = if cookies.is_empty() { String::new() } else { format!("Cookie: {cookies}\r\n") };
        wire.say(format!(
            "GET /_stcore/stream HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2l4dGVlbiBieXRlcyBvaw==\r\n\
             Sec-WebSocket-Protocol: streamlit\r\nSec-Fetch-Mode: websocket\r\nSec-Fetch-Dest: empty\r\n\
             {cookies}\r\n"
        ))
        .await;
        wire.reply().await?.context("nginx closed without an answer")
    }

    /// What a browser would send here, as one header's value.
    pub async fn cookies(&self, browser: &Browser) -> Result<String> {
        let cookies = browser.cookies().await?;
        let pairs: Vec<String> =
            cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        Ok(pairs.join("; "))
    }
}
