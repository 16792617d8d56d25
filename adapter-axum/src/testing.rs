//! For an application's own tests: somebody is signed in in one line, without a provider and without a network.
//!
//! This is behind the feature `testkit`, for `[dev-dependencies]`. It opens nothing: what it makes is made with the
//! keys of the site that is tested, and the real check, rules and layers decide about it.
//!
//! ```
//! use axum::{Router, body::Body, http::Request, routing::get};
//! use tower::ServiceExt as _;
//! use vestibule::{Vestibule, driver::{AdmitAll, Driver}, seal::KeyRing};
//! use vestibule_axum::{Gate, SignedIn, testing::{self, MemoryProvider, Person, SignedInAs as _}};
//!
//! // The application, with its own settings; only the world around it is a test's.
//! fn app(gate: &Gate) -> Router {
//!     Router::new()
//!         .route("/account", get(async |SignedIn(session): SignedIn| session.identity.subject))
//!         .layer(gate.require())
//!         .merge(gate.routes())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let vestibule = Vestibule::builder("https://app.example/oauth2/callback")
//!     .keys(KeyRing::new(["a secret of at least 32 bytes, kept"])?)
//!     .provider(MemoryProvider::new("github"))
//!     .groups(["staff"])
//!     .build()?;
//! let gate = Gate::new(Driver::new(vestibule, testing::host(), AdmitAll));
//!
//! let ask = Request::get("/account").signed_in(&gate, Person::new("7").group("staff"));
//! assert_eq!(app(&gate).oneshot(ask.body(Body::empty())?).await?.status(), 200);
//!
//! let ask = Request::get("/account").signed_in(&gate, Person::new("8").group("guests"));
//! assert_eq!(app(&gate).oneshot(ask.body(Body::empty())?).await?.status(), 403);
//!
//! // Or through the whole sign-in, as a browser goes through it:
//! let mut browser = testing::Browser::new(&app(&gate));
//! let landed = browser.sign_in("/account", Person::new("9").group("staff")).await;
//! assert_eq!(landed.header("location"), "https://app.example/account");
//! assert_eq!(browser.visit("/account").await.body, "9");
//! # Ok(())
//! # }
//! ```

use std::borrow::Borrow;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{
        HeaderMap, HeaderName, HeaderValue, Request, StatusCode,
        header::{COOKIE, LOCATION, SET_COOKIE},
        request,
    },
};
use tower::ServiceExt as _;
pub use vestibule::testkit::{CookieJar, MemoryHost, MemoryProvider, Person};
use vestibule::testkit::{FETCH_HEADERS, VISIT_HEADERS, request_target};

use crate::Gate;

/// How often a sign-in is sent on before it reaches a provider, at most.
const HOPS_MAX: usize = 8;

/// A host without a network, for tests that run in tokio.
pub fn host() -> MemoryHost {
    MemoryHost::new().spawning_by(|task| drop(tokio::spawn(task)))
}

/// What a test's request can become, as a whole or while it is built.
pub trait SignedInAs: Sized {
    /// Comes from `person`, who is signed in at `gate`'s site. Other cookies stay.
    ///
    /// # Panics
    /// See [`Person::cookies`].
    #[must_use]
    fn signed_in(self, gate: &Gate, person: impl Borrow<Person>) -> Self;

    /// Comes from a browser that goes to a page, and not from a script.
    #[must_use]
    fn visiting(self) -> Self;
}

impl SignedInAs for request::Builder {
    fn signed_in(mut self, gate: &Gate, person: impl Borrow<Person>) -> Self {
        // Without headers it is broken already, and says so when it is finished.
        self.headers_mut().into_iter().for_each(|headers| sign_in(headers, gate, person.borrow()));
        self
    }

    fn visiting(mut self) -> Self {
        self.headers_mut().into_iter().for_each(|headers| show(headers, VISIT_HEADERS));
        self
    }
}

impl<B> SignedInAs for Request<B> {
    fn signed_in(mut self, gate: &Gate, person: impl Borrow<Person>) -> Self {
        sign_in(self.headers_mut(), gate, person.borrow());
        self
    }

    fn visiting(mut self) -> Self {
        show(self.headers_mut(), VISIT_HEADERS);
        self
    }
}

fn sign_in(headers: &mut HeaderMap, gate: &Gate, person: &Person) {
    add_cookies(headers, &person.cookie_header(gate.driver()));
}

fn add_cookies(headers: &mut HeaderMap, ours: &str) {
    let others = headers.get(COOKIE).and_then(|value| value.to_str().ok());
    let all = others.map_or_else(|| ours.to_owned(), |others| format!("{others}; {ours}"));
    headers.insert(COOKIE, HeaderValue::try_from(all).expect("cookies are visible ASCII"));
}

fn show(headers: &mut HeaderMap, shown: [(&'static str, &'static str); 3]) {
    for (name, value) in shown {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

/// A browser in front of an application: it keeps cookies, shows what it does, and follows nothing by itself.
#[derive(Clone, Debug)]
pub struct Browser {
    app: Router,
    /// Its cookies.
    pub cookies: CookieJar,
}

impl Browser {
    /// A browser that has not been anywhere yet.
    pub fn new(app: &Router) -> Self {
        Self { app: app.clone(), cookies: CookieJar::default() }
    }

    /// Sends a request with the browser's cookies, and keeps those that come back.
    ///
    /// # Panics
    /// What comes back cannot be read, or is no text.
    pub async fn send(&mut self, mut request: Request<Body>) -> Answer {
        if let Some(cookies) = self.cookies.header() {
            add_cookies(request.headers_mut(), &cookies);
        }
        let Ok(response) = self.app.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        self.cookies.take(parts.headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok()));
        let body = to_bytes(body, usize::MAX).await.expect("the application finishes what it says");
        let body = String::from_utf8(body.into()).expect("the application answers in text");
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Goes to a page.
    ///
    /// # Panics
    /// See [`Browser::send`].
    pub async fn visit(&mut self, address: &str) -> Answer {
        self.send(get(address, VISIT_HEADERS)).await
    }

    /// Asks as a script of the site's does.
    ///
    /// # Panics
    /// See [`Browser::send`].
    pub async fn fetch(&mut self, address: &str) -> Answer {
        self.send(get(address, FETCH_HEADERS)).await
    }

    /// Goes to `page` and on from there to a [`MemoryProvider`], signs in there as `person`, and comes back: the answer
    /// is that to the callback.
    ///
    /// # Panics
    /// The page does not lead to such a provider.
    pub async fn sign_in(&mut self, page: &str, person: impl Borrow<Person>) -> Answer {
        let back = self.go_and_come_back(page, person).await;
        self.visit(&back).await
    }

    /// The same as far as the address that the provider sends the browser back to.
    ///
    /// # Panics
    /// The page does not lead to such a provider.
    pub async fn go_and_come_back(&mut self, page: &str, person: impl Borrow<Person>) -> String {
        let mut address = page.to_owned();
        for _ in 0..HOPS_MAX {
            let answer = self.visit(&address).await;
            address = answer.header(LOCATION.as_str()).to_owned();
            assert!(!address.is_empty(), "`{page}` leads to no provider in memory, but to {answer:?}");
            if let Some(back) = MemoryProvider::sign_in(&address, person.borrow()) {
                return back.into();
            }
        }
        panic!("`{page}` is sent on and on, lately to {address}");
    }
}

fn get(address: &str, shown: [(&'static str, &'static str); 3]) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = request_target(address).parse().expect("the test visits an address");
    show(request.headers_mut(), shown);
    request
}

/// What came back.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// Every header.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The first value of a header; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
