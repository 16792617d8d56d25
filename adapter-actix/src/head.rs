//! Requests and responses, in the core's words and in actix's. Nothing else here knows two versions of `http`.

use std::{net::IpAddr, ptr};

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
    Granted::default().translate(response)
}

/// The names of the headers with which `auth` lets somebody through, in their order, as actix knows them: to make one of
/// a text takes longer than all else that is done with it.
#[derive(Debug, Default)]
pub(crate) struct Granted(Vec<(&'static str, HeaderName)>);

impl Granted {
    pub(crate) fn new(names: Vec<&'static str>) -> Self {
        Self(names.into_iter().map(|name| (name, HeaderName::from_static(name))).collect())
    }

    /// As the function, and sooner where the response has these names.
    pub(crate) fn translate(&self, response: response::Response) -> HttpResponse {
        self.convert(response).unwrap_or_else(|error| {
            // A header that is left out can let a client's own through, so that nothing goes out at all.
            tracing::error!(%error, "the core's response is no HTTP response");
            translate(response::Response::not_set_up())
        })
    }

    fn convert(&self, response: response::Response) -> Result<HttpResponse, HttpError> {
        let status = StatusCode::from_u16(response.status)?;
        let mut converted = HttpResponse::with_body(status, BoxBody::new(response.body));
        let headers = converted.headers_mut();
        headers.reserve(response.headers.len());
        for (at, (name, value)) in response.headers.into_iter().enumerate() {
            // One and the same literal, mostly, and so it need not be read.
            let own = self.0.get(at).filter(|(own, _)| ptr::eq(*own, name)).map(|(_, own)| own.clone());
            // The names are literals of the core's, in lower case: they are used where they stand.
            let own = own.unwrap_or_else(|| HeaderName::from_static(name));
            headers.append(own, HeaderValue::try_from(value)?);
        }
        Ok(converted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn core_response(headers: &[(&'static str, &str)]) -> response::Response {
        let mut response = response::Response::not_set_up();
        response.headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        response
    }

    #[test]
    fn a_name_that_is_kept_stands_for_itself_alone() {
        let granted = Granted::new(vec!["x-a", "cache-control", "x-b"]);
        for headers in [
            &[("x-a", "1"), ("cache-control", "no-store"), ("x-b", "Zoë")][..],
            &[("x-b", "1"), ("x-a", "2"), ("cache-control", "no-store")],
            &[("x-a", "1"), ("x-a", "2"), ("x-b", "3"), ("x-c", "4"), ("x-d", "5")],
            &[],
        ] {
            let said = granted.translate(core_response(headers));
            assert_eq!(said.headers().len(), headers.len(), "{headers:?}");
            for (name, value) in headers {
                assert!(said.headers().get_all(*name).any(|own| own == value), "{name}: {value}");
            }
        }
    }

    #[test]
    fn a_value_that_can_stand_in_no_header_lets_nothing_out() {
        let said = Granted::new(vec!["x-a"]).translate(core_response(&[("x-a", "1\r\nx-b: 2")]));
        assert_eq!((said.status().as_u16(), said.headers().get("x-a")), (500, None));
    }
}
