//! What the tests need from Python's registry: one environment in `target/tools`, found again by a second run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Outcome, root,
    steps::{self, output},
    tools, tools_folder,
};

/// Whether a Python can make environments, and is new enough for what they shall hold.
const FIT: &str = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))";

/// The one that Debian brings; a PATH may begin with others.
const DEBIANS: &str = "/usr/bin/python3";

/// Installs what `outside/python/requirements.txt` lists, unless it has been done for this very list.
pub(crate) fn packages() -> Outcome {
    let list = root().join("outside/python/requirements.txt");
    // Several work trees may share one folder of tools by a link: what they find there must have one name.
    fs::create_dir_all(tools_folder()).map_err(|error| format!("{}: {error}", tools_folder().display()))?;
    let tools_folder = fs::canonicalize(tools_folder()).map_err(|error| format!("target/tools: {error}"))?;
    let folder = tools_folder.join("python");
    let stamp = folder.join("installed.txt");
    let wanted = stamp_for(&folder, &tools::read(&list)?);
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) && runs(&folder) {
        println!("    installed already: {}", folder.display());
        return Ok(());
    }
    // A folder that an interrupted run has left, or that was moved, is not mended but made anew.
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    steps::run(Command::new(python()?).args(["-m", "venv"]).arg(&folder))?;
    // Wheels only: a package that would have to be compiled here is one that this machine cannot bring up in time.
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--only-binary", ":all:"]);
    steps::run(pip.arg("--requirement").arg(&list))?;
    tools::write(&stamp, &wanted)
}

/// Programs in an environment name its folder, so a moved one is another one.
fn stamp_for(folder: &Path, list: &[u8]) -> Vec<u8> {
    let mut stamp = format!("# in {}\n", folder.display()).into_bytes();
    stamp.extend_from_slice(list);
    stamp
}

/// Whether the Python that the environment was made from is still there.
fn runs(folder: &Path) -> bool {
    output(Command::new(folder.join("bin/python")).arg("--version")).is_ok()
}

fn python() -> Result<PathBuf, String> {
    let fitting = || ["python3", DEBIANS].into_iter().find(|python| is_fit(python)).map(PathBuf::from);
    if let Some(python) = fitting() {
        return Ok(python);
    }
    tools::install(&["python3-venv"])?;
    fitting().ok_or_else(|| "no python3 here is 3.11 or newer and can make environments".to_owned())
}

fn is_fit(python: &str) -> bool {
    output(Command::new(python).args(["-c", FIT])).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_list_or_another_folder_is_installed_anew() {
        let stamp = stamp_for(Path::new("tools/python"), b"streamlit==1\n");
        assert_eq!(stamp, stamp_for(Path::new("tools/python"), b"streamlit==1\n"));
        assert_ne!(stamp, stamp_for(Path::new("moved/python"), b"streamlit==1\n"));
        assert_ne!(stamp, stamp_for(Path::new("tools/python"), b"streamlit==2\n"));
    }

    #[test]
    fn the_list_pins_every_version() {
        let list = include_str!("../../outside/python/requirements.txt");
        let loose: Vec<&str> =
            list.lines().filter(|line| !line.starts_with('#') && !line.contains("==")).collect();
        assert!(loose.is_empty(), "{loose:?}");
    }
}
