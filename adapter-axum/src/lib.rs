//! Sign-in for [axum](https://docs.rs/axum) by [`vestibule`]: a router for its endpoints, an extractor for the
//! signed-in person, and a layer that keeps whole routers to people who are signed in.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use vestibule::{Vestibule, driver::{AdmitAll, Driver}, seal::KeyRing};
//! use vestibule_axum::{Gate, SignedIn};
//! use vestibule_oidc::Oidc;
//! use vestibule_reqwest::ReqwestHost;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Oidc::builder("https://op.example", "client-id").client_secret("client-secret").build()?;
//! let vestibule = Vestibule::builder("https://app.example/oauth2/callback")
//!     .provider(provider)
//!     .keys(KeyRing::new([std::env::var("COOKIE_SECRET")?])?)
//!     .build()?;
//! let gate = Gate::new(Driver::new(vestibule, ReqwestHost::new()?, AdmitAll));
//!
//! let app: Router = Router::new()
//!     .route("/account", get(async |SignedIn(session): SignedIn| session.identity.subject))
//!     .layer(gate.require()) // everything above is for signed-in people only,
//!     .route("/", get(async |who: Option<SignedIn>| if who.is_some() { "you again" } else { "hello" }))
//!     .layer(gate.layer()) // and what comes after is for everybody
//!     .merge(gate.routes());
//! # let listener = tokio::net::TcpListener::bind("127.0.0.1:4180").await?;
//! # axum::serve(listener, app).await?;
//! # Ok(())
//! # }
//! ```
//!
//! An application's own tests sign people in with `testing` (feature `testkit`).
//!
//! There is no rule in this crate: which status, which cookie, who is redirected and who reads a problem is decided in
//! the core, and is the same with every framework. What is here translates types and runs the driver.

mod extract;
mod gate;
mod handler;
mod head;
mod require;
#[cfg(feature = "testkit")]
pub mod testing;

pub use extract::{Rejection, SignedIn, Wiring};
pub use gate::Gate;
pub use handler::Kept;
pub use head::Head;
pub use require::{Guarded, RequireSignIn};

/// The examples of what compiles and what must not.
#[cfg(doctest)]
#[doc = include_str!("../wiring.md")]
pub struct Wired;
