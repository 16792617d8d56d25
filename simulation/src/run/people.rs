//! Browsers, their requests, and what is known about sessions.

use std::{fmt, sync::Arc};

use vestibule::{
    Vestibule,
    errand::Underway,
    flow::{Effect, Machine},
    request::PlainHead,
    store::StoreError,
    stored::Recognition,
    testkit::CookieJar,
};

#[derive(Default)]
pub(super) struct Browser {
    pub(super) jar: CookieJar,
    /// Who signed in here last.
    pub(super) person: Option<String>,
    pub(super) tabs: Vec<Tab>,
}

/// A tab that comes back from the provider.
#[derive(Clone)]
pub(super) struct Tab {
    pub(super) callback: String,
    pub(super) person: String,
    /// The provider's own session.
    pub(super) idp_session: String,
}

/// What is known about the session that a ticket names.
pub(super) struct Known {
    pub(super) person: String,
    pub(super) idp_session: String,
    /// Whose keys sealed the ticket.
    pub(super) phase: usize,
    /// Whether an older key still sealed somewhere: then its record may have been sealed by that.
    pub(super) among_older: bool,
    /// What its instance's clock showed when its callback came.
    pub(super) answered: i64,
    /// The step at which it was there.
    pub(super) began: usize,
    /// Between what its instance's clock showed while it began, its limit was set.
    pub(super) limit: (i64, i64),
    /// The latest time that may be written down as its last use ...
    pub(super) seen: i64,
    /// ... and the earliest.
    pub(super) used: i64,
    /// The step after which nobody may find it.
    pub(super) ended: Option<usize>,
    pub(super) may_be_gone: bool,
    /// By one of the clocks it has reached its limit, or was idle for too long.
    pub(super) over: Option<&'static str>,
    /// How often its person's groups had changed that it was seen with last.
    pub(super) changes: u32,
    /// What the application may have kept in it, in this order; from `sure` on any of it may be there.
    pub(super) data: Vec<Option<u32>>,
    pub(super) sure: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Visit,
    Begin,
    Callback,
    SignOut,
    /// By a provider: nobody's browser asks.
    Notice,
}

/// Whose sessions end.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Whose {
    IdpSession(String),
    Account(String),
}

impl Whose {
    pub(super) fn is(&self, person: &str, idp_session: &str) -> bool {
        match self {
            Self::IdpSession(session) => session == idp_session,
            Self::Account(account) => account == person,
        }
    }
}

/// How a provider says that sessions have ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Signed,
    Forged,
    Frame,
}

#[derive(Clone)]
pub(super) struct Notice {
    pub(super) form: Form,
    pub(super) whose: Whose,
    pub(super) number: u32,
    pub(super) issued: i64,
    /// It has been heeded before.
    pub(super) copy: bool,
    /// The step at which it was sent first.
    pub(super) sent: usize,
    /// The earliest time that a clock showed by which it may have been written down.
    pub(super) lowest: i64,
}

/// That a callback's person has been signed out everywhere while it is under way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Condemned {
    Not,
    Perhaps,
    /// Surely, for a while from then on.
    Since(i64),
}

pub(super) enum Stage {
    Looking(Effect, Box<Underway<Result<Recognition, StoreError>>>),
    Going(Effect, Box<Machine>),
}

pub(super) struct Task {
    pub(super) asked: Box<Asked>,
    pub(super) stage: Stage,
}

/// A request that has been made.
pub(super) struct Asked {
    pub(super) kind: Kind,
    pub(super) browser: usize,
    pub(super) at: usize,
    /// What answers it: a run goes on as it began, whatever keys come or go.
    pub(super) vestibule: Arc<Vestibule>,
    pub(super) phase: usize,
    pub(super) head: PlainHead,
    pub(super) body: Vec<u8>,
    pub(super) ticket: Option<String>,
    /// Whose session the browser may have.
    pub(super) expected: Option<String>,
    /// As what a callback comes back.
    pub(super) tab: Option<Tab>,
    pub(super) notice: Option<Notice>,
    pub(super) began: usize,
    /// What the instance's clock showed when the request was heard: its session had been looked for by then.
    pub(super) heard_at: i64,
    /// What the instance's clock showed meanwhile, at least and at most.
    pub(super) low: i64,
    pub(super) high: i64,
    pub(super) condemned: Condemned,
    /// The store has been asked for the session.
    pub(super) looked: bool,
    /// By then it was idle for too long by every clock.
    pub(super) idle: bool,
    /// How often the person's groups had changed when it began, at the provider and as far as was seen here.
    pub(super) changes: u32,
    pub(super) changes_seen: u32,
    /// Where in [`Known::data`] begins what may be seen.
    pub(super) sure: usize,
    pub(super) renewed: bool,
    pub(super) refreshed: bool,
    pub(super) profile_seen: bool,
    /// What was to be written down may not be.
    pub(super) unwritten: bool,
}

impl Asked {
    pub(super) fn person(&self) -> &str {
        self.tab.as_ref().map_or("", |tab| &tab.person)
    }

    pub(super) fn is_of(&self, whose: &Whose) -> bool {
        self.tab.as_ref().is_some_and(|tab| whose.is(&tab.person, &tab.idp_session))
    }
}

/// Says which request it is, in a replay.
impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ticket = self.ticket.as_ref().map_or("-", |ticket| &ticket[ticket.len().saturating_sub(4)..]);
        write!(f, "{:?} {} of browser {} ({ticket}) at {}", self.kind, self.began, self.browser, self.at)
    }
}
