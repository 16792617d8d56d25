//! The page, and the few lines at the end of a run.

use std::{fmt::Write as _, time::Duration};

use crate::{
    core_alone::Timed,
    load,
    machine::Machine,
    memory::{self, Held},
    rounds::{ByWrk, Measured, Pace, Ratio},
    size::Size,
    stores::{self, Stores},
};

/// Everything that was measured.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) machine: Machine,
    pub(crate) pace: Pace,
    pub(crate) core: Vec<Timed>,
    /// Asked directly, on axum.
    pub(crate) direct: Vec<Measured>,
    /// The same on actix-web.
    pub(crate) actix: Vec<Measured>,
    pub(crate) nginx: Vec<Measured>,
    /// The gateway, asked directly.
    pub(crate) in_front: Vec<Measured>,
    /// The gateway behind nginx.
    pub(crate) in_front_nginx: Vec<Measured>,
    pub(crate) stores: Stores,
    pub(crate) memory: Vec<Held>,
    /// Or why it was not.
    pub(crate) apache: Result<Vec<Measured>, String>,
    pub(crate) size: Vec<Size>,
}

impl Findings {
    /// The ratios that a reader looks for, each with what it is of.
    pub(crate) fn ratios(&self) -> Vec<(&'static str, Ratio)> {
        let apache = self.apache.as_deref().unwrap_or_default();
        let ratio = |arms: &[Measured], number: usize| arms.get(number).and_then(|arm| arm.ratio);
        [
            ("auth, against a bare route", ratio(&self.direct, 2)),
            ("auth on actix-web, against a bare route there", ratio(&self.actix, 2)),
            ("route behind require(), against an open one", ratio(&self.direct, 4)),
            ("nginx asks auth, against nginx asks a bare route", ratio(&self.nginx, 2)),
            ("the gateway's auth, against a bare route of axum", ratio(&self.in_front, 1)),
            ("nginx asks the gateway, against nginx asks a bare route", ratio(&self.in_front_nginx, 2)),
            ("auth, a session in Redis, against a bare route", ratio(&self.stores.checks, 3)),
            ("mod_auth_openidc (cookie), against an open file", ratio(apache, 1)),
            ("mod_auth_openidc (cache), against an open file", ratio(apache, 3)),
        ]
        .into_iter()
        .filter_map(|(label, ratio)| Some((label, ratio?)))
        .collect()
    }
}

/// The whole page, in Markdown.
pub(crate) fn page(findings: &Findings) -> String {
    let Findings { machine, pace, .. } = findings;
    let mut page = format!(
        "# What sign-in costs\n\n\
         Written by `cargo xtask bench` on {}. Run it again to repeat everything here; it installs what it needs, and \
         wants a machine with nothing else to do and at least two cores.\n\n\
         {}.\n\n\
         ![The ratios and times of this page as bars](benchmarks.svg)\n\n\
         Ratios are the result; requests a second tell more about the machine. Servers have one core and the load \
         ({} connections) another. What is compared is loaded in turns, {} rounds of {} s each, in reversed order \
         every second time; a ratio is taken within each round, and its median is given with the lowest and the \
         highest. *On the core* is what the servers' processes spent on one request by the kernel's own count, and the \
         ratio in brackets is that of these times: it holds even where something else disturbs the machine. Each \
         request carries the eighteen headers of a browser's navigation, three cookies of others beside the session. \
         Latency is that of a server kept busy without a pause, hence mostly waiting.\n\n\
         Where a server is asked directly, the load is `bench-load`, which never sleeps: it reads its sockets over and \
         over. wrk, which asks everywhere else, sleeps in `epoll` whenever no answer is there, and the server pays for \
         waking it, with an interrupt to the other core. It catches up with a server, and so sleeps, the more often the \
         longer an answer takes: ten times as often for `auth` as for a bare route, which made up to 0.8 µs of a \
         request. That is a property of the pair and no work of the server's, so it is kept out of the ratio; the last \
         column says what wrk sees of the same, in the same rounds, for a shorter time.\n",
        machine.date,
        machine.line,
        load::CONNECTIONS,
        pace.rounds,
        pace.seconds,
    );
    page += "\n## A server, asked directly\n\n\
         axum on a single-threaded runtime. The goal for `auth` is 0.9 of the bare route. The second line sends as many \
         headers as `auth` does and knows nothing: what it loses is the price of a longer answer.\n\n";
    page += &arms_table(&findings.direct);
    page += "\nThe same on actix-web, with one worker:\n\n";
    page += &arms_table(&findings.actix);
    page += "\n## Behind nginx\n\n\
         A file of 1 KB, and `auth_request` with connections kept to the server; nginx and the server share the core.\n\n";
    page += &arms_table(&findings.nginx);
    page += "\n## The gateway\n\n\
         The program as it comes, on one core, with metrics counted and a log line for whatever is not a granted check; \
         beside it axum's bare route on the same core. Below the same behind nginx.\n\n";
    page += &arms_table(&findings.in_front);
    page.push('\n');
    page += &arms_table(&findings.in_front_nginx);
    page += &stores::section(&findings.stores);
    page += "\n## Beside them: mod_auth_openidc\n\n\
         Debian's module in Apache (event, a thread for each connection), signed in at the development provider, a file of 1 KB. It lives \
         inside its server, so its counterpart is the route behind `require()` above. In the *cookie* its sessions are \
         what our sealed ones are; its own default is the *cache* in shared memory.\n\n";
    page += &match &findings.apache {
        Ok(arms) => arms_table(arms),
        Err(problem) => format!("Not measured: {}\n", problem.lines().next().unwrap_or_default()),
    };
    page += "\n## The core alone\n\n\
         By criterion, on one core, medians. The session is that of a person with a name, an address and two groups, \
         with a rule about the address's domain.\n\n";
    page += &core_table(&findings.core);
    let _ = write!(
        page,
        "\n## Memory\n\n\
         Resident memory of the same program with a `Gate` (and the HTTP client that it asks providers with) and \
         without, and of the gateway, idle and with {} busy connections; in brackets what of that is no file's.\n\n",
        memory::CONNECTIONS
    );
    page += &memory_table(&findings.memory);
    page += "\n## Size\n\n\
         Lines in `src` without tests, and the crates that come with each, directly or not (`cargo tree -e normal`, ours \
         not counted).\n\n";
    page += &size_table(&findings.size);
    page
}

