//! A provider, run through good and hostile days: [`ProviderKit`] takes it and what the real one answers, `bench` has it
//! there with what it does on a good day, a `play` is one conversation with a reply changed, `rows` say what is asked.

mod bench;
mod change;
mod kit;
mod openid;
mod overheard;
mod play;
mod report;
mod rows;

use super::{Asked, Reaction, converse};

pub use self::{
    kit::ProviderKit,
    openid::OpenId,
    report::{Line, Report, Verdict},
};
