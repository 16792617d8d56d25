//! Lines and dependencies: what an application takes in with sign-in.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use vestibule_outside::tools;

/// What is published: its folder, and its name.
const CRATES: [(&str, &str); 7] = [
    ("core", "vestibule"),
    ("provider-oidc", "vestibule-oidc"),
    ("provider-github", "vestibule-github"),
    ("http-reqwest", "vestibule-reqwest"),
    ("adapter-axum", "vestibule-axum"),
    ("adapter-actix", "vestibule-actix"),
    ("settings", "vestibule-settings"),
];

/// The size of one crate.
#[derive(Debug)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    /// Lines with code on them, tests left out.
    pub(crate) code: usize,
    /// All lines, tests left out.
    pub(crate) lines: usize,
    /// Crates that it brings, directly or not; those of this repository do not count.
    pub(crate) dependencies: usize,
}

pub(crate) fn measure() -> Result<Vec<Size>> {
    let there = |(folder, _): &(&str, &str)| tools::repository().join(folder).join("Cargo.toml").is_file();
    CRATES.into_iter().filter(there).map(|(folder, name)| size(folder, name)).collect()
}

fn size(folder: &str, name: &'static str) -> Result<Size> {
    let (mut code, mut lines) = (0, 0);
    for file in sources(&tools::repository().join(folder).join("src"))? {
        let text = fs::read_to_string(&file)?;
        let own = without_tests(&text);
        lines += own.lines().count();
        code += own.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count();
    }
    Ok(Size { name, code, lines, dependencies: dependencies(name)? })
}

fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|kind| kind == "rs") && !for_tests(&path) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Whether a file holds tests, or what applications test with.
fn for_tests(path: &Path) -> bool {
    path.ends_with("tests.rs") || path.ends_with("testing.rs")
}

/// Tests stand last in a file.
fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod tests {").map_or(text, |tests| &text[..tests])
}

fn dependencies(name: &str) -> Result<usize> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}", "--package", name])
        .current_dir(tools::repository())
        .output()?;
    ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout)?;
    Ok(foreign(&tree))
}

/// How many crates of a tree are not this repository's: those lie at a path, which the tree shows in brackets.
fn foreign(tree: &str) -> usize {
    let packages = tree.lines().map(|line| line.trim_end_matches(" (*)").trim_end_matches(" (proc-macro)"));
    packages.filter(|line| !line.is_empty() && !line.contains(" (/")).collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_or_comes_twice_is_not_counted() {
        let tree = "vestibule-axum v0.1.0 (/a/b)\naxum v0.8.1\nserde_derive v1.0.1 (proc-macro)\naxum v0.8.1 (*)\n\n";
        assert_eq!(foreign(tree), 2);
    }

    #[test]
    fn tests_are_no_lines() {
        assert_eq!(without_tests("fn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n"), "fn a() {}\n\n");
    }
}
