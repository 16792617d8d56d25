//! The gateway at work: what every request goes through, and how a new configuration takes over.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Result;
use arc_swap::ArcSwap;
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    http::StatusCode,
    response::Response,
};
use tower::ServiceExt as _;
use tracing::Instrument as _;
use vestibule::driver::{AdmitAll, Driver, Host as _};
use vestibule_axum::Gate;
use vestibule_settings::{Server, Settings, Store};

use crate::{
    health,
    metrics::{Metrics, Verdict},
    requests::{Ids, Line},
};

/// How long an answer may take, its request's body included. Conversations with a provider have fifteen seconds.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// The gateway. Every request meets one configuration from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Gateway {
    current: ArcSwap<Work>,
    metrics: Metrics,
    ids: Ids,
}

/// One configuration at work.
#[derive(Debug)]
struct Work {
    driver: Driver,
    app: Router,
    server: Server,
    store: Option<Store>,
}

impl Work {
    fn of(driver: Driver, settings: &Settings) -> Arc<Self> {
        let (server, store) = (settings.server.clone(), settings.store().cloned());
        let app = routes(&driver, &server, store.clone());
        Arc::new(Self { driver, app, server, store })
    }
}

/// Everything that is answered.
pub(crate) fn routes(driver: &Driver, server: &Server, store: Option<Store>) -> Router {
    health::routes(server, store).merge(Gate::new(driver.clone()).routes())
}

impl Gateway {
    /// Puts settings to work.
    pub(crate) fn new(settings: &Settings, metrics: Metrics) -> Result<Self> {
        let vestibule = settings.builder()?.build()?;
        let host = settings.host()?;
        let ids = Ids::new(&host.seed());
        let driver = Driver::new(vestibule, host, AdmitAll).observed_by(Arc::new(metrics.clone()));
        let work = Work::of(driver, settings);
        Ok(Self { current: ArcSwap::new(work), metrics, ids })
    }

    /// Lets other settings take over. Requests under way end by those that they began with; documents of providers
    /// and answered attempts are known as before, and a store of the same description is kept.
    pub(crate) fn renew(&self, mut settings: Settings) -> Result<()> {
        let before = self.current.load();
        if let Some(store) = &before.store {
            settings.share_store(store);
        }
        let vestibule = settings.builder()?.build()?;
        let driver = before.driver.renewed(vestibule, AdmitAll).hosted_by(settings.host()?);
        self.current.store(Work::of(driver, &settings));
        Ok(())
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, mut request: Request, peer: Option<SocketAddr>) -> Response {
        let work = self.current.load_full();
        let _under_way = self.metrics.under_way();
        let id = self.ids.of(request.headers(), &work.server.request_id_header);
        let line = Line::begin(&work.server, request.method(), request.uri(), peer);
        let is_check = work.driver.vestibule().is_question(request.uri().path());
        if let Some(peer) = peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        // Of the highest level, so that a log of errors alone tells which request each is about.
        let span = tracing::error_span!("request", id);
        let answer = tokio::time::timeout(ANSWER_TIME_MAX, work.app.clone().oneshot(request));
        let response = match answer.instrument(span.clone()).await {
            Ok(Ok(response)) => response,
            Err(_) => overdue(),
        };
        let status = response.status();
        self.metrics.answered(status.as_u16());
        if is_check {
            self.metrics.checked(Verdict::of(status.as_u16()));
        }
        if let Some(line) = line {
            span.in_scope(|| line.write(status, is_check && status.is_success()));
        }
        response
    }
}

fn overdue() -> Response {
    let mut response = Response::new(Body::from("The answer took too long.\n"));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}
