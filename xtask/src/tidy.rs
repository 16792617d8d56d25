//! Rules about files and dependencies that no compiler checks. Each failure names its remedy.
//!
//! They run as a test of this crate, hence with every `cargo test`.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{
    Outcome, adapters, root,
    steps::{cargo, command, output},
    testkit, threats,
};

/// Longer files are split; the aim is 100 to 300 lines.
const LINES_MAX: usize = 500;

/// What `core` may not call, and what it does instead.
const FORBIDDEN_IN_CORE: [(&str, &str); 9] = [
    ("SystemTime::now", "time comes in as a value: take a `Timestamp`"),
    ("Instant::now", "time comes in as a value: take a `Timestamp`"),
    ("Utc::now", "time comes in as a value: take a `Timestamp`"),
    ("OsRng", "randomness comes in as a seed: take it from `Entropy`"),
    ("thread_rng", "randomness comes in as a seed: take it from `Entropy`"),
    ("tokio::", "the core knows no runtime: return an effect, and let the driver await"),
    ("reqwest::", "the core does no I/O: return an effect, and let the host perform it"),
    ("axum::", "the core knows no framework: this belongs into an adapter"),
    ("actix_web::", "the core knows no framework: this belongs into an adapter"),
];

/// What may not be anywhere below `core`: whoever brings it in makes the core do I/O.
const FORBIDDEN_BELOW_CORE: [&str; 22] = [
    "tokio",
    "mio",
    "socket2",
    "async-std",
    "smol",
    "async-io",
    "polling",
    "reqwest",
    "hyper",
    "hyper-util",
    "h2",
    "ureq",
    "curl",
    "isahc",
    "rustls",
    "native-tls",
    "openssl",
    "axum",
    "axum-core",
    "actix-web",
    "actix-rt",
    "tower",
];

/// Folders that are one machine's. In two pieces each, so that this file may name them.
const MACHINE_PATHS: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// Text that people write; what tools write (lock files, the built page) may be as long as it likes.
const WRITTEN: [&str; 9] = ["rs", "toml", "ts", "vue", "css", "html", "mjs", "sh", "conf"];

/// Looks at everything, and reports everything that is untidy at once.
pub(crate) fn run() -> Outcome {
    let mut problems = Vec::new();
    let mut lines = BTreeMap::new();
    for name in tracked()? {
        let Ok(text) = fs::read_to_string(root().join(&name)) else { continue };
        problems.extend(untidy(&name, &text));
        problems.extend(testkit::turned_on(&name, &text));
        if let Some(adapter) = adapters::adapter(&name) {
            problems.extend(adapters::names_a_rule(&name, &text));
            *lines.entry(adapter.to_owned()).or_insert(0) += adapters::without_tests(&text).lines().count();
        }
    }
    problems.extend(lines.into_iter().filter_map(|(adapter, lines)| adapters::too_long(&adapter, lines)));
    problems.extend(core_depends_on_too_much()?);
    problems.extend(threats::problems()?);
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("{} untidy:\n{}", problems.len(), problems.join("\n")))
}

/// Every file that is, or could be, committed.
fn tracked() -> Result<Vec<String>, String> {
    let list = output(&mut command("git", "ls-files --cached --others --exclude-standard"))?;
    Ok(list.lines().map(str::to_owned).collect())
}

fn untidy(name: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let lines = text.lines().count();
    if LINES_MAX < lines && is_written(name) {
        problems.push(format!("{name}: {lines} lines; split it, {LINES_MAX} is the most and 300 the aim"));
    }
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(path) = MACHINE_PATHS.into_iter().find(|path| names_machine_path(line, path)) {
            problems.push(format!(
                "{name}:{number}: `{path}` is one machine's; say it relative to the repository"
            ));
        }
        if name.starts_with("core/src/") && !line.trim_start().starts_with("//") {
            for (call, instead) in FORBIDDEN_IN_CORE.into_iter().filter(|(call, _)| line.contains(call)) {
                problems.push(format!("{name}:{number}: `{call}` in the core; {instead}"));
            }
        }
    }
    problems
}

fn is_written(name: &str) -> bool {
    let built = name.contains("/dist/") || name.ends_with("package-lock.json");
    !built && Path::new(name).extension().is_some_and(|kind| WRITTEN.iter().any(|written| kind == *written))
}

/// A path begins where no word goes on: `https://example.com/w/` names no folder of a machine.
fn names_machine_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '}' | '/'))
    })
}

fn core_depends_on_too_much() -> Result<Vec<String>, String> {
    let tree = output(&mut cargo("tree -p vestibule -e normal --all-features --prefix none --format {p}"))?;
    Ok(too_much(&tree))
}

fn too_much(tree: &str) -> Vec<String> {
    let mut found: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| FORBIDDEN_BELOW_CORE.contains(name))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
        .into_iter()
        .map(|name| {
            format!("core depends on {name}; see `cargo tree -p vestibule -i {name} -e normal`, and turn the feature off")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        if let Err(problems) = run() {
            panic!("{problems}");
        }
    }

    #[test]
    fn a_long_file_is_to_be_split_unless_a_tool_wrote_it() {
        let long = "\n".repeat(LINES_MAX + 1);
        assert!(untidy("core/src/a.rs", &long)[0].contains("split it"));
        assert!(untidy("examples/vue-nginx/web/dist/assets/index.css", &long).is_empty());
        assert!(untidy("Cargo.lock", &long).is_empty());
    }

    #[test]
    fn the_core_may_not_call_the_clock_but_may_speak_of_it() {
        let problems =
            untidy("core/src/a.rs", "// SystemTime::now is the host's\nlet now = SystemTime::now();\n");
        assert_eq!(
            problems,
            ["core/src/a.rs:2: `SystemTime::now` in the core; time comes in as a value: take a `Timestamp`"]
        );
        assert!(untidy("http-reqwest/src/a.rs", "SystemTime::now()").is_empty());
    }

    #[test]
    fn a_machine_path_is_found_and_an_address_is_not_one() {
        let [work, ..] = MACHINE_PATHS;
        assert_eq!(untidy("README.md", &format!("see {work}main")).len(), 1);
        assert!(untidy("README.md", &format!("https://example.com{work}main")).is_empty());
    }

    #[test]
    fn a_runtime_below_the_core_is_named_once() {
        let problems = too_much("vestibule v0.1.0 (core)\nurl v2.5.8\ntokio v1.54.1\ntokio v1.54.1 (*)\n");
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("core depends on tokio"), "{problems:?}");
    }
}
