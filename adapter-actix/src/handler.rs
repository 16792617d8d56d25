//! What handlers do with the session of whoever sent the request, and with sign-ins of their own.

use actix_web::{CustomizeResponder, HttpRequest, HttpResponse, Responder};
use vestibule::{
    config::SignInWith,
    guarded::Condition,
    session::{ApplicationData, NotKept, Session, SessionHeaders},
};

use crate::{
    Gate, Rejection,
    head::{Head, translate},
};

impl Gate {
    /// The session of whoever sent the request and meets `condition`: a guard within a handler.
    ///
    /// # Errors
    /// What to answer instead, to be returned as it is.
    pub async fn admit(&self, request: &HttpRequest, condition: &Condition) -> Result<Session, Rejection> {
        self.driver().admit(&Head(request), condition).await.map_err(Rejection::TurnedBack)
    }

    /// Sends the browser to sign in, with wishes of the application's own. Answer with it as it is.
    pub async fn begin(&self, request: &HttpRequest, with: SignInWith) -> HttpResponse {
        translate(self.driver().begin(&Head(request), &with).await)
    }

    /// Ends the session and shows the page that says so, as `sign_out` does for whoever confirms it. Let it be the
    /// answer to POST only: a link on any page would do otherwise.
    pub async fn end(&self, request: &HttpRequest) -> HttpResponse {
        translate(self.driver().end(&Head(request), None).await)
    }

    /// As [`Gate::end`], and leads to a page of this site afterwards.
    pub async fn end_at(&self, request: &HttpRequest, return_to: &str) -> HttpResponse {
        translate(self.driver().end(&Head(request), Some(return_to)).await)
    }

    /// The session with other data of the application's: `kept.on("saved")` is an answer that changes it. The last of
    /// several such answers wins; see [`Vestibule::keep_data`](vestibule::Vestibule::keep_data).
    ///
    /// # Errors
    /// There is no session, or no room in it; [`Gate::turn_back`] takes the error's `refusal()`.
    pub async fn keep(&self, request: &HttpRequest, data: ApplicationData) -> Result<Kept, NotKept> {
        self.driver().keep(&Head(request), data).await.map(Kept)
    }
}

/// A session with other data in it, for an answer.
#[derive(Clone, Debug)]
#[must_use = "it changes the session with an answer: `kept.on(\"saved\")`"]
pub struct Kept(SessionHeaders);

impl Kept {
    /// An answer that changes the session.
    pub fn on<R: Responder>(self, answer: R) -> CustomizeResponder<R> {
        self.0.into_iter().fold(answer.customize(), |answer, header| answer.append_header(header))
    }
}
