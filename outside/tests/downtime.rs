//! The provider is away while the application starts, and comes back while it runs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};
use vestibule_outside::{Browser, Idp, OidcProvider, Seed1, ports};

/// One address for all that is asked for while the provider is away.
const PAGE: &str = "/while?provider=away";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn started_without_its_provider_the_application_signs_in_as_soon_as_it_is_there() -> Result<()> {
    let system = Seed1::start(Idp::oidc_provider).await?;
    let earlier = Browser::start().await?;
    system.visit(&earlier, "/").await?;
    assert_eq!(system.auth_status(&earlier).await?, 202);

    let Seed1 { idp: Idp::OidcProvider(provider), app, nginx, origin, page } = system else {
        bail!("this story is oidc-provider's");
    };
    let port = provider.port();
    provider.stop().await?;
    let app = app.restart().await?;
    let watch = Watch::begin(&earlier, &format!("{origin}/app/oauth2/auth")).await?;

    // Who comes now is told, on a page of ours, and the application goes on.
    let later = Browser::start().await?;
    later.goto(&format!("{origin}{PAGE}")).await?;
    assert!(!ports::is_open(port));
    assert!(later.url().await?.as_str().starts_with(&origin), "{}", later.url().await?);
    assert!(!later.text("h1").await?.is_empty());

    let provider = OidcProvider::start_on(port, &origin).await?;
    tokio::time::sleep(vestibule::limits::DOCUMENT_FAILURE_PAUSE).await;
    let system = Seed1 { idp: Idp::OidcProvider(provider), app, nginx, origin, page };
    system.visit(&later, PAGE).await?;
    later.wait_for_url(&system.at(PAGE)).await?;
    assert_eq!(system.auth_status(&later).await?, 202);

    let statuses = watch.end().await?;
    assert!(10 < statuses.len(), "the earlier session was looked at {} times", statuses.len());
    assert!(statuses.iter().all(|status| *status == 202), "{statuses:?}");
    Ok(())
}

/// Asks the application again and again about a session from before, as nginx would.
struct Watch {
    over: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<Result<Vec<u16>>>,
}

impl Watch {
    async fn begin(browser: &Browser, address: &str) -> Result<Self> {
        let cookies: Vec<String> = browser
            .cookies()
            .await?
            .iter()
            .map(|cookie| format!("{}={}", cookie.name(), cookie.value()))
            .collect();
        let request = reqwest::Client::new().get(address).header("cookie", cookies.join("; "));
        let over = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(Self::look(request, Arc::clone(&over)));
        Ok(Self { over, task })
    }

    async fn look(request: reqwest::RequestBuilder, over: Arc<AtomicBool>) -> Result<Vec<u16>> {
        let mut statuses = Vec::new();
        while !over.load(Ordering::SeqCst) {
            let request = request.try_clone().context("a request without a body can be repeated")?;
            statuses.push(request.send().await?.status().as_u16());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(statuses)
    }

    async fn end(self) -> Result<Vec<u16>> {
        self.over.store(true, Ordering::SeqCst);
        self.task.await?
    }
}
