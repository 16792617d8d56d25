//! Work that needs the outside and comes to a value: straight-line `async` code, run as a machine.
//!
//! A sign-in is a [`Machine`](crate::flow::Machine) with stages of its own. Whatever else needs a store or a provider
//! (finding somebody's session, refreshing it, ending it) is an errand: it asks by [`Effect`]s like every run.

use std::fmt;

use crate::{
    conversation::{Conversation, Http, Question, Turn},
    exchange::{HttpFailure, Purpose},
    flow::{Answer, Effect},
    limits::ERRAND_TIME_MAX,
    provider::ProviderError,
    time::Timestamp,
};

/// What an errand has come to, for now.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "taken apart as soon as it is made")]
pub enum Errand<T> {
    /// It is done; `None` where it came to grief, which only a plugin that awaits elsewhere can bring about.
    Done(Option<T>),
    /// It needs something first.
    Needs(Effect, Box<Underway<T>>),
}

/// An errand that waits for an answer.
pub struct Underway<T> {
    conversation: Conversation<T>,
    deadline: Timestamp,
}

impl<T> fmt::Debug for Underway<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Underway").field("conversation", &self.conversation).finish_non_exhaustive()
    }
}

/// Sets out, up to the first effect or the end.
pub(crate) fn run<T, F, Fut>(now: Timestamp, work: F) -> Errand<T>
where
    F: FnOnce(Http) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
{
    let conversation = Conversation::new(now, |http| {
        let work = work(http);
        async move { Ok(work.await) }
    });
    Box::new(Underway { conversation, deadline: now.after(ERRAND_TIME_MAX) }).turn(now)
}

impl<T> Underway<T> {
    /// Goes on with the answer to the last effect.
    pub fn step(mut self: Box<Self>, answer: Answer, now: Timestamp) -> Errand<T> {
        self.conversation.reply(answer.into(), now);
        self.turn(now)
    }

    fn turn(mut self: Box<Self>, now: Timestamp) -> Errand<T> {
        loop {
            let question = match self.conversation.turn() {
                Turn::Finished(result) => return Errand::Done(result.ok()),
                Turn::Question(question) => question,
            };
            let left = self.deadline.since(now);
            match question {
                // What is in the store is brought into order even when the time for providers is over.
                Question::Provider(inquiry) if left.is_zero() => {
                    self.conversation.reply(inquiry.failed(HttpFailure::TimedOut), now);
                }
                question => return Errand::Needs(Effect::of(question, left), self),
            }
        }
    }
}

/// Whether a refresh that came to this error has used up no token: the provider never heard of it, or did nothing.
/// What is asked after the token call (keys, a profile) tells nothing about the token: by then it has been used.
pub(crate) fn certainly_unheard(error: ProviderError) -> bool {
    match error {
        ProviderError::Unreachable { purpose, failure } => {
            is_up_to_the_token(purpose)
                && matches!(
                    failure,
                    HttpFailure::Connect
                        | HttpFailure::Certificate
                        | HttpFailure::AddressRefused
                        | HttpFailure::NotADocument
                        | HttpFailure::Unavailable(_)
                )
        }
        // 504: somebody in between has waited in vain for a provider that may go on.
        ProviderError::Unavailable { purpose, status } => is_up_to_the_token(purpose) && status != 504,
        ProviderError::Refused(_) | ProviderError::Misconfigured { .. } => true,
        _ => false,
    }
}

fn is_up_to_the_token(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::Metadata | Purpose::Refresh)
}
