//! Who sent the request, as an argument of a handler.

use std::{
    future::{Ready, ready},
    rc::Rc,
};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest, HttpResponse, ResponseError,
    dev::{Extensions, Payload},
    http::StatusCode,
};
use futures_util::future::{Either, LocalBoxFuture};
use vestibule::{Vestibule, refusal::Refusal, response::Response, session::Session};

use crate::{
    Gate,
    head::{Head, translate},
};

/// Left by the middleware of a gate, beside the session that it has opened.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// The middleware's own.
    pub(crate) gate: Rc<Gate>,
    /// The [`Gate::id`] in the `app_data` around the middleware. Where a handler sees another, that came further in.
    pub(crate) around: Option<*const Vestibule>,
}

/// The signed-in person's session; whoever has none is turned back before the handler runs.
///
/// The application needs [`Gate::routes`], or the gate in its `app_data`, or the handler's scope [`Gate::require`].
///
/// As `Option<SignedIn>` it lets everybody through, and is `None` for whoever may not enter; so it is, after a line in
/// the log, in an application without a gate. Where that should be an error, take [`MaybeSignedIn`].
#[derive(Clone, Debug)]
pub struct SignedIn(pub Session);

impl std::ops::Deref for SignedIn {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl FromRequest for SignedIn {
    type Error = Rejection;
    type Future = Asking<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ask(request, |word, gate, request| word.map(Self).map_err(|refusal| gate.turn_back(request, refusal)))
    }
}

/// The session of whoever is signed in and may enter, and nobody's otherwise; everybody gets through.
#[derive(Clone, Debug)]
pub struct MaybeSignedIn(pub Option<Session>);

impl FromRequest for MaybeSignedIn {
    type Error = Rejection;
    type Future = Asking<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ask(request, |word, gate, request| match word {
            Ok(session) => Ok(Self(Some(session))),
            // Nobody knows who it is, which is something else than nobody.
            Err(refusal) if refusal.leaves_unknown() => Err(gate.turn_back(request, refusal)),
            Err(_) => Ok(Self(None)),
        })
    }
}

/// What an extractor comes to: at once, unless a session store has to be asked.
type Asking<T> = Either<Ready<Result<T, Rejection>>, LocalBoxFuture<'static, Result<T, Rejection>>>;

/// What an extractor makes of the word about a request.
type Then<T> = fn(Result<Session, Refusal>, &Gate, &HttpRequest) -> Result<T, Rejection>;

/// The word of the middleware or of the gate in the `app_data`, whichever is nearer to the handler. A session that
/// another gate of the same application has opened is none here.
fn ask<T: 'static>(request: &HttpRequest, then: Then<T>) -> Asking<T> {
    let gate = request.app_data::<Gate>();
    let extensions = request.extensions();
    if let Some((session, admitted)) = extensions.get::<Session>().zip(admitted(&extensions, gate)) {
        return Either::Left(ready(then(Ok(session.clone()), &admitted.gate, request)));
    }
    let Some(gate) = gate else { return Either::Left(ready(Err(Rejection::NotWired.logged(request)))) };
    if let Some(word) = gate.driver().session_at_once(&Head(request)) {
        return Either::Left(ready(then(word, gate, request)));
    }
    let (gate, request) = (gate.clone(), request.clone());
    Either::Right(Box::pin(async move { then(gate.session(&request).await, &gate, &request) }))
}

/// What the middleware has left, where it is nearer to the handler than the gate in the `app_data`.
fn admitted<'e>(extensions: &'e Extensions, gate: Option<&Gate>) -> Option<&'e Admitted> {
    extensions.get::<Admitted>().filter(|admitted| admitted.around == gate.map(Gate::id))
}

/// The gate that is nearest, for handlers that have none in their data: `async fn leave(gate: Gate, request: HttpRequest)`.
impl FromRequest for Gate {
    type Error = Rejection;
    type Future = Ready<Result<Self, Rejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let around = request.app_data::<Self>();
        let extensions = request.extensions();
        let nearest = admitted(&extensions, around).map(|admitted| &*admitted.gate).or(around);
        ready(nearest.cloned().ok_or_else(|| Rejection::NotWired.logged(request)))
    }
}

/// Why a handler did not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// Nobody is signed in, or somebody who may not enter. This is the core's answer to that.
    #[error("the request comes from nobody who may enter")]
    TurnedBack(Box<Response>),
    /// The application has no [`Gate`].
    #[error(
        "a handler asks for `SignedIn` or `Gate`, but its application does not know whose sessions count: add \
         `.configure(gate.routes())` or `.app_data(gate.clone())` to the `App`, or `.wrap(gate.require())` to the \
         handler's scope to let nobody else in"
    )]
    NotWired,
}

impl Rejection {
    /// A mistake in the application is for its log; who made the request learns nothing of it.
    pub(crate) fn logged(self, request: &HttpRequest) -> Self {
        tracing::error!(path = request.path(), "{self}");
        self
    }
}

impl ResponseError for Rejection {
    fn status_code(&self) -> StatusCode {
        self.error_response().status()
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::TurnedBack(response) => translate(Response::clone(response)),
            Self::NotWired => translate(Response::not_set_up()),
        }
    }
}
