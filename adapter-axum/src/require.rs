//! The layer that lets nobody through without a session.

use std::{
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Body,
    http::{
        Request, Response,
        header::{CACHE_CONTROL, HeaderValue, VARY},
        request::Parts,
    },
    response::IntoResponse as _,
};
use futures_util::future::{BoxFuture, Either, MapOk, TryFutureExt as _};
use tower::{Layer, Service};
use vestibule::{
    config::ConfigError,
    guarded::{self, Condition},
    session::Session,
};

use crate::{
    Gate,
    extract::Wiring,
    handler::Kept,
    head::{Head, translate},
};

/// Keeps whole routers, or any other service, to people who are signed in, may enter, and meet every condition that is
/// added. Made by [`Gate::require`].
#[derive(Clone, Debug)]
#[must_use = "a router has to be given it: `.layer(gate.require())`, after its routes"]
pub struct RequireSignIn {
    gate: Gate,
    condition: Condition,
}

impl RequireSignIn {
    pub(crate) fn new(gate: Gate) -> Self {
        Self { gate, condition: Condition::new() }
    }

    /// Only members of this group. One of several: [`RequireSignIn::that`] and [`Condition::any_group`].
    pub fn group(self, name: impl Into<String>) -> Self {
        self.that(Condition::new().group(name))
    }

    /// Only those of whom the provider has claimed this.
    pub fn claim(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.that(Condition::new().claim(name, value))
    }

    /// Only those who have signed in within that time; the others do it again, and come back.
    pub fn signed_in_within(self, time: Duration) -> Self {
        self.that(Condition::new().signed_in_within(time))
    }

    /// Only those who meet `condition`, too. One that nobody can meet is an error in the log from here on.
    pub fn that(mut self, condition: Condition) -> Self {
        self.condition = self.condition.and(self.gate.driver().noted(condition));
        self
    }

    /// The same, for applications that do not start with a guard that lets nobody in.
    ///
    /// # Errors
    /// The guard asks for what no session keeps; each problem says what to do about it.
    pub fn checked(self) -> Result<Self, ConfigError> {
        self.gate.driver().vestibule().check_condition(&self.condition)?;
        Ok(self)
    }
}

impl<S> Layer<S> for RequireSignIn {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { gate: self.gate.clone(), condition: Arc::new(self.condition.clone()), inner }
    }
}

/// A service behind [`RequireSignIn`].
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    gate: Gate,
    condition: Arc<Condition>,
    inner: S,
}

type Answer<S, B> = Result<<S as Service<Request<B>>>::Response, <S as Service<Request<B>>>::Error>;

/// An answer that is known at once, the guarded service's, or one that a session store has to be asked for first.
type Answering<S, B> = Either<
    Either<
        Ready<Answer<S, B>>,
        MapOk<<S as Service<Request<B>>>::Future, fn(Response<Body>) -> Response<Body>>,
    >,
    BoxFuture<'static, Answer<S, B>>,
>;

impl<S, B> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    B: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Answering<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let head = Head(&parts);
        match self.gate.driver().admit_at_once(&head, &self.condition) {
            Some(Ok(session)) => {
                let answer = self.inner.call(self.gate.admitted(session, parts, body));
                Either::Left(Either::Right(answer.map_ok(for_its_person)))
            }
            Some(Err(response)) => Either::Left(Either::Left(ready(Ok(translate(*response))))),
            None => {
                // The service that is ready is the one that is called.
                let next = self.inner.clone();
                let mut inner = std::mem::replace(&mut self.inner, next);
                let (gate, condition) = (self.gate.clone(), Arc::clone(&self.condition));
                Either::Right(Box::pin(async move {
                    let admitted = gate.driver().admit(&Head(&parts), &condition).await;
                    match admitted {
                        Ok(session) => {
                            let anew = gate.driver().sealed_anew(&Head(&parts));
                            let answer = inner.call(gate.admitted(session, parts, body)).await?;
                            let said = answer.headers().iter();
                            let anew =
                                anew.beside(said.map(|(name, value)| (name.as_str(), value.as_bytes())));
                            Ok(for_its_person((Kept(anew), answer).into_response()))
                        }
                        Err(response) => Ok(translate(*response)),
                    }
                }))
            }
        }
    }
}

impl Gate {
    /// The request of somebody who is let through, with what the extractors look for.
    fn admitted<B>(&self, session: Session, mut parts: Parts, body: B) -> Request<B> {
        parts.extensions.insert(Wiring::new(self.clone(), Some(session.id)));
        parts.extensions.insert(session);
        Request::from_parts(parts, body)
    }
}

fn for_its_person(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    let vary = headers.get_all(VARY).iter().map(HeaderValue::as_bytes);
    for (name, value) in guarded::added(headers.contains_key(CACHE_CONTROL), vary).into_iter().flatten() {
        headers.append(name, HeaderValue::from_static(value));
    }
    response
}
