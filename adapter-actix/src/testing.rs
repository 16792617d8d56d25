//! For an application's own tests: somebody is signed in in one line, without a provider and without a network.
//!
//! This is behind the feature `testkit`, for `[dev-dependencies]`. It opens nothing: what it makes is made with the
//! keys of the site that is tested, and the real check, rules and middlewares decide about it.
//!
//! ```
//! use actix_web::{App, test::{TestRequest, call_service, init_service}, web};
//! use vestibule::{Vestibule, driver::{AdmitAll, Driver}, seal::KeyRing};
//! use vestibule_actix::{Gate, SignedIn, testing::{self, MemoryProvider, Person, SignedInAs as _}};
//!
//! // The application, with its own settings; only the world around it is a test's.
//! fn app(gate: Gate) -> impl FnOnce(&mut web::ServiceConfig) {
//!     let account = web::get().to(async |SignedIn(session): SignedIn| session.identity.subject);
//!     move |config| {
//!         let inside = web::scope("/inside").wrap(gate.require()).route("/account", account);
//!         config.configure(gate.routes()).service(inside);
//!     }
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let vestibule = Vestibule::builder("https://app.example/oauth2/callback")
//!     .keys(KeyRing::new(["a secret of at least 32 bytes, kept"])?)
//!     .provider(MemoryProvider::new("github"))
//!     .groups(["staff"])
//!     .build()?;
//! let gate = Gate::new(Driver::new(vestibule, testing::host(), AdmitAll));
//! let site = init_service(App::new().configure(app(gate.clone()))).await;
//!
//! let ask = TestRequest::with_uri("/inside/account").signed_in(&gate, Person::new("7").group("staff"));
//! assert_eq!(call_service(&site, ask.to_request()).await.status(), 200);
//!
//! let ask = TestRequest::with_uri("/inside/account").signed_in(&gate, Person::new("8").group("guests"));
//! assert_eq!(call_service(&site, ask.to_request()).await.status(), 403);
//!
//! // Or through the whole sign-in, as a browser goes through it:
//! let mut browser = testing::Browser::new(&testing::site(site));
//! let landed = browser.sign_in("/inside/account", Person::new("9").group("staff")).await;
//! assert_eq!(landed.header("location"), "https://app.example/inside/account");
//! assert_eq!(browser.visit("/inside/account").await.body, "9");
//! # Ok(())
//! # }
//! ```

use std::{borrow::Borrow, fmt, pin::Pin, rc::Rc};

use actix_http::Request;
use actix_web::{
    Error,
    body::{BoxBody, MessageBody, to_bytes},
    cookie::Cookie,
    dev::{Payload, Service, ServiceResponse},
    http::{
        StatusCode,
        header::{COOKIE, HeaderMap, HeaderValue, LOCATION, SET_COOKIE},
    },
    rt,
    test::TestRequest,
};
pub use vestibule::testkit::{CookieJar, MemoryHost, MemoryProvider, Person};
use vestibule::testkit::{FETCH_HEADERS, VISIT_HEADERS, request_target};

use crate::Gate;

/// How often a sign-in is sent on before it reaches a provider, at most.
const HOPS_MAX: usize = 8;

/// A host without a network, for tests that run in actix's runtime.
pub fn host() -> MemoryHost {
    MemoryHost::new().spawning_by(|task| drop(rt::spawn(task)))
}

/// What a test's request can become.
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

impl SignedInAs for TestRequest {
    fn signed_in(self, gate: &Gate, person: impl Borrow<Person>) -> Self {
        let cookies = person.borrow().cookies(gate.driver()).into_iter();
        cookies.fold(self, |request, (name, value)| request.cookie(Cookie::new(name, value)))
    }

    fn visiting(self) -> Self {
        VISIT_HEADERS.into_iter().fold(self, TestRequest::insert_header)
    }
}

/// An application under test, whatever its type was: what takes one request and gives its response.
pub type Site = Rc<dyn Fn(Request) -> Running>;

/// A request under way.
pub type Running = Pin<Box<dyn Future<Output = Result<ServiceResponse<BoxBody>, Error>>>>;

/// An application for a [`Browser`]: `testing::site(init_service(app).await)`.
pub fn site<S, B>(app: S) -> Site
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    let app = Rc::new(app);
    Rc::new(move |request| {
        let app = Rc::clone(&app);
        Box::pin(async move { Ok(app.call(request).await?.map_into_boxed_body()) })
    })
}

/// A browser in front of an application: it keeps cookies, shows what it does, and follows nothing by itself.
#[derive(Clone)]
pub struct Browser {
    site: Site,
    /// Its cookies.
    pub cookies: CookieJar,
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser").field("cookies", &self.cookies).finish_non_exhaustive()
    }
}

impl Browser {
    /// A browser that has not been anywhere yet.
    pub fn new(site: &Site) -> Self {
        Self { site: Rc::clone(site), cookies: CookieJar::default() }
    }

    /// The request as this browser sends it: with its cookies.
    ///
    /// # Panics
    /// A cookie cannot stand in a header.
    pub fn request(&self, request: TestRequest) -> Request {
        let mut request = request.to_request();
        // Not by the test request's own cookies: it writes them down in another way than they came.
        if let Some(ours) = self.cookies.header() {
            let others = request.head().headers().get(COOKIE).and_then(|value| value.to_str().ok());
            let all = others.map_or_else(|| ours.clone(), |others| format!("{others}; {ours}"));
            let all = HeaderValue::try_from(all).expect("cookies are visible ASCII");
            request.head_mut().headers_mut().insert(COOKIE, all);
        }
        request
    }

    /// Sends a request with the browser's cookies, and keeps those that come back.
    ///
    /// # Panics
    /// The application answers by an error, or what it says is no text.
    pub async fn send(&mut self, request: TestRequest) -> Answer {
        let request = self.request(request);
        self.answered((self.site)(request)).await
    }

    /// The same with a body that comes bit by bit.
    ///
    /// # Panics
    /// See [`Browser::send`].
    pub async fn send_body(&mut self, request: TestRequest, body: Payload) -> Answer {
        let (request, _) = self.request(request).replace_payload(body);
        self.answered((self.site)(request)).await
    }

    async fn answered(&mut self, running: Running) -> Answer {
        let response = running.await.unwrap_or_else(|error| panic!("the application fails: {error}"));
        let (status, headers) = (response.status(), response.headers().clone());
        self.cookies.take(headers.get_all(SET_COOKIE).filter_map(|line| line.to_str().ok()));
        let body = to_bytes(response.into_body()).await;
        let body =
            body.unwrap_or_else(|error| panic!("the application does not finish what it says: {error}"));
        let body = String::from_utf8(body.into()).expect("the application answers in text");
        Answer { status, headers, body }
    }

    /// Goes to a page.
    ///
    /// # Panics
    /// See [`Browser::send`].
    pub async fn visit(&mut self, address: &str) -> Answer {
        self.send(TestRequest::with_uri(&request_target(address)).visiting()).await
    }

    /// Asks as a script of the site's does.
    ///
    /// # Panics
    /// See [`Browser::send`].
    pub async fn fetch(&mut self, address: &str) -> Answer {
        let request = TestRequest::with_uri(&request_target(address));
        self.send(FETCH_HEADERS.into_iter().fold(request, TestRequest::insert_header)).await
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

/// What came back.
#[derive(Debug)]
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
