//! A request as the core reads it: in place, on the framework's own types.

use std::net::IpAddr;

use memchr::{memchr, memchr2};

use crate::{limits, response::Response, stored::Recognised};

/// The head of a request. Adapters implement it on their framework's request, copying nothing.
pub trait RequestHead {
    /// The method, as sent.
    fn method(&self) -> &str;

    /// The whole original request target: path and query, before any router stripped a prefix.
    fn target(&self) -> &str;

    /// The address that the connection comes from: a browser's, or that of the proxy in front. `None` where there is
    /// none, as on a unix socket, or where the framework does not know it.
    fn peer(&self) -> Option<IpAddr> {
        None
    }

    /// The first value of the header `name`, given in lower case.
    fn header(&self, name: &str) -> Option<&[u8]>;

    /// Every value of the header `name`, given in lower case, in the order received.
    fn each_header<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8]));

    /// The session that [`Vestibule::recognise`](crate::Vestibule::recognise) has found for this request, where
    /// sessions are kept in a store. No adapter implements this: [`WithSession`] does.
    fn recognised(&self) -> Option<&Recognised> {
        None
    }
}

/// A request whose session has been looked up.
#[derive(Clone, Copy, Debug)]
pub struct WithSession<'r, R: ?Sized> {
    head: &'r R,
    session: Option<&'r Recognised>,
}

impl<'r, R: RequestHead + ?Sized> WithSession<'r, R> {
    /// `head`, of which this is the session.
    pub fn new(head: &'r R, session: Option<&'r Recognised>) -> Self {
        Self { head, session }
    }
}

impl<R: RequestHead + ?Sized> RequestHead for WithSession<'_, R> {
    fn method(&self) -> &str {
        self.head.method()
    }

    fn target(&self) -> &str {
        self.head.target()
    }

    fn peer(&self) -> Option<IpAddr> {
        self.head.peer()
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.head.header(name)
    }

    fn each_header<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
        self.head.each_header(name, each);
    }

    fn recognised(&self) -> Option<&Recognised> {
        self.session
    }
}

/// The path of a request target.
pub(crate) fn path(target: &str) -> &str {
    memchr2(b'?', b'#', target.as_bytes()).map_or(target, |end| &target[..end])
}

/// The query of a request target, empty where there is none.
pub(crate) fn query(target: &str) -> &str {
    memchr(b'?', target.as_bytes()).map_or("", |at| &target[at + 1..])
}

/// The value of the query parameter `name`, where it stands exactly once.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    let mut values = url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
    let value = values.next()?.1.into_owned();
    values.next().is_none().then_some(value)
}

/// A header as text, where it is visible ASCII.
pub(crate) fn text<'r>(head: &'r (impl RequestHead + ?Sized), name: &str) -> Option<&'r str> {
    head.header(name).and_then(|value| std::str::from_utf8(value).ok()).filter(|value| value.is_ascii())
}

/// What a header says that means something only where it stands once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said<'r> {
    /// It is not there.
    Nothing,
    /// It stands once, in visible ASCII.
    Once(&'r str),
    /// It is there twice, so that two readers would take different ones, or cannot be read.
    Unreadably,
}

/// Reads a header that must not stand twice.
pub(crate) fn said<'r>(head: &'r (impl RequestHead + ?Sized), name: &str) -> Said<'r> {
    let mut count = 0;
    head.each_header(name, &mut |_| count += 1);
    match (count, text(head, name)) {
        (0, _) => Said::Nothing,
        (1, Some(text)) if !text.contains(char::is_control) => Said::Once(text),
        _ => Said::Unreadably,
    }
}

/// Who waits for the answer: that decides between a redirect and a JSON problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Asker {
    /// A browser that goes to a page.
    Navigation,
    /// A script, a WebSocket, an image, an API client: whoever cannot sign in on the way.
    Program,
}

/// Reads who asks: `Sec-Fetch-*` first (W3C Fetch Metadata), then what older browsers and sockets show.
/// nginx takes `Upgrade` out of a subrequest, but not `Sec-WebSocket-Key`.
pub fn asker(head: &(impl RequestHead + ?Sized)) -> Asker {
    if head.header("sec-websocket-key").is_some() {
        return Asker::Program;
    }
    let navigates = match text(head, "sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None if text(head, "x-requested-with")
            .is_some_and(|by| by.eq_ignore_ascii_case("xmlhttprequest")) =>
        {
            false
        }
        None => text(head, "accept").is_some_and(|accept| accept.contains("text/html")),
    };
    if navigates { Asker::Navigation } else { Asker::Program }
}

/// Whether a browser only loads a page ahead of time: nothing may come of that.
pub(crate) fn is_prefetch(head: &(impl RequestHead + ?Sized)) -> bool {
    ["sec-purpose", "purpose", "x-moz"].iter().any(|name| {
        text(head, name).is_some_and(|purpose| {
            let purpose = purpose.to_ascii_lowercase();
            purpose.contains("prefetch") || purpose.contains("prerender") || purpose.contains("preview")
        })
    })
}

/// The answer to a request that must change nothing. A page that is loaded ahead of time gets none, or the browser
/// would show that nothing instead of the page once the person goes there.
pub(crate) fn without_effect(head: &(impl RequestHead + ?Sized)) -> Option<Response> {
    if is_prefetch(head) {
        return Some(Response::new(503).header("vary", "sec-purpose"));
    }
    (head.method() == "HEAD").then(|| Response::new(200))
}

