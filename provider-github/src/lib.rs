#![doc = include_str!("docs.md")]

mod api;
mod config;
mod identify;
mod membership;

pub use config::Builder;
pub use identify::GitHub;
