//! What browsers do, and what must come of it.

use std::{collections::HashSet, sync::Arc, time::Duration};

use vestibule::{
    Vestibule,
    flow::{Answer, Claim, Decision, Effect},
    limits::{ATTEMPTS_BYTES_MAX, ATTEMPTS_MAX},
    request::PlainHead,
    response::Response,
    time::Timestamp,
    transcript::{Inputs, Transcript},
};

use super::{
    browser::Browser,
    model::{Model, Says, lasts},
    provider::Provider,
};
use crate::{
    oracle,
    outside::{Begun, cookies_set},
    site::{ATTEMPTS, NOW, Plain, SESSION, builder_with_keys, built},
};

/// Pages that somebody wants to see, and where that leads; two of them are none of ours, the last is not said at all.
const TARGETS: [(&str, Option<&str>); 6] = [
    ("/deep?x=1", Some("https://rp.example/deep?x=1")),
    ("https://one.apps.example/p", Some("https://one.apps.example/p")),
    ("/", Some("https://rp.example/")),
    ("//evil.example/", None),
    ("/oauth2/sign_in", None),
    ("", None),
];

/// A way to leave.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    Visit,
    Link,
    Button,
    Form,
}

/// A site, a provider, browsers, and a clock.
pub(super) struct World {
    site: Arc<Vestibule>,
    now: Timestamp,
    seeds: u64,
    browsers: [Browser; World::BROWSERS],
    model: Model,
    attempts: Vec<Begun>,
    /// How many sign-ins the browser had just finished when it began each of them.
    rounds_before: Vec<u8>,
    /// What the process remembers of answered attempts.
    answered: HashSet<String>,
    pub(super) provider: Provider,
    /// 0 lets everybody in, 1 nobody, 2 cannot decide.
    pub(super) decision: usize,
    pub(super) sign_ins: usize,
}

impl World {
    pub(super) const BROWSERS: usize = 3;

    pub(super) fn new() -> Self {
        Self {
            site: site(0, 0),
            now: NOW,
            seeds: 0,
            browsers: Default::default(),
            model: Model::default(),
            attempts: Vec::new(),
            rounds_before: Vec::new(),
            answered: HashSet::new(),
            provider: Provider::default(),
            decision: 0,
            sign_ins: 0,
        }
    }

    /// Visits `sign_in`. Who is signed in already and does not want another account is let through at once.
    pub(super) fn begin(&mut self, browser: usize, target: usize, switch: bool) {
        let browser = browser % Self::BROWSERS;
        let (rd, said) = TARGETS[target % TARGETS.len()];
        let remembered = format!("{SESSION}_to");
        let lands = said.or_else(|| match self.says(browser, &remembered)? {
            Says::Remembered(target) => TARGETS[target].1,
            other => panic!("{other:?} under the name of what is remembered"),
        });
        let lands = lands.unwrap_or("https://rp.example/").to_owned();
        let signed_in = self.session(browser).is_some();
        let rounds = self.rounds(browser);
        let rd: String = url::form_urlencoded::byte_serialize(rd.as_bytes()).collect();
        let switched = if switch { "&switch=1" } else { "" };
        let response =
            self.visit(browser, PlainHead::navigation(&format!("/oauth2/sign_in?rd={rd}{switched}")));

        if signed_in && !switch {
            assert_eq!((response.status, response.get("location")), (303, Some(&*lands)));
            return;
        }
        if rounds >= 3 && !signed_in {
            assert_eq!(oracle::refusal(&response).as_deref(), Some("session_cookie_lost"));
            return;
        }
        let begun = Begun::of(&response, lands).expect("a visit of sign_in begins a sign-in");
        let attempt = Says::Attempt(self.attempts.len());
        self.gave(&begun.cookie_name, &begun.cookie_value, attempt);
        self.attempts.push(begun);
        self.rounds_before.push(rounds);
        let (count, bytes) = self.browsers[browser].starting(ATTEMPTS);
        assert!(count <= ATTEMPTS_MAX && bytes <= ATTEMPTS_BYTES_MAX, "{count} attempts of {bytes} bytes");
        assert_eq!(self.browsers[browser].only(&remembered), None, "a beginning uses up what was remembered");
    }

    /// Somebody signs in at the provider for an attempt, and a browser brings the answer back.
    pub(super) fn come_back(&mut self, browser: usize, attempt: usize, person: usize) {
        let Some(attempt) = self.attempt(attempt) else { return };
        let code = self.provider.signs_in(&self.attempts[attempt].challenge, person);
        self.callback(browser, attempt, &code);
    }

