//! One run: what happens is drawn from the seed, and after each step it is held against what must always be true.
//!
//! - `people.rs`: browsers, their requests, and what is known about sessions.
//! - `events.rs`: what happens besides what is under way: people do something, time passes, something breaks.
//! - `asking.rs`: a request goes on, from the ticket to the answer.
//! - `answers.rs`: an answer is held against what is known, and reaches its browser.
//! - `endings.rs`: sessions end from elsewhere: by their person, by their provider.
//! - `outside.rs`: what the store and the provider answer, and what is lost on the way.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, atomic::AtomicU64},
};

use vestibule::{
    attempt::AttemptKey,
    driver::{Driver, Host as _},
    exchange::{HttpResponse, Purpose},
    flow::Effect,
    store::MemoryStore,
    stored::Recognition,
    time::Timestamp,
};

use crate::{
    Bug, Counts,
    dice::Dice,
    issuer::Issuer,
    shelf::Shelf,
    town::{Clocks, Machine, STORE, Site},
};

mod answers;
mod asking;
mod endings;
mod events;
mod outside;
mod people;

use people::{Browser, Known, Notice, Stage, Task};

const SESSION: &str = "__Host-vestibule";
const STEPS: usize = 90;
const PEOPLE: [&str; 2] = ["ada", "bob"];
/// How far a clock jumps that jumps.
const HOUR: i64 = 3_600;

struct Run<'c> {
    site: &'c Site,
    bug: Option<Bug>,
    dice: Dice,
    clocks: Arc<Clocks>,
    /// How far clocks may be apart in this run.
    spread: i64,
    machines: [Machine; 2],
    /// `None` where sessions are in cookies.
    shelf: Option<Shelf>,
    idle: bool,
    issuer: Issuer,
    phases: [usize; 2],
    instances: [Driver; 2],
    /// The attempts that each instance remembers, where it does.
    claims: Option<[HashMap<AttemptKey, Timestamp>; 2]>,
    browsers: [Browser; 3],
    tickets: BTreeMap<String, Known>,
    tasks: Vec<Task>,
    codes: u32,
    notices: u32,
    /// Notices that the site has not answered well yet, and that it has.
    unheard: Vec<Notice>,
    heard: Vec<Notice>,
    data: u32,
    provider_away: bool,
    /// Nothing goes wrong: people sign in, before it begins.
    calm: bool,
    last_user: Option<HttpResponse>,
    profiles: BTreeMap<String, HttpResponse>,
    remembered: BTreeMap<String, Recognition>,
    step: usize,
    /// What happened, step by step, where somebody wants to read it.
    replay: Option<Vec<String>>,
    counts: &'c mut Counts,
}

pub(crate) fn run(site: &Site, seed: u64, bug: Option<Bug>, counts: &mut Counts) -> Result<(), String> {
    let new = |counts| Run::new(site, seed, bug, counts).map_err(|error| error.to_string());
    let Err(fault) = new(counts)?.through() else { return Ok(()) };
    // Once more, and it is written down: a seed decides everything.
    let mut counts = Counts::new();
    let mut again = new(&mut counts)?;
    again.replay = Some(Vec::new());
    let same = again.through().is_err_and(|other| other == fault);
    let told = again.replay.unwrap_or_default().join("\n  ");
    let odd = if same { "" } else { "; the second time it went otherwise" };
    Err(format!("seed {seed}: {fault}{odd}\n  {told}\nreplay: cargo xtask simulate --runs 1 --seed {seed}"))
}

