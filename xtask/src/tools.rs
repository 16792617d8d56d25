//! What the tests need from elsewhere, installed where a second run finds it again.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Outcome, root,
    steps::{self, cargo},
    tools_folder,
};

/// Programs, and the Debian packages that bring them.
const DEBIAN: [(&str, &str); 9] = [
    ("nginx", "nginx-light"),
    ("caddy", "caddy"),
    ("haproxy", "haproxy"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("npm", "npm"),
    ("redis-server", "redis-server"),
    ("redis-sentinel", "redis-sentinel"),
    ("faketime", "faketime"),
];

/// The version whose rules `deny.toml` is written for.
const CARGO_DENY: &str = "0.20.2";

/// Installs what the tests need of Debian's.
pub(crate) fn debian() -> Outcome {
    debian_packages(&DEBIAN)
}

/// Installs the Debian packages whose programs are not there yet: pairs of a program, or a file's whole path, and the
/// package that brings it.
pub(crate) fn debian_packages(wanted: &[(&str, &str)]) -> Outcome {
    let missing: Vec<&str> =
        wanted.iter().filter(|(program, _)| find(program).is_none()).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        println!("    all there");
        return Ok(());
    }
    install(&missing)?;
    match wanted.iter().find(|(program, _)| find(program).is_none()) {
        Some((program, _)) => {
            Err(explain(&missing, &format!("apt-get was content, but there is no {program}")))
        }
        None => Ok(()),
    }
}

/// Installs these Debian packages.
pub(crate) fn install(packages: &[&str]) -> Outcome {
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        let outcome = steps::run(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"));
        outcome.map_err(|problem| explain(packages, &problem))
    };
    apt(&["update"])?;
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(packages);
    apt(&install)
}

fn explain(packages: &[&str], problem: &str) -> String {
    let packages = packages.join(" ");
    format!(
        "{problem}\ninstall what is missing as root, then try again:\n    apt-get update && \
         apt-get install --yes --no-install-recommends {packages}"
    )
}

/// Installs the npm packages of `outside/npm`, exactly as its lock file has them.
pub(crate) fn npm() -> Outcome {
    let from = root().join("outside/npm");
    let to = tools_folder().join("npm");
    npm_ci(&from, &to)?;
    let node = steps::output(Command::new(to.join("node_modules/.bin/node")).arg("--version"))?;
    if !node.starts_with("v24.") {
        return Err(format!(
            "npm brought Node {node}, and the counterparts want 24; delete {} ",
            to.display()
        ));
    }
    println!("    Node {}", node.trim());
    Ok(())
}

/// `npm ci` in `to` for the lock file in `from`, unless it has been done for this very file.
pub(crate) fn npm_ci(from: &Path, to: &Path) -> Outcome {
    let stamp = to.join("installed-package-lock.json");
    let wanted = read(&from.join("package-lock.json"))?;
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        println!("    installed already: {}", to.display());
        return Ok(());
    }
    // Without its stamp, a folder that an interrupted run has left is not taken for a whole one.
    let _ = fs::remove_file(&stamp);
    fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    for file in ["package.json", "package-lock.json"] {
        write(&to.join(file), &read(&from.join(file))?)?;
    }
    steps::run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(to))?;
    write(&stamp, &wanted)
}

/// The path of a fitting cargo-deny, which is built first where there is none.
pub(crate) fn cargo_deny() -> Result<PathBuf, String> {
    let folder = tools_folder().join("cargo");
    let ours = folder.join("bin/cargo-deny");
    for candidate in [Some(ours.clone()), find("cargo-deny")].into_iter().flatten() {
        let version = steps::output(Command::new(&candidate).arg("--version")).unwrap_or_default();
        if version.split_whitespace().nth(1) == Some(CARGO_DENY) {
            return Ok(candidate);
        }
    }
    // A debug build: it runs for a second and would compile for minutes longer.
    let mut install = cargo("install --debug --locked cargo-deny --root");
    steps::run(install.arg(&folder).args(["--version", CARGO_DENY]))?;
    Ok(ours)
}

/// A program on the PATH, or where servers lie, which an ordinary user's PATH often lacks.
fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// A file's bytes, or a sentence that names the file.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{} could not be read: {error}", file.display()))
}

/// Writes a file, or says which could not be written.
pub(crate) fn write(file: &Path, bytes: &[u8]) -> Outcome {
    fs::write(file, bytes).map_err(|error| format!("{} could not be written: {error}", file.display()))
}
