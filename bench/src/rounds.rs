//! Loads in turns: whatever else the machine does meets everything that is compared.

use std::{path::Path, time::Duration};

use anyhow::Result;

use crate::{
    load::{Generator, Load, Outcome},
    process,
};

/// How often and how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) rounds: usize,
    pub(crate) seconds: u64,
}

impl Pace {
    pub(crate) const FULL: Self = Self { rounds: 7, seconds: 2 };
    /// To see that everything works, and roughly where the numbers lie.
    pub(crate) const SHORT: Self = Self { rounds: 3, seconds: 1 };

    pub(crate) fn time(self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// For what is there beside the figure that counts.
    fn shorter(self) -> Self {
        Self { seconds: self.seconds.div_ceil(2), ..self }
    }
}

/// One thing to be loaded.
#[derive(Debug, Clone)]
pub(crate) struct Arm {
    label: String,
    load: Load,
    base: Option<usize>,
}

impl Arm {
    /// `base` is the number of the arm that this one is compared with.
    pub(crate) fn new(label: &str, load: Load, base: Option<usize>) -> Self {
        Self { label: label.to_owned(), load, base }
    }
}

/// What came of one arm.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) label: String,
    pub(crate) requests_per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// What the servers spent on one request, where the kernel counts it.
    pub(crate) spent: Option<Duration>,
    /// Against its base, in the same round.
    pub(crate) ratio: Option<Ratio>,
    /// What wrk sees of the same, where it is not the one that has measured.
    pub(crate) by_wrk: Option<ByWrk>,
}

/// Beside a figure of the busy load: the same with wrk, for shorter times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByWrk {
    pub(crate) requests_per_second: f64,
    pub(crate) ratio: Option<Ratio>,
}

/// Requests a second against another arm's, over all rounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
    /// The other arm's time on the core for a request, against this one's: the same ratio where nothing else runs.
    pub(crate) by_time_on_core: Option<f64>,
    /// Which arm it is against.
    pub(crate) base: usize,
}

#[derive(Debug, Clone, Copy)]
struct Shot {
    outcome: Outcome,
    spent: Option<Duration>,
}

/// Loads every arm once a round by wrk, and the other way round every second time.
pub(crate) fn compare(pace: Pace, arms: &[Arm], processes: &[u32]) -> Result<Vec<Measured>> {
    let [shots] = shots([(Generator::Wrk, pace)], arms, processes)?;
    Ok(arms.iter().enumerate().map(|(number, arm)| measured(number, arm, &shots)).collect())
}

/// As [`compare`], but by the load that never sleeps, `bench-load` at this path; and in each round then by wrk.
pub(crate) fn compare_busily(
    pace: Pace,
    arms: &[Arm],
    processes: &[u32],
    program: &Path,
) -> Result<Vec<Measured>> {
    let generators = [(Generator::Busy(program), pace), (Generator::Wrk, pace.shorter())];
    let [busy, wrk] = shots(generators, arms, processes)?;
    let measured = arms.iter().enumerate().map(|(number, arm)| {
        let Measured { requests_per_second, ratio, .. } = measured(number, arm, &wrk);
        let by_wrk = Some(ByWrk { requests_per_second, ratio });
        Measured { by_wrk, ..measured(number, arm, &busy) }
    });
    Ok(measured.collect())
}

/// All rounds of each generator, by arm.
fn shots<const N: usize>(
    generators: [(Generator<'_>, Pace); N],
    arms: &[Arm],
    processes: &[u32],
) -> Result<[Vec<Vec<Shot>>; N]> {
    for arm in arms {
        for (generator, _) in generators {
            arm.load.run(generator, Duration::from_secs(1))?;
        }
    }
    let mut shots = std::array::from_fn(|_| vec![Vec::new(); arms.len()]);
    let rounds = generators.first().map_or(0, |(_, pace)| pace.rounds);
    for round in 0..rounds {
        for ((generator, pace), shots) in generators.iter().zip(&mut shots) {
            let mut order: Vec<usize> = (0..arms.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for number in order {
                shots[number].push(shoot(&arms[number].load, *generator, *pace, processes)?);
            }
            let last = shots.iter().filter_map(|shots: &Vec<Shot>| shots.last());
            let line: Vec<String> =
                last.map(|shot| format!("{:.0}/s", shot.outcome.requests_per_second)).collect();
            println!("    round {} of {rounds}, {generator}: {}", round + 1, line.join("  "));
        }
    }
    Ok(shots)
}

fn shoot(load: &Load, generator: Generator<'_>, pace: Pace, processes: &[u32]) -> Result<Shot> {
    let before = process::time_on_core(processes);
    let outcome = load.run(generator, pace.time())?;
    let after = process::time_on_core(processes);
    let spent = before.zip(after).and_then(|(before, after)| after.checked_sub(before));
    Ok(Shot { outcome, spent: spent.map(|spent| spent.div_f64(outcome.requests.max(1.0))) })
}

fn measured(number: usize, arm: &Arm, shots: &[Vec<Shot>]) -> Measured {
    let own = &shots[number];
    let of = |what: fn(&Shot) -> f64| median(own.iter().map(what).collect());
    Measured {
        label: arm.label.clone(),
        requests_per_second: of(|shot| shot.outcome.requests_per_second),
        p50: Duration::from_secs_f64(of(|shot| shot.outcome.p50.as_secs_f64())),
        p99: Duration::from_secs_f64(of(|shot| shot.outcome.p99.as_secs_f64())),
        spent: own
            .iter()
            .map(|shot| shot.spent.map(|spent| spent.as_secs_f64()))
            .collect::<Option<Vec<_>>>()
            .map(|spent| Duration::from_secs_f64(median(spent))),
        ratio: arm.base.map(|base| ratio(base, own, &shots[base])),
        by_wrk: None,
    }
}

fn ratio(base: usize, own: &[Shot], others: &[Shot]) -> Ratio {
    let pairs = || own.iter().zip(others);
    let ratios: Vec<f64> = pairs()
        .map(|(own, other)| own.outcome.requests_per_second / other.outcome.requests_per_second)
        .collect();
    let by_time: Option<Vec<f64>> =
        pairs().map(|(own, other)| Some(other.spent?.as_secs_f64() / own.spent?.as_secs_f64())).collect();
    Ratio {
        lowest: ratios.iter().copied().fold(f64::INFINITY, f64::min),
        highest: ratios.iter().copied().fold(0.0, f64::max),
        median: median(ratios),
        by_time_on_core: by_time.map(median),
        base,
    }
}

/// The middle one, or the mean of the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shot(requests_per_second: f64) -> Shot {
        let times = Duration::from_millis(1);
        Shot {
            outcome: Outcome { requests: 100.0, requests_per_second, p50: times, p99: times },
            spent: Some(Duration::from_secs_f64(1.0 / requests_per_second)),
        }
    }

    #[test]
    fn a_ratio_is_taken_within_each_round() {
        // The machine was half as fast in the second round, for both.
        let ratio = ratio(0, &[shot(90.0), shot(45.0), shot(80.0)], &[shot(100.0), shot(50.0), shot(100.0)]);
        assert!((ratio.median - 0.9).abs() < 1e-9 && (ratio.lowest - 0.8).abs() < 1e-9);
        assert!((ratio.by_time_on_core.unwrap() - 0.9).abs() < 1e-6);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
    }
}
