//! Requests and responses, in the core's words and in actix's. Nothing else here knows two versions of `http`.

use std::net::IpAddr;

use actix_web::{
    HttpRequest, HttpResponse,
    body::BoxBody,
    error::HttpError,
    http::{
        StatusCode,
        header::{COOKIE, HeaderName, HeaderValue},
    },
};
use vestibule::{request::RequestHead, response};

/// A request's head as the core reads it: in place, and with the path that the browser sees, in whatever scope the
/// request has arrived.
#[derive(Clone, Copy, Debug)]
pub struct Head<'r>(pub &'r HttpRequest);

impl RequestHead for Head<'_> {
    fn method(&self) -> &str {
        self.0.method().as_str()
    }

    fn target(&self) -> &str {
        self.0.uri().path_and_query().map_or("", |target| target.as_str())
    }

    fn peer(&self) -> Option<IpAddr> {
        self.0.peer_addr().map(|peer| peer.ip())
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.0.headers().get(name).map(|value| value.as_bytes())
    }

    fn each_header<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
        // What every request is asked for is found by its name as it is kept, not by its letters.
        let headers = self.0.headers();
        let values = if name == COOKIE { headers.get_all(COOKIE) } else { headers.get_all(name) };
        values.for_each(|value| each(value.as_bytes()));
    }
}

/// The core's response as actix's: every header, none left out.
pub(crate) fn translate(response: response::Response) -> HttpResponse {
    convert(response).unwrap_or_else(|error| {
        // A header that is left out can let a client's own through, so that nothing goes out at all.
        tracing::error!(%error, "the core's response is no HTTP response");
        translate(response::Response::not_set_up())
    })
}

fn convert(response: response::Response) -> Result<HttpResponse, HttpError> {
    let status = StatusCode::from_u16(response.status)?;
    let mut converted = HttpResponse::with_body(status, BoxBody::new(response.body));
    let headers = converted.headers_mut();
    headers.reserve(response.headers.len());
    for (name, value) in response.headers {
        // The names are literals of the core's, in lower case: they are used where they stand.
        headers.append(HeaderName::from_static(name), HeaderValue::try_from(value)?);
    }
    Ok(converted)
}
