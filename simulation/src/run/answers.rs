//! An answer is held against what is known, and reaches its browser.

use url::Url;
use vestibule::{
    flow::Outcome, refusal::Refusal, request::WithSession, response::Event, session::Session,
    stored::Recognition, testkit::CookieJar, time::Timestamp,
};

use super::{
    PEOPLE, Run, SESSION,
    endings::CONDEMNED,
    people::{Asked, Condemned, Kind, Known, Tab},
};
use crate::{
    Bug,
    issuer::idp_session,
    town::{AGE, FIRST_BY_NEW, PHASES, TOUCH},
};

impl Run<'_> {
    /// Somebody is told who they are.
    pub(super) fn visited(&mut self, asked: &Asked, recognition: &Recognition) -> Result<(), String> {
        let head = WithSession::new(&asked.head, recognition.session.as_deref());
        let now = Timestamp::from_unix(self.clocks.at(asked.at));
        let Ok(session) = asked.vestibule.session(&head, now) else {
            self.note("nobody");
            return self.missed(asked.ticket.as_deref(), asked.phase);
        };
        if asked.expected.as_deref() != Some(&session.identity.subject) {
            return Err(format!("{:?} got the session of {}", asked.expected, session.identity.subject));
        }
        let known = asked.ticket.as_ref().and_then(|ticket| self.tickets.get_mut(ticket));
        let Some(known) = known else { return Err("a session that nobody began".to_owned()) };
        let seen = seen(asked, &session, known, now.unix())?;
        if !asked.unwritten {
            known.used = known.used.max(asked.low - TOUCH);
        }
        if let Some(ticket) = asked.ticket.as_ref().filter(|_| self.bug == Some(Bug::Remembered)) {
            self.remembered.insert(ticket.clone(), recognition.clone());
        }
        seen.into_iter().for_each(|what| self.note(what));
        if self.clocks.apart(0) != self.clocks.apart(1) {
            self.note("clocks apart");
        }
        self.note("found");
        Ok(())
    }

    /// A session was not found. There is a reason, or somebody was signed out by a hiccup.
    pub(super) fn missed(&mut self, ticket: Option<&str>, phase: usize) -> Result<(), String> {
        let Some(known) = ticket.and_then(|ticket| self.tickets.get(ticket)) else { return Ok(()) };
        let key_removed = phase == PHASES - 1 && (known.phase < FIRST_BY_NEW || known.among_older);
        let refused = self.issuer.refused.contains(&known.idp_session);
        let reason = match known.over {
            _ if key_removed => "session of a removed key",
            Some(limit) => limit,
            None if known.ended.is_some() => "found no more",
            None if known.may_be_gone || refused => return Ok(()),
            None => return Err("somebody was signed out by a hiccup".to_owned()),
        };
        self.note(reason);
        Ok(())
    }

    pub(super) fn answered(&mut self, asked: &Asked, outcome: &Outcome) -> Result<(), String> {
        let response = &outcome.response;
        let location = response.get("location").unwrap_or_default();
        let allowed = ["https://app.example/", "https://plain.example/authorize?"];
        if response.status == 303 && !allowed.iter().any(|place| location.starts_with(place)) {
            return Err(format!("a browser was sent to {location}"));
        }
        match &outcome.event {
            Some(Event::SignedOut { .. }) => {
                let known = asked.ticket.as_ref().and_then(|ticket| self.tickets.get_mut(ticket));
                if let Some(known) = known.filter(|_| self.shelf.is_some()) {
                    known.ended.get_or_insert(self.step);
                }
                self.note("signed out");
            }
            Some(Event::Refused { refusal: Refusal::AttemptAlreadyAnswered, .. }) => {
                self.note("answered before");
            }
            Some(Event::Refused { refusal: Refusal::EndedMeanwhile, .. }) => {
                self.note("ended while it began");
            }
            _ => {}
        }
        let mut set = CookieJar::default();
        set.take(response.set_cookies());
        let new = set.get(SESSION).filter(|_| asked.kind == Kind::Callback);
        if let Some(ticket) = new {
            self.signed_in(asked, ticket);
        }
        if !self.calm && self.dice.one_in(15) {
            self.note("response lost");
            return Ok(());
        }
        let swapped = self.has(Bug::ResponsesSwapped) && self.dice.one_in(3);
        let browser = if swapped { (asked.browser + 1) % self.browsers.len() } else { asked.browser };
        self.browsers[browser].jar.take(response.set_cookies());
        if new.is_some() {
            self.browsers[asked.browser].person = Some(asked.person().to_owned());
        }
        if asked.kind == Kind::Begin {
            self.away(asked.browser, location);
        }
        Ok(())
    }

    /// A session has begun; the one that its browser had has ended.
    fn signed_in(&mut self, asked: &Asked, ticket: &str) {
        let (time, now, stored) = (self.clocks.time(), self.clocks.at(asked.at), self.shelf.is_some());
        let is_being_ended = self.tasks.iter().any(|task| {
            task.asked.notice.as_ref().is_some_and(|notice| !notice.copy && asked.is_of(&notice.whose))
        });
        let (ended, perhaps) = match asked.condemned {
            Condemned::Not => (None, is_being_ended),
            Condemned::Since(at) if time - at < CONDEMNED => (Some(self.step), true),
            _ => (None, true),
        };
        let older = self.phases.iter().any(|phase| *phase < FIRST_BY_NEW)
            || self.tasks.iter().any(|task| task.asked.phase < FIRST_BY_NEW);
        let known = Known {
            person: asked.person().to_owned(),
            idp_session: asked.tab.as_ref().map(|tab| tab.idp_session.clone()).unwrap_or_default(),
            phase: asked.phase,
            among_older: older || asked.phase < FIRST_BY_NEW,
            answered: asked.heard_at,
            began: self.step,
            limit: (asked.low + AGE, asked.high.max(now) + AGE),
            seen: asked.high.max(now),
            used: asked.low,
            ended,
            may_be_gone: perhaps,
            over: None,
            changes: 0,
            data: vec![None],
            sure: 0,
        };
        self.tickets.insert(ticket.to_owned(), known);
        let old = asked.ticket.as_ref().and_then(|ticket| self.tickets.get_mut(ticket));
        if let Some(old) = old.filter(|_| stored) {
            old.ended.get_or_insert(self.step);
        }
        self.mark_what_is_over();
        self.note("signed in");
    }

    /// A tab goes to the provider, and will come back with a code.
    fn away(&mut self, browser: usize, location: &str) {
        let Ok(url) = Url::parse(location) else { return };
        let Some((_, state)) = url.query_pairs().find(|(name, _)| name == "state") else { return };
        self.codes += 1;
        let person = self.dice.one_of(&PEOPLE);
        let code = format!("{person}.{}", self.codes);
        let callback = format!("/oauth2/callback?code={code}&state={state}");
        let tab = Tab { callback, person: person.to_owned(), idp_session: idp_session(&code) };
        self.browsers[browser].tabs.push(tab);
        self.note("tab begun");
    }
}

