//! A browser: a cookie jar, and the manners of one.

use std::{collections::BTreeMap, convert::Infallible};

use futures_util::stream;
use vestibule::{driver::Driver, request::PlainHead, response::Response};

/// A cookie jar.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    jar: BTreeMap<String, String>,
}

impl Browser {
    /// A request that carries the jar's cookies.
    pub fn with_cookies(&self, head: PlainHead) -> PlainHead {
        let cookies: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if cookies.is_empty() { head } else { head.with("cookie", cookies.join("; ")) }
    }

    /// Goes to a page.
    pub async fn visit(&mut self, driver: &Driver, target: &str) -> Response {
        self.send(driver, PlainHead::navigation(target), b"").await
    }

    /// Sends a request, and keeps what comes back.
    pub async fn send(&mut self, driver: &Driver, head: PlainHead, body: &[u8]) -> Response {
        let body = stream::iter([Ok::<_, Infallible>(body)]);
        let response = driver.answer(&self.with_cookies(head), body).await;
        self.take(&response);
        response
    }

    /// The names of the cookies that are there.
    pub fn cookies(&self) -> impl Iterator<Item = &str> {
        self.jar.keys().map(String::as_str)
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.jar.get(name).map(String::as_str)
    }

    /// Keeps and drops cookies as a browser does.
    fn take(&mut self, response: &Response) {
        for line in response.set_cookies() {
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if attributes.split(';').any(|attribute| attribute.trim() == "Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
