//! The layer that lets nobody through without a session.

use std::{
    future::{Ready, ready},
    task::{Context, Poll},
};

use axum::{
    body::Body,
    http::{
        Request, Response,
        header::{CACHE_CONTROL, HeaderValue, VARY},
    },
};
use futures_util::future::{Either, MapOk, TryFutureExt as _};
use tower::{Layer, Service};
use vestibule::guarded;

use crate::{Gate, extract::Wiring};

/// Keeps whole routers, or any other service, to people who are signed in and may enter. Made by [`Gate::require`].
#[derive(Clone, Debug)]
#[must_use = "a router has to be given it: `.layer(gate.require())`, after its routes"]
pub struct RequireSignIn {
    gate: Gate,
}

impl RequireSignIn {
    pub(crate) fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

impl<S> Layer<S> for RequireSignIn {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { gate: self.gate.clone(), inner }
    }
}

/// A service behind [`RequireSignIn`].
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    gate: Gate,
    inner: S,
}

impl<S, B> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future =
        Either<MapOk<S::Future, fn(S::Response) -> S::Response>, Ready<Result<S::Response, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        match self.gate.session(&parts) {
            Ok(session) => {
                parts.extensions.insert(Wiring::new(self.gate.clone(), Some(session.id)));
                parts.extensions.insert(session);
                let answer = self.inner.call(Request::from_parts(parts, body));
                Either::Left(answer.map_ok(for_its_person))
            }
            Err(refusal) => Either::Right(ready(Ok(self.gate.turn_back(&parts, refusal)))),
        }
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
