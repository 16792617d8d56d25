//! Which attempts this process has seen answered, so that twenty copies of one callback make one token call.
//!
//! A copy that comes while the first is under way gets the first one's answer; what comes later is told that it is
//! late. Bounded, and each kept until it would be too old anyway.

use std::collections::{HashMap, VecDeque};

use futures_util::future::{BoxFuture, Shared};

use crate::{attempt::AttemptKey, limits::ANSWERED_ATTEMPTS_MAX, response::Response, time::Timestamp};

/// A run under way, shared by every copy of its callback; `None` where it came to grief.
pub(crate) type PendingRun = Shared<BoxFuture<'static, Option<Response>>>;

/// What became of an attempt that was claimed. The response itself is not kept.
#[derive(Clone)]
pub(crate) enum Claimed {
    Running(PendingRun),
    Finished,
}

/// All claimed attempts that a process remembers.
#[derive(Default)]
pub(crate) struct ClaimedAttempts {
    runs: HashMap<AttemptKey, Claimed>,
    /// In the order in which they came, which is nearly the order in which they end.
    queue: VecDeque<(Timestamp, AttemptKey)>,
}

impl ClaimedAttempts {
    pub(crate) fn look_up(&mut self, attempt: &AttemptKey, now: Timestamp) -> Option<Claimed> {
        while self.queue.front().is_some_and(|(until, _)| *until <= now) {
            self.forget_first();
        }
        self.runs.get(attempt).cloned()
    }

    pub(crate) fn insert(&mut self, attempt: AttemptKey, until: Timestamp, run: PendingRun) {
        if self.queue.len() >= ANSWERED_ATTEMPTS_MAX {
            self.forget_first();
        }
        self.queue.push_back((until, attempt.clone()));
        self.runs.insert(attempt, Claimed::Running(run));
    }

    pub(crate) fn finish(&mut self, attempt: &AttemptKey) {
        if let Some(run) = self.runs.get_mut(attempt) {
            *run = Claimed::Finished;
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, attempt)) = self.queue.pop_front() {
            self.runs.remove(&attempt);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::{authorization_response::Reference, secret::State};

    #[test]
    fn what_is_remembered_is_bounded_and_forgotten_in_time() {
        let run: PendingRun = futures_util::future::ready(None).boxed().shared();
        let key = |number: usize| AttemptKey::of(&Reference::State(State::new(number.to_string())));
        let at = Timestamp::from_unix;
        let mut claimed = ClaimedAttempts::default();
        for number in 0..ANSWERED_ATTEMPTS_MAX + 10 {
            claimed.insert(key(number), at(100), run.clone());
            claimed.finish(&key(number));
        }
        assert_eq!((claimed.runs.len(), claimed.queue.len()), (ANSWERED_ATTEMPTS_MAX, ANSWERED_ATTEMPTS_MAX));
        assert!(claimed.look_up(&key(0), at(0)).is_none(), "the first ones had to go");
        assert!(matches!(claimed.look_up(&key(10), at(99)), Some(Claimed::Finished)));
        assert!(claimed.look_up(&key(10), at(100)).is_none());
        assert_eq!((claimed.runs.len(), claimed.queue.len()), (0, 0));
    }
}
