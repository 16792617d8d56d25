#![doc = include_str!("../docs.md")]

mod address;
mod builder;
mod failure;
mod link;
mod scripts;
mod server;
mod store;

pub use builder::{ConfigError, RedisBuilder};
pub use store::{CALLS_UNDER_WAY_MAX, RedisStore};
