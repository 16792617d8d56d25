//! The first original system: a Vue page and an API behind nginx, signed in to by vestibule.
//!
//! | path | who | what |
//! |---|---|---|
//! | `/app/oauth2/…` | everybody | the endpoints of vestibule |
//! | `/app/oauth/logout` | everybody | another name for signing out, which the page uses once its session has ended |
//! | `/app/api/userinfo` | signed-in people | who they are, and the time |
//! | `/app/api/first_seen` | signed-in people | since when this process knows them, as `on_sign_in` attached it |
//! | `/app/api/sessions` | signed-in people | their sessions, where these are in a store; DELETE ends all of them |
//! | `/app/api/no_auth` | everybody | a greeting |
//! | everything else | signed-in people | the page |
//!
//! nginx asks `/app/oauth2/auth` about each request and lets through what may pass. The application asks its own layer
//! all the same: it is as well protected without nginx, and that is how the demonstration runs.
//!
//! It is there twice, on axum and on actix-web: [`axum_app`] and [`actix_app`] do the same in two frameworks' words, and
//! what no framework needs to know they share. Read one of them beside this page, and the other when you need it.

pub mod actix_app;
mod api;
pub mod axum_app;
pub mod demo;
mod first_seen;
mod page;
pub mod program;
mod serve;

use anyhow::Result;
use vestibule::driver::{Driver, Host};
use vestibule_settings::{Reader, Settings, rows};

use crate::first_seen::FirstSeen;

/// The variables that this application reads, with the one default that is its own.
pub fn reader() -> Reader {
    Reader::default().with_default(&rows::PROXY_PREFIX, "/app/oauth2")
}

/// Sign-in as `settings` say, with the application's word on who may enter.
///
/// # Errors
/// The settings do not fit together.
pub fn driver(mut settings: Settings, host: impl Host) -> Result<Driver> {
    settings.paths = settings.paths.sign_out_alias("/app/oauth/logout");
    let vestibule = settings.builder()?.build()?;
    Ok(Driver::new(vestibule, host, FirstSeen::default()))
}

/// The examples of the project's first page, which are compiled here.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
