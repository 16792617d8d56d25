//! What sign-in costs. `cargo xtask bench` builds and runs everything here; `docs/benchmarks.md` is what it writes.
//!
//! - [`figures`] names what of the core is measured alone, for `benches/core.rs` and the report alike.
//! - [`site`] is the site that everything is measured on, with a session got by really signing in.
//! - [`stored`] is the same with its sessions in a store.
//! - [`browser`] is the request that a browser sends.
//! - [`busy`] sends it over and over, and never sleeps; [`answer`] and [`latencies`] are what it reads and counts.
//!
//! Servers are `bench-server` and `bench-server-actix`, the load is `bench-load`, and the program that starts all of
//! them is `bench`. No measured time decides whether
//! anything passes: a number is read by people.

pub mod answer;
pub mod browser;
pub mod busy;
pub mod figures;
pub mod latencies;
pub mod site;
pub mod stored;
