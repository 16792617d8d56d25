//! Sign-in for web applications: OAuth 2 and OpenID Connect as a sans-IO machine.

pub mod attempt;
mod callback;
pub mod check;
pub mod config;
pub mod conversation;
mod cookie;
mod documents;
pub mod driver;
mod endpoints;
pub mod entropy;
pub mod exchange;
pub mod flow;
pub mod identity;
pub mod json;
pub mod limits;
mod log;
pub mod oauth2;
mod pages;
pub mod paths;
pub mod provider;
pub mod refusal;
pub mod request;
pub mod response;
pub mod return_target;
mod rules;
pub mod seal;
pub mod secret;
pub mod session;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod time;
pub mod token_reply;
#[cfg(feature = "testkit")]
pub mod transcript;

pub use config::Vestibule;
