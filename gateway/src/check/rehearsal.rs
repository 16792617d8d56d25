//! A sign-in rehearsed within the program: somebody made up, whom the rules let in and who is in every group that is
//! named, signs in, and a browser that is made up too takes the cookies to every address that people open.

use std::{sync::Arc, time::Instant};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{
        StatusCode,
        header::{COOKIE, LOCATION},
    },
    response::Response,
};
use tower::ServiceExt as _;
use url::Url;
use vestibule::{
    conversation::Http,
    driver::{AdmitAll, Driver},
    identity::{Identity, SignIn, Tokens},
    paths::Endpoint,
    provider::{Answered, AuthorizationRequest, Begun, Provider, ProviderError},
    refusal::Refusal,
    store::MemoryStore,
    time::Timestamp,
};
use vestibule_reqwest::ReqwestHost;
use vestibule_settings::Settings;

use crate::gateway;

use super::{
    Finding,
    browser::{Jar, Withheld},
    last_refusal::LastRefusal,
};

/// The id of the provider that is made up.
const ID: &str = "rehearsal";

/// How long each token of the rehearsal is: that of an ordinary access token.
const TOKEN_BYTES: usize = 1000;

/// Signs in, and says what would keep people from having a session at the addresses that they open.
pub(super) async fn rehearse(settings: &Settings, sites: &[String]) -> Result<Vec<Finding>> {
    let stage = Stage::new(settings)?;
    let mut jar = Jar::default();
    if let Some(refusal) = stage.sign_in(&mut jar).await? {
        return Ok(vec![refused(refusal)]);
    }
    let mut findings = Vec::new();
    for site in sites.iter().chain(settings.return_origins()).filter(|site| !site.contains('*')) {
        let url = Url::parse(site).with_context(|| format!("`{site}` is no address that people open"))?;
        findings.extend(stage.visit(&jar, &url).await?);
    }
    Ok(findings)
}

fn refused(refusal: Refusal) -> Finding {
    if refusal == Refusal::SessionTooLarge {
        let fault = "somebody who is in every group that is named would have a session that is too large for a cookie, and \
                     could not sign in";
        return Finding::new(
            fault,
            "name fewer groups in KEEP_GROUPS, ALLOWED_GROUPS and rules, or hand on no tokens",
        );
    }
    let fault = format!("a rehearsed sign-in was refused: {}", refusal.meaning());
    Finding::new(fault, refusal.remedy())
}

/// The endpoints with a provider that is made up.
struct Stage {
    app: Router,
    redirect_url: Url,
    start: String,
    userinfo: String,
    refused: Arc<LastRefusal>,
}

impl Stage {
    fn new(settings: &Settings) -> Result<Self> {
        let refused = Arc::new(LastRefusal::default());
        let mut builder = settings.builder()?.shared_provider(Arc::new(MadeUp(settings.somebody())));
        // Whoever is made up is not among the real sessions.
        if settings.store().is_some() {
            let clock = Instant::now();
            builder = builder
                .store(Arc::new(MemoryStore::new(move || Timestamp::from_unix(0).after(clock.elapsed()))));
        }
        let vestibule = builder.build()?;
        let paths = vestibule.paths();
        let (start, userinfo) =
            (paths.of(Endpoint::Start).to_owned(), paths.of(Endpoint::Userinfo).to_owned());
        // Nobody is asked anything, so that no certificates are needed.
        let host = ReqwestHost::builder().only_given_cas().build()?;
        let driver = Driver::new(vestibule, host, AdmitAll).observed_by(refused.clone());
        let redirect_url = Url::parse(settings.redirect_url())?;
        Ok(Self {
            app: gateway::routes(&driver, &settings.server, None),
            redirect_url,
            start,
            userinfo,
            refused,
        })
    }

    /// A whole sign-in; what it was refused with, if it was.
    async fn sign_in(&self, jar: &mut Jar) -> Result<Option<Refusal>> {
        let start = self.redirect_url.join(&format!("{}/{ID}", self.start))?;
        let sent = self.ask(&start, jar).await?;
        let location = sent.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        let Some(location) = location.and_then(|location| Url::parse(location).ok()) else {
            return Ok(Some(self.refused.refusal()));
        };
        let mut callback = self.redirect_url.clone();
        callback.set_path(&format!("{}/{ID}", self.redirect_url.path()));
        callback.set_query(location.query());
        let answer = self.ask(&callback, jar).await?;
        Ok((answer.status() != StatusCode::SEE_OTHER).then(|| self.refused.refusal()))
    }

    /// Whether whoever has signed in has a session at `site`.
    async fn visit(&self, jar: &Jar, site: &Url) -> Result<Option<Finding>> {
        let url = site.join(&self.userinfo)?;
        let answer = self.send(&url, &jar.header(&url)).await?;
        if answer.status() == StatusCode::OK {
            return Ok(None);
        }
        let origin = site.origin().ascii_serialization();
        let home = self.redirect_url.host_str().unwrap_or_default();
        let is_insecure = jar.iter().any(|cookie| cookie.withheld(&url) == Some(Withheld::Insecure));
        Ok(Some(if is_insecure {
            let fault = format!(
                "the session's cookie is for https only, so that whoever opens {origin} signs in again and again"
            );
            Finding::new(fault, "redirect http to https before anything else, and give people that address")
        } else {
            let fault = format!(
                "the session's cookie is for {home}, where REDIRECT_URL leads, so that whoever opens {origin} signs in again \
                 and again"
            );
            let remedy = "register a redirect URL on the host that people open, or set COOKIE_DOMAINS to a domain that has \
                          both hosts in it";
            Finding::new(fault, remedy)
        }))
    }

    /// Goes to an address as a browser does, with its cookies.
    async fn ask(&self, url: &Url, jar: &mut Jar) -> Result<Response> {
        let answer = self.send(url, &jar.header(url)).await?;
        jar.keep(url, answer.headers());
        Ok(answer)
    }

    async fn send(&self, url: &Url, cookies: &str) -> Result<Response> {
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let request = Request::get(target)
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("sec-fetch-site", "none")
            .header(COOKIE, cookies)
            .body(Body::empty())?;
        Ok(self.app.clone().oneshot(request).await.unwrap_or_else(|never| match never {}))
    }
}

/// A provider that knows one person.
struct MadeUp(Identity);

#[async_trait]
impl Provider for MadeUp {
    fn id(&self) -> &str {
        ID
    }

    fn label(&self) -> &str {
        ID
    }

    async fn begin(&self, _: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        let state = request.state.expose();
        let url = Url::parse_with_params("https://rehearsal.invalid/", [("code", ID), ("state", state)]);
        Ok(Begun::at(url.map_err(|_| ProviderError::Unsupported)?))
    }

    async fn finish(&self, _: &Http, _: &Answered) -> Result<SignIn, ProviderError> {
        let mut tokens = Tokens::new("x".repeat(TOKEN_BYTES));
        tokens.id_token = Some("x".repeat(TOKEN_BYTES).into());
        Ok(SignIn::new(ID, self.0.clone(), tokens))
    }
}
