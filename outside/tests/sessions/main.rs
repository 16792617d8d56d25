//! Sessions that last, end and scale, shown with programs that others wrote: a real Redis behind two instances of the
//! first system's application, one on axum and one on actix-web, a real nginx before them, and `oidc-provider`, which
//! takes a whole grant back when it sees a refresh token for the second time.

#![allow(unreachable_pub, reason = "modules of one test")]

mod clocks;
mod ending;
mod failing;
mod keys;
mod killed;
mod load;
mod refresh;
mod relay;
mod store;
mod town;
