//! Replays the corpus through the targets, and mutations of it: the same ones in every run, on any toolchain.
//!
//! Files whose names begin with `good` must be accepted, those that begin with `bad` must be refused; others, such as a
//! fuzzer's finds, only have to break nothing. A find that broke something stays in the corpus once it is fixed.
#![allow(clippy::unwrap_used, reason = "the helpers of a test fail by panicking, as it does")]

mod mutations;

use std::{
    fs,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use mutations::Mutations;
use vestibule_fuzzing::{Seen, TARGETS, Target};

/// More would hide what the corpus is for; a fuzzer keeps its own beside it.
const FILES_MAX: usize = 48;
/// Bytes of all corpora together.
const BYTES_MAX: usize = 1024 * 1024;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Name and content of every file of a target's corpus, sorted.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder().join(target)).unwrap_or_else(|error| panic!("{target}: {error}"));
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// Runs a target, and names the input where it breaks an invariant.
fn run(target: Target, from: &str, input: &[u8]) -> Seen {
    panic::catch_unwind(AssertUnwindSafe(|| (target.run)(input))).unwrap_or_else(|_| {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("broke-{}", target.name));
        fs::write(&file, input).unwrap();
        let shown = &input[..input.len().min(1_000)];
        panic!(
            "`{}` broke an invariant on an input made from `{from}`. It is in {}, and begins b\"{}\"",
            target.name,
            file.display(),
            shown.escape_ascii()
        )
    })
}

/// Replays a target's corpus, then as many mutations of it.
fn replay(name: &str, mutations: usize) {
    let target = *TARGETS.iter().find(|target| target.name == name).unwrap();
    let files = corpus(name);
    for (file, content) in &files {
        let seen = run(target, file, content);
        let expected = match file {
            file if file.starts_with("good") => Seen::Accepted,
            file if file.starts_with("bad") => Seen::Refused,
            _ => seen,
        };
        assert_eq!(seen, expected, "{name}/{file}");
    }
    let inputs: Vec<&[u8]> = files.iter().map(|(_, content)| content.as_slice()).collect();
    let mut random = Mutations::new(&inputs);
    for number in 0..mutations {
        let (file, content) = &files[number % files.len()];
        run(target, file, &random.mutate(content));
    }
}

macro_rules! replays {
    ($($target:ident $mutations:literal)*) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target), $mutations);
        })*

        #[test]
        fn every_target_is_replayed_here_and_fuzzed_there() {
            let replayed = [$(stringify!($target)),*];
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, replayed, "the list in this file is that of the library");
            let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
            let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
            for name in names {
                let source = fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
                assert!(source.contains(&format!("vestibule_fuzzing::{name}(")), "{name}");
                assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} has no [[bin]] in fuzz/Cargo.toml");
            }
        }
    };
}

// How many mutations of each: some two seconds' worth, without optimisation and with the machine to themselves.
replays! {
    access_rules 4_000
    callback_form 2_000
    callback_query 4_000
    callback_token 4_000
    cookie_header 2_000
    discovery 5_000
    email_rule 3_000
    forwarded_headers 1_000
    github 5_000
    id_token 4_000
    json 10_000
    key_set 3_000
    operations 1_000
    profile 3_000
    request_head 4_000
    return_target 10_000
    session_cookie 3_000
    signed_claims 4_000
    token_reply 4_000
    userinfo 3_000
}

#[test]
fn corpora_are_small_and_about_something() {
    let mut bytes = 0;
    for target in TARGETS {
        let files = corpus(target.name);
        let beginning = |prefix: &str| files.iter().filter(|(name, _)| name.starts_with(prefix)).count();
        assert!(
            beginning("good") > 0 && beginning("bad") > 0,
            "{}: nothing accepted or nothing refused",
            target.name
        );
        assert!(files.len() <= FILES_MAX, "{}: {} files", target.name, files.len());
        bytes += files.iter().map(|(_, content)| content.len()).sum::<usize>();
    }
    assert!(bytes < BYTES_MAX, "{bytes} bytes");
}
