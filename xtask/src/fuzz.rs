//! `cargo xtask fuzz`: libFuzzer on the targets of `fuzzing/`, which `cargo test` only replays.

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{
    Outcome, root,
    steps::{self, Steps, cargo},
    tools_folder,
};

/// The version that `fuzz/` is laid out for.
const CARGO_FUZZ: &str = "0.13.2";
/// How long each target runs where nothing else is said.
const SECONDS: &str = "30";

/// Runs the targets named, or all of them, one after another. The first word may be a number of seconds for each.
pub(crate) fn run(words: &[&str]) -> Outcome {
    let is_number = |word: &&&str| word.bytes().all(|byte| byte.is_ascii_digit());
    let (seconds, names) = match words.first().filter(is_number) {
        Some(seconds) => (*seconds, &words[1..]),
        None => (SECONDS, words),
    };
    let all = targets()?;
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|target| target == **name)) {
        return Err(format!("there is no target `{unknown}`; there are: {}", all.join(", ")));
    }
    let program = cargo_fuzz()?;
    nightly()?;
    let mut steps = Steps::default();
    for target in all.iter().filter(|target| names.is_empty() || names.contains(&target.as_str())) {
        steps.step(target, || fuzz(&program, target, seconds))?;
    }
    println!("\n{}", steps.table());
    Ok(())
}

/// One target. What it finds new goes to `fuzz/corpus`, which git does not know; the corpus that tests replay is read.
fn fuzz(program: &PathBuf, target: &str, seconds: &str) -> Outcome {
    let (finds, corpus) = (format!("fuzz/corpus/{target}"), format!("fuzzing/corpus/{target}"));
    fs::create_dir_all(root().join(&finds)).map_err(|error| format!("{finds} could not be made: {error}"))?;
    let mut command = Command::new(program);
    // Nothing here is `unsafe`: without the address sanitizer the same time goes several times as far.
    command.args(["fuzz", "run", "--sanitizer", "none", target, &finds, &corpus, "--"]);
    command.args(["-dict=fuzzing/dictionary.txt", "-timeout=10", "-print_final_stats=1"]);
    command.arg(format!("-max_total_time={seconds}"));
    let outcome = steps::run(with_nightly(&mut command).current_dir(root()));
    outcome.map_err(|problem| {
        format!(
            "{problem}\nmake the input above small with `cargo +nightly fuzz tmin --sanitizer none {target} INPUT`, \
             put it into {corpus} under a name that says what it is, and fix what it shows"
        )
    })
}

/// The targets, by the folders of their corpora; a test holds these against the list in `fuzzing/src/lib.rs`.
fn targets() -> Result<Vec<String>, String> {
    let folder = root().join("fuzzing/corpus");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// The path of a fitting cargo-fuzz, which is built first where there is none.
fn cargo_fuzz() -> Result<PathBuf, String> {
    let folder = tools_folder().join("cargo");
    let ours = folder.join("bin/cargo-fuzz");
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).map(|folder| folder.join("cargo-fuzz"));
    for candidate in [ours.clone()].into_iter().chain(on_path).filter(|file| file.is_file()) {
        let version = steps::output(Command::new(&candidate).args(["fuzz", "--version"])).unwrap_or_default();
        if version.split_whitespace().nth(1) == Some(CARGO_FUZZ) {
            return Ok(candidate);
        }
    }
    let mut install = cargo("install --locked cargo-fuzz --root");
    steps::run(install.arg(&folder).args(["--version", CARGO_FUZZ]))?;
    Ok(ours)
}

/// libFuzzer needs flags of the compiler that only nightly takes.
fn nightly() -> Outcome {
    let mut rustc = Command::new("rustc");
    let found = with_nightly(rustc.arg("--version")).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match found {
        Ok(status) if status.success() => Ok(()),
        _ => {
            Err("fuzzing needs a nightly toolchain: rustup toolchain install nightly --profile minimal"
                .into())
        }
    }
}

/// The toolchain that runs this command has told its children to be it; these are to be another.
fn with_nightly(command: &mut Command) -> &mut Command {
    for inherited in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN_SOURCE"] {
        command.env_remove(inherited);
    }
    command.env("RUSTUP_TOOLCHAIN", "nightly")
}
