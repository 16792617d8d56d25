//! The whole sign-in on one page: attempt → callback → conversation → sign-in → decision → session.
//!
//! [`Vestibule::handle`] answers most requests at once. Where it needs something
//! from the outside, it returns an [`Effect`] together with the [`Machine`] that waits for the [`Answer`]. Whoever
//! drives it performs the effect and calls [`Machine::step`]; a run is the same for the same request, seed, and
//! answers, down to the last byte.

mod bearer;
mod effect;
mod endings;
mod notice;
mod stored;

use std::{fmt, sync::Arc, time::Duration};

pub use effect::{Answer, Claim, Decision, Effect};
pub(crate) use notice::heed;
pub(crate) use stored::end_session;

use bearer::{Bearer, BearerAsked};

use crate::{
    attempt::{Attempt, AttemptKey},
    config::Vestibule,
    conversation::{Conversation, Question, Turn},
    endpoints::Wishes,
    entropy::Entropy,
    exchange::{HttpFailure, Purpose},
    guarded::was_within,
    identity::{AccountKey, SignIn, account_key},
    identity_headers::names_somebody,
    limits::{ANSWER_REMEMBERED, CONVERSATION_TIME_MAX, REQUEST_TOKEN_BYTES_MAX},
    provider::{Answered, Begun, Provider, ProviderError},
    refusal::Refusal,
    refuse::Circumstances,
    request::Asker,
    response::{Event, Response},
    return_target::ReturnTarget,
    secret::RequestToken,
    session::{Session, SessionId},
    store::{StoreError, StoreReply},
    stored::{end::Ended, keep::Started},
    time::Timestamp,
};

/// What a request came to, for now.
#[derive(Debug)]
pub enum Step {
    /// The answer.
    Done(Outcome),
    /// Something is needed from the outside first.
    Needs(Effect, Box<Machine>),
}

/// The answer to a request, and what to write into the log about it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// What the browser or proxy gets.
    pub response: Response,
    /// What came of it; `None` where nothing happened that is worth a line.
    pub event: Option<Event>,
}

impl From<Response> for Outcome {
    fn from(response: Response) -> Self {
        Self { response, event: None }
    }
}

impl From<Outcome> for Step {
    fn from(outcome: Outcome) -> Self {
        Self::Done(outcome)
    }
}

/// A run that waits for an answer.
#[derive(Debug)]
pub struct Machine {
    run: Run,
    awaits: Awaits,
}

/// What a run carries through all its stages.
#[derive(Debug)]
struct Run {
    vestibule: Arc<Vestibule>,
    browser: Browser,
    /// When the request came.
    began: Timestamp,
    deadline: Timestamp,
}

impl Run {
    fn new(vestibule: Arc<Vestibule>, browser: Browser, now: Timestamp) -> Self {
        Self { vestibule, browser, began: now, deadline: now.after(CONVERSATION_TIME_MAX) }
    }
}

/// What the core has to remember of the browser's request.
#[derive(Debug)]
pub(crate) struct Browser {
    pub(crate) asker: Asker,
    pub(crate) entropy: Entropy,
    /// The session in a store that it brought the ticket of.
    pub(crate) ticket: Option<SessionId>,
    /// Whether the browser has a session already.
    pub(crate) signed_in: bool,
    /// Whether it brought a session cookie that is none any more.
    pub(crate) dead_session: bool,
    /// Whether it brought tokens.
    pub(crate) tokens: bool,
    /// Its attempt cookies, oldest first: name, and bytes of name and value.
    pub(crate) attempts: Vec<(String, usize)>,
    /// Whether it brought a remembered return target, which beginning uses up.
    pub(crate) remembered: bool,
}

/// The stages, each named for what it awaits.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it lies in the box of its machine")]
enum Awaits {
    /// The provider, saying where the browser goes.
    Beginning(Conversation<Begun>, Way, Attempt),
    /// Whether this callback is the first that answers its attempt, in this process ...
    Claim(Box<Answered>, Way, AttemptKey),
    /// ... and in all that share the store.
    SharedClaim(Box<Answered>, Way),
    /// The provider, saying who signed in.
    SignIn(Conversation<SignIn>, Way),
    /// The application.
    Decision(Arc<SignIn>, Way),
    /// The store, taking the new session.
    Start(Conversation<Result<Started, StoreError>>, Way, Box<Session>),
    /// The store and the provider, letting go of a session; then comes the answer that is ready.
    End(Conversation<Result<Ended, StoreError>>, Box<Outcome>),
    /// The issuer of a token, saying whom it names.
    Bearer(Conversation<Bearer>, Box<BearerAsked>),
    /// The provider and the store, until what a provider says about sessions that it has ended is true here too.
    Notice(Conversation<Outcome>),
}

