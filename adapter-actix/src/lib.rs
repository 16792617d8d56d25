//! Sign-in for [actix-web](https://docs.rs/actix-web) by [`vestibule`]: its endpoints as a `configure` function or a
//! scope, extractors for the signed-in person, and a middleware that keeps whole scopes to people who are signed in.
//!
//! ```no_run
//! use actix_web::{App, HttpServer, Responder, get, web};
//! use vestibule::{Vestibule, driver::{AdmitAll, Driver}, seal::KeyRing};
//! use vestibule_actix::{Gate, SignedIn};
//! use vestibule_oidc::Oidc;
//! use vestibule_reqwest::ReqwestHost;
//!
//! #[get("/")]
//! async fn home(who: Option<SignedIn>) -> impl Responder {
//!     if who.is_some() { "you again" } else { "hello" }
//! }
//!
//! #[get("/account")]
//! async fn account(SignedIn(session): SignedIn) -> impl Responder {
//!     session.identity.subject
//! }
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let provider = Oidc::builder("https://op.example", "client-id").client_secret("client-secret").build()?;
//!     let vestibule = Vestibule::builder("https://app.example/oauth2/callback")
//!         .provider(provider)
//!         .keys(KeyRing::new([std::env::var("COOKIE_SECRET")?])?)
//!         .build()?;
//!     // One gate for all workers: they share what it knows of the provider and of attempts under way.
//!     let gate = Gate::new(Driver::new(vestibule, ReqwestHost::new()?, AdmitAll));
//!
//!     HttpServer::new(move || {
//!         App::new()
//!             .configure(gate.routes())
//!             .service(home) // for everybody
//!             .service(web::scope("/inside").wrap(gate.require()).service(account)) // for signed-in people only
//!     })
//!     .bind(("127.0.0.1", 4180))?
//!     .run()
//!     .await?;
//!     Ok(())
//! }
//! ```
//!
//! An application's own tests sign people in with `testing` (feature `testkit`).
//!
//! There is no rule in this crate: which status, which cookie, who is redirected and who reads a problem is decided in
//! the core, and is the same with every framework. What is here translates types and runs the driver. It brings no
//! runtime: an exchange with a provider runs where the driver's [`Host`](vestibule::driver::Host) runs it, and that of
//! `vestibule-reqwest` is at home on actix's workers.

mod extract;
mod gate;
mod handler;
mod head;
mod require;
#[cfg(feature = "testkit")]
pub mod testing;

pub use extract::{MaybeSignedIn, Rejection, SignedIn};
pub use gate::Gate;
pub use handler::Kept;
pub use head::Head;
pub use require::{Guarded, RequireSignIn};

/// The examples of what compiles and what must not.
#[cfg(doctest)]
#[doc = include_str!("../wiring.md")]
pub struct Wired;
