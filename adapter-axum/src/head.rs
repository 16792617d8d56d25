//! Requests and responses, in the core's words and in axum's.

use std::net::{IpAddr, SocketAddr};

use axum::{
    body::Body,
    extract::{ConnectInfo, OriginalUri},
    http::{
        Error, HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode,
        header::{CONTENT_LENGTH, COOKIE},
        request::Parts,
    },
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
        // What every request is asked for is found by its name as it is kept, not by its letters.
        let values =
            if name == COOKIE { self.0.headers.get_all(COOKIE) } else { self.0.headers.get_all(name) };
        values.iter().for_each(|value| each(value.as_bytes()));
    }
}

/// The core's response as axum's: every header in its order, none left out.
pub(crate) fn translate(response: response::Response) -> Response<Body> {
    or_not_set_up(convert(response))
}

fn or_not_set_up(converted: Result<Response<Body>, Error>) -> Response<Body> {
    converted.unwrap_or_else(|error| {
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

/// A map of the headers with which `auth` lets somebody through, without what they say. To copy it takes less time than
/// to build one, which looks for a place for each name.
#[derive(Debug)]
pub(crate) struct Granted(HeaderMap);

impl Granted {
    pub(crate) fn new(names: Vec<&'static str>) -> Self {
        let names =
            names.into_iter().map(|name| (HeaderName::from_static(name), HeaderValue::from_static("")));
        // The length, too, which axum would add: a map that is copied has no room for it.
        Self(names.chain([(CONTENT_LENGTH, HeaderValue::from_static("0"))]).collect())
    }

    /// As [`translate`], and sooner where the response is of this kind. A success for CONNECT has no length
    /// (RFC 9110 §9.3.6).
    pub(crate) fn translate(&self, request: &Parts, response: response::Response) -> Response<Body> {
        let may_say_length = request.method != Method::CONNECT;
        if may_say_length && self.fits(&response) {
            or_not_set_up(self.filled(response))
        } else {
            translate(response)
        }
    }

    fn fits(&self, response: &response::Response) -> bool {
        let names = response.headers.iter().map(|(name, _)| *name).chain(["content-length"]);
        response.body.is_empty() && self.0.iter().map(|(name, _)| name.as_str()).eq(names)
    }

    fn filled(&self, response: response::Response) -> Result<Response<Body>, Error> {
        let mut filled = Response::new(Body::empty());
        *filled.status_mut() = StatusCode::from_u16(response.status)?;
        *filled.headers_mut() = self.0.clone();
        // In the order of the names that were compared; of one name there is one value.
        for ((_, own), (_, value)) in filled.headers_mut().iter_mut().zip(response.headers) {
            *own = HeaderValue::try_from(value)?;
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get() -> Parts {
        axum::http::Request::get("/").body(()).unwrap().into_parts().0
    }

    fn core_response(headers: &[(&'static str, &str)]) -> response::Response {
        let mut response = response::Response::not_set_up();
        response.headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        response.body.clear();
        response
    }

    #[test]
    fn a_map_that_is_filled_in_says_what_one_that_is_built_says() {
        let granted = Granted::new(vec!["x-a", "cache-control", "x-b"]);
        let fitting = [("x-a", "1"), ("cache-control", "no-store"), ("x-b", "Zoë")];
        assert!(granted.fits(&core_response(&fitting)));
        let mut one_more = granted.translate(&get(), core_response(&fitting));
        assert_eq!(one_more.headers_mut().remove(CONTENT_LENGTH).unwrap(), "0", "as axum says it");
        assert_eq!(one_more.headers(), translate(core_response(&fitting)).headers());
        for other in [
            &[("x-a", "1"), ("x-b", "2"), ("cache-control", "no-store")][..],
            &[("x-a", "1"), ("cache-control", "no-store")],
            &[("x-a", "1"), ("x-a", "1"), ("cache-control", "no-store"), ("x-b", "2")],
            &[],
        ] {
            assert!(!granted.fits(&core_response(other)), "{other:?}");
            let translated = granted.translate(&get(), core_response(other));
            assert_eq!(translated.headers(), translate(core_response(other)).headers());
        }
        let mut with_body = core_response(&fitting);
        with_body.body = b"text".to_vec();
        assert!(!granted.fits(&with_body), "its length would be wrong");
    }

    #[test]
    fn a_value_that_can_stand_in_no_header_lets_nothing_out() {
        let granted = Granted::new(vec!["x-a"]);
        let hostile = core_response(&[("x-a", "1\r\nx-b: 2")]);
        assert!(granted.fits(&hostile));
        let translated = granted.translate(&get(), hostile);
        assert_eq!((translated.status().as_u16(), translated.headers().get("x-a")), (500, None));
    }
}