/// The way from here to the page that the browser wanted to see.
pub(crate) struct Way {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) target: ReturnTarget,
    /// The cookie of the attempt that a callback answers, with the round trips before it. Whatever comes of it, it is
    /// used up.
    pub(crate) attempt_cookie: Option<(String, u8)>,
    /// Of whoever signs in again: how long ago they may have shown the provider who they are, in seconds, and who it is.
    pub(crate) again: Option<(u64, Option<AccountKey>)>,
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").field("provider", &self.provider.id()).finish_non_exhaustive()
    }
}

/// An attempt begins: the provider is asked where the browser goes.
pub(crate) fn begin_attempt(
    vestibule: Arc<Vestibule>,
    browser: Browser,
    way: Way,
    attempt: Attempt,
    wishes: Wishes,
    now: Timestamp,
) -> Step {
    let mut request = attempt.request(vestibule.redirect_uri(&*way.provider));
    request.prompt = wishes.prompt;
    request.login_hint = wishes.login_hint;
    let provider = Arc::clone(&way.provider);
    let conversation = Conversation::new(now, |http| async move { provider.begin(&http, &request).await });
    Run::new(vestibule, browser, now).beginning(conversation, way, attempt, now)
}

/// A callback has answered its attempt: from here on, once only.
pub(crate) fn finish_attempt(
    vestibule: Arc<Vestibule>,
    browser: Browser,
    way: Way,
    answered: Answered,
    attempt: AttemptKey,
    now: Timestamp,
) -> Step {
    let until = answered.began.after(ANSWER_REMEMBERED);
    let run = Run::new(vestibule, browser, now);
    let awaits = Awaits::Claim(Box::new(answered), way, attempt.clone());
    run.needs(Effect::Claim { attempt, until }, awaits)
}

impl Machine {
    /// Goes on with the answer to the last effect.
    pub fn step(self: Box<Self>, answer: Answer, now: Timestamp) -> Step {
        let Self { run, awaits } = *self;
        match (awaits, answer) {
            (
                Awaits::Beginning(mut conversation, way, attempt),
                answer @ (Answer::Http(_) | Answer::CachedGet(_)),
            ) => {
                conversation.reply(answer.into(), now);
                run.beginning(conversation, way, attempt, now)
            }
            (Awaits::Claim(answered, way, attempt), Answer::Claim(claim)) => {
                run.claimed(claim, answered, way, &attempt, now)
            }
            (Awaits::SharedClaim(answered, way), Answer::Store(claimed)) => match claimed {
                Ok(StoreReply::Inserted(true)) => run.exchanging(answered, way, now),
                Ok(StoreReply::Inserted(false)) => {
                    Step::Done(run.vestibule.answered_before(&run.browser, &way))
                }
                Ok(_) => run.store_failed(&way, StoreError::Broken),
                Err(error) => run.store_failed(&way, error),
            },
            (Awaits::Start(mut conversation, way, session), answer) => {
                conversation.reply(answer.into(), now);
                run.starting(conversation, way, session, now)
            }
            (Awaits::End(mut conversation, outcome), answer) => {
                conversation.reply(answer.into(), now);
                run.ending(conversation, outcome, now)
            }
            (Awaits::SignIn(mut conversation, way), answer @ (Answer::Http(_) | Answer::CachedGet(_))) => {
                conversation.reply(answer.into(), now);
                run.finishing(conversation, way, now)
            }
            (Awaits::Decision(sign_in, way), Answer::Decide(decision)) => {
                run.decided(decision, sign_in, way, now)
            }
            (Awaits::Bearer(mut conversation, asked), answer @ (Answer::Http(_) | Answer::CachedGet(_))) => {
                conversation.reply(answer.into(), now);
                run.proving(conversation, asked, now)
            }
            (Awaits::Notice(mut conversation), answer) => {
                conversation.reply(answer.into(), now);
                run.heeding(conversation, now)
            }
            (awaits, _) => run.given_up(awaits, ProviderError::AnsweredOtherwise),
        }
    }
}