/// What a person sees at the end of a run.
pub(crate) fn summary(findings: &Findings) -> String {
    let mut text = String::new();
    for (label, ratio) in findings.ratios() {
        let _ = writeln!(text, "{:>22}  {label}", ratio_text(&ratio));
    }
    for (server, arms) in [
        ("axum", &findings.direct),
        ("actix-web", &findings.actix),
        ("the gateway", &findings.in_front),
        ("axum", &findings.stores.checks),
    ] {
        for arm in arms {
            let Some(ratio) = arm.by_wrk.and_then(|by_wrk| by_wrk.ratio) else { continue };
            let _ = writeln!(text, "{:>22}  by wrk, on {server}: {}", ratio_text(&ratio), arm.label);
        }
    }
    for timed in findings.core.iter().filter(|timed| timed.figure.budget.is_some()) {
        let budget = timed.figure.budget.unwrap_or_default() / 1_000.0;
        let _ = writeln!(text, "{:>22}  {} (budget {budget:.1} µs)", time(timed.median), timed.figure.label);
    }
    for Size { name, code, lines, dependencies } in &findings.size {
        if name.ends_with("axum") || name.ends_with("actix") {
            let _ = writeln!(
                text,
                "{lines:>22}  lines in {name} ({code} of code), {dependencies} dependencies with its framework"
            );
        }
    }
    text
}

pub(crate) fn arms_table(arms: &[Measured]) -> String {
    let by_both = arms.iter().any(|arm| arm.by_wrk.is_some());
    let mut table = String::from("| asked for | requests/s | on the core | p50 | p99 | ratio | against |");
    table += if by_both { " by wrk |\n" } else { "\n" };
    table += "|---|--:|--:|--:|--:|--:|---|";
    table += if by_both { "--:|\n" } else { "\n" };
    for arm in arms {
        let (ratio, base) = arm.ratio.map_or((String::new(), ""), |ratio| {
            (ratio_text(&ratio), arms.get(ratio.base).map_or("", |base| base.label.as_str()))
        });
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {ratio} | {base} |{}",
            arm.label,
            thousands(arm.requests_per_second),
            arm.spent.map_or("–".to_owned(), time),
            time(arm.p50),
            time(arm.p99),
            arm.by_wrk.map_or(String::new(), |by_wrk| format!(" {} |", wrk_text(&by_wrk))),
        );
    }
    table
}

fn wrk_text(ByWrk { requests_per_second, ratio }: &ByWrk) -> String {
    let requests = thousands(*requests_per_second);
    ratio.map_or(format!("{requests}/s"), |ratio| format!("{requests}/s, {}", ratio_text(&ratio)))
}

fn ratio_text(ratio: &Ratio) -> String {
    let Ratio { median, lowest, highest, by_time_on_core, .. } = ratio;
    let by_time = by_time_on_core.map_or(String::new(), |by_time| format!(" ({by_time:.2})"));
    format!("**{median:.2}** {lowest:.2}–{highest:.2}{by_time}")
}

fn core_table(core: &[Timed]) -> String {
    let mut table = String::from("| function | time | budget |\n|---|--:|--:|\n");
    for Timed { figure, median } in core {
        let budget =
            figure.budget.map_or(String::new(), |nanoseconds| format!("{:.1} µs", nanoseconds / 1_000.0));
        let _ = writeln!(table, "| {} | {} | {budget} |", figure.label, time(*median));
    }
    table
}

fn memory_table(held: &[Held]) -> String {
    let mut table = String::from("| server | idle | loaded |\n|---|--:|--:|\n");
    let megabytes = |memory: &crate::process::Memory| {
        let of = |kilobytes: u64| kilobytes as f64 / 1_024.0;
        format!("{:.1} MiB ({:.1})", of(memory.resident), of(memory.anonymous))
    };
    for Held { label, idle, loaded } in held {
        let _ = writeln!(table, "| {label} | {} | {} |", megabytes(idle), megabytes(loaded));
    }
    table
}

fn size_table(sizes: &[Size]) -> String {
    let mut table =
        String::from("| crate | lines of code | with comments | dependencies |\n|---|--:|--:|--:|\n");
    for Size { name, code, lines, dependencies } in sizes {
        let _ = writeln!(
            table,
            "| `{name}` | {} | {} | {dependencies} |",
            thousands(*code as f64),
            thousands(*lines as f64)
        );
    }
    table
}

/// A duration with three digits that mean something.
pub(crate) fn time(duration: Duration) -> String {
    let microseconds = duration.as_secs_f64() * 1e6;
    match microseconds {
        small if small < 10.0 => format!("{small:.2} µs"),
        middle if middle < 1_000.0 => format!("{middle:.1} µs"),
        large => format!("{:.2} ms", large / 1_000.0),
    }
}

pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!((thousands(1_234_567.4), thousands(12.0)), ("1,234,567".to_owned(), "12".to_owned()));
        assert_eq!(time(Duration::from_nanos(583)), "0.58 µs");
        assert_eq!(time(Duration::from_micros(11_749)), "11.75 ms");
    }
}
