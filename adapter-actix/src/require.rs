//! The middleware that lets nobody through without a session.

use std::{
    future::{Ready, ready},
    rc::Rc,
    time::Duration,
};

use actix_web::{
    HttpMessage as _,
    body::EitherBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::header::{CACHE_CONTROL, HeaderName, HeaderValue, VARY},
};
use futures_util::future::{Either, MapOk, TryFutureExt as _};
use vestibule::{
    config::ConfigError,
    guarded::{self, Condition},
};

use crate::{Gate, Rejection, extract::Admitted, head::Head};

/// Keeps whole scopes, or single resources, to people who are signed in, may enter, and meet every condition that is
/// added. Made by [`Gate::require`].
#[derive(Clone, Debug)]
#[must_use = "a scope or a resource has to be wrapped in it: `.wrap(gate.require())`"]
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
        ready(Ok(Guarded { gate: Rc::new(self.gate.clone()), condition: self.condition.clone(), inner }))
    }
}

/// A service behind [`RequireSignIn`].
#[derive(Debug)]
pub struct Guarded<S> {
    /// Counted by this worker alone.
    gate: Rc<Gate>,
    condition: Condition,
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
        match self.gate.driver().admit(&Head(request.request()), &self.condition) {
            Ok(session) => {
                let around = request.app_data().map(Gate::id);
                request.extensions_mut().insert(Admitted { gate: Rc::clone(&self.gate), around });
                request.extensions_mut().insert(session);
                Either::Left(self.inner.call(request).map_ok(for_its_person))
            }
            // A response with its error beside it, as a handler's is: what is wrapped around it sees both.
            Err(response) => {
                let rejection = Rejection::TurnedBack(response);
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
