//! The outside of a run: what the store and the provider answer, and what is lost on the way.

use vestibule::{
    attempt::AttemptKey,
    exchange::{HttpFailure, HttpRequest, HttpResponse, Purpose},
    flow::{Answer, Claim, Decision, Effect},
    store::{StoreError, StoreReply, StoreRequest},
    time::Timestamp,
};

use super::{Run, people::Asked};
use crate::{Bug, issuer::respond, town::at_once};

impl Run<'_> {
    pub(super) fn perform(&mut self, asked: &mut Asked, effect: Effect) -> Answer {
        match effect {
            Effect::Store(request) => {
                let is_write = matches!(request, StoreRequest::Replace { .. });
                let known = asked.ticket.as_ref().and_then(|ticket| self.tickets.get_mut(ticket));
                if let Some(known) = known.filter(|_| is_write) {
                    known.seen = known.seen.max(asked.high);
                }
                let reply = self.ask_store(&request);
                asked.unwritten |= is_write && reply.is_err();
                Answer::Store(reply)
            }
            Effect::Http { request, purpose, .. } => {
                let answer = self.ask_provider(&request);
                let is_good = answer.as_ref().is_ok_and(|response| response.status() == 200);
                asked.renewed |= purpose == Purpose::Refresh && is_good;
                asked.profile_seen |= purpose == Purpose::Profile && is_good;
                Answer::Http(answer)
            }
            Effect::Claim { attempt, until } => Answer::Claim(self.claim(asked.at, attempt, until)),
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

    /// Whether an instance has seen the attempt answered.
    fn claim(&mut self, at: usize, attempt: AttemptKey, until: Timestamp) -> Claim {
        let now = Timestamp::from_unix(self.clocks.at(at));
        let is_forgetful = self.has(Bug::ClaimsForgotten);
        let Some(claims) = self.claims.as_mut().filter(|_| !is_forgetful) else { return Claim::First };
        claims[at].retain(|_, until| now < *until);
        if claims[at].contains_key(&attempt) {
            self.note("claim taken in the process");
            return Claim::Taken;
        }
        claims[at].insert(attempt, until);
        Claim::First
    }

    fn ask_store(&mut self, request: &StoreRequest) -> Result<StoreReply, StoreError> {
        let Some(shelf) = &self.shelf else { return Err(StoreError::Missing) };
        let late = shelf.late();
        let reply = at_once(request.ask(shelf));
        if shelf.late() > late {
            self.note("store late");
        }
        let is_claim =
            matches!(request, StoreRequest::Insert { key, .. } if key.as_str().starts_with("attempt:"));
        if is_claim && reply == Ok(StoreReply::Inserted(false)) {
            self.note("claim taken in the store");
        }
        reply
    }

    fn ask_provider(&mut self, request: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
        if self.provider_away {
            return Ok(respond(503, String::new()));
        }
        if !self.calm && self.dice.one_in(12) {
            self.note("request lost");
            return Err(HttpFailure::Connect);
        }
        let response = self.issuer.answer(request);
        let path = request.uri().path();
        if path == "/revoke" {
            self.note("tokens taken back");
        }
        if !self.calm && self.dice.one_in(12) {
            self.note("answer lost");
            return match self.bug {
                Some(Bug::SentAgain) => Ok(self.issuer.answer(request)),
                Some(Bug::SaysUnheard) => Err(HttpFailure::Connect),
                _ => Err(HttpFailure::TimedOut),
            };
        }
        match self.bug {
            Some(Bug::AnswersSwapped) if path == "/user" => {
                Ok(self.last_user.replace(response.clone()).unwrap_or(response))
            }
            Some(Bug::ProfilesCached) if path == "/user" => {
                let person = String::from_utf8_lossy(response.body()).split('"').nth(3).map(str::to_owned);
                Ok(self.profiles.entry(person.unwrap_or_default()).or_insert(response).clone())
            }
            _ => Ok(response),
        }
    }
}
