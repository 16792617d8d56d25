#![doc = include_str!("docs.md")]

mod algorithm;
mod authorize;
mod bearer;
mod config;
mod id_token;
mod identify;
mod issuer;
mod jws;
mod keys;
mod logout_token;
mod metadata;
mod provider;
mod rules;
mod sign_out;
mod token;
mod userinfo;
mod validate;

pub use algorithm::Algorithm;
pub use bearer::OidcBearer;
pub use config::{Builder, UserInfo};
pub use provider::Oidc;