/// Whether a browser goes to a document by GET, so that it can come back to it.
///
/// Behind `auth_request` the method is always GET: a form sent to the page shows in `Origin` or `Content-Type`.
pub(crate) fn is_document_visit(head: &(impl RequestHead + ?Sized)) -> bool {
    let method =
        text(head, "x-original-method").or_else(|| text(head, "x-forwarded-method")).unwrap_or("GET");
    asker(head) == Asker::Navigation
        && !is_prefetch(head)
        && method == "GET"
        && matches!(head.method(), "GET" | "HEAD")
        && text(head, "sec-fetch-dest").is_none_or(|dest| dest == "document")
        && head.header("origin").is_none()
        && head.header("content-type").is_none()
}

/// Whether the request comes from one of this site's own pages, or from nobody's: an address bar, a bookmark.
pub(crate) fn is_own_navigation(head: &(impl RequestHead + ?Sized)) -> bool {
    asker(head) == Asker::Navigation
        && !is_prefetch(head)
        && text(head, "sec-fetch-dest").is_some_and(|dest| dest == "document")
        && text(head, "sec-fetch-site").is_some_and(|site| matches!(site, "same-origin" | "none"))
}

/// Whether a request target is one that we are willing to read.
pub(crate) fn target_is_readable(target: &str) -> bool {
    target.len() <= limits::REQUEST_TARGET_BYTES_MAX
}

#[cfg(any(test, feature = "testkit"))]
pub use plain::PlainHead;

#[cfg(any(test, feature = "testkit"))]
mod plain {
    use std::net::IpAddr;

    use super::RequestHead;

    /// A request head written down in a test.
    #[derive(Clone, Debug, Default)]
    pub struct PlainHead {
        method: String,
        target: String,
        headers: Vec<(String, Vec<u8>)>,
        peer: Option<IpAddr>,
    }

    impl PlainHead {
        /// A request without headers.
        pub fn new(method: &str, target: &str) -> Self {
            let (method, target) = (method.to_owned(), target.to_owned());
            Self { method, target, headers: Vec::new(), peer: None }
        }

        /// A browser that goes to a page from this site itself or from an address bar.
        pub fn navigation(target: &str) -> Self {
            Self::new("GET", target)
                .with("sec-fetch-mode", "navigate")
                .with("sec-fetch-dest", "document")
                .with("sec-fetch-site", "none")
        }

        /// A script's request.
        pub fn fetch(target: &str) -> Self {
            Self::new("GET", target).with("sec-fetch-mode", "cors").with("sec-fetch-dest", "empty")
        }

        /// Adds a header; a second one of the same name stands beside the first.
        pub fn with(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
            self.headers.push((name.to_ascii_lowercase(), value.into()));
            self
        }

        /// Lets the request come from an address; it has none otherwise.
        pub fn from_peer(mut self, peer: IpAddr) -> Self {
            self.peer = Some(peer);
            self
        }

        /// Takes every header of that name away.
        pub fn without(mut self, name: &str) -> Self {
            self.headers.retain(|(own, _)| own != name);
            self
        }
    }

    impl RequestHead for PlainHead {
        fn method(&self) -> &str {
            &self.method
        }

        fn target(&self) -> &str {
            &self.target
        }

        fn peer(&self) -> Option<IpAddr> {
            self.peer
        }

        fn header(&self, name: &str) -> Option<&[u8]> {
            self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_slice())
        }

        fn each_header<'h>(&'h self, name: &str, each: &mut dyn FnMut(&'h [u8])) {
            self.headers.iter().filter(|(own, _)| own == name).for_each(|(_, value)| each(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_is_read_from_fetch_metadata_first() {
        let html = PlainHead::new("GET", "/").with("accept", "text/html,*/*");
        for (head, expected) in [
            (PlainHead::navigation("/"), Asker::Navigation),
            (PlainHead::fetch("/").with("accept", "text/html"), Asker::Program),
            (html.clone(), Asker::Navigation),
            (html.clone().with("x-requested-with", "XMLHttpRequest"), Asker::Program),
            (PlainHead::navigation("/").with("sec-websocket-key", "x"), Asker::Program),
            (PlainHead::new("GET", "/").with("accept", "*/*"), Asker::Program),
            (PlainHead::new("GET", "/"), Asker::Program),
        ] {
            assert_eq!(asker(&head), expected, "{head:?}");
        }
    }

    #[test]
    fn a_document_visit_is_a_get_of_a_page_and_not_a_form_or_a_frame_or_a_prefetch() {
        assert!(is_document_visit(&PlainHead::navigation("/")));
        for head in [
            PlainHead::navigation("/").with("origin", "https://a.example"),
            PlainHead::navigation("/").with("content-type", "application/x-www-form-urlencoded"),
            PlainHead::navigation("/").with("sec-purpose", "prefetch;prerender"),
            PlainHead::navigation("/").without("sec-fetch-dest").with("sec-fetch-dest", "iframe"),
            PlainHead::navigation("/").with("x-original-method", "POST"),
            PlainHead::fetch("/"),
        ] {
            assert!(!is_document_visit(&head), "{head:?}");
        }
    }
}
