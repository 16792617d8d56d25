//! What the application remembers when nginx asks it about a page: between the refusal and the
//! sign-in page, where a browser is too quick to be held, so a likeness of one asks step by step.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use reqwest::{
    Response, StatusCode,
    header::{ACCEPT, COOKIE, LOCATION, SET_COOKIE},
};
use url::Url;
use vestibule_outside::{Idp, Seed1};

const DEEP: &str = "/reports/2026?year=2026&q=a%26b";

#[tokio::test]
async fn what_a_page_loads_by_the_way_does_not_disturb_the_remembered_target() -> Result<()> {
    let system = Seed1::start(Idp::dev).await?;
    let mut visitor = Visitor::new(&system)?;
    let refused = visitor.ask(Kind::Page, &system.at(DEEP)).await?;
    assert_eq!(refused.status(), StatusCode::FOUND);
    assert_eq!(location(&refused)?, system.at("/app/oauth2/sign_in"));
    assert!(refused.headers().contains_key(SET_COOKIE), "nginx passes on what the application remembers");

    for (kind, path) in [
        (Kind::Fetch, "/app/api/userinfo"),
        (Kind::Image, "/favicon.svg"),
        (Kind::Script, "/assets/index.js"),
        (Kind::Page, "/app/oauth/logout"),
    ] {
        let refused = visitor.ask(kind, &system.at(path)).await?;
        assert_eq!(refused.status(), StatusCode::FOUND, "{path}");
        assert!(!refused.headers().contains_key(SET_COOKIE), "{path} is not worth remembering");
    }

    let last = visitor.follow(&system.at("/app/oauth2/sign_in")).await?;
    assert_eq!(last.url().as_str(), system.at(DEEP));
    Ok(())
}

#[tokio::test]
async fn of_two_refused_pages_the_last_is_remembered_and_only_once() -> Result<()> {
    let system = Seed1::start(Idp::dev).await?;
    let mut visitor = Visitor::new(&system)?;
    for path in ["/earlier", "/later?and=this"] {
        visitor.ask(Kind::Page, &system.at(path)).await?;
    }
    let last = visitor.follow(&system.at("/app/oauth2/sign_in")).await?;
    assert_eq!(last.url().as_str(), system.at("/later?and=this"));

    visitor.ask(Kind::Page, &system.at("/app/oauth2/sign_out")).await?;
    let last = visitor.follow(&system.at("/app/oauth2/sign_in")).await?;
    assert_eq!(last.url().as_str(), system.at("/"), "an address is used up by the sign-in that it led to");
    Ok(())
}

/// What a browser wants an answer for; it says so in its `Sec-Fetch-*` headers.
#[derive(Clone, Copy)]
enum Kind {
    Page,
    Fetch,
    Image,
    Script,
}

impl Kind {
    /// `Sec-Fetch-Mode` and `Sec-Fetch-Dest`.
    fn headers(self) -> (&'static str, &'static str) {
        match self {
            Self::Page => ("navigate", "document"),
            Self::Fetch => ("cors", "empty"),
            Self::Image => ("no-cors", "image"),
            Self::Script => ("no-cors", "script"),
        }
    }
}

/// As much of a browser as these stories need: headers, and the cookies of one origin.
struct Visitor {
    http: reqwest::Client,
    origin: String,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    /// Whoever visits is alice: her provider asks nothing.
    fn new(system: &Seed1) -> Result<Self> {
        let Idp::Dev(provider) = &system.idp else {
            anyhow::bail!("these stories are the development provider's")
        };
        provider.sign_in_as(Some("alice"));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { http, origin: system.origin.clone(), cookies: BTreeMap::new() })
    }

    async fn ask(&mut self, kind: Kind, address: &str) -> Result<Response> {
        let ours = address.starts_with(&self.origin);
        let (mode, destination) = kind.headers();
        let mut request =
            self.http.get(address).header("sec-fetch-mode", mode).header("sec-fetch-dest", destination);
        request = request.header(ACCEPT, if let Kind::Page = kind { "text/html" } else { "*/*" });
        request = request.header("sec-fetch-site", if ours { "same-origin" } else { "cross-site" });
        if ours {
            let cookies: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        let answer = request.send().await?;
        for cookie in answer.headers().get_all(SET_COOKIE).iter().filter(|_| ours) {
            self.keep(cookie.to_str()?)?;
        }
        Ok(answer)
    }

    fn keep(&mut self, cookie: &str) -> Result<()> {
        let (name, rest) = cookie.split_once('=').context("a cookie has a name")?;
        let value = rest.split(';').next().unwrap_or_default();
        if value.is_empty() || cookie.to_ascii_lowercase().contains("max-age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Ok(())
    }

    /// Goes where each answer sends it, until one sends it nowhere.
    async fn follow(&mut self, address: &str) -> Result<Response> {
        let mut address = Url::parse(address)?;
        for _ in 0..10 {
            let answer = self.ask(Kind::Page, address.as_str()).await?;
            if !answer.status().is_redirection() {
                return Ok(answer);
            }
            address = address.join(&location(&answer)?)?;
        }
        anyhow::bail!("ten redirects lead nowhere, lately to {address}")
    }
}

fn location(answer: &Response) -> Result<String> {
    let location = answer.headers().get(LOCATION).context("a redirect has a location")?;
    Ok(location.to_str()?.to_owned())
}
