//! The third original system: an application of one page, with sign-in with X mounted into it.
//!
//! | path | who | what |
//! |---|---|---|
//! | `/login` | everybody | a page with a link |
//! | `/login/requestToken` | everybody | on to X; the link leads here |
//! | `/login/callbackUrl` | everybody | back from X |
//! | `/login/signOut` | everybody | the end of the session |
//! | `/` | signed-in people | "Hello" and the name that they have at X |
//! | everything else | signed-in people | nothing; everybody else is sent to `/login` |
//!
//! Every one of these paths, and the page that people land on, can be another: see [`Login`]. The application is there
//! twice, on axum and on actix-web: [`axum_app`] and [`actix_app`].

pub mod actix_app;
pub mod axum_app;
mod login;
mod page;
pub mod program;
mod twitter_session;

pub use login::Login;
pub use twitter_session::TwitterSession;

/// The example of the project's first page, which is compiled here.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