/// Whether a session that was found is as it may be; says what is worth a count.
fn seen(asked: &Asked, session: &Session, known: &mut Known, now: i64) -> Result<Vec<&'static str>, String> {
    let mut seen = Vec::new();
    if known.ended.is_some_and(|ended| ended < asked.began) {
        return Err("a session after its end".to_owned());
    }
    if now >= known.limit.1 || session.expires.unix() != session.signed_in.unix() + AGE {
        return Err("a session after its limit".to_owned());
    }
    if asked.idle {
        return Err("a session that nobody had used for too long".to_owned());
    }
    if asked.phase == PHASES - 1 && known.phase < FIRST_BY_NEW {
        return Err("a session of a removed key".to_owned());
    }
    let changes = session.identity.groups.first().and_then(|group| group.parse().ok()).unwrap_or_default();
    if asked.refreshed && asked.profile_seen && changes < asked.changes {
        return Err("groups from before the refresh".to_owned());
    }
    if changes < asked.changes_seen {
        return Err("groups that were gone came back".to_owned());
    }
    if changes > known.changes {
        known.changes = changes;
        seen.push("groups seen");
    }
    let data = session.data::<u32>(1);
    if !known.data[asked.sure..].contains(&data) {
        return Err("what the application kept was lost".to_owned());
    }
    if data.is_some() {
        seen.push("data seen");
    }
    Ok(seen)
}
