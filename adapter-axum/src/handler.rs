//! What handlers do with the session of whoever sent the request, and with sign-ins of their own.

use axum::{
    body::Body,
    extract::FromRequestParts,
    http::{HeaderValue, Response, header::HeaderName, request::Parts},
    response::{IntoResponseParts, ResponseParts},
};
use vestibule::{
    config::SignInWith,
    guarded::Condition,
    response,
    session::{ApplicationData, NotKept, Session, SessionHeaders},
};

use crate::{
    Gate, Rejection,
    extract::wiring,
    head::{Head, translate},
};

impl Gate {
    /// The session of whoever sent the request and meets `condition`: a guard within a handler.
    ///
    /// # Errors
    /// What to answer instead, to be returned as it is.
    pub async fn admit(&self, parts: &Parts, condition: &Condition) -> Result<Session, Rejection> {
        let admitted = self.driver().admit(&Head(parts), condition).await;
        admitted.map_err(|response| Rejection::TurnedBack(Box::new(translate(*response))))
    }

    /// Sends the browser to sign in, with wishes of the application's own. Answer with it as it is.
    pub async fn begin(&self, parts: &Parts, with: SignInWith) -> Response<Body> {
        translate(self.driver().begin(&Head(parts), &with).await)
    }

    /// Ends the session and shows the page that says so, as `sign_out` does for whoever confirms it. Let it be the
    /// answer to POST only: a link on any page would do otherwise.
    pub async fn end(&self, parts: &Parts) -> Response<Body> {
        translate(self.driver().end(&Head(parts), None).await)
    }

    /// As [`Gate::end`], and leads to a page of this site afterwards.
    pub async fn end_at(&self, parts: &Parts, return_to: &str) -> Response<Body> {
        translate(self.driver().end(&Head(parts), Some(return_to)).await)
    }

    /// The session with other data of the application's: `(kept, "saved")` is an answer that changes it. The last of
    /// several such answers wins; see [`Vestibule::keep_data`](vestibule::Vestibule::keep_data).
    ///
    /// # Errors
    /// There is no session, or no room in it; [`Gate::turn_back`] takes the error's `refusal()`.
    pub async fn keep(&self, parts: &Parts, data: ApplicationData) -> Result<Kept, NotKept> {
        self.driver().keep(&Head(parts), data).await.map(Kept)
    }
}

/// The gate whose layer is nearest, for handlers that have none in their state: `async fn leave(gate: Gate, parts: Parts)`.
impl<S: Send + Sync> FromRequestParts<S> for Gate {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Rejection> {
        wiring(parts).map(|wiring| wiring.gate().clone())
    }
}

/// A session with other data in it, as part of an answer.
#[derive(Clone, Debug)]
#[must_use = "it changes the session as part of an answer: `(kept, \"saved\")`"]
pub struct Kept(pub(crate) SessionHeaders);

impl IntoResponseParts for Kept {
    type Error = Response<Body>;

    fn into_response_parts(self, mut answer: ResponseParts) -> Result<ResponseParts, Self::Error> {
        for (name, value) in self.0 {
            let value =
                HeaderValue::try_from(value).map_err(|_| translate(response::Response::not_set_up()))?;
            answer.headers_mut().append(HeaderName::from_static(name), value);
        }
        Ok(answer)
    }
}
