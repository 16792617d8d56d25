//! The stages at which a run waits for the session store: a session begins there, and ends.

use std::{sync::Arc, time::Duration};

use super::{Awaits, Browser, Effect, Outcome, Run, Step, Way};
use crate::{
    config::Vestibule,
    conversation::{Conversation, Question, Reply, Turn},
    entropy::Entropy,
    exchange::HttpFailure,
    identity::Tokens,
    refusal::Refusal,
    session::Session,
    store::StoreError,
    stored::{
        end::{Ended, Ending},
        keep::{self, Started, Starting},
    },
    time::Timestamp,
};

/// Somebody signs out: their session ends in the store, and at the provider; then they get `outcome`.
pub(crate) fn end_session(
    vestibule: Arc<Vestibule>,
    browser: Browser,
    ending: Ending,
    outcome: Outcome,
    now: Timestamp,
) -> Step {
    let conversation = ending.conversation(Arc::clone(&vestibule), now);
    Run::new(vestibule, browser, now).ending(conversation, Box::new(outcome), now)
}

/// The time for a provider is over; what is in the store is brought into order all the same.
fn too_late(question: &Question, left: Duration) -> Option<Reply> {
    match question {
        Question::Provider(inquiry) if left.is_zero() => Some(inquiry.failed(HttpFailure::TimedOut)),
        _ => None,
    }
}

impl Run {
    /// The session goes into the store.
    pub(super) fn start(mut self, session: Session, tokens: Tokens, way: Way, now: Timestamp) -> Step {
        let entropy = Entropy::new(self.browser.entropy.bytes());
        let starting =
            Starting { session: session.clone(), tokens, before: self.browser.ticket, answered: self.began };
        let vestibule = Arc::clone(&self.vestibule);
        let conversation = Conversation::new(now, |http| async move {
            Ok(keep::start(&vestibule, &http, entropy, starting).await)
        });
        self.starting(conversation, way, Box::new(session), now)
    }

    pub(super) fn starting(
        self,
        mut conversation: Conversation<Result<Started, StoreError>>,
        way: Way,
        session: Box<Session>,
        now: Timestamp,
    ) -> Step {
        match conversation.turn() {
            Turn::Question(question) => {
                let left = self.deadline.since(now);
                if let Some(failed) = too_late(&question, left) {
                    conversation.reply(failed, now);
                    return self.starting(conversation, way, session, now);
                }
                self.needs(Effect::of(question, left), Awaits::Start(conversation, way, session))
            }
            Turn::Finished(Ok(Ok(Started::Now))) => {
                Step::Done(self.vestibule.signed_in(self.browser, &way, *session, None, now))
            }
            Turn::Finished(Ok(Ok(Started::TooLarge))) => {
                let detail = Some(format!("the largest part is: {}", session.largest_part()));
                let refusal = Refusal::SessionTooLarge;
                Step::Done(self.vestibule.turned_away_with(&self.browser, &way, refusal, None, detail))
            }
            Turn::Finished(Ok(Ok(Started::EndedMeanwhile))) => {
                Step::Done(self.vestibule.turned_away(&self.browser, &way, Refusal::EndedMeanwhile))
            }
            Turn::Finished(Ok(Err(error))) => self.store_failed(&way, error),
            Turn::Finished(Err(error)) => self.failed(&way, error),
        }
    }

    /// The session goes out of the store, and the browser to the provider or on.
    pub(super) fn ending(
        self,
        mut conversation: Conversation<Result<Ended, StoreError>>,
        mut outcome: Box<Outcome>,
        now: Timestamp,
    ) -> Step {
        match conversation.turn() {
            Turn::Question(question) => {
                let left = self.deadline.since(now);
                if let Some(failed) = too_late(&question, left) {
                    conversation.reply(failed, now);
                    return self.ending(conversation, outcome, now);
                }
                self.needs(Effect::of(question, left), Awaits::End(conversation, outcome))
            }
            Turn::Finished(Ok(Ok(ended))) => {
                if let Some(location) = ended.onwards {
                    outcome.response = outcome.response.location(location.as_str());
                }
                Step::Done(*outcome)
            }
            Turn::Finished(Ok(Err(error))) => {
                Step::Done(self.vestibule.store_failed(self.browser.asker, error))
            }
            // The plugin is to blame, and nobody is to stay signed in for that.
            Turn::Finished(Err(_)) => Step::Done(*outcome),
        }
    }

    pub(super) fn store_failed(self, way: &Way, error: StoreError) -> Step {
        let detail = Some(error.to_string());
        let refusal = Refusal::StoreUnreachable;
        Step::Done(self.vestibule.turned_away_with(&self.browser, way, refusal, None, detail))
    }
}
