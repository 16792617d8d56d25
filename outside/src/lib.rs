//! Vestibule seen from outside: real servers, a real browser, and the programs as they are built.
//!
//! A test here starts what it needs, speaks to it over loopback only, and leaves nothing behind:
//! every program is a [`Child`] that ends with the value that holds it, every port comes from the
//! system, every file lies in a folder of its own. So tests run beside each other and twice in a
//! row. A test that lacks a tool fails and says `run cargo xtask test`; none is skipped.

mod app;
mod browser;
mod child;
mod devtools;
mod echo;
mod emulate;
mod idp;
mod keycloak;
mod nginx;
mod oidc_provider;
pub mod ports;
mod proxy;
pub mod redis;
mod seed1;
mod seed2;
mod seed3;
mod site;
mod streamlit;
pub mod tools;
mod visitor;
mod wire;
mod x;

pub use app::{App, AppBuilder, Framework};
pub use browser::{Browser, Setting};
pub use child::Child;
pub use devtools::{Kept, Screen};
pub use echo::{Echo, lines_named};
pub use emulate::Emulate;
pub use idp::Idp;
pub use keycloak::{Keycloak, Realm, RealmSession};
pub use nginx::Nginx;
pub use oidc_provider::OidcProvider;
pub use proxy::{Addresses, Kind, Proxy};
pub use seed1::{COOKIE_SECRET, Seed1, application};
pub use seed2::Seed2;
pub use seed3::Seed3;
pub use site::Site;
pub use streamlit::Streamlit;
pub use visitor::{Visited, Visitor, location};
pub use wire::{Reply, Wire};
pub use x::X;

use std::time::Duration;

/// How long anything here is waited for before a test gives up: ample for two busy cores, short
/// enough that a hang is seen as one.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The client that each example is, to every provider that these tests start.
pub mod client {
    /// Its id.
    pub const ID: &str = "vue-example";
    /// Its secret, in use on loopback only.
    pub const SECRET: &str = "a-secret-that-only-loopback-has-seen";

    /// Where a provider may send browsers back to, for a system at `origin`: with and without a prefix of the
    /// application's own.
    pub fn callbacks(origin: &str) -> [String; 2] {
        ["/app", ""].map(|prefix| format!("{origin}{prefix}/oauth2/callback"))
    }
}
