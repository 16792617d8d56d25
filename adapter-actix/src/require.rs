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
use futures_util::future::{Either, LocalBoxFuture, MapOk, TryFutureExt as _};
use vestibule::{
    config::ConfigError,
    guarded::{self, Condition},
    response::Response,
    session::Session,
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
    S: Service<ServiceRequest, Response = ServiceResponse<B>> + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type Transform = Guarded<S>;
    type InitError = ();
    type Future = Ready<Result<Guarded<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        let (gate, condition) = (Rc::new(self.gate.clone()), Rc::new(self.condition.clone()));
        ready(Ok(Guarded { gate, condition, inner: Rc::new(inner) }))
    }
}

/// A service behind [`RequireSignIn`].
#[derive(Debug)]
pub struct Guarded<S> {
    /// Counted by this worker alone.
    gate: Rc<Gate>,
    condition: Rc<Condition>,
    inner: Rc<S>,
}

type Answer<S, B> = Result<ServiceResponse<EitherBody<B>>, <S as Service<ServiceRequest>>::Error>;

/// An answer that is known at once, the guarded service's, or one that a session store has to be asked for first.
type Answering<S, B> = Either<
    Either<
        Ready<Answer<S, B>>,
        MapOk<
            <S as Service<ServiceRequest>>::Future,
            fn(ServiceResponse<B>) -> ServiceResponse<EitherBody<B>>,
        >,
    >,
    LocalBoxFuture<'static, Answer<S, B>>,
>;

impl<S, B> Service<ServiceRequest> for Guarded<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>> + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type Future = Answering<S, B>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        match self.gate.driver().admit_at_once(&Head(request.request()), &self.condition) {
            Some(Ok(session)) => {
                admit(&self.gate, &request, session);
                Either::Left(Either::Right(self.inner.call(request).map_ok(for_its_person)))
            }
            Some(Err(response)) => Either::Left(Either::Left(ready(Ok(turn_away(request, response))))),
            None => {
                let (gate, condition, inner) =
                    (Rc::clone(&self.gate), Rc::clone(&self.condition), Rc::clone(&self.inner));
                Either::Right(Box::pin(async move {
                    let admitted = gate.driver().admit(&Head(request.request()), &condition).await;
                    match admitted {
                        Ok(session) => {
                            let anew = gate.driver().sealed_anew(&Head(request.request()));
                            admit(&gate, &request, session);
                            let mut answer = inner.call(request).await?;
                            let said = answer.headers().iter();
                            let anew =
                                anew.beside(said.map(|(name, value)| (name.as_str(), value.as_bytes())));
                            for (name, value) in anew {
                                if let Ok(value) = HeaderValue::try_from(value) {
                                    answer.headers_mut().append(HeaderName::from_static(name), value);
                                }
                            }
                            Ok(for_its_person(answer))
                        }
                        Err(response) => Ok(turn_away(request, response)),
                    }
                }))
            }
        }
    }
}

/// Leaves what the extractors look for.
fn admit(gate: &Rc<Gate>, request: &ServiceRequest, session: Session) {
    let around = request.app_data().map(Gate::id);
    request.extensions_mut().insert(Admitted { gate: Rc::clone(gate), around });
    request.extensions_mut().insert(session);
}

/// A response with its error beside it, as a handler's is: what is wrapped around it sees both.
fn turn_away<B>(request: ServiceRequest, response: Box<Response>) -> ServiceResponse<EitherBody<B>> {
    request.error_response(Rejection::TurnedBack(response)).map_into_right_body()
}

fn for_its_person<B>(mut response: ServiceResponse<B>) -> ServiceResponse<EitherBody<B>> {
    let headers = response.headers_mut();
    let vary = headers.get_all(VARY).map(HeaderValue::as_bytes);
    for (name, value) in guarded::added(headers.contains_key(CACHE_CONTROL), vary).into_iter().flatten() {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response.map_into_left_body()
}