impl<'c> Run<'c> {
    fn new(
        site: &'c Site,
        seed: u64,
        bug: Option<Bug>,
        counts: &'c mut Counts,
    ) -> Result<Self, vestibule::config::ConfigError> {
        let mut dice = Dice::new(seed);
        let spread = dice.one_of(&[0, 20, HOUR]);
        let clocks = Arc::new(Clocks::new(match spread {
            20 => [0; 3].map(|_| dice.one_of(&[0, 20])),
            _ => [0; 3],
        }));
        let seeds = Arc::new(AtomicU64::new(0));
        let machine = |at| Machine { clocks: Arc::clone(&clocks), at, seeds: Arc::clone(&seeds), seed };
        let machines = [machine(0), machine(1)];
        let hands = machine(STORE);
        let stored = !dice.one_in(10);
        let shelf = stored.then(|| Shelf::new(MemoryStore::new(move || hands.now()), seed, bug));
        let idle = dice.one_in(2);
        let phase = dice.one_of(&[0, 2]);
        let instance = |at: usize| site.instance(phase, &machines[at], (shelf.as_ref(), idle));
        let instances = [instance(0)?, instance(1)?];
        // An instance that remembers is one that has never been restarted: with a store, another may have answered.
        let claims = (!stored || dice.one_in(2)).then(Default::default);
        Ok(Self {
            site,
            bug,
            dice,
            clocks,
            spread,
            machines,
            shelf,
            idle: idle && stored,
            issuer: Issuer::default(),
            phases: [phase; 2],
            instances,
            claims,
            browsers: Default::default(),
            tickets: BTreeMap::new(),
            tasks: Vec::new(),
            codes: 0,
            notices: 0,
            unheard: Vec::new(),
            heard: Vec::new(),
            data: 0,
            provider_away: false,
            calm: true,
            last_user: None,
            profiles: BTreeMap::new(),
            remembered: BTreeMap::new(),
            step: 0,
            replay: None,
            counts,
        })
    }

    fn through(&mut self) -> Result<(), String> {
        if self.shelf.is_none() {
            self.note("sessions in cookies");
        }
        for browser in 0..self.browsers.len() {
            if !self.dice.one_in(6) {
                self.sign_in_first(browser)?;
            }
        }
        self.calm = false;
        if let Some(shelf) = &self.shelf {
            shelf.set_calm(false);
        }
        for _ in 0..STEPS {
            self.step += 1;
            if !self.tasks.is_empty() && !self.dice.one_in(4) {
                let chosen = self.dice.below(self.tasks.len());
                let task = self.tasks.swap_remove(chosen);
                self.go_on(task)?;
            } else {
                self.happen()?;
            }
            self.check()?;
        }
        Ok(())
    }

    /// Most browsers are signed in when it begins: what happens to nobody shows little.
    fn sign_in_first(&mut self, browser: usize) -> Result<(), String> {
        self.begin(browser)?;
        self.finish_all()?;
        self.come_back(browser)?;
        self.finish_all()?;
        match self.browsers[browser].person {
            Some(_) => Ok(()),
            None => Err("somebody could not sign in although nothing was wrong".to_owned()),
        }
    }

    fn finish_all(&mut self) -> Result<(), String> {
        while let Some(task) = self.tasks.pop() {
            self.step += 1;
            self.go_on(task)?;
        }
        self.check()
    }

    fn note(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
        self.tell(|_| what.to_owned());
    }

    /// Tells whoever wants to read it.
    fn tell(&mut self, what: impl FnOnce(&Self) -> String) {
        if self.replay.is_none() {
            return;
        }
        let line = format!("{}: {}", self.step, what(self));
        self.replay.iter_mut().for_each(|replay| replay.push(line.clone()));
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    fn check(&self) -> Result<(), String> {
        if let Some(outrage) = self.issuer.outrage {
            return Err(outrage.to_owned());
        }
        let refreshing = |task: &&Task| {
            matches!(&task.stage, Stage::Looking(Effect::Http { purpose: Purpose::Refresh, .. }, _))
        };
        let refreshing: Vec<_> =
            self.tasks.iter().filter(refreshing).map(|task| &task.asked.ticket).collect();
        let twice = (1..refreshing.len()).any(|at| refreshing[..at].contains(&refreshing[at]));
        if twice { Err("a session is refreshed twice at once".to_owned()) } else { Ok(()) }
    }
}
