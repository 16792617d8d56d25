//! The endpoints as one service: a handler would put each request into a future of a kilobyte before it looks at it.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use axum::{body::Body, extract::Request, http::Response};
use futures_util::future::{BoxFuture, Either, FutureExt as _};
use tower::Service;
use vestibule::driver::Driver;

use crate::head::{Head, translate};

#[derive(Clone, Debug)]
pub(crate) struct Answers {
    driver: Driver,
}

impl Answers {
    pub(crate) fn new(driver: Driver) -> Self {
        Self { driver }
    }
}

type Answer = Result<Response<Body>, Infallible>;

impl Service<Request> for Answers {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<Ready<Answer>, BoxFuture<'static, Answer>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (parts, body) = request.into_parts();
        if let Some(response) = self.driver.grant(&Head(&parts)) {
            return Either::Left(ready(Ok(translate(response))));
        }
        let driver = self.driver.clone();
        let answer = async move { translate(driver.answer(&Head(&parts), body.into_data_stream()).await) };
        Either::Right(answer.map(Ok).boxed())
    }
}
