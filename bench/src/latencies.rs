//! How long answers took: counts by the microsecond, in memory that is the same however many there are.

use std::{fmt, time::Duration};

/// Whatever took longer is counted as this long.
const LONGEST: usize = 100_000;

/// Counts of latencies.
#[derive(Clone)]
pub struct Latencies {
    /// By whole microseconds.
    counts: Vec<u64>,
    total: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { counts: vec![0; LONGEST + 1], total: 0 }
    }
}

impl Latencies {
    /// Counts one.
    pub fn count(&mut self, latency: Duration) {
        let microseconds = usize::try_from(latency.as_micros()).unwrap_or(LONGEST).min(LONGEST);
        self.counts[microseconds] += 1;
        self.total += 1;
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// What this part of them did not exceed, to the microsecond; nothing where there are none.
    pub fn quantile(&self, part: f64) -> Duration {
        let rank = (self.total as f64 * part).ceil().max(1.0) as u64;
        let mut seen = 0;
        let reached = self.counts.iter().position(|count| {
            seen += count;
            rank <= seen
        });
        Duration::from_micros(reached.unwrap_or_default() as u64)
    }
}

impl fmt::Debug for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Latencies").field("total", &self.total).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_them_are_below_the_middle_and_one_of_a_hundred_above_the_last_part() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.quantile(0.5), Duration::ZERO);
        for microseconds in (1..=100).rev() {
            latencies.count(Duration::from_micros(microseconds));
        }
        assert_eq!(latencies.total(), 100);
        assert_eq!(latencies.quantile(0.5), Duration::from_micros(50));
        assert_eq!(latencies.quantile(0.99), Duration::from_micros(99));
        assert_eq!(latencies.quantile(1.0), Duration::from_micros(100));
        latencies.count(Duration::from_secs(9));
        assert_eq!(latencies.quantile(1.0), Duration::from_millis(100));
    }
}