impl Machine {
    /// There is no room for one more sign-in. Nothing is used up, so that coming back with the same request is enough.
    pub(crate) fn not_now(&self) -> Outcome {
        // Nothing of a session in a cookie has to be ended anywhere else first.
        if let (Awaits::End(_, outcome), false) = (&self.awaits, self.run.vestibule.keeps_sessions()) {
            return (**outcome).clone();
        }
        let way = self.awaits.way();
        let known = Circumstances {
            provider: way.map(|way| way.provider.id()),
            target: way.map(|way| &way.target),
            ..Circumstances::default()
        };
        self.run.vestibule.refused_with(self.run.browser.asker, Refusal::TooManySignIns, known)
    }

    /// The attempt was answered by another copy of this callback.
    pub(crate) fn answered_before(&self) -> Outcome {
        match self.awaits.way() {
            Some(way) => self.run.vestibule.answered_before(&self.run.browser, way),
            None => self.not_now(),
        }
    }

    /// Whether sessions end by this: that is not to depend on whether somebody waits for the answer.
    pub(crate) fn ends_something(&self) -> bool {
        matches!(self.awaits, Awaits::End(..) | Awaits::Notice(_))
    }

    /// Whether this is about a token or a provider's notice, not about somebody who signs in.
    pub(crate) fn is_about_a_token(&self) -> bool {
        matches!(self.awaits, Awaits::Bearer(..) | Awaits::Notice(_))
    }
}

impl Run {
    /// Asks the provider on, until it says where the browser goes.
    fn beginning(
        self,
        mut conversation: Conversation<Begun>,
        way: Way,
        mut attempt: Attempt,
        now: Timestamp,
    ) -> Step {
        match conversation.turn() {
            Turn::Question(question) => {
                self.ask(question, now, Awaits::Beginning(conversation, way, attempt))
            }
            Turn::Finished(Err(error)) => Step::Done(self.vestibule.not_begun(&self.browser, &way, error)),
            // No callback could ever bring it.
            Turn::Finished(Ok(begun)) if begun.request_token.as_ref().is_some_and(is_out_of_bounds) => {
                let fault = "its request token is empty or too long";
                self.failed(&way, ProviderError::Broken { purpose: Purpose::Begin, fault })
            }
            Turn::Finished(Ok(begun)) => {
                attempt.keep(&begun);
                Step::Done(self.vestibule.sent_away(self.browser, &way, attempt, &begun.location, now))
            }
        }
    }

    /// The attempt is ours; or it was answered before, and then there is no second token call.
    fn claimed(
        self,
        claim: Claim,
        answered: Box<Answered>,
        way: Way,
        attempt: &AttemptKey,
        now: Timestamp,
    ) -> Step {
        if claim == Claim::Taken {
            return Step::Done(self.vestibule.answered_before(&self.browser, &way));
        }
        match self.vestibule.shared_claim(attempt, answered.began, now) {
            Some(request) => self.needs(Effect::Store(request), Awaits::SharedClaim(answered, way)),
            None => self.exchanging(answered, way, now),
        }
    }

    /// The code goes out.
    fn exchanging(self, answered: Box<Answered>, way: Way, now: Timestamp) -> Step {
        let provider = Arc::clone(&way.provider);
        let conversation =
            Conversation::new(now, |http| async move { provider.finish(&http, &answered).await });
        self.finishing(conversation, way, now)
    }

    /// Asks the provider on, until the sign-in is proven. Then come the rules, and then the application.
    fn finishing(self, mut conversation: Conversation<SignIn>, way: Way, now: Timestamp) -> Step {
        let sign_in = match conversation.turn() {
            Turn::Question(question) => return self.ask(question, now, Awaits::SignIn(conversation, way)),
            Turn::Finished(Err(error)) => return self.failed(&way, error),
            Turn::Finished(Ok(sign_in)) => SignIn { provider: way.provider.id().to_owned(), ..sign_in },
        };
        if let Err(error) = names_somebody(&*way.provider, &sign_in.identity) {
            return self.failed(&way, error);
        }
        if let Err(refusal) = self.vestibule.rules.admit_account(&sign_in.identity) {
            return Step::Done(self.vestibule.turned_away(&self.browser, &way, refusal));
        }
        if let Some(step) = self.not_again(&sign_in, &way, now) {
            return step;
        }
        let sign_in = Arc::new(sign_in);
        self.needs(Effect::Decide(Arc::clone(&sign_in)), Awaits::Decision(sign_in, way))
    }

