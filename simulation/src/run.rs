//! One run: what happens is drawn from the seed, and after each step it is held against what must always be true.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;
use vestibule::{
    driver::{Driver, Host as _},
    errand::{Errand, Underway},
    exchange::{HttpResponse, Purpose},
    flow::{Effect, Machine, Step},
    request::{PlainHead, WithSession},
    response::{Event, Response},
    store::{MemoryStore, StoreError},
    stored::Recognition,
    testkit::CookieJar,
    time::Timestamp,
};

use crate::{
    Bug, Counts,
    issuer::Issuer,
    shelf::Shelf,
    town::{self, AGE, Clock},
};

mod events;
mod outside;

const SESSION: &str = "__Host-vestibule";
const STEPS: usize = 120;
const PEOPLE: [&str; 2] = ["ada", "bob"];

/// Numbers that a seed decides (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap_or_default()
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
}

#[derive(Default)]
struct Browser {
    jar: CookieJar,
    /// Who signed in here last.
    person: Option<String>,
    /// Callbacks that tabs come back with, and as whom.
    tabs: Vec<(String, String)>,
}

/// What is known about the session that a ticket names.
struct Known {
    person: String,
    /// It does not reach its limit before this, however the clock jumped while it began.
    earliest: i64,
    /// The step after which nobody may find it.
    ended: Option<usize>,
    may_be_gone: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Visit,
    Begin,
    Callback,
    SignOut,
}

enum Stage {
    Looking(Effect, Box<Underway<Result<Recognition, StoreError>>>),
    Going(Effect, Box<Machine>),
}

struct Task {
    kind: Kind,
    browser: usize,
    at: usize,
    head: PlainHead,
    ticket: Option<String>,
    /// Whose session the browser may have.
    expected: Option<String>,
    /// As whom a callback comes back.
    person: String,
    began: usize,
    began_at: i64,
    /// When its person's sessions were ended.
    condemned: Option<i64>,
    found: bool,
    stage: Stage,
}

struct Run<'c> {
    seed: u64,
    bug: Option<Bug>,
    dice: Dice,
    clock: Clock,
    latest: i64,
    shelf: Shelf,
    issuer: Issuer,
    phases: [usize; 2],
    instances: [Driver; 2],
    browsers: [Browser; 3],
    tickets: BTreeMap<String, Known>,
    tasks: Vec<Task>,
    codes: u32,
    over: BTreeSet<String>,
    store_away: bool,
    provider_away: bool,
    last_user: Option<HttpResponse>,
    remembered: BTreeMap<String, Recognition>,
    step: usize,
    replay: Vec<String>,
    counts: &'c mut Counts,
}

pub(crate) fn run(seed: u64, bug: Option<Bug>, counts: &mut Counts) -> Result<(), String> {
    let clock = Clock::new(seed);
    let hands = clock.clone();
    let shelf = Shelf::new(MemoryStore::new(move || hands.now()), bug);
    let instance = || town::instance(0, &clock, &shelf).map_err(|error| error.to_string());
    let instances = [instance()?, instance()?];
    let mut run = Run {
        seed,
        bug,
        dice: Dice(seed),
        latest: clock.now().unix(),
        clock: clock.clone(),
        shelf: shelf.clone(),
        issuer: Issuer::default(),
        phases: [0; 2],
        instances,
        browsers: Default::default(),
        tickets: BTreeMap::new(),
        tasks: Vec::new(),
        codes: 0,
        over: BTreeSet::new(),
        store_away: false,
        provider_away: false,
        last_user: None,
        remembered: BTreeMap::new(),
        step: 0,
        replay: Vec::new(),
        counts,
    };
    let outcome = run.through();
    outcome.map_err(|fault| {
        let told = run.replay.join("\n  ");
        format!(
            "seed {}: {fault}\n  {told}\nreplay: cargo xtask simulate --runs 1 --seed {}",
            run.seed, run.seed
        )
    })
}

