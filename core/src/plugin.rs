//! Everything that a provider plugin is written with, so that its crate depends on `vestibule` alone.
//!
//! ```
//! use vestibule::plugin::*;
//!
//! struct Forge {
//!     spec: OAuth2Spec,
//!     user: Url,
//! }
//!
//! #[async_trait]
//! impl OAuth2 for Forge {
//!     fn spec(&self) -> &OAuth2Spec {
//!         &self.spec
//!     }
//!
//!     async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
//!         let user = http.get(Purpose::Profile, &self.user, tokens).await?;
//!         Ok(user.identity("id")?.username(user.text("login")).name(user.text("full_name")))
//!     }
//! }
//! ```
//!
//! [`macro@async_trait`], [`Url`] and [`http`] come from the crates of those names: an own dependency on them is no more than
//! another way to name the same things. Whoever prefers structs to [`Json`] adds `serde` and asks with
//! [`Http::get_json`]. A guide that builds a provider from nothing is `docs/provider-guide.md`.

pub use ::http;
pub use async_trait::async_trait;
pub use url::Url;

pub use crate::{
    address::below,
    conversation::Http,
    exchange::Purpose,
    identity::{Identity, Tokens},
    oauth2::{ClientAuthentication, Json, OAuth2, OAuth2Spec, expect_ok, json_body},
    provider::{OAuthError, ProviderError},
    secret::Secret,
};

/// The guide's code.
#[cfg(doctest)]
#[doc = include_str!("../../docs/provider-guide.md")]
pub struct Guide;
