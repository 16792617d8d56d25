//! Requests and responses, in the core's words and in axum's.

use std::net::{IpAddr, SocketAddr};

use axum::{
    body::Body,
    extract::{ConnectInfo, OriginalUri},
    http::{Error, HeaderName, HeaderValue, Response, StatusCode, request::Parts},
};
use vestibule::{request::RequestHead, response};

/// A request's head as the core reads it: in place, and with the path that the browser sees, whatever prefix a router
/// has taken away on the way.
#[derive(Clone, Copy, Debug)]
pub struct Head<'r>(pub &'r Parts);

impl RequestHead for Head<'_> {
    fn method(&self) -> &str {
        self.0.method.as_str()
    }

    fn target(&self) -> &str {
        let original = self.0.extensions.get::<OriginalUri>().map(|OriginalUri(uri)| uri);
        let uri = original.unwrap_or(&self.0.uri);
        uri.path_and_query().map_or("", |target| target.as_str())
    }

    fn peer(&self) -> Option<IpAddr> {
        self.0.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.0.headers.get(name).map(|value| value.as_bytes())
    }

    fn each_header<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
        self.0.headers.get_all(name).iter().for_each(|value| each(value.as_bytes()));
    }
}

/// The core's response as axum's: every header in its order, none left out.
pub(crate) fn translate(response: response::Response) -> Response<Body> {
    convert(response).unwrap_or_else(|error| {
        // A header that is left out can let a client's own through, so that nothing goes out at all.
        tracing::error!(error = &error as &dyn std::error::Error, "the core's response is no HTTP response");
        translate(response::Response::not_set_up())
    })
}

fn convert(response: response::Response) -> Result<Response<Body>, Error> {
    // An empty body that is none needs no memory.
    let body = if response.body.is_empty() { Body::empty() } else { Body::from(response.body) };
    let mut converted = Response::new(body);
    *converted.status_mut() = StatusCode::from_u16(response.status)?;
    let headers = converted.headers_mut();
    // One more: axum adds the length, and a map that is full would be built anew for it.
    headers.reserve(response.headers.len() + 1);
    for (name, value) in response.headers {
        // The names are literals of the core's, in lower case: they are used where they stand.
        headers.append(HeaderName::from_static(name), HeaderValue::try_from(value)?);
    }
    Ok(converted)
}