impl Run<'_> {
    fn through(&mut self) -> Result<(), String> {
        for step in 1..=STEPS {
            self.step = step;
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

    fn note(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
        self.replay.push(format!("{}: {what}", self.step));
    }

    fn check(&self) -> Result<(), String> {
        if let Some(outrage) = self.issuer.outrage {
            return Err(outrage.to_owned());
        }
        let refreshing = self.tasks.iter().filter(|task| {
            matches!(&task.stage, Stage::Looking(Effect::Http { purpose: Purpose::Refresh, .. }, _))
        });
        let mut seen = BTreeSet::new();
        match refreshing.into_iter().all(|task| seen.insert(&task.ticket)) {
            true => Ok(()),
            false => Err("a session is refreshed twice at once".to_owned()),
        }
    }

    fn ask(&mut self, kind: Kind, browser: usize, head: PlainHead, person: String) -> Result<(), String> {
        let at = self.dice.below(2);
        let jar = &self.browsers[browser].jar;
        let ticket = jar.get(SESSION).map(str::to_owned);
        let head = match jar.header() {
            Some(cookies) => head.with("cookie", cookies),
            None => head,
        };
        if let Some(known) = ticket.as_ref().and_then(|ticket| self.tickets.get_mut(ticket)) {
            known.may_be_gone |= matches!(kind, Kind::Callback | Kind::SignOut);
        }
        let (expected, now) = (self.browsers[browser].person.clone(), self.clock.now());
        let vestibule = self.instances[at].vestibule();
        let errand = vestibule.recognise(&head, now, self.clock.seed());
        // No stage yet: this one is put in its place at once.
        let begun = Begun {
            kind,
            browser,
            at,
            head,
            ticket,
            expected,
            person,
            began: self.step,
            began_at: now.unix(),
        };
        if self.bug == Some(Bug::Remembered) && kind == Kind::Visit {
            let known = begun.ticket.as_ref().and_then(|ticket| self.remembered.get(ticket)).cloned();
            if let Some(recognition) = known {
                return self.visited(&begun, &recognition);
            }
        }
        match errand {
            Some(errand) => self.looked(begun, None, errand),
            None => self.known(begun, None, &Recognition::default()),
        }
    }

    fn go_on(&mut self, task: Task) -> Result<(), String> {
        let Task {
            kind,
            browser,
            at,
            head,
            ticket,
            expected,
            person,
            began,
            began_at,
            condemned,
            found,
            stage,
        } = task;
        let begun = Begun { kind, browser, at, head, ticket, expected, person, began, began_at };
        match stage {
            Stage::Looking(effect, underway) => {
                let answer = self.perform(effect);
                let errand = underway.step(answer, self.clock.now());
                self.looked(begun, condemned, errand)
            }
            Stage::Going(effect, machine) => {
                let answer = self.perform(effect);
                let step = machine.step(answer, self.clock.now());
                self.stepped(begun, condemned, found, step)
            }
        }
    }

    fn looked(
        &mut self,
        begun: Begun,
        condemned: Option<i64>,
        errand: Errand<Result<Recognition, StoreError>>,
    ) -> Result<(), String> {
        match errand {
            Errand::Needs(effect, underway) => {
                self.tasks.push(begun.with(condemned, false, Stage::Looking(effect, underway)));
                Ok(())
            }
            Errand::Done(None) => Err("an errand came to grief".to_owned()),
            Errand::Done(Some(Err(_))) => Ok(()),
            Errand::Done(Some(Ok(recognition))) => {
                match &recognition.event {
                    Some(Event::Refreshed { .. }) => self.note("refreshed"),
                    Some(Event::RefreshFailed { ended, .. }) => {
                        let known = begun.ticket.as_ref().and_then(|ticket| self.tickets.get_mut(ticket));
                        if let Some(known) = known.filter(|_| *ended) {
                            known.ended.get_or_insert(self.step);
                        }
                        self.note("refresh failed");
                    }
                    _ => {}
                }
                match begun.kind {
                    Kind::Visit => self.visited(&begun, &recognition),
                    _ => self.known(begun, condemned, &recognition),
                }
            }
        }
    }

    /// Somebody is told who they are.
    fn visited(&mut self, begun: &Begun, recognition: &Recognition) -> Result<(), String> {
        let head = WithSession::new(&begun.head, recognition.session.as_deref());
        let at_start = Timestamp::from_unix(begun.began_at);
        let session = self.instances[begun.at].vestibule().session(&head, at_start).ok();
        let known = begun.ticket.as_ref().and_then(|ticket| self.tickets.get(ticket));
        let Some(session) = session else {
            if let Some(known) = known {
                let limit = self.latest >= known.earliest;
                if !limit && !known.may_be_gone && known.ended.is_none() && !self.over.contains(&known.person)
                {
                    return Err("somebody was signed out by a hiccup".to_owned());
                }
                if limit {
                    self.note("limit reached")
                }
            }
            self.note("nobody");
            return Ok(());
        };
        if begun.expected.as_deref() != Some(&session.identity.subject) {
            return Err(format!("{:?} got the session of {}", begun.expected, session.identity.subject));
        }
        let Some(known) = known else { return Err("a session that nobody began".to_owned()) };
        if known.ended.is_some_and(|ended| ended < begun.began) {
            return Err("a session after its end".to_owned());
        }
        let limit = session.expires.unix();
        if begun.began_at >= limit || limit != session.signed_in.unix() + AGE {
            return Err("a session after its limit".to_owned());
        }
        if let Some(ticket) = &begun.ticket {
            self.remembered.insert(ticket.clone(), recognition.clone());
        }
        self.note("found");
        Ok(())
    }

    fn known(
        &mut self,
        begun: Begun,
        condemned: Option<i64>,
        recognition: &Recognition,
    ) -> Result<(), String> {
        if begun.kind == Kind::Visit {
            return self.visited(&begun, recognition);
        }
        let found = recognition.session.is_some();
        let head = WithSession::new(&begun.head, recognition.session.as_deref());
        let vestibule = self.instances[begun.at].vestibule();
        let step = vestibule.handle(&head, b"", self.clock.now(), self.clock.seed());
        self.stepped(begun, condemned, found, step)
    }

    fn stepped(
        &mut self,
        begun: Begun,
        condemned: Option<i64>,
        found: bool,
        step: Step,
    ) -> Result<(), String> {
        match step {
            Step::Needs(effect, machine) => {
                self.tasks.push(begun.with(condemned, found, Stage::Going(effect, machine)));
                Ok(())
            }
            Step::Done(outcome) => self.answered(&begun, condemned, found, &outcome.response),
        }
    }

    fn answered(
        &mut self,
        begun: &Begun,
        condemned: Option<i64>,
        found: bool,
        response: &Response,
    ) -> Result<(), String> {
        let location = response.get("location").unwrap_or_default().to_owned();
        let allowed = ["https://app.example/", "https://plain.example/authorize?"];
        if response.status == 303 && !allowed.iter().any(|place| location.starts_with(place)) {
            return Err(format!("a browser was sent to {location}"));
        }
        if begun.kind == Kind::SignOut && response.status == 303 && found {
            if let Some(known) = begun.ticket.as_ref().and_then(|ticket| self.tickets.get_mut(ticket)) {
                known.ended.get_or_insert(self.step);
            }
            self.note("signed out");
        }
        let mut set = CookieJar::default();
        set.take(response.set_cookies());
        let new = set.get(SESSION).filter(|_| begun.kind == Kind::Callback).map(str::to_owned);
        if let Some(new) = &new {
            let now = self.clock.now().unix();
            let ended = condemned.filter(|at| (0..1_000).contains(&(now - at))).map(|_| self.step);
            let earliest = now.min(begun.began_at) - 3_600 + AGE;
            let known = Known { person: begun.person.clone(), earliest, ended, may_be_gone: ended.is_some() };
            self.tickets.insert(new.clone(), known);
            let old = begun.ticket.as_ref().and_then(|ticket| self.tickets.get_mut(ticket));
            if let Some(old) = old {
                old.ended.get_or_insert(self.step);
            }
            self.note("signed in");
        } else if begun.kind == Kind::Callback && response.status == 400 {
            self.note("answered before");
        }
        if self.dice.one_in(15) {
            self.note("response lost");
            return Ok(());
        }
        let swapped = self.bug == Some(Bug::ResponsesSwapped) && self.dice.one_in(3);
        let browser = if swapped { (begun.browser + 1) % 3 } else { begun.browser };
        let receiver = &mut self.browsers[browser];
        receiver.jar.take(response.set_cookies());
        if new.is_some() {
            self.browsers[begun.browser].person = Some(begun.person.clone());
        }
        if begun.kind == Kind::Begin {
            self.away(begun.browser, &location);
        }
        Ok(())
    }

    /// A tab goes to the provider, and will come back with a code.
    fn away(&mut self, browser: usize, location: &str) {
        let Ok(url) = Url::parse(location) else { return };
        let Some((_, state)) = url.query_pairs().find(|(name, _)| name == "state") else { return };
        self.codes += 1;
        let person = PEOPLE[self.dice.below(2)].to_owned();
        let target = format!("/oauth2/callback?code={person}.{}&state={state}", self.codes);
        self.browsers[browser].tabs.push((target, person));
        self.note("tab begun");
    }
}

/// A request that has been made.
struct Begun {
    kind: Kind,
    browser: usize,
    at: usize,
    head: PlainHead,
    ticket: Option<String>,
    expected: Option<String>,
    person: String,
    began: usize,
    began_at: i64,
}

impl Begun {
    fn with(self, condemned: Option<i64>, found: bool, stage: Stage) -> Task {
        let Self { kind, browser, at, head, ticket, expected, person, began, began_at } = self;
        Task { kind, browser, at, head, ticket, expected, person, began, began_at, condemned, found, stage }
    }
}
