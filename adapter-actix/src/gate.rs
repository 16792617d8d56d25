//! The endpoints, as actix mounts them.

use std::{
    future::{Ready, ready},
    rc::Rc,
    sync::Arc,
};

use actix_web::{
    Error, HttpRequest, Scope,
    dev::{ServiceRequest, ServiceResponse},
    guard::{Guard, fn_guard},
    web::{self, ServiceConfig},
};
use futures_util::future::{Either, LocalBoxFuture};
use vestibule::{Vestibule, driver::Driver, refusal::Refusal, session::Session, tokens::KeptTokens};

use crate::{
    Rejection, RequireSignIn,
    head::{Granted, Head, translate},
};

/// A vestibule in an actix application: its endpoints, and what keeps watch over the application's own routes.
///
/// Cheap to clone. Make it outside the closure of `HttpServer::new`, so that all workers have the same one.
#[derive(Clone, Debug)]
pub struct Gate {
    driver: Driver,
}

impl Gate {
    /// Puts `driver` behind actix routes.
    pub fn new(driver: Driver) -> Self {
        Self { driver }
    }

    /// The driver behind it.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    /// Every endpoint at its whole path, wherever it was renamed to: `App::new().configure(gate.routes())`, before any
    /// scope that a path of theirs begins with, since actix takes the first that fits. It also lets the application's
    /// handlers ask for [`SignedIn`](crate::SignedIn), as `.app_data(gate.clone())` does by itself.
    pub fn routes(&self) -> impl FnOnce(&mut ServiceConfig) + use<> {
        let gate = self.clone();
        move |config| {
            let vestibule = gate.driver.vestibule();
            // A scope and not a pattern: actix tries a pattern as a regular expression on whatever comes by, which
            // takes longer than opening a session does.
            let below = |path| web::scope(path).default_service(gate.answers());
            // actix tries one after the other, and what proxies ask about every request comes first.
            let mut paths: Vec<_> = vestibule.paths().all().collect();
            paths.sort_by_key(|(path, _)| !vestibule.is_question(path));
            for (path, takes_provider) in paths {
                config.service(web::service(path).guard(as_sent(path)).finish(gate.answers()));
                if takes_provider {
                    config.service(below(path).guard(one_below(path)));
                }
            }
            if let Some(path) = vestibule.questions_below() {
                config.service(below(path).guard(as_sent(path)));
            }
            config.app_data(gate);
        }
    }

    /// Everything below the prefix, as one scope: `App::new().service(gate.scope())`. Within another scope it answers
    /// each request with what to do about that. Paths outside the prefix are not in it, and neither is what
    /// [`SignedIn`](crate::SignedIn) needs: an application that has renamed endpoints, or has other addresses for
    /// signing out, takes [`Gate::routes`], and any other adds `.app_data(gate.clone())`.
    pub fn scope(&self) -> Scope {
        web::scope(self.driver.vestibule().paths().prefix()).default_service(self.answers())
    }

    /// A middleware for scopes and resources that nobody gets into who is not signed in. Browsers are sent to sign in
    /// and back; scripts, sockets and API clients get a problem to read. Handlers behind it may ask for
    /// [`SignedIn`](crate::SignedIn), and for `ReqData<Session>`; both are of this gate, unless a scope further in has
    /// another one in its `app_data`.
    ///
    /// More can be asked of them: `gate.require().group("staff").signed_in_within(Duration::from_secs(600))`.
    ///
    /// `App::wrap` would keep people from the endpoints, too. For a whole application take `web::scope("")` as its last
    /// service. A preflight has no cookie: what answers those (CORS) is wrapped after this, for the last one that is
    /// wrapped comes first.
    pub fn require(&self) -> RequireSignIn {
        RequireSignIn::new(self.clone())
    }

    /// The session of whoever sent the request, for code that is no handler.
    ///
    /// # Errors
    /// Nobody is signed in, or somebody who may not enter; [`Gate::turn_back`] says what to answer.
    pub async fn session(&self, request: &HttpRequest) -> Result<Session, Refusal> {
        self.driver.session(&Head(request)).await
    }

    /// The tokens of whoever sent the request, where the site keeps them (`Builder::keep_tokens`).
    ///
    /// # Errors
    /// The session store cannot be asked.
    pub async fn tokens(&self, request: &HttpRequest) -> Result<Option<KeptTokens>, Refusal> {
        self.driver.tokens(&Head(request)).await
    }

    /// What somebody gets who may not have what they asked for, as an error to return.
    pub fn turn_back(&self, request: &HttpRequest, refusal: Refusal) -> Rejection {
        Rejection::TurnedBack(Box::new(self.driver.turn_back(&Head(request), refusal)))
    }

    /// What clones of one gate have in common, and other gates have not.
    pub(crate) fn id(&self) -> *const Vestibule {
        Arc::as_ptr(self.driver.vestibule())
    }

    /// No handler and no resource: each of them would put the request into a future of its own before it looks at it.
    fn answers(&self) -> impl Fn(ServiceRequest) -> Answering + Clone + use<> {
        let granted = Granted::new(self.driver.vestibule().granted_headers());
        // Each worker builds an application of its own: within it no request has to count what all of them share.
        let shared = Rc::new((self.driver.clone(), granted));
        move |request| answer(&shared, request)
    }
}

type Answer = Result<ServiceResponse, Error>;
type Answering = Either<Ready<Answer>, LocalBoxFuture<'static, Answer>>;

fn answer(shared: &Rc<(Driver, Granted)>, request: ServiceRequest) -> Answering {
    let (driver, granted) = &**shared;
    let (request, body) = request.into_parts();
    if let Some(response) = driver.grant(&Head(&request)) {
        return Either::Left(ready(Ok(ServiceResponse::new(request, granted.translate(response)))));
    }
    let shared = Rc::clone(shared);
    Either::Right(Box::pin(async move {
        let response = translate(shared.0.answer(&Head(&request), body).await);
        Ok(ServiceResponse::new(request, response))
    }))
}

/// Only `path` itself, not another way to write it: actix decodes `%61` before it matches, the core never does, and an
/// address that one of them takes for an endpoint and the other does not would look like a scope at the wrong place.
fn as_sent(path: &str) -> impl Guard + use<> {
    let path = path.to_owned();
    fn_guard(move |request| request.head().uri.path().contains(&path))
}

/// `path` as it was sent, and one more segment, the provider's id.
fn one_below(path: &str) -> impl Guard + use<> {
    let path = path.to_owned();
    fn_guard(move |request| match request.head().uri.path().rsplit_once('/') {
        Some((above, provider)) => above.ends_with(&path) && !provider.is_empty(),
        None => false,
    })
}
