//! Sign-in for web applications: OAuth 2 and OpenID Connect as a machine that does no I/O.
//!
//! Applications use this crate through an adapter for their framework (`vestibule-axum`); provider plugins and
//! adapters are written against it.
//!
//! - **Set up** a [`Vestibule`] with its [`config::Builder`]: the redirect URL, keys ([`seal::KeyRing`]), providers,
//!   and who may enter. Everything is checked at once.
//! - **Put it to work** with a [`driver::Driver`], which needs a [`driver::Host`] (`vestibule-reqwest` is one) and
//!   asks the application about everybody who signs in ([`driver::OnSignIn`]).
//! - **Know who asks** by [`Vestibule::check`], a plain function, or [`Vestibule::session`].
//! - **Decide who may have what** behind a proxy that asks `auth` by rules ([`access`]), believe the proxies that are
//!   listed, and choose the headers that say who it is ([`identity_headers`]).
//! - **Write a provider** by implementing [`oauth2::OAuth2`] ([`plugin`] has all that it takes), or [`provider::Provider`] for whatever is not plain
//!   OAuth 2.
//!
//! The sign-in itself is in [`flow`]: a [`flow::Step`] is either done, or an effect together with the machine that
//! waits for its answer. Time and randomness come in as values, so that a run can be replayed from a list of its
//! inputs:
//!
//! ```
//! use std::sync::Arc;
//! use vestibule::{Vestibule, flow::Step, request::PlainHead, seal::KeyRing, time::Timestamp};
//! # use vestibule::{conversation::Http, identity::{Identity, Tokens}, oauth2::{OAuth2, OAuth2Spec}, provider::ProviderError};
//! # struct Example(OAuth2Spec);
//! # #[async_trait::async_trait]
//! # impl OAuth2 for Example {
//! #     fn spec(&self) -> &OAuth2Spec { &self.0 }
//! #     async fn identify(&self, _: &Http, _: &Tokens) -> Result<Identity, ProviderError> { Ok(Identity::new(1)) }
//! # }
//! # let at = |path| url::Url::parse("https://op.example").unwrap().join(path).unwrap();
//! # let provider = Example(OAuth2Spec::new("op", "OP", at("authorize"), at("token"), "client", None));
//! let vestibule = Vestibule::builder("https://app.example/oauth2/callback")
//!     .keys(KeyRing::new(["a secret of at least 32 bytes, kept"]).unwrap())
//!     .provider(provider)
//!     .build()
//!     .unwrap();
//! let request = PlainHead::navigation("/oauth2/sign_in?rd=/deep");
//! let step = Arc::new(vestibule).handle(&request, b"", Timestamp::from_unix(1_800_000_000), [7; 32]);
//! let Step::Done(outcome) = step else { panic!("a plain OAuth 2 provider needs nothing to begin") };
//! assert!(outcome.response.get("location").unwrap().starts_with("https://op.example/authorize?response_type=code"));
//! ```

pub mod access;
pub mod address;
mod asked;
pub mod attempt;
mod authorization_response;
mod base64url;
pub mod bearer;
mod canonical;
pub mod check;
mod claims;
pub mod config;
mod constraints;
pub mod conversation;
mod cookie;
mod documents;
pub mod driver;
mod endpoints;
pub mod entropy;
pub mod errand;
pub mod exchange;
mod fetches;
pub mod flow;
pub mod guarded;
pub mod identity;
pub mod identity_headers;
pub mod json;
pub mod limits;
mod log;
pub mod oauth2;
pub mod observe;
pub mod pages;
pub mod paths;
mod places;
pub mod plugin;
pub mod provider;
mod proxies;
pub mod refusal;
mod refuse;
pub mod request;
pub mod response;
pub mod return_target;
mod rules;
pub mod seal;
pub mod secret;
pub mod session;
pub mod store;
pub mod stored;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod time;
pub mod token_reply;
pub mod tokens;
#[cfg(feature = "testkit")]
pub mod transcript;

pub use config::Vestibule;
