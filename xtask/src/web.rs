//! The Vue page's build output is committed, so that the demo needs no Node. It must be the sources'.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Outcome, files, root, steps, tools, tools_folder};

const REMEDY: &str = "run `npm ci && npm run build` in examples/vue-nginx/web and commit `dist`";

/// Builds the page from its sources in a folder of its own and compares every byte.
pub(crate) fn check() -> Outcome {
    let committed = root().join("examples/vue-nginx/web");
    let copy = tools_folder().join("web");
    tools::npm_ci(&committed, &copy)?;
    copy_sources(&committed, &copy)?;
    steps::run(Command::new("npm").args(["run", "build"]).current_dir(&copy).env("PATH", path_with_node()?))?;
    let (built, there) = (contents(&copy.join("dist"))?, contents(&committed.join("dist"))?);
    let mut names: Vec<&PathBuf> = built.keys().chain(there.keys()).collect();
    names.sort();
    names.dedup();
    let stale: Vec<String> = names
        .into_iter()
        .filter(|name| built.get(*name) != there.get(*name))
        .map(|name| name.display().to_string())
        .collect();
    if stale.is_empty() {
        Ok(())
    } else {
        Err(format!("dist is not what its sources build: {}; {REMEDY}", stale.join(", ")))
    }
}

/// Lays the sources beside the installed packages, without what an earlier run has left of them.
fn copy_sources(from: &Path, to: &Path) -> Outcome {
    let complain = |error: std::io::Error| format!("the page's sources could not be copied: {error}");
    for folder in ["src", "public", "dist"] {
        if to.join(folder).exists() {
            fs::remove_dir_all(to.join(folder)).map_err(complain)?;
        }
    }
    for file in files::below(from, &["node_modules", "dist"])? {
        let target = to.join(file.strip_prefix(from).map_err(|error| error.to_string())?);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(complain)?;
        }
        fs::copy(&file, &target).map_err(complain)?;
    }
    Ok(())
}

fn contents(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>, String> {
    files::below(folder, &[])?
        .into_iter()
        .map(|file| {
            Ok((
                file.strip_prefix(folder).map_err(|error| error.to_string())?.to_owned(),
                tools::read(&file)?,
            ))
        })
        .collect()
}

/// The PATH with the Node that the tests use first: the system's may be too old for the build.
fn path_with_node() -> Result<std::ffi::OsString, String> {
    let ours = tools_folder().join("npm/node_modules/.bin");
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths([ours].into_iter().chain(env::split_paths(&path))).map_err(|error| error.to_string())
}
