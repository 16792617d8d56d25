//! What happens in a run besides what is under way: people do something, time passes, something breaks.

use std::sync::atomic::Ordering;

use futures_executor::block_on;
use vestibule::{driver::Host as _, request::PlainHead};

use super::{Kind, PEOPLE, Run};
use crate::town;

const TARGETS: [&str; 4] = ["/deep", "https://evil.example/", "//evil.example", "/%5Cevil.example"];

impl Run<'_> {
    pub(super) fn happen(&mut self) -> Result<(), String> {
        let browser = self.dice.below(3);
        match self.dice.below(24) {
            0..=7 => self.ask(Kind::Visit, browser, PlainHead::fetch("/"), String::new())?,
            8..=10 => {
                let target = TARGETS[self.dice.below(4)];
                let head = PlainHead::navigation(&format!("/oauth2/sign_in?switch=1&rd={target}"));
                self.ask(Kind::Begin, browser, head, String::new())?;
            }
            11..=14 => self.come_back(browser)?,
            15 => {
                self.ask(Kind::SignOut, browser, PlainHead::navigation("/oauth2/sign_out"), String::new())?
            }
            16 if self.dice.one_in(2) => self.end_everywhere()?,
            17 if self.dice.one_in(3) => {
                let person = PEOPLE[self.dice.below(2)].to_owned();
                self.over.insert(person.clone());
                self.issuer.over.insert(person);
                self.note("grant over");
            }
            18 => {
                self.store_away = !self.store_away && self.dice.one_in(2);
                if self.store_away {
                    self.note("store away")
                }
            }
            19 => {
                self.provider_away = !self.provider_away && self.dice.one_in(2);
                if self.provider_away {
                    self.note("provider away")
                }
            }
            20 if self.dice.one_in(3) => {
                let at = self.dice.below(2);
                self.tasks.retain(|task| task.at != at);
                self.note("instance crashed");
            }
            21 => self.rotate()?,
            _ => self.pass(),
        }
        Ok(())
    }

    fn pass(&mut self) {
        let seconds: i64 = [1, 5, 21, 31, 100, 280, 301, 3_600, -3_600][self.dice.below(9)];
        match seconds {
            3_600 => self.note("clock forward"),
            -3_600 => self.note("clock back"),
            _ => {}
        }
        if seconds.abs() == 3_600 {
            self.tasks.iter_mut().for_each(|task| task.condemned = None);
        }
        self.clock.seconds.fetch_add(seconds, Ordering::Relaxed);
        self.latest = self.latest.max(self.clock.now().unix());
    }

    fn rotate(&mut self) -> Result<(), String> {
        let at = usize::from(self.phases[0] > self.phases[1]);
        if self.phases[at] < 2 {
            self.phases[at] += 1;
            // Runs that are under way go on with the keys that they began with.
            self.instances[at] = town::instance(self.phases[at], &self.clock, &self.shelf)
                .map_err(|error| error.to_string())?;
            self.note("keys rotated");
        }
        Ok(())
    }

    fn end_everywhere(&mut self) -> Result<(), String> {
        let (person, now) = (PEOPLE[self.dice.below(2)], self.clock.now().unix());
        block_on(self.instances[0].end_sessions("https://plain.example", person, None))
            .map_err(|error| error.to_string())?;
        for known in self.tickets.values_mut().filter(|known| known.person == person) {
            known.ended.get_or_insert(self.step);
            known.may_be_gone = true;
        }
        for task in self.tasks.iter_mut().filter(|task| task.person == person && task.began_at <= now) {
            task.condemned = Some(now);
        }
        self.note("signed out everywhere");
        Ok(())
    }

    fn come_back(&mut self, browser: usize) -> Result<(), String> {
        let tabs = self.browsers[browser].tabs.len();
        if tabs == 0 {
            return Ok(());
        }
        let tab = self.dice.below(tabs);
        let (target, person) = match self.dice.one_in(3) {
            true => {
                self.note("callback repeated");
                self.browsers[browser].tabs[tab].clone()
            }
            false => self.browsers[browser].tabs.swap_remove(tab),
        };
        self.ask(Kind::Callback, browser, PlainHead::navigation(&target), person)
    }
}