    pub(super) fn bring_a_code(&mut self, browser: usize, attempt: usize, code: usize) {
        let (Some(attempt), Some(code)) = (self.attempt(attempt), self.provider.earlier_code(code)) else {
            return;
        };
        self.callback(browser, attempt, &code);
    }

    pub(super) fn bring_an_error(&mut self, browser: usize, attempt: usize) {
        self.refused_callback(browser, attempt, "error=access_denied", "access_denied");
    }

    pub(super) fn bring_another_issuer(&mut self, browser: usize, attempt: usize) {
        self.refused_callback(
            browser,
            attempt,
            "code=code-0&iss=https%3A%2F%2Fevil.example",
            "issuer_mismatch",
        );
    }

    fn refused_callback(&mut self, browser: usize, attempt: usize, outcome: &str, refusal: &str) {
        let Some(attempt) = self.attempt(attempt) else { return };
        let browser = browser % Self::BROWSERS;
        let begun = self.attempts[attempt].clone();
        let answers = self.says(browser, &begun.cookie_name) == Some(Says::Attempt(attempt));
        let response = self.visit(browser, PlainHead::navigation(&callback(&begun, outcome)));
        if answers {
            assert_eq!(oracle::refusal(&response).as_deref(), Some(refusal));
            assert_eq!(self.browsers[browser].only(&begun.cookie_name), None, "it is used up");
        }
    }

    /// A callback with a code. Everything that is known says beforehand whether somebody is signed in by it, and who.
    fn callback(&mut self, browser: usize, attempt: usize, code: &str) {
        let browser = browser % Self::BROWSERS;
        let begun = self.attempts[attempt].clone();
        let answers = self.says(browser, &begun.cookie_name) == Some(Says::Attempt(attempt));
        let asks = answers && !self.answered.contains(&begun.cookie_name);
        let person =
            self.provider.would_accept(code, &begun.challenge).filter(|_| asks && self.decision == 0);
        let asked_before = self.provider.token_requests;
        let response = self.visit(browser, PlainHead::navigation(&callback(&begun, &format!("code={code}"))));

        let asked = self.provider.token_requests - asked_before;
        assert_eq!(
            asked,
            usize::from(asks),
            "the provider is shown a code once, for an attempt of this browser"
        );
        let set = cookies_set(&response);
        let given = |name: &str| set.iter().find(|(own, value)| own == name && !value.is_empty());
        let Some(person) = person else {
            assert!(given(SESSION).is_none(), "there is a session without a finished callback");
            return;
        };
        assert_eq!((response.status, response.get("location")), (303, Some(&*begun.lands)));
        let (_, session) = given(SESSION).expect("a finished callback is a session");
        self.gave(SESSION, session, Says::Session(person));
        let (name, value) = given(&format!("{SESSION}_rounds")).expect("round trips are counted");
        self.gave(name, value, Says::Rounds(self.rounds_before[attempt].saturating_add(1)));
        self.sign_ins += 1;
    }

    /// A proxy asks about a visit of a page.
    pub(super) fn auth(&mut self, browser: usize, target: usize) {
        let browser = browser % Self::BROWSERS;
        let number = target % TARGETS.len();
        let (target, leads) = TARGETS[number];
        let session = self.session(browser);
        let older =
            self.model.ends_by_older_key(&self.browsers[browser], SESSION).filter(|_| session.is_some());
        let head = PlainHead::navigation("/oauth2/auth").with("x-auth-request-redirect", target);
        let response = self.visit(browser, head);
        let user = session.map(|person| format!("person-{person}"));
        assert_eq!(response.status, if user.is_some() { 202 } else { 401 });
        assert_eq!(response.get("x-auth-request-user"), user.as_deref());
        let set = cookies_set(&response);
        assert_eq!(set.len(), usize::from(older.is_some() || (user.is_none() && leads.is_some())));
        let [(name, value)] = &set[..] else { return };
        match session.zip(older) {
            // The same session to the same end, by the newest key.
            Some((person, expires)) => {
                assert_eq!(name, SESSION);
                self.model.gave(name, value, Says::Session(person), expires);
            }
            None => self.gave(name, value, Says::Remembered(number)),
        }
    }

