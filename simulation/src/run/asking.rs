//! A request goes on, from the ticket to the answer.

use std::sync::Arc;

use vestibule::{
    driver::Host as _,
    errand::Errand,
    flow::{Answer, Effect, Step},
    request::{PlainHead, WithSession},
    response::Event,
    store::{StoreError, StoreRequest},
    stored::Recognition,
};

use super::{
    Run, SESSION,
    people::{Asked, Condemned, Kind, Stage, Task},
};
use crate::{Bug, town::IDLE};

impl Run<'_> {
    /// A request that is made at one of the instances.
    pub(super) fn asked(&mut self, kind: Kind, browser: usize, head: PlainHead) -> Box<Asked> {
        let at = if self.shelf.is_some() { self.dice.below(2) } else { 0 };
        let jar = &self.browsers[browser].jar;
        let cookies = jar.header().filter(|_| kind != Kind::Notice);
        let ticket = cookies.as_ref().and_then(|_| jar.get(SESSION)).map(str::to_owned);
        let head = match cookies {
            Some(cookies) => head.with("cookie", cookies),
            None => head,
        };
        let known = ticket.as_ref().and_then(|ticket| self.tickets.get(ticket));
        let now = self.clocks.at(at);
        Box::new(Asked {
            kind,
            browser,
            at,
            vestibule: Arc::clone(self.instances[at].vestibule()),
            phase: self.phases[at],
            head,
            body: Vec::new(),
            expected: self.browsers[browser].person.clone(),
            tab: None,
            notice: None,
            began: self.step,
            heard_at: i64::MAX,
            low: now,
            high: now,
            condemned: Condemned::Not,
            looked: false,
            idle: false,
            changes: known.map_or(0, |known| self.issuer.changes_of(&known.person)),
            changes_seen: known.map_or(0, |known| known.changes),
            sure: known.map_or(0, |known| known.sure),
            renewed: false,
            refreshed: false,
            profile_seen: false,
            unwritten: false,
            ticket,
        })
    }

    /// Somebody's browser asks.
    pub(super) fn ask(&mut self, asked: Box<Asked>) -> Result<(), String> {
        if let Some(known) = asked.ticket.as_ref().and_then(|ticket| self.tickets.get_mut(ticket)) {
            known.may_be_gone |= matches!(asked.kind, Kind::Callback | Kind::SignOut);
        }
        if self.has(Bug::Remembered) && asked.kind == Kind::Visit {
            let known = asked.ticket.as_ref().and_then(|ticket| self.remembered.get(ticket)).cloned();
            if let Some(recognition) = known {
                return self.visited(&asked, &recognition);
            }
        }
        self.tell(|_| format!("{asked:?} begins"));
        let machine = &self.machines[asked.at];
        match asked.vestibule.recognise(&asked.head, machine.now(), machine.seed()) {
            Some(errand) => self.looked(asked, errand),
            None => self.known(asked, &Recognition::default()),
        }
    }

    pub(super) fn go_on(&mut self, task: Task) -> Result<(), String> {
        let Task { mut asked, stage } = task;
        let now = self.machines[asked.at].now();
        (asked.low, asked.high) = (asked.low.min(now.unix()), asked.high.max(now.unix()));
        match stage {
            Stage::Looking(effect, underway) => {
                if !asked.looked && matches!(effect, Effect::Store(StoreRequest::Load(_))) {
                    asked.looked = true;
                    let known = asked.ticket.as_ref().and_then(|ticket| self.tickets.get(ticket));
                    asked.idle = self.idle && known.is_some_and(|known| now.unix() - known.seen >= IDLE);
                }
                let answer = self.performed(&mut asked, effect);
                self.looked(asked, underway.step(answer, now))
            }
            Stage::Going(effect, machine) => {
                let answer = self.performed(&mut asked, effect);
                self.stepped(asked, machine.step(answer, now))
            }
        }
    }

    fn performed(&mut self, asked: &mut Asked, effect: Effect) -> Answer {
        let shown = self.replay.as_ref().map(|_| format!("{asked:?}: {effect:?}"));
        let answer = self.perform(asked, effect);
        if let Some(shown) = shown {
            self.tell(|_| format!("{shown} => {answer:?}"));
        }
        answer
    }

    fn looked(
        &mut self,
        mut asked: Box<Asked>,
        errand: Errand<Result<Recognition, StoreError>>,
    ) -> Result<(), String> {
        let recognition = match errand {
            Errand::Needs(effect, underway) => {
                self.tasks.push(Task { asked, stage: Stage::Looking(effect, underway) });
                return Ok(());
            }
            Errand::Done(None) => return Err("an errand came to grief".to_owned()),
            Errand::Done(Some(Err(_))) => return Ok(()),
            Errand::Done(Some(Ok(recognition))) => recognition,
        };
        match &recognition.event {
            Some(Event::Refreshed { .. }) => {
                asked.refreshed = true;
                self.note("refreshed");
            }
            Some(Event::RefreshFailed { ended, .. }) => {
                let known = asked.ticket.as_ref().and_then(|ticket| self.tickets.get_mut(ticket));
                if let Some(known) = known.filter(|_| *ended) {
                    known.ended.get_or_insert(self.step);
                    self.note("ended by a refresh");
                }
                self.note("refresh failed");
            }
            _ if asked.renewed && recognition.session.is_none() => self.note("refreshed after the end"),
            _ => {}
        }
        self.known(asked, &recognition)
    }

    fn known(&mut self, mut asked: Box<Asked>, recognition: &Recognition) -> Result<(), String> {
        if asked.kind == Kind::Visit {
            return self.visited(&asked, recognition);
        }
        asked.heard_at = self.clocks.at(asked.at);
        let step = {
            let head = WithSession::new(&asked.head, recognition.session.as_deref());
            let machine = &self.machines[asked.at];
            asked.vestibule.handle(&head, &asked.body, machine.now(), machine.seed())
        };
        self.stepped(asked, step)
    }

    pub(super) fn stepped(&mut self, asked: Box<Asked>, step: Step) -> Result<(), String> {
        match step {
            Step::Needs(effect, machine) => {
                self.tasks.push(Task { asked, stage: Stage::Going(effect, machine) });
                Ok(())
            }
            Step::Done(outcome) if asked.kind == Kind::Notice => self.noticed(*asked, &outcome),
            Step::Done(outcome) => self.answered(&asked, &outcome),
        }
    }
}
