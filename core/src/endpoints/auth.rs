//! `auth`: the question that a proxy asks before it lets a request through.

use crate::{
    access::Ruling,
    check::Verdict,
    config::{Flavour, Vestibule},
    endpoints::Demand,
    entropy::Entropy,
    flow::Outcome,
    request::{self, RequestHead},
    response::Response,
    session::SessionView,
    time::Timestamp,
    tokens::KeptTokens,
};

impl Vestibule {
    /// Answers a proxy's question about somebody who is signed in, or about something that is everybody's or nobody's;
    /// `None` for every other request. This is the hot path: it needs no randomness, and [`Vestibule::handle`] begins
    /// with it too.
    pub fn grant(&self, head: &(impl RequestHead + ?Sized), now: Timestamp) -> Option<Outcome> {
        if !self.paths.is_question(request::path(head.target()), self.flavour) {
            return None;
        }
        let demand = self.demand(head);
        // A token that somebody brings decides before the session does, and is not proven here.
        if demand.asks_for_somebody() && self.brings_a_token(head) {
            return None;
        }
        // Whose cookie an older key has sealed gets it anew, which takes randomness.
        if self.wants_sealing(head) {
            return None;
        }
        self.grant_by_session(head, &demand, now)
    }

    fn grant_by_session(
        &self,
        head: &(impl RequestHead + ?Sized),
        demand: &Demand,
        now: Timestamp,
    ) -> Option<Outcome> {
        match demand.ruling {
            Ruling::Closed(refusal, detail) => return Some(self.forbidden(head, refusal, detail)),
            Ruling::Public { anonymous: true } => return Some(self.allowed(None, now, || None).into()),
            Ruling::Public { anonymous: false } | Ruling::SignedIn(_) => {}
        }
        let is_public = !demand.asks_for_somebody();
        self.check(head, now, |verdict| match verdict {
            Verdict::SignedIn(session) => Some(match self.meets(demand, &session) {
                Ok(()) => self.allowed(Some(&session), now, || self.tokens_of(head, session.id, now)).into(),
                Err((refusal, detail)) => self.forbidden(head, refusal, detail),
            }),
            Verdict::Forbidden(..) | Verdict::Anonymous if is_public => {
                Some(self.allowed(None, now, || None).into())
            }
            Verdict::Forbidden(refusal, _) => Some(self.forbidden(head, refusal, None)),
            Verdict::Anonymous => None,
        })
    }

    /// Answers by the session, to any method, and never reads a body.
    pub(crate) fn by_session(
        &self,
        head: &(impl RequestHead + ?Sized),
        demand: &Demand,
        now: Timestamp,
        entropy: &mut Entropy,
    ) -> Outcome {
        let Some(mut outcome) = self.grant_by_session(head, demand, now) else {
            return self.nobody(head, demand, now, entropy);
        };
        if outcome.response.status / 100 == 2 {
            // One at a time: proxies hand on one cookie of a question's answer. The next page brings the other.
            outcome
                .response
                .headers
                .extend(self.sealed_anew(head, now, || entropy.bytes()).into_iter().take(1));
        }
        outcome
    }

    /// Lets through, and says who it is. Where nobody is signed in, every header says so. `tokens` are asked for only
    /// where the site hands some on.
    pub(crate) fn allowed(
        &self,
        session: Option<&SessionView<'_>>,
        now: Timestamp,
        tokens: impl FnOnce() -> Option<KeptTokens>,
    ) -> Response {
        let status = match self.flavour {
            Flavour::OAuth2Proxy => 202,
            // Envoy takes 200 and nothing else for a yes.
            Flavour::Nginx | Flavour::ForwardAuth | Flavour::ExtAuthz => 200,
        };
        let response = self.identity_headers.say(Response::new(status), session);
        self.with_token_headers(response, session, now, tokens)
    }

    /// The names of the headers with which `auth` lets somebody through. They are the same each time, so that an adapter
    /// can keep a map of them to be filled in.
    pub fn granted_headers(&self) -> Vec<&'static str> {
        let nobody = self.allowed(None, Timestamp::from_unix(0), || None);
        nobody.headers.into_iter().map(|(name, _)| name).collect()
    }

    fn brings_a_token(&self, head: &(impl RequestHead + ?Sized)) -> bool {
        !self.bearers.issuers.is_empty() && head.header("authorization").is_some()
    }
}