    /// Why somebody who was to sign in again has not: the provider did not ask them, or somebody else came. The session
    /// that the browser has stays what it was.
    fn not_again(&self, sign_in: &SignIn, way: &Way, now: Timestamp) -> Option<Step> {
        let (max_age, account) = way.again?;
        let max_age = Duration::from_secs(max_age);
        if sign_in.authenticated.is_some_and(|at| !was_within(at, max_age, now)) {
            let fault = "the person showed who they are longer ago than was asked for";
            let error = ProviderError::Broken { purpose: Purpose::Profile, fault };
            return Some(Step::Done(self.vestibule.provider_failed(&self.browser, way, error)));
        }
        let came = account_key(&sign_in.identity.issuer, &sign_in.identity.subject);
        let other = account.is_some_and(|account| account != came);
        other.then(|| Step::Done(self.vestibule.turned_away(&self.browser, way, Refusal::OtherAccount)))
    }

    /// The application has decided: a session, or a page that says why not.
    fn decided(mut self, decision: Option<Decision>, sign_in: Arc<SignIn>, way: Way, now: Timestamp) -> Step {
        let (refusal, reason) = match decision {
            Some(Decision::Allow(data)) => {
                let id = SessionId::new(self.browser.entropy.bytes());
                let expires = now.after(self.vestibule.session_age);
                let (tokens, all_tokens) =
                    (self.vestibule.keep_tokens.of(&sign_in.tokens), sign_in.tokens.clone());
                let mut session = Session::new(id, Arc::unwrap_or_clone(sign_in), now, expires);
                session.user_header = way.provider.user_header();
                session.application = data;
                self.vestibule.keep(&mut session.identity);
                if self.vestibule.keeps_sessions() {
                    return self.start(session, all_tokens, way, now);
                }
                return Step::Done(self.vestibule.signed_in(
                    self.browser,
                    &way,
                    session,
                    tokens.as_ref(),
                    now,
                ));
            }
            Some(Decision::Deny(reason)) => (Refusal::DeniedByApplication, reason),
            None => (Refusal::HookFailed, None),
        };
        Step::Done(self.vestibule.turned_away_with(&self.browser, &way, refusal, reason.as_deref(), None))
    }

    /// Hands a question out, if there is time left to wait for its answer.
    fn ask(self, question: Question, now: Timestamp, awaits: Awaits) -> Step {
        let left = self.deadline.since(now);
        if let (true, Question::Provider(inquiry)) = (left.is_zero(), &question) {
            let error =
                ProviderError::Unreachable { purpose: inquiry.purpose(), failure: HttpFailure::TimedOut };
            return self.given_up(awaits, error);
        }
        let effect = Effect::of(question, left);
        self.needs(effect, awaits)
    }

    fn needs(self, effect: Effect, awaits: Awaits) -> Step {
        Step::Needs(effect, Box::new(Machine { run: self, awaits }))
    }

    fn given_up(self, awaits: Awaits, error: ProviderError) -> Step {
        match awaits {
            Awaits::Beginning(_, way, _)
            | Awaits::Claim(_, way, _)
            | Awaits::SharedClaim(_, way)
            | Awaits::SignIn(_, way)
            | Awaits::Decision(_, way)
            | Awaits::Start(_, way, _) => self.failed(&way, error),
            Awaits::End(_, outcome) => Step::Done(*outcome),
            Awaits::Notice(_) => Step::Done(self.vestibule.notice_failed(error)),
            Awaits::Bearer(_, asked) => Step::Done(self.vestibule.bearer_failed(asked.into_session(), error)),
        }
    }

    fn failed(self, way: &Way, error: ProviderError) -> Step {
        Step::Done(self.vestibule.provider_failed(&self.browser, way, error))
    }
}

fn is_out_of_bounds(token: &RequestToken) -> bool {
    !(1..=REQUEST_TOKEN_BYTES_MAX).contains(&token.expose().len())
}

impl Awaits {
    /// The way of a browser; a token has none.
    fn way(&self) -> Option<&Way> {
        match self {
            Self::Beginning(_, way, _)
            | Self::Claim(_, way, _)
            | Self::SharedClaim(_, way)
            | Self::SignIn(_, way)
            | Self::Decision(_, way)
            | Self::Start(_, way, _) => Some(way),
            Self::Bearer(..) | Self::End(..) | Self::Notice(_) => None,
        }
    }
}
