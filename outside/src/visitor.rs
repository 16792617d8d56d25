//! As much of a browser as some stories need: where a real one is too quick to be held, or hides what it was sent.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use reqwest::{
    Client, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE},
    redirect::Policy,
};
use url::Url;

/// A likeness of a browser, with the cookies of one origin. It goes nowhere by itself.
#[derive(Debug, Clone)]
pub struct Visitor {
    http: Client,
    origin: String,
    cookies: BTreeMap<String, String>,
    were_set: Vec<String>,
}

/// Where a visit has ended.
#[derive(Debug)]
pub struct Visited {
    /// The address.
    pub url: Url,
    /// The status of the last answer.
    pub status: StatusCode,
    /// Its body.
    pub text: String,
}

impl Visitor {
    /// Somebody who has never been at `origin`.
    pub fn new(origin: &str) -> Result<Self> {
        let http = Client::builder().redirect(Policy::none()).no_proxy().build()?;
        Ok(Self { http, origin: origin.to_owned(), cookies: BTreeMap::new(), were_set: Vec::new() })
    }

    /// Goes to one page, and only there.
    pub async fn navigate(&mut self, address: &str) -> Result<Response> {
        self.ask(self.http.get(address).header(ACCEPT, "text/html"), address, "navigate", "document").await
    }

    /// Asks as a script of the origin's own pages does.
    pub async fn fetch(&mut self, address: &str) -> Result<Response> {
        self.ask(self.http.get(address).header(ACCEPT, "*/*"), address, "cors", "empty").await
    }

    /// Sends a form of a page of the origin's own.
    pub async fn send(&mut self, address: &str, fields: &[(&str, &str)]) -> Result<Response> {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.http.post(address).header(ACCEPT, "text/html").body(form);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(request.header(ORIGIN, self.origin.clone()), address, "navigate", "document").await
    }

    async fn ask(
        &mut self,
        request: reqwest::RequestBuilder,
        address: &str,
        mode: &str,
        destination: &str,
    ) -> Result<Response> {
        let ours = address.starts_with(&self.origin);
        let mut request = request
            .header("sec-fetch-mode", mode)
            .header("sec-fetch-dest", destination)
            .header("sec-fetch-site", if ours { "same-origin" } else { "cross-site" });
        if ours {
            request = request.header(COOKIE, self.cookie_header());
        }
        let answer = request.send().await.with_context(|| format!("while asking for {address}"))?;
        for line in answer.headers().get_all(SET_COOKIE).iter().filter(|_| ours) {
            self.keep(line.to_str()?)?;
        }
        Ok(answer)
    }

    /// Goes where each answer sends it, until one sends it nowhere.
    pub async fn follow(&mut self, address: &str) -> Result<Visited> {
        let mut address = Url::parse(address)?;
        for _ in 0..20 {
            let answer = self.navigate(address.as_str()).await?;
            if !answer.status().is_redirection() {
                let status = answer.status();
                return Ok(Visited { url: address, status, text: answer.text().await? });
            }
            address = address.join(location(&answer)?)?;
        }
        bail!("twenty redirects lead nowhere, lately to {address}")
    }

    /// Goes where each answer sends it, until one sends it to an address that begins with `stop`; gives that address.
    pub async fn follow_until(&mut self, address: &str, stop: &str) -> Result<Url> {
        let mut address = Url::parse(address)?;
        for _ in 0..20 {
            let answer = self.navigate(address.as_str()).await?;
            address = address.join(location(&answer)?)?;
            if address.as_str().starts_with(stop) {
                return Ok(address);
            }
        }
        bail!("twenty redirects do not lead to {stop}, lately to {address}")
    }

    fn keep(&mut self, line: &str) -> Result<()> {
        let (name, rest) = line.split_once('=').context("a cookie has a name")?;
        let value = rest.split(';').next().unwrap_or_default();
        if value.is_empty() || line.to_ascii_lowercase().contains("max-age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
            self.were_set.push(value.to_owned());
        }
        Ok(())
    }

    /// The `Cookie` header that it sends to its origin.
    pub fn cookie_header(&self) -> String {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        cookies.join("; ")
    }

    /// Every cookie value that it was ever given, those that are gone included.
    pub fn cookies_ever_set(&self) -> &[String] {
        &self.were_set
    }
}

/// Where a redirect leads.
pub fn location(answer: &Response) -> Result<&str> {
    let location = answer.headers().get(LOCATION).context("a redirect has a location")?;
    Ok(location.to_str()?)
}
