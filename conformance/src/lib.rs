//! The whole sign-in in one process: the core's driver, the reqwest host and the OpenID Connect provider, against a
//! provider that lies on command, over loopback. There is no framework and no browser program; what an adapter adds is
//! tested in `outside`.
//!
//! A [`Site`] is our side and its provider. [`Site::sign_in`] sends a [`Browser`] once round and says what came of it:
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use vestibule_conformance::{Endpoint::*, Lie, Site};
//!
//! let site = Site::start().await;
//! let outcome = site.sign_in().await;
//! assert_eq!(outcome.session().identity.username.as_deref(), Some("alice"));
//! assert_eq!(outcome.asked, [Metadata, Authorize, Token, Keys, Userinfo]);
//!
//! site.provider().lie(Lie::claim("aud", "somebody else"));
//! let outcome = site.sign_in().await;
//! outcome.refused("id_token_invalid", "another audience");
//! assert_eq!(outcome.asked, [Authorize, Token], "nothing after the token, and what is cached is not asked for");
//! # });
//! ```
//!
//! The tests lie in `tests/`, one folder or file a theme, and are named after the ids of `docs/threat-model.md`.

mod browser;
mod host;
mod log;
mod outcome;
mod round;
mod site;
mod trap;

pub use browser::Browser;
pub use host::{Asked, Wait, Watched};
pub use log::Log;
pub use outcome::{Outcome, code_of};
pub use round::Round;
pub use site::{Site, SiteBuilder};
pub use trap::Trap;
pub use vestibule_dev_provider::{
    Alg, Answer, Behaviour, DevProvider, Edit, Endpoint, HmacKey, Lie, Object, Person, Running, Secret,
    Signing, strange_keys,
};

/// The client that every site is, to its provider.
pub mod client {
    /// Its id.
    pub const ID: &str = "conformance";
    /// Its secret: long enough for every HMAC, so that what is refused is refused for another reason.
    pub const SECRET: &str = "a secret of more than sixty-four bytes, which no hash function finds too short";
    /// Where it takes codes.
    pub const REDIRECT_URI: &str = "https://app.example/oauth2/callback";
}
