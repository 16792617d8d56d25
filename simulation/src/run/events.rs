//! What happens in a run besides what is under way: people do something, time passes, something breaks.

use vestibule::{
    refusal::Refusal,
    request::PlainHead,
    session::{ApplicationData, NotKept},
};

use super::{
    HOUR, PEOPLE, Run, SESSION,
    people::{Condemned, Kind, Tab},
};
use crate::{
    shelf::Shelf,
    town::{IDLE, PHASES, STORE, TOUCH, at_once},
};

const TARGETS: [&str; 4] = ["/deep", "https://evil.example/", "//evil.example", "/%5Cevil.example"];

impl Run<'_> {
    pub(super) fn happen(&mut self) -> Result<(), String> {
        let browser = self.dice.below(self.browsers.len());
        match self.dice.below(42) {
            0..=12 => {
                let asked = self.asked(Kind::Visit, browser, PlainHead::fetch("/"));
                self.ask(asked)?;
            }
            13..=15 => self.begin(browser)?,
            16..=19 => self.come_back(browser)?,
            20 => {
                let asked = self.asked(Kind::SignOut, browser, PlainHead::navigation("/oauth2/sign_out"));
                self.ask(asked)?;
            }
            21..=33 if self.shelf.is_some() => self.happen_to_the_store(browser)?,
            34 if self.dice.one_in(2) => {
                let person = self.dice.one_of(&PEOPLE).to_owned();
                *self.issuer.changes.entry(person).or_default() += 1;
                self.note("groups changed");
            }
            35 => {
                self.provider_away = !self.provider_away && self.dice.one_in(2);
                if self.provider_away {
                    self.note("provider away");
                }
            }
            36 => self.rotate()?,
            _ => self.pass(),
        }
        Ok(())
    }

    /// What happens only where sessions are in a store.
    fn happen_to_the_store(&mut self, browser: usize) -> Result<(), String> {
        match self.dice.below(13) {
            0 if self.dice.one_in(2) => self.end_everywhere(),
            1 | 2 => self.notify()?,
            3 if self.dice.one_in(4) => {
                let person = self.dice.one_of(&PEOPLE).to_owned();
                self.issuer.over.insert(person);
                self.note("grant over");
            }
            4 | 5 => self.keep(browser)?,
            6 => {
                let Some(shelf) = &self.shelf else { return Ok(()) };
                let away = !shelf.is_away() && self.dice.one_in(2);
                shelf.set_away(away);
                if away {
                    self.note("store away");
                }
            }
            7 if self.dice.one_in(2) => self.crash(),
            8 if self.spread == HOUR => self.jump(),
            9..=11 => self.pass(),
            _ => {
                let asked = self.asked(Kind::Visit, browser, PlainHead::fetch("/"));
                self.ask(asked)?;
            }
        }
        Ok(())
    }

    pub(super) fn begin(&mut self, browser: usize) -> Result<(), String> {
        let target = self.dice.one_of(&TARGETS);
        let head = PlainHead::navigation(&format!("/oauth2/sign_in?switch=1&rd={target}"));
        let asked = self.asked(Kind::Begin, browser, head);
        self.ask(asked)
    }

    pub(super) fn come_back(&mut self, browser: usize) -> Result<(), String> {
        let tabs = self.browsers[browser].tabs.len();
        if tabs == 0 {
            return Ok(());
        }
        let chosen = self.dice.below(tabs);
        let tab = match !self.calm && self.dice.one_in(4) {
            true => self.browsers[browser].tabs[chosen].clone(),
            false => self.browsers[browser].tabs.swap_remove(chosen),
        };
        if !self.calm && self.dice.one_in(3) {
            self.note("callback repeated");
            self.call_back(browser, tab.clone())?;
        }
        self.call_back(browser, tab)
    }

    fn call_back(&mut self, browser: usize, tab: Tab) -> Result<(), String> {
        let mut asked = self.asked(Kind::Callback, browser, PlainHead::navigation(&tab.callback));
        asked.tab = Some(tab);
        self.ask(asked)
    }

    /// The application keeps something, in one go.
    fn keep(&mut self, browser: usize) -> Result<(), String> {
        let jar = &self.browsers[browser].jar;
        let Some(ticket) = jar.get(SESSION).map(str::to_owned) else { return Ok(()) };
        let head = PlainHead::fetch("/").with("cookie", jar.header().unwrap_or_default());
        let at = self.dice.below(2);
        self.data += 1;
        let data = self.data;
        let kept = ApplicationData::new(1, &data).expect("a number is JSON");
        let late = self.shelf.as_ref().map(Shelf::late);
        let kept = at_once(self.instances[at].keep(&head, kept));
        let in_time = self.shelf.as_ref().map(Shelf::late) == late;
        let now = self.clocks.at(at);
        let Some(known) = self.tickets.get_mut(&ticket) else { return Ok(()) };
        known.seen = known.seen.max(now);
        match kept {
            Ok(_) if known.ended.is_some() => {
                return Err("data was kept in a session after its end".to_owned());
            }
            Ok(_) => {
                known.data.push(Some(data));
                known.sure = known.data.len() - 1;
                if in_time {
                    known.used = known.used.max(now - TOUCH);
                }
                self.note("data kept");
            }
            Err(NotKept::NoSession(Refusal::SignInRequired)) => {
                self.note("data not kept");
                return self.missed(Some(&ticket), self.phases[at]);
            }
            Err(_) => {
                known.data.push(Some(data));
                self.note("data kept perhaps");
            }
        }
        Ok(())
    }

    fn crash(&mut self) {
        let at = self.dice.below(2);
        for task in self.tasks.extract_if(.., |task| task.asked.at == at).collect::<Vec<_>>() {
            self.given_up(&task.asked);
        }
        if let Some(claims) = &mut self.claims {
            claims[at].clear();
        }
        self.note("instance crashed");
    }

    pub(super) fn pass(&mut self) {
        // Most requests are answered before much time goes by.
        let seconds = match !self.tasks.is_empty() && !self.dice.one_in(3) {
            true => self.dice.one_of(&[1, 2, 5]),
            false => self.dice.one_of(&[21, 31, 61, 245, 250, 280, 301, 301, 2_000]),
        };
        self.clocks.pass(seconds);
        self.tell(|_| format!("{seconds} seconds pass"));
        self.mark_what_is_over();
    }

    /// A clock jumps, or goes right again.
    fn jump(&mut self) {
        let whose = self.dice.below(STORE + 1);
        let (before, ahead) = (self.clocks.apart(whose), self.dice.one_in(2));
        // Two that are wrong are wrong in one direction: an hour apart at most.
        let apart = (0..=STORE).map(|whose| self.clocks.apart(whose)).find(|apart| *apart != 0);
        let jump = apart.unwrap_or(if ahead { HOUR } else { -HOUR });
        let after = if before == 0 { jump } else { 0 };
        self.clocks.set(whose, after);
        self.note(if after > before { "clock forward" } else { "clock back" });
        if whose == STORE {
            for task in &mut self.tasks {
                if let Condemned::Since(_) = task.asked.condemned {
                    task.asked.condemned = Condemned::Perhaps;
                }
            }
        }
        self.mark_what_is_over();
    }

    /// By one of the clocks, sessions reach their limits.
    pub(super) fn mark_what_is_over(&mut self) {
        let latest = self.clocks.latest();
        for known in self.tickets.values_mut().filter(|known| known.over.is_none()) {
            if latest + self.spread >= known.limit.0 {
                known.over = Some("limit reached");
            } else if self.idle && latest - known.used >= IDLE {
                known.over = Some("idle limit reached");
            }
        }
    }

    fn rotate(&mut self) -> Result<(), String> {
        let instances = if self.shelf.is_some() { 2 } else { 1 };
        let at = usize::from(instances == 2 && self.phases[0] > self.phases[1]);
        let next = self.phases[at] + 1;
        // A step of a rotation is taken when nothing is under way any more that began before the last.
        let is_removal = next == PHASES - 1;
        let under_way = self.tasks.iter().map(|task| task.asked.phase);
        let mut phases = under_way.chain(self.phases[..instances].iter().copied());
        if next == PHASES || phases.any(|phase| phase + 1 < next) {
            return Ok(());
        }
        self.phases[at] = next;
        self.instances[at] = self
            .site
            .instance(next, &self.machines[at], (self.shelf.as_ref(), self.idle))
            .map_err(|error| error.to_string())?;
        self.note(if is_removal { "key removed" } else { "keys rotated" });
        Ok(())
    }
}
