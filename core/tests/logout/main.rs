//! Sessions end by the wish of whoever signed in, and by what their provider says. Tests that begin with `lo_` are rows
//! of the catalogue of attacks on that.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

mod back_channel;
mod by_person;
mod front_channel;
mod site;
