//! How long ago somebody has shown who they are.

use std::time::Duration;

use crate::{limits::CLOCK_LEEWAY, session::SessionView, time::Timestamp};

/// When somebody has shown who they are: to the provider, where it said so, and else by having signed in here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Freshness {
    signed_in: Timestamp,
    authenticated: Option<Timestamp>,
}

impl Freshness {
    pub(crate) fn of(session: &SessionView<'_>) -> Self {
        Self { signed_in: session.signed_in, authenticated: session.authenticated }
    }

    /// Whether that was within `time`.
    pub(crate) fn within(self, time: Duration, now: Timestamp) -> bool {
        match self.authenticated {
            Some(at) => was_within(at, time, now),
            None => now.since(self.signed_in) <= time,
        }
    }
}

/// Whether something by the provider's clock was within `time`: as lenient wherever it is asked, or somebody whom one
/// check has let in would be sent to sign in again by the next.
pub(crate) fn was_within(at: Timestamp, time: Duration, now: Timestamp) -> bool {
    now.since(at) <= time.saturating_add(CLOCK_LEEWAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_providers_word_counts_where_there_is_one_and_ours_else() {
        let at = Timestamp::from_unix;
        let within = |signed_in, authenticated: Option<i64>, now| {
            Freshness { signed_in: at(signed_in), authenticated: authenticated.map(at) }
                .within(Duration::from_secs(600), at(now))
        };
        assert!(within(0, None, 600) && !within(0, None, 601));
        assert!(within(0, Some(0), 660) && !within(0, Some(0), 661), "their clock may differ by a minute");
        assert!(
            !within(1_000, Some(0), 1_000),
            "a sign-in that the provider asked nothing for renews nothing"
        );
    }
}
