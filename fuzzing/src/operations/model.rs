//! What the site has given out, and when it is still worth something.

use std::{collections::HashMap, time::Duration};

use vestibule::time::Timestamp;

use super::browser::Browser;

/// What a sealed cookie says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// That this person is signed in.
    Session(usize),
    /// Which attempt is under way.
    Attempt(usize),
    /// Which page `auth` was asked about.
    Remembered(usize),
    /// How many sign-ins have just been finished.
    Rounds(u8),
}

/// A cookie that the site has sealed.
struct Given {
    name: String,
    says: Says,
    expires: Timestamp,
    key: usize,
}

/// Everything that the site has sealed, by its text.
#[derive(Default)]
pub(super) struct Model {
    given: HashMap<String, Given>,
    /// The key that seals; earlier ones are numbered from zero.
    pub(super) key: usize,
    /// The oldest key that still opens.
    pub(super) oldest_key: usize,
}

impl Model {
    /// Writes down what the site has given out.
    pub(super) fn gave(&mut self, name: &str, value: &str, says: Says, expires: Timestamp) {
        let given = Given { name: name.to_owned(), says, expires, key: self.key };
        let before = self.given.insert(value.to_owned(), given);
        assert!(before.is_none(), "no two seals are the same text");
    }

    /// When a browser's cookie ends that an older key than the newest has sealed.
    pub(super) fn ends_by_older_key(&self, browser: &Browser, name: &str) -> Option<Timestamp> {
        let given = self.given.get(browser.only(name)?)?;
        (given.key < self.key).then_some(given.expires)
    }

    /// What a browser's cookie says, if it says anything: exactly one, as it was given out, under its own name, in its
    /// time, by a key that is still there.
    pub(super) fn says(&self, browser: &Browser, name: &str, now: Timestamp) -> Option<Says> {
        let given = self.given.get(browser.only(name)?)?;
        let opens = given.name == name && now < given.expires && self.oldest_key <= given.key;
        opens.then_some(given.says)
    }
}

/// How long each lasts, once more.
pub(super) fn lasts(says: Says) -> Duration {
    Duration::from_secs(match says {
        Says::Session(_) => 7 * 24 * 3_600,
        Says::Attempt(_) => 600,
        Says::Remembered(_) => 120,
        Says::Rounds(_) => 60,
    })
}
