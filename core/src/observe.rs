//! Who is told what happens, beside the log: metrics, an audit trail.
//!
//! An observer sees every event and every exchange with a provider as it comes. What it is given holds nothing secret
//! and nothing from outside but names that the configuration knows.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::{
    driver::Host,
    entropy::Seed,
    exchange::{HttpFailure, HttpRequest, HttpResponse, Purpose},
    log,
    response::Event,
    time::Timestamp,
};

/// Is told what happens. Its methods are called in the middle of requests: they must return at once.
pub trait Observer: Send + Sync + 'static {
    /// Something came of a request.
    fn event(&self, _event: &Event) {}

    /// A provider is being asked something. What this returns is called with what came of it; where nobody waits for
    /// the answer any more, it is dropped. A clock belongs in it: the core has none that is fine enough.
    fn asks(&self, _asked: Asked<'_>) -> Option<OnAnswered> {
        None
    }
}

/// What an [`Observer`] wants to be called with when a provider has answered, or has not.
pub type OnAnswered = Box<dyn FnOnce(Result<u16, HttpFailure>) + Send>;

/// One question to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Asked<'a> {
    /// Why.
    pub purpose: Purpose,
    /// The host that is asked. It comes from the configuration, or from what a configured issuer says of itself.
    pub host: &'a str,
}

/// A host together with whoever is told what happens there.
#[derive(Clone)]
pub(crate) struct ObservedHost {
    pub(crate) host: Arc<dyn Host>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

impl ObservedHost {
    pub(crate) fn now(&self) -> Timestamp {
        self.host.now()
    }

    pub(crate) fn seed(&self) -> Seed {
        self.host.seed()
    }

    pub(crate) fn wait(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.host.wait(time)
    }

    pub(crate) fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.host.spawn(task);
    }

    /// Writes what came of a request into the log, and tells the observer.
    pub(crate) fn tell(&self, event: Option<&Event>) {
        log::event(event);
        if let (Some(observer), Some(event)) = (&self.observer, event) {
            observer.event(event);
        }
    }

    /// One exchange with a provider.
    pub(crate) async fn exchange(
        &self,
        purpose: Purpose,
        request: HttpRequest,
        timeout: Duration,
    ) -> Result<HttpResponse, HttpFailure> {
        let on_answered = self.observer.as_ref().and_then(|observer| {
            observer.asks(Asked { purpose, host: request.uri().host().unwrap_or_default() })
        });
        let result = self.host.exchange(request, timeout).await;
        log::exchanged(purpose, &result);
        if let Some(on_answered) = on_answered {
            on_answered(
                result.as_ref().map(|response| response.status().as_u16()).map_err(|failure| *failure),
            );
        }
        result
    }
}
