//! What only the outside can say: whether the provider is there and knows this client, and whether the site's proxy
//! leads here.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use axum::{
    body::Body,
    extract::Request,
    http::header::{ACCEPT, LOCATION},
};
use tower::ServiceExt as _;
use url::Url;
use vestibule::{
    driver::{AdmitAll, Driver, Host as _},
    exchange::{HttpFailure, HttpRequest, HttpResponse},
    paths::Endpoint,
    provider::OAuthError,
    store::StoreError,
};
use vestibule_axum::Gate;
use vestibule_reqwest::ReqwestHost;
use vestibule_settings::Settings;

use super::{Finding, last_refusal::LastRefusal};

/// How long anybody may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the store of sessions whether it is there.
pub(super) async fn store(settings: &Settings) -> Option<Finding> {
    let error = settings.store()?.ping().await.err()?;
    let remedy = match error {
        StoreError::Broken => {
            "see that the address is a Redis or Valkey's, and that user and password may use the commands that \
             store-redis/docs.md lists"
        }
        _ => "see that it runs, and that its address and its port are right and can be reached from here",
    };
    Some(Finding::new(format!("sessions cannot be kept: {error}"), remedy))
}

/// Begins a sign-in with every provider, and asks it what it would show a browser.
pub(super) async fn providers(settings: &Settings) -> Result<Vec<Finding>> {
    let host = settings.host()?;
    let log = Arc::new(LastRefusal::default());
    let vestibule = settings.builder()?.build()?;
    let start = vestibule.paths().of(Endpoint::Start).to_owned();
    let driver = Driver::new(vestibule, host.clone(), AdmitAll).observed_by(log.clone());
    let app = Gate::new(driver).routes::<()>();
    let mut findings = Vec::new();
    for id in settings.provider_ids() {
        let request = Request::get(format!("{start}/{id}"))
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .body(Body::empty())?;
        let answer = app.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        let location = answer.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        match location.and_then(|location| Url::parse(location).ok()) {
            Some(address) => {
                findings.extend(authorization(&host, id, &address, settings.redirect_url()).await)
            }
            None => findings
                .push(Finding::new(format!("the provider `{id}`: {}", log.fault()), log.refusal().remedy())),
        }
    }
    Ok(findings)
}

/// Asks for the page that a browser would be sent to. The page itself is nobody's business.
async fn authorization(host: &ReqwestHost, id: &str, address: &Url, redirect_url: &str) -> Option<Finding> {
    let registered = format!(
        "see that the client id is right, and that `{redirect_url}` is registered there as a redirect URL, to the letter"
    );
    let answer = match get(host, address, "text/html").await {
        Ok(answer) => answer,
        Err(failure) => {
            let fault = format!("the provider `{id}` cannot be asked for its sign-in page: {failure}");
            return Some(Finding::new(
                fault,
                "see that its host can be reached from here, and from browsers",
            ));
        }
    };
    let status = answer.status();
    if status.is_client_error() || status.is_server_error() {
        let fault = format!("the provider `{id}` answers a sign-in with status {}", status.as_u16());
        return Some(Finding::new(fault, registered));
    }
    let location = answer.headers().get(LOCATION)?.to_str().ok()?;
    let location = address.join(location).ok()?;
    let error = location.query_pairs().find(|(name, _)| name == "error")?.1.into_owned();
    let fault = format!("the provider `{id}` refuses a sign-in: {}", OAuthError::parse(&error));
    Some(Finding::new(fault, registered))
}

/// Asks the site for one of our endpoints, as a browser would that comes from outside.
pub(super) async fn site(settings: &Settings) -> Result<Option<Finding>> {
    let url = Url::parse(settings.redirect_url())?.join(settings.paths.of(Endpoint::Userinfo))?;
    let answer = match get(&settings.host()?, &url, "application/json").await {
        Ok(answer) => answer,
        Err(failure) => {
            let fault = format!("the site, since `{url}` cannot be asked from here: {failure}");
            return Ok(Some(Finding::not_checked(fault, "check again once the proxy and this program run")));
        }
    };
    // Nobody is signed in, and no other program says so in these words.
    if answer.status() == 401
        && String::from_utf8_lossy(answer.body()).contains("\"code\":\"sign_in_required\"")
    {
        return Ok(None);
    }
    let prefix = settings.paths.prefix();
    let fault = format!(
        "`{url}` does not lead to this program as it is: something answers with status {}, and people would go round in \
         circles",
        answer.status().as_u16()
    );
    let remedy = format!(
        "let the proxy hand on `{prefix}/` unchanged, with nginx `location {prefix}/ {{ proxy_pass http://127.0.0.1:4180; }}` \
         without a path after the address; or set PROXY_PREFIX to what browsers see"
    );
    Ok(Some(Finding::new(fault, remedy)))
}

async fn get(host: &ReqwestHost, url: &Url, accept: &str) -> Result<HttpResponse, HttpFailure> {
    let request: HttpRequest = axum::http::Request::get(url.as_str())
        .header(ACCEPT, accept)
        .body(Vec::new())
        .map_err(|_| HttpFailure::AddressRefused)?;
    host.exchange(request, PATIENCE).await
}
