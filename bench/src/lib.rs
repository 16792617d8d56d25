//! What sign-in costs. `cargo xtask bench` builds and runs everything here; `docs/benchmarks.md` is what it writes.
//!
//! - [`figures`] names what of the core is measured alone, for `benches/core.rs` and the report alike.
//! - [`site`] is the site that everything is measured on, with a session got by really signing in.
//! - [`browser`] is the request that a browser sends.
//!
//! The server is `bench-server`, the program that starts all the others is `bench`. No measured time decides whether
//! anything passes: a number is read by people.

pub mod browser;
pub mod figures;
pub mod site;
