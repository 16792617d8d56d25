//! A browser: a cookie jar, and what can be done to it.

use vestibule::{request::PlainHead, response::Response};

use crate::outside::cookies_set;

/// So many cookies that no limit of the site is reached.
const COOKIES_MAX: usize = 30;

/// A cookie jar. A real one has no two cookies of one name and place; a tossed one comes from another place.
#[derive(Default)]
pub(super) struct Browser {
    pub(super) jar: Vec<(String, String)>,
    /// As it was before the last response.
    before: Vec<(String, String)>,
}

impl Browser {
    pub(super) fn with_cookies(&self, head: PlainHead) -> PlainHead {
        let pairs: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { head } else { head.with("cookie", pairs.join("; ")) }
    }

    /// Keeps and drops cookies as a response says.
    pub(super) fn take(&mut self, response: &Response) {
        self.before.clone_from(&self.jar);
        for (name, value) in cookies_set(response) {
            self.jar.retain(|(own, _)| *own != name);
            if !value.is_empty() {
                self.jar.push((name, value));
            }
        }
    }

    /// Does as if the last response had not come.
    pub(super) fn forget_last(&mut self) {
        self.jar.clone_from(&self.before);
    }

    /// The value of a cookie, where there is exactly one.
    pub(super) fn only(&self, name: &str) -> Option<&str> {
        let mut found = self.jar.iter().filter(|(own, _)| own == name);
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }

    /// How many cookies there are whose names begin so, and how many bytes they take.
    pub(super) fn starting(&self, prefix: &str) -> (usize, usize) {
        let found = self.jar.iter().filter(|(name, _)| name.starts_with(prefix));
        found.fold((0, 0), |(count, bytes), (name, value)| (count + 1, bytes + name.len() + value.len()))
    }

    /// Changes, cuts, lengthens, deletes or doubles a cookie, swaps its value with its neighbour's, or gives it its
    /// neighbour's name: whatever a person, an extension or a neighbouring host can do, but for copying what another
    /// browser has. Whoever can do that has the session, here as everywhere.
    pub(super) fn tamper(&mut self, cookie: usize, way: usize) {
        let count = self.jar.len();
        if count == 0 {
            return;
        }
        let (this, next) = (cookie % count, (cookie + 1) % count);
        match way % 7 {
            0 => {
                let value = &mut self.jar[this].1;
                let changed = if value.starts_with('A') { "B" } else { "A" };
                value.replace_range(..value.len().min(1), changed);
            }
            1 => drop(self.jar[this].1.pop()),
            2 => self.jar[this].1.push('A'),
            3 => drop(self.jar.remove(this)),
            4 if count < COOKIES_MAX => {
                self.jar.insert(this, (self.jar[this].0.clone(), "tossed".to_owned()))
            }
            5 => {
                let value = self.jar[this].1.clone();
                self.jar[this].1 = std::mem::replace(&mut self.jar[next].1, value);
            }
            6 => self.jar[this].0 = self.jar[next].0.clone(),
            _ => {}
        }
    }
}
