//! The stages at which a run waits for the session store: a session begins there, and ends.

use std::sync::Arc;

use super::{Awaits, Browser, Effect, Outcome, Run, Step, Way};
use crate::{
    config::Vestibule,
    conversation::{Conversation, Question, Turn},
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
                let effect = Effect::of(question, self.deadline.since(now));
                self.needs(effect, Awaits::Start(conversation, way, session))
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
                if let (true, Question::Provider(inquiry)) = (left.is_zero(), &question) {
                    conversation.reply(inquiry.failed(HttpFailure::TimedOut), now);
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
