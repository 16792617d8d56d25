//! The endpoints, as a router.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
};

use axum::{
    Extension, Router,
    body::Body,
    extract::Request,
    http::{Response, request::Parts},
    routing::{MethodRouter, any_service},
};
use futures_util::future::{BoxFuture, Either, FutureExt as _};
use tower::service_fn;
use vestibule::{driver::Driver, refusal::Refusal, session::Session, tokens::KeptTokens};

use crate::{
    RequireSignIn,
    extract::Wiring,
    head::{Granted, Head, translate},
};

/// A vestibule in an axum application: its endpoints, and what keeps watch over the application's own routes.
/// Cheap to clone; it can also be part of the application's state.
#[derive(Clone, Debug)]
pub struct Gate {
    driver: Driver,
}

impl Gate {
    /// Puts `driver` behind axum routes.
    pub fn new(driver: Driver) -> Self {
        Self { driver }
    }

    /// The driver behind it.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    /// Every endpoint at its whole path, wherever it was renamed to: merge this into the outermost router.
    ///
    /// Where proxies or clients are told apart by their addresses, serve the application with
    /// `into_make_service_with_connect_info::<SocketAddr>()`: axum does not know its peers otherwise.
    pub fn routes<S>(&self) -> Router<S> {
        let mut router = Router::new();
        let vestibule = self.driver.vestibule();
        for (path, takes_provider) in vestibule.paths().all() {
            router = router.route(path, self.answers());
            if takes_provider {
                router = router.route(&format!("{path}/{{provider}}"), self.answers());
            }
        }
        if let Some(path) = vestibule.questions_below() {
            let below = [format!("{path}/"), format!("{path}/{{*below}}")];
            router = below.iter().fold(router, |router, path| router.route(path, self.answers()));
        }
        router.with_state(())
    }

    /// Everything below one prefix, to be nested at `vestibule.paths().prefix()`. Nested anywhere else it answers each
    /// request with what to do about that. Paths outside the prefix are not in it: an application that has renamed
    /// endpoints, or has other addresses for signing out, takes [`Gate::routes`].
    pub fn scope<S>(&self) -> Router<S> {
        Router::new().route("/", self.answers()).route("/{*below}", self.answers()).with_state(())
    }

    /// A layer for routers whose handlers ask for [`SignedIn`](crate::SignedIn), and that keeps nobody out.
    pub fn layer(&self) -> Extension<Wiring> {
        Extension(Wiring::new(self.clone(), None))
    }

    /// A layer for routers that nobody gets into who is not signed in. Browsers are sent to sign in and back; scripts,
    /// sockets and API clients get a problem to read. Handlers behind it may ask for
    /// [`SignedIn`](crate::SignedIn), and for `Extension<Session>`.
    ///
    /// More can be asked of them: `gate.require().group("staff").signed_in_within(Duration::from_secs(600))`.
    ///
    /// A preflight has no cookie: a layer that answers those (CORS) goes outside this one.
    pub fn require(&self) -> RequireSignIn {
        RequireSignIn::new(self.clone())
    }

    /// The session of whoever sent the request, for code that is no handler.
    ///
    /// # Errors
    /// Nobody is signed in, or somebody who may not enter; [`Gate::turn_back`] says what to answer.
    pub async fn session(&self, parts: &Parts) -> Result<Session, Refusal> {
        self.driver.session(&Head(parts)).await
    }

    /// The tokens of whoever sent the request, where the site keeps them (`Builder::keep_tokens`).
    ///
    /// # Errors
    /// The session store cannot be asked.
    pub async fn tokens(&self, parts: &Parts) -> Result<Option<KeptTokens>, Refusal> {
        self.driver.tokens(&Head(parts)).await
    }

    /// What somebody gets who may not have what they asked for.
    pub fn turn_back(&self, parts: &Parts, refusal: Refusal) -> Response<Body> {
        translate(self.driver.turn_back(&Head(parts), refusal))
    }

    fn answers(&self) -> MethodRouter {
        let granted = Granted::new(self.driver.vestibule().granted_headers());
        // In one piece, since axum copies a service for each request.
        let shared = Arc::new((self.driver.clone(), granted));
        any_service(service_fn(move |request| answer(&shared, request)))
    }
}

type Answer = Result<Response<Body>, Infallible>;

/// No handler: that would put each request into a future of a kilobyte before it looks at it.
fn answer(
    (driver, granted): &(Driver, Granted),
    request: Request,
) -> Either<Ready<Answer>, BoxFuture<'static, Answer>> {
    let (parts, body) = request.into_parts();
    if let Some(response) = driver.grant(&Head(&parts)) {
        return Either::Left(ready(Ok(granted.translate(&parts, response))));
    }
    let driver = driver.clone();
    let answer = async move { translate(driver.answer(&Head(&parts), body.into_data_stream()).await) };
    Either::Right(answer.map(Ok).boxed())
}
