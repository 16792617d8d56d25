#![doc = include_str!("docs.md")]

mod account;
mod addresses;
mod config;
mod identify;
mod oauth1;
mod oauth1_config;
mod refused;
mod three_legged;
mod verify_credentials;

pub use config::Builder;
pub use identify::Twitter;
pub use oauth1_config::OAuth1Builder;
pub use three_legged::TwitterOAuth1;
