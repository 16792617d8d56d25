//! Requests and responses, in the core's words and in axum's.

use std::net::{IpAddr, SocketAddr};

use axum::{
    body::Body,
    extract::{ConnectInfo, OriginalUri},
    http::{Response, StatusCode, request::Parts},
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
    let mut translated = Response::builder().status(response.status);
    for (name, value) in response.headers {
        translated = translated.header(name, value.into_bytes());
    }
    translated.body(Body::from(response.body)).unwrap_or_else(|error| {
        // A header that is left out can let a client's own through, so that nothing goes out at all.
        tracing::error!(error = &error as &dyn std::error::Error, "the core's response is no HTTP response");
        broken()
    })
}

/// The answer where this crate, and not the core, has to give one: the application does not work as it is written.
pub(crate) fn broken() -> Response<Body> {
    let mut response =
        Response::new(Body::from("This application is not set up properly; its log says why."));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
