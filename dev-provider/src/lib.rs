//! An OpenID provider for demonstrations and tests: honest, or lying on command.
//!
//! It lets anybody in as any of a few invented people, so it listens on loopback only. It knows nothing of the
//! library that it serves: what passes here passes because of the protocol.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use vestibule_dev_provider::{DevProvider, Lie};
//!
//! let provider = DevProvider::builder()
//!     .client("demo", Some("secret"), ["http://127.0.0.1:4180/oauth2/callback"])
//!     .start()
//!     .await?;
//! assert!(provider.issuer().starts_with("http://127.0.0.1:"));
//!
//! // From here on ID tokens are for somebody else, until it is told to be honest again.
//! provider.lie(Lie::claim("aud", "another-client"));
//! provider.honest();
//! provider.stop().await;
//! # Ok::<(), vestibule_dev_provider::StartError>(())
//! # }).unwrap();
//! ```
//!
//! | path | does |
//! |---|---|
//! | `/.well-known/openid-configuration` | metadata |
//! | `/authorize` | a page to choose a person; at once with `login_hint=alice` |
//! | `/token` | codes with PKCE (S256) and rotating refresh tokens |
//! | `/userinfo` | claims, for a bearer token in the header |
//! | `/jwks` | public keys |
//! | `/end_session` | signs out, tells every client that wants to hear it, and leads back where that is registered |

mod builder;
mod client;
mod clock;
mod endpoints;
mod grants;
mod jose;
mod journal;
mod json;
mod lie;
mod logout;
mod pages;
mod person;
mod running;
mod serve;
mod shared;
mod start_error;
mod wire;

pub use builder::{Builder, DevProvider};
pub use client::Client;
pub use jose::{Alg, HmacKey, Signing};
pub use journal::{Issued, Received, Secret};
pub use lie::{Answer, Behaviour, Edit, Endpoint, Lie, Object, strange_keys};
pub use logout::Notified;
pub use person::Person;
pub use running::Running;
pub use start_error::{Problem, StartError};