    /// Leaves, or is made to leave by another site.
    pub(super) fn leave(&mut self, browser: usize, way: Leave) {
        let browser = browser % Self::BROWSERS;
        let signed_in = self.session(browser).is_some();
        let path = "/oauth2/sign_out";
        let head = match way {
            Leave::Visit => PlainHead::navigation(path),
            Leave::Link => {
                PlainHead::navigation(path).without("sec-fetch-site").with("sec-fetch-site", "cross-site")
            }
            Leave::Button => PlainHead::new("POST", path).with("sec-fetch-site", "same-origin"),
            Leave::Form => PlainHead::new("POST", path).with("origin", "https://evil.example"),
        };
        let response = self.visit(browser, head);
        let own = matches!(way, Leave::Visit | Leave::Button);
        assert_eq!(self.session(browser).is_some(), signed_in && !own, "{response:?}");
    }

    /// A closed tab, a broken connection: what the site has answered did not arrive.
    pub(super) fn lose_response(&mut self, browser: usize) {
        self.browsers[browser % Self::BROWSERS].forget_last();
    }

    pub(super) fn tamper(&mut self, browser: usize, cookie: usize, way: usize) {
        self.browsers[browser % Self::BROWSERS].tamper(cookie, way);
    }

    pub(super) fn wait(&mut self, time: Duration) {
        self.now = self.now.after(time);
    }

    pub(super) fn rotate_keys(&mut self) {
        self.model.key += 1;
        self.restart();
    }

    pub(super) fn forget_old_keys(&mut self) {
        self.model.oldest_key = self.model.key;
        self.restart();
    }

    pub(super) fn restart(&mut self) {
        self.site = site(self.model.key, self.model.oldest_key);
        self.answered.clear();
    }

    pub(super) fn newest_attempt(&self) -> usize {
        self.attempts.len().saturating_sub(1)
    }

    fn attempt(&self, number: usize) -> Option<usize> {
        (!self.attempts.is_empty()).then(|| number % self.attempts.len())
    }

    fn says(&self, browser: usize, name: &str) -> Option<Says> {
        self.model.says(&self.browsers[browser], name, self.now)
    }

    /// Who is signed in.
    fn session(&self, browser: usize) -> Option<usize> {
        match self.says(browser, SESSION)? {
            Says::Session(person) => Some(person),
            other => panic!("{other:?} under the name of a session"),
        }
    }

    fn rounds(&self, browser: usize) -> u8 {
        match self.says(browser, &format!("{SESSION}_rounds")) {
            Some(Says::Rounds(rounds)) => rounds,
            _ => 0,
        }
    }

    fn gave(&mut self, name: &str, value: &str, says: Says) {
        self.model.gave(name, value, says, self.now.after(lasts(says)));
    }

    /// One request of a browser, with its cookies; replayed from its inputs it comes out the same.
    fn visit(&mut self, browser: usize, head: PlainHead) -> Response {
        self.seeds += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seeds.to_le_bytes());
        let head = self.browsers[browser].with_cookies(head);
        let inputs = Inputs { head, body: Vec::new(), now: self.now, seed };
        let Self { site, now, answered, provider, decision, .. } = self;
        let transcript = Transcript::record(site, inputs, |effect| {
            let answer = match effect {
                Effect::Claim { attempt, .. } => {
                    let first = answered.insert(format!("{ATTEMPTS}{}", attempt.as_str()));
                    Answer::Claim(if first { Claim::First } else { Claim::Taken })
                }
                Effect::Decide(_) => Answer::Decide(match decision {
                    0 => Some(Decision::allow()),
                    1 => Some(Decision::deny("<b>not</b> you")),
                    _ => None,
                }),
                Effect::Http { purpose, request, .. } => Answer::Http(provider.answer(*purpose, request)),
                other => panic!("this provider asks for nothing of the kind: {other:?}"),
            };
            (answer, *now)
        });
        assert_eq!(transcript.replay(site), Ok(()), "a run is its inputs' and nothing else's");
        let response = transcript.outcome.response;
        oracle::sound(&response);
        self.browsers[browser].take(&response);
        response
    }
}

/// The site with the keys from the newest to the oldest that it knows.
fn site(newest: usize, oldest: usize) -> Arc<Vestibule> {
    let secrets: Vec<String> =
        (oldest..=newest).rev().map(|key| format!("secret number {key}, which nobody else knows")).collect();
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    built(builder_with_keys(&secrets).provider(Plain::new("plain")))
}

fn callback(begun: &Begun, outcome: &str) -> String {
    format!("/oauth2/callback?{outcome}&state={}", begun.state)
}
