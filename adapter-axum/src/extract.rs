//! Who sent the request, as an argument of a handler.

use axum::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{Response, request::Parts},
    response::IntoResponse,
};
use vestibule::{
    refusal::Refusal,
    response,
    session::{Session, SessionId},
};

use crate::{Gate, head::translate};

/// What the layers of a [`Gate`] leave for the extractors. The innermost layer's word counts, and only its: a session
/// that another vestibule of the same application has opened is no session here.
#[derive(Clone, Debug)]
pub struct Wiring {
    gate: Gate,
    /// The session that the layer has opened, by name. It lies beside, for handlers that ask for it by its type, and
    /// is not kept twice.
    admitted: Option<SessionId>,
}

impl Wiring {
    pub(crate) fn new(gate: Gate, admitted: Option<SessionId>) -> Self {
        Self { gate, admitted }
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The session that the layer has opened, or that the request brings.
    async fn session(&self, parts: &Parts) -> Result<Session, Refusal> {
        let beside = parts.extensions.get::<Session>();
        match beside.filter(|session| Some(session.id) == self.admitted) {
            Some(session) => Ok(session.clone()),
            None => self.gate.session(parts).await,
        }
    }
}

impl Wiring {
    fn turned_back(&self, parts: &Parts, refusal: Refusal) -> Rejection {
        Rejection::TurnedBack(Box::new(self.gate.turn_back(parts, refusal)))
    }
}

/// The signed-in person's session; whoever has none is turned back before the handler runs.
///
/// As `Option<SignedIn>` it lets everybody through, and is `None` for whoever may not enter. The router needs
/// [`Gate::layer`] or [`Gate::require`]; what state it has does not matter.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Session);

impl std::ops::Deref for SignedIn {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Rejection> {
        let wiring = wiring(parts)?;
        wiring.session(parts).await.map(Self).map_err(|refusal| wiring.turned_back(parts, refusal))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for SignedIn {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Rejection> {
        let wiring = wiring(parts)?;
        match wiring.session(parts).await {
            Ok(session) => Ok(Some(Self(session))),
            // Nobody knows who it is, which is something else than nobody.
            Err(refusal) if refusal.leaves_unknown() => Err(wiring.turned_back(parts, refusal)),
            Err(_) => Ok(None),
        }
    }
}

pub(crate) fn wiring(parts: &Parts) -> Result<&Wiring, Rejection> {
    parts.extensions.get().ok_or_else(|| {
        let error = Rejection::NotWired;
        tracing::error!(path = parts.uri.path(), "{error}");
        error
    })
}

/// Why a handler did not get what it asks for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// Nobody is signed in, or somebody who may not enter. This is the core's answer to that.
    #[error("the request comes from nobody who may enter")]
    TurnedBack(Box<Response<Body>>),
    /// The handler's router has no layer of a [`Gate`].
    #[error(
        "a handler asks for `SignedIn` or `Gate`, but its router does not know whose sessions count: add `.layer(gate.layer())` \
         after its routes, or `.layer(gate.require())` to let nobody else in"
    )]
    NotWired,
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response<Body> {
        match self {
            Self::TurnedBack(response) => *response,
            Self::NotWired => translate(response::Response::not_set_up()),
        }
    }
}
