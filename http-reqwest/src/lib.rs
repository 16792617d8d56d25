//! What a process gives [`vestibule`]: HTTP by [`reqwest`], a place for tasks by tokio, the clock, and randomness.
//!
//! ```no_run
//! use vestibule::{Vestibule, driver::{AdmitAll, Driver}};
//!
//! # fn example(vestibule: Vestibule) -> Result<(), Box<dyn std::error::Error>> {
//! let driver = Driver::new(vestibule, vestibule_reqwest::ReqwestHost::new()?, AdmitAll);
//! # drop(driver);
//! # Ok(())
//! # }
//! ```
//!
//! An exchange is bounded in every direction, whatever the provider does:
//!
//! - only https, or http to this machine; looked at for each request, before any connection;
//! - no redirect is followed, no cookie kept, nothing sent twice;
//! - [`PROVIDER_CONNECT_TIME_MAX`](vestibule::limits::PROVIDER_CONNECT_TIME_MAX) for a connection with its TLS, and
//!   the caller's `timeout` for everything together, the body's last byte included;
//! - [`PROVIDER_BODY_BYTES_MAX`](vestibule::limits::PROVIDER_BODY_BYTES_MAX) of body. The request asks for an
//!   uncompressed answer, and one that is compressed all the same is never decompressed, so that a small answer
//!   cannot become a large one: whoever expects JSON finds none in it;
//! - headers as far as hyper reads them: at most a hundred, in at most some 400 KB.

mod address;
mod builder;
mod failure;
mod host;

pub use builder::{Builder, HostError};
pub use host::ReqwestHost;

/// The example of the page on sessions.
#[cfg(doctest)]
#[doc = include_str!("../../docs/sessions.md")]
pub struct Sessions;
