//! The middleware that lets nobody through without a session.

use std::future::{Ready, ready};

use actix_web::{
    HttpMessage as _,
    body::EitherBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::header::{CACHE_CONTROL, HeaderName, HeaderValue, VARY},
};
use futures_util::future::{Either, MapOk, TryFutureExt as _};
use vestibule::guarded;

use crate::{Gate, extract::Admitted};

/// Keeps whole scopes, or single resources, to people who are signed in and may enter. Made by [`Gate::require`].
#[derive(Clone, Debug)]
#[must_use = "a scope or a resource has to be wrapped in it: `.wrap(gate.require())`"]
pub struct RequireSignIn {
    pub(crate) gate: Gate,
}

impl<S, B> Transform<S, ServiceRequest> for RequireSignIn
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type Transform = Guarded<S>;
    type InitError = ();
    type Future = Ready<Result<Guarded<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(Guarded { gate: self.gate.clone(), inner }))
    }
}

/// A service behind [`RequireSignIn`].
#[derive(Debug)]
pub struct Guarded<S> {
    gate: Gate,
    inner: S,
}

impl<S, B> Service<ServiceRequest> for Guarded<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type Future = Either<
        MapOk<S::Future, fn(ServiceResponse<B>) -> Self::Response>,
        Ready<Result<Self::Response, S::Error>>,
    >;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        match self.gate.session(request.request()) {
            Ok(session) => {
                let around = request.app_data().map(Gate::id);
                request.extensions_mut().insert(Admitted { around });
                request.extensions_mut().insert(session);
                Either::Left(self.inner.call(request).map_ok(for_its_person))
            }
            // A response with its error beside it, as a handler's is: what is wrapped around it sees both.
            Err(refusal) => {
                let rejection = self.gate.turn_back(request.request(), refusal);
                Either::Right(ready(Ok(request.error_response(rejection).map_into_right_body())))
            }
        }
    }
}

fn for_its_person<B>(mut response: ServiceResponse<B>) -> ServiceResponse<EitherBody<B>> {
    let headers = response.headers_mut();
    let vary = headers.get_all(VARY).map(HeaderValue::as_bytes);
    for (name, value) in guarded::added(headers.contains_key(CACHE_CONTROL), vary).into_iter().flatten() {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response.map_into_left_body()
}
