//! Documents of providers, fetched by one request at a time however many wait for them.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Either, WeakShared, select},
};
use url::Url;

use crate::{
    documents::{Documents, LookUp},
    driver::lock,
    exchange::{Document, Freshness, HttpFailure, Purpose, Usable},
    limits::PROVIDER_CALL_TIME_MAX,
    observe::ObservedHost,
};

/// A fetch under way. Only its task and whoever waits for it hold on to it.
type UnderWay = WeakShared<BoxFuture<'static, Result<Document, HttpFailure>>>;

/// What somebody wants of a document.
pub(crate) struct Wanted {
    pub(crate) purpose: Purpose,
    pub(crate) url: Url,
    pub(crate) freshness: Freshness,
    pub(crate) usable: Usable,
    pub(crate) timeout: Duration,
}

/// The documents of a process, and the fetches of them that are under way.
#[derive(Default)]
pub(crate) struct Fetches {
    documents: Mutex<Documents>,
    /// What everybody has let go of can be begun anew.
    under_way: Mutex<HashMap<Url, UnderWay>>,
}

impl Fetches {
    /// A document that is new enough.
    ///
    /// A fetch has the time of any exchange with a provider. Whoever has less time left waits no longer than that, and
    /// the fetch goes on for the others.
    ///
    /// Whoever needs a newer one than there is waits for it; whoever does not goes on with the one that is there,
    /// even while another request is fetching it anew.
    pub(crate) async fn document(
        self: &Arc<Self>,
        host: &Arc<ObservedHost>,
        wanted: Wanted,
    ) -> Result<Document, HttpFailure> {
        let Wanted { purpose, url, freshness, usable, timeout } = wanted;
        let joined = {
            let mut under_way = lock(&self.under_way);
            // One that has ended is not under way, even while its task still holds on to it.
            let running =
                under_way.get(&url).and_then(WeakShared::upgrade).filter(|fetch| fetch.peek().is_none());
            let mut documents = lock(&self.documents);
            match running {
                Some(running) => {
                    match documents.last(&url, host.now()).filter(|_| freshness == Freshness::Cached) {
                        Some(document) => return Ok(document),
                        None => (running, None),
                    }
                }
                None => match documents.look_up(&url, freshness, host.now()) {
                    LookUp::Use(document) => return Ok(document),
                    LookUp::Failed(failure) => return Err(failure),
                    LookUp::Fetch => {
                        let fetch = Arc::clone(self).fetch(Arc::clone(host), purpose, url.clone(), usable);
                        let fetch = fetch.boxed().shared();
                        under_way.retain(|_, other| other.upgrade().is_some());
                        if let Some(weak) = fetch.downgrade() {
                            under_way.insert(url.clone(), weak);
                        }
                        (fetch.clone(), Some(fetch))
                    }
                },
            }
        };
        let (fetch, begun) = joined;
        if let Some(begun) = begun {
            // Detached, so that whoever began it may leave without the others having to begin again.
            host.spawn(Box::pin(begun.map(drop)));
        }
        match select(fetch, host.wait(timeout)).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => lock(&self.documents).last(&url, host.now()).ok_or(HttpFailure::TimedOut),
        }
    }

    async fn fetch(
        self: Arc<Self>,
        host: Arc<ObservedHost>,
        purpose: Purpose,
        url: Url,
        usable: Usable,
    ) -> Result<Document, HttpFailure> {
        let request = http::Request::get(url.as_str()).header(http::header::ACCEPT, "application/json");
        let (result, usable) = match request.body(Vec::new()) {
            Ok(request) => {
                let exchange = async {
                    let result = host.exchange(purpose, request, PROVIDER_CALL_TIME_MAX).await;
                    let usable = result.as_ref().is_ok_and(|response| usable.serves(response.body()));
                    (result, usable)
                };
                // A host or plugin that panics must not take everybody with it who ever asks for this document.
                let exchange = AssertUnwindSafe(exchange).catch_unwind().await;
                exchange.unwrap_or((Err(HttpFailure::Broken), false))
            }
            Err(_) => (Err(HttpFailure::AddressRefused), false),
        };
        lock(&self.documents).fetched(purpose, &url, result, usable, host.now())
    }
}
