//! Documents of providers, fetched by one request at a time however many wait for them.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, WeakShared},
};
use url::Url;

use crate::{
    documents::{Documents, LookUp},
    driver::{Host, exchange, lock},
    exchange::{Document, Freshness, HttpFailure, Purpose},
    limits::PROVIDER_CALL_TIME_MAX,
};

/// A fetch under way. Only its task and whoever waits for it hold on to it.
type UnderWay = WeakShared<BoxFuture<'static, Result<Document, HttpFailure>>>;

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
    /// Whoever needs a newer one than there is waits for it; whoever does not goes on with the one that is there,
    /// even while another request is fetching it anew.
    pub(crate) async fn document(
        self: &Arc<Self>,
        host: &Arc<dyn Host>,
        purpose: Purpose,
        url: Url,
        freshness: Freshness,
    ) -> Result<Document, HttpFailure> {
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
                    LookUp::Fetch => {
                        let fetch =
                            Arc::clone(self).fetch(Arc::clone(host), purpose, url.clone()).boxed().shared();
                        under_way.retain(|_, other| other.upgrade().is_some());
                        if let Some(weak) = fetch.downgrade() {
                            under_way.insert(url, weak);
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
        fetch.await
    }

    async fn fetch(
        self: Arc<Self>,
        host: Arc<dyn Host>,
        purpose: Purpose,
        url: Url,
    ) -> Result<Document, HttpFailure> {
        let request = http::Request::get(url.as_str()).header(http::header::ACCEPT, "application/json");
        let result = match request.body(Vec::new()) {
            Ok(request) => {
                // A host that panics must not take everybody with it who ever asks for this document.
                let exchange = exchange(&*host, purpose, request, PROVIDER_CALL_TIME_MAX);
                AssertUnwindSafe(exchange).catch_unwind().await.unwrap_or(Err(HttpFailure::Broken))
            }
            Err(_) => Err(HttpFailure::AddressRefused),
        };
        lock(&self.documents).fetched(purpose, &url, result, host.now())
    }
}
