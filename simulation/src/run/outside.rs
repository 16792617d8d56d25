//! The outside of a run: what the store and the provider answer, and what is lost on the way.

use futures_executor::block_on;
use vestibule::{
    exchange::{HttpFailure, HttpRequest, HttpResponse},
    flow::{Answer, Claim, Decision, Effect},
    store::{StoreError, StoreReply, StoreRequest},
};

use super::Run;
use crate::{Bug, issuer::respond};

impl Run<'_> {
    pub(super) fn perform(&mut self, effect: Effect) -> Answer {
        match effect {
            Effect::Store(request) => Answer::Store(self.ask_store(&request)),
            Effect::Http { request, .. } => Answer::Http(self.ask_provider(&request)),
            Effect::Claim { .. } => Answer::Claim(Claim::First),
            Effect::Decide(_) => Answer::Decide(Some(Decision::allow())),
            Effect::Detach => {
                self.note("detached");
                Answer::Detached(true)
            }
            _ => {
                self.note("waited");
                Answer::Waited
            }
        }
    }

    fn ask_store(&mut self, request: &StoreRequest) -> Result<StoreReply, StoreError> {
        if self.store_away {
            let is_load = matches!(request, StoreRequest::Load(_));
            return match self.bug == Some(Bug::AwayIsEmpty) && is_load {
                true => Ok(StoreReply::Loaded(None)),
                false => Err(StoreError::Unavailable),
            };
        }
        let reply = block_on(request.ask(&self.shelf));
        if self.dice.one_in(40) {
            self.note("store late");
            return Err(StoreError::Unavailable);
        }
        reply
    }

    fn ask_provider(&mut self, request: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
        if self.provider_away {
            return Ok(respond(503, String::new()));
        }
        if self.dice.one_in(12) {
            self.note("request lost");
            return Err(HttpFailure::Connect);
        }
        let response = self.issuer.answer(request);
        if self.dice.one_in(12) {
            self.note("answer lost");
            return match self.bug {
                Some(Bug::SentAgain) => Ok(self.issuer.answer(request)),
                Some(Bug::SaysUnheard) => Err(HttpFailure::Connect),
                _ => Err(HttpFailure::TimedOut),
            };
        }
        if request.uri().path() == "/user" {
            let before = self.last_user.replace(response.clone());
            if self.bug == Some(Bug::AnswersSwapped) {
                return Ok(before.unwrap_or(response));
            }
        }
        Ok(response)
    }
}
