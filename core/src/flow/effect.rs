//! What a run asks of the outside, and what it is given: effects and their answers.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    attempt::AttemptKey,
    conversation::{Inquiry, Question, Reply},
    exchange::{Document, Freshness, HttpFailure, HttpRequest, HttpResponse, Purpose, Usable},
    identity::SignIn,
    limits::PROVIDER_CALL_TIME_MAX,
    session::ApplicationData,
    store::{StoreError, StoreReply, StoreRequest},
    time::Timestamp,
};

/// Something that only the outside can do. Its `Debug` print shows why and whom, never what.
#[derive(Clone)]
#[non_exhaustive]
pub enum Effect {
    /// One exchange with a provider. Redirects are not followed.
    Http {
        /// Why.
        purpose: Purpose,
        /// What to send.
        request: HttpRequest,
        /// How long to wait for the whole answer.
        timeout: Duration,
    },
    /// A discovery document or key set, out of the per-process cache where it is there and new enough.
    CachedGet {
        /// Why.
        purpose: Purpose,
        /// Where it is.
        url: url::Url,
        /// How new it must be.
        freshness: Freshness,
        /// Whether what comes serves whoever asks.
        usable: Usable,
        /// How long whoever asks waits. A fetch that others wait for too goes on without them.
        timeout: Duration,
    },
    /// Asks whether this attempt is answered for the first time, and takes it. From here on the run is detached from
    /// the browser's request: a spent code must not be lost with a closed tab.
    Claim {
        /// Which attempt.
        attempt: AttemptKey,
        /// Until when its being answered must be remembered.
        until: Timestamp,
    },
    /// Asks the application whether it lets this person in.
    Decide(Arc<SignIn>),
    /// One call of the session store, within [`STORE_CALL_TIME_MAX`](crate::limits::STORE_CALL_TIME_MAX).
    Store(StoreRequest),
    /// Lets time pass.
    Wait(Duration),
    /// Asks to go on from here whatever becomes of the browser's request.
    Detach,
}

impl Effect {
    /// What the outside is asked, where there is that much time `left`.
    pub(crate) fn of(question: Question, left: Duration) -> Self {
        let timeout = left.min(PROVIDER_CALL_TIME_MAX);
        match question {
            Question::Provider(Inquiry::Send { purpose, request }) => {
                Self::Http { purpose, request, timeout }
            }
            Question::Provider(Inquiry::Document { purpose, url, freshness, usable }) => {
                Self::CachedGet { purpose, url, freshness, usable, timeout }
            }
            Question::Store(request) => Self::Store(request),
            Question::Wait(time) => Self::Wait(time),
            Question::Detach => Self::Detach,
        }
    }
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { purpose, request, .. } => {
                let uri = request.uri();
                let (host, path) = (uri.host().unwrap_or_default(), uri.path());
                write!(f, "{purpose}: {} {host}{path}, {} bytes", request.method(), request.body().len())
            }
            Self::CachedGet { purpose, url, freshness, .. } => {
                write!(f, "{purpose}: {freshness:?} {}{}", url.host_str().unwrap_or_default(), url.path())
            }
            Self::Claim { until, .. } => write!(f, "claim the attempt until {}", until.unix()),
            Self::Decide(sign_in) => write!(f, "decide about {:?}", sign_in.identity),
            Self::Store(request) => write!(f, "{request:?}"),
            Self::Wait(time) => write!(f, "wait {time:?}"),
            Self::Detach => f.write_str("go on alone"),
        }
    }
}

/// The answer to an [`Effect`], of its kind. Its `Debug` print shows no content.
#[derive(Clone)]
#[non_exhaustive]
pub enum Answer {
    /// To [`Effect::Http`].
    Http(Result<HttpResponse, HttpFailure>),
    /// To [`Effect::CachedGet`].
    CachedGet(Result<Document, HttpFailure>),
    /// To [`Effect::Claim`].
    Claim(Claim),
    /// To [`Effect::Decide`]; `None` where the application could not decide.
    Decide(Option<Decision>),
    /// To [`Effect::Store`].
    Store(Result<StoreReply, StoreError>),
    /// To [`Effect::Wait`].
    Waited,
    /// To [`Effect::Detach`]: whether there was room.
    Detached(bool),
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(Ok(response)) => write!(f, "{}, {} bytes", response.status(), response.body().len()),
            Self::CachedGet(Ok(document)) => write!(f, "fetched {}", document.fetched.unix()),
            Self::Http(Err(failure)) | Self::CachedGet(Err(failure)) => write!(f, "{failure}"),
            Self::Claim(claim) => write!(f, "{claim:?}"),
            Self::Decide(Some(decision)) => write!(f, "{decision:?}"),
            Self::Decide(None) => f.write_str("undecided"),
            Self::Store(Ok(reply)) => write!(f, "{reply:?}"),
            Self::Store(Err(error)) => write!(f, "{error}"),
            Self::Waited => f.write_str("waited"),
            Self::Detached(alone) => write!(f, "alone: {alone}"),
        }
    }
}

impl From<Answer> for Reply {
    /// What a conversation gets; an answer of another kind is none.
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Http(result) => Self::Send(result),
            Answer::CachedGet(result) => Self::Document(result),
            Answer::Store(result) => Self::Store(result),
            Answer::Waited => Self::Waited,
            Answer::Detached(alone) => Self::Detached(alone),
            Answer::Claim(_) | Answer::Decide(_) => Self::Send(Err(HttpFailure::Broken)),
        }
    }
}

/// Whether an attempt was answered before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This is the first callback that answers it.
    First,
    /// It has been answered.
    Taken,
}

/// What the application says about somebody who has proven who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// They may enter.
    Allow(Option<ApplicationData>),
    /// They may not. The reason, in the application's words, is shown to them.
    Deny(Option<String>),
}

impl Decision {
    /// They may enter.
    pub fn allow() -> Self {
        Self::Allow(None)
    }

    /// They may enter, and the session keeps `data` for the application.
    pub fn allow_with(data: ApplicationData) -> Self {
        Self::Allow(Some(data))
    }

    /// They may not enter; `reason` is shown to them as it is, as text.
    pub fn deny(reason: impl Into<String>) -> Self {
        Self::Deny(Some(reason.into()))
    }
}
