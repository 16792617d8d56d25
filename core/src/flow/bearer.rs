//! A request to `auth` with a token: one conversation with the token's issuer, and then the same rules as for everybody.

use std::sync::Arc;

use crate::{
    bearer::{BearerIssuer, Presented, presented},
    config::Vestibule,
    conversation::{Conversation, Turn},
    endpoints::Demand,
    entropy::Entropy,
    exchange::Purpose,
    flow::{Awaits, Browser, Outcome, Run, Step},
    identity::{Identity, SignIn, Tokens},
    identity_headers::header_value,
    provider::{ProviderError, UserHeader},
    refusal::Refusal,
    refuse::Circumstances,
    request::{Asker, RequestHead},
    secret::Secret,
    session::{Session, SessionId},
    time::Timestamp,
    tokens::KeptTokens,
};

/// What somebody asked who brought a token.
#[derive(Debug)]
pub(super) struct BearerAsked {
    token: Secret,
    /// What the session says, where it may decide if the token proves nothing.
    session: Option<Outcome>,
    /// What is asked of whoever wants this.
    demand: Demand,
}

/// Whom a token names, and which issuer says so.
pub(super) struct Bearer {
    issuer: Arc<dyn BearerIssuer>,
    identity: Identity,
}

impl Vestibule {
    /// Answers a question about whoever makes a request: by the token that it carries, or else by the session.
    pub(crate) fn auth(
        self: &Arc<Self>,
        head: &(impl RequestHead + ?Sized),
        now: Timestamp,
        mut entropy: Entropy,
    ) -> Step {
        let demand = self.demand(head);
        // What is everybody's or nobody's is so whatever a token says; it may be meant for the application.
        let counts = demand.asks_for_somebody() && !self.bearers.issuers.is_empty();
        let presented = if counts { presented(head) } else { Presented::Nothing };
        let token = match presented {
            Presented::Nothing => return self.by_session(head, &demand, now, &mut entropy).into(),
            Presented::Token(token) => Ok(token),
            Presented::NoToken(fault) => Err(ProviderError::BearerToken(fault)),
        };
        let session = self.bearers.session_decides.then(|| self.by_session(head, &demand, now, &mut entropy));
        let token = match token {
            Ok(token) => token,
            Err(error) => return self.bearer_failed(session, error).into(),
        };
        let issuers = self.bearers.issuers.clone();
        let asked = BearerAsked { token: token.clone(), session, demand };
        let conversation = Conversation::new(now, |http| async move {
            let mut failure = ProviderError::BearerToken("it is of no issuer whose tokens count here");
            for issuer in issuers {
                match issuer.prove(&http, &token).await {
                    Ok(Some(identity)) => return Ok(Bearer { issuer, identity }),
                    Ok(None) => {}
                    // Another may be set up for the same issuer, with other audiences.
                    Err(error @ ProviderError::BearerToken(_)) => failure = error,
                    Err(error) => return Err(error),
                }
            }
            Err(failure)
        });
        let browser = Browser {
            asker: Asker::Program,
            entropy,
            ticket: None,
            signed_in: false,
            dead_session: false,
            tokens: false,
            attempts: Vec::new(),
            remembered: false,
        };
        let run = Run::new(Arc::clone(self), browser, now);
        run.proving(conversation, Box::new(asked), now)
    }

    /// A token that proves nothing. Whoever the session knows is answered by it, where it may decide.
    pub(super) fn bearer_failed(&self, session: Option<Outcome>, error: ProviderError) -> Outcome {
        if let Some(session) = session.filter(|session| session.response.status != 401) {
            return session;
        }
        let known = Circumstances { detail: Some(error.to_string()), ..Circumstances::default() };
        self.refused_with(Asker::Program, Refusal::of_provider(&error), known)
    }

    /// Whom a proven token names is let in by the same rules as everybody, and shown to the application in the same
    /// headers.
    fn bearer_proven(&self, bearer: Bearer, asked: BearerAsked, now: Timestamp) -> Outcome {
        let Bearer { issuer, identity } = bearer;
        let user = match issuer.user_header() {
            UserHeader::Subject => Some(&identity.subject),
            UserHeader::Username => identity.username.as_ref().or(Some(&identity.subject)),
        };
        let names_nobody = identity.issuer.is_empty() || identity.subject.is_empty();
        if names_nobody || user.is_none_or(|user| header_value(user).is_empty()) {
            let fault = "the account's name is missing, or cannot stand in a header";
            return self.bearer_failed(None, ProviderError::Broken { purpose: Purpose::Profile, fault });
        }
        let admitted = self.rules.admit_account(&identity).map_err(|refusal| (refusal, None));
        let sign_in = SignIn::new(issuer.id(), identity, Tokens::new(asked.token.clone()));
        let mut session = Session::new(SessionId::new([0; 16]), sign_in, now, now);
        session.user_header = issuer.user_header();
        let claims = session.claims_text();
        if let Err((refusal, detail)) =
            admitted.and_then(|()| self.meets(&asked.demand, &session.view(&claims)))
        {
            // No sign-in has failed at a provider, so that none is named as such.
            let detail = detail.map_or_else(String::new, |detail| format!("; {detail}"));
            let detail = Some(format!("with a token of `{}`{detail}", issuer.id()));
            let known = Circumstances { detail, ..Circumstances::default() };
            return self.refused_with(Asker::Program, refusal, known);
        }
        self.keep(&mut session.identity);
        let claims = session.claims_text();
        self.allowed(Some(&session.view(&claims)), now, || Some(KeptTokens::brought(asked.token))).into()
    }
}

impl Run {
    /// Asks the issuer on, until the token is proven or is not.
    pub(super) fn proving(
        self,
        mut conversation: Conversation<Bearer>,
        asked: Box<BearerAsked>,
        now: Timestamp,
    ) -> Step {
        match conversation.turn() {
            Turn::Question(question) => self.ask(question, now, Awaits::Bearer(conversation, asked)),
            Turn::Finished(Ok(bearer)) => Step::Done(self.vestibule.bearer_proven(bearer, *asked, now)),
            Turn::Finished(Err(error)) => Step::Done(self.vestibule.bearer_failed(asked.session, error)),
        }
    }
}

impl BearerAsked {
    pub(super) fn into_session(self) -> Option<Outcome> {
        self.session
    }
}
