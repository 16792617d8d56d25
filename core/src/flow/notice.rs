//! A provider says that it has ended sessions: one conversation, with it and with the store, up to the answer.

use std::sync::Arc;

use crate::{
    config::Vestibule,
    conversation::{Conversation, Http, Question, Turn},
    entropy::Entropy,
    exchange::HttpFailure,
    flow::{Awaits, Browser, Effect, Outcome, Run, Step},
    provider::ProviderError,
    refusal::Refusal,
    refuse::Circumstances,
    request::Asker,
    time::Timestamp,
};

/// Runs `work`, which comes to the answer.
pub(crate) fn heed<F, Fut>(vestibule: Arc<Vestibule>, now: Timestamp, work: F) -> Step
where
    F: FnOnce(Arc<Vestibule>, Http) -> Fut,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    let conversation = Conversation::new(now, |http| {
        let work = work(Arc::clone(&vestibule), http);
        async move { Ok(work.await) }
    });
    let browser = Browser {
        asker: Asker::Program,
        entropy: Entropy::new([0; 32]),
        ticket: None,
        signed_in: false,
        dead_session: false,
        tokens: false,
        attempts: Vec::new(),
        remembered: false,
    };
    Run::new(vestibule, browser, now).heeding(conversation, now)
}

impl Run {
    pub(super) fn heeding(self, mut conversation: Conversation<Outcome>, now: Timestamp) -> Step {
        loop {
            let left = self.deadline.since(now);
            match conversation.turn() {
                Turn::Finished(Ok(outcome)) => return Step::Done(outcome),
                Turn::Finished(Err(error)) => return Step::Done(self.vestibule.notice_failed(error)),
                Turn::Question(Question::Provider(inquiry)) if left.is_zero() => {
                    conversation.reply(inquiry.failed(HttpFailure::TimedOut), now);
                }
                Turn::Question(question) => {
                    return self.needs(Effect::of(question, left), Awaits::Notice(conversation));
                }
            }
        }
    }
}

impl Vestibule {
    /// A notice that proves nothing, or cannot be checked now.
    pub(crate) fn notice_failed(&self, error: ProviderError) -> Outcome {
        let known = Circumstances { detail: Some(error.to_string()), ..Circumstances::default() };
        self.refused_with(Asker::Program, Refusal::of_provider(&error), known)
    }
}
