//! Keycloak, which comes from Maven's registry as one archive: unpacked, and built for tests, where a second run finds it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Outcome, steps, tools, tools_folder};

/// What it is called there.
const ARTIFACT: &str = "org.keycloak:keycloak-quarkus-dist:26.7.3:zip";
/// What the archive is called, and the folder in it.
const NAMES: [&str; 2] = ["keycloak-quarkus-dist-26.7.3.zip", "keycloak-26.7.3"];
/// The archive's hash: a registry is trusted to have it, not to have it unchanged.
const SHA256: &str = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f";
/// What fetches it.
const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy";
/// How it is built: with its database in memory.
const BUILD: [&str; 2] = ["build", "--db=dev-mem"];

/// Programs that this needs, and the Debian packages that bring them.
const DEBIAN: [(&str, &str); 3] = [("java", "openjdk-17-jre-headless"), ("mvn", "maven"), ("unzip", "unzip")];

/// Installs it, unless it has been done for this very version.
pub(crate) fn install() -> Outcome {
    let folder = tools_folder().join("keycloak");
    let stamp = folder.join("installed.txt");
    let wanted = format!("{ARTIFACT} {SHA256} {}\n", BUILD.join(" "));
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted.as_bytes()) {
        println!("    installed already: {}", folder.display());
        return tools::debian_packages(&DEBIAN);
    }
    tools::debian_packages(&DEBIAN)?;
    let complain = |error: std::io::Error| format!("{}: {error}", folder.display());
    // What an interrupted run has left is not mended but made anew.
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(complain)?;
    }
    fs::create_dir_all(&folder).map_err(complain)?;
    let archive = fetch(&folder)?;
    steps::run(Command::new("unzip").arg("-q").arg(&archive).arg("-d").arg(&folder))?;
    fs::rename(folder.join(NAMES[1]), folder.join("server")).map_err(complain)?;
    fs::remove_file(archive).map_err(complain)?;
    steps::run(Command::new("sh").arg(folder.join("server/bin/kc.sh")).args(BUILD))?;
    tools::write(&stamp, wanted.as_bytes())
}

/// The archive, which is the one that is meant. What Maven needs for that goes again.
fn fetch(folder: &Path) -> Result<PathBuf, String> {
    let maven = folder.join("maven");
    let mut copy = Command::new("mvn");
    copy.args(["--batch-mode", "--quiet", PLUGIN]).arg(format!("-Dartifact={ARTIFACT}"));
    copy.arg(format!("-DoutputDirectory={}", folder.display()));
    copy.arg(format!("-Dmaven.repo.local={}", maven.display()));
    steps::run(&mut copy)?;
    fs::remove_dir_all(&maven).map_err(|error| format!("{}: {error}", maven.display()))?;
    let archive = folder.join(NAMES[0]);
    let hash = steps::output(Command::new("sha256sum").arg(&archive))?;
    if hash.split_whitespace().next() == Some(SHA256) {
        return Ok(archive);
    }
    Err(format!("{ARTIFACT} is another one than was meant: {hash}"))
}
