//! Where the programs are that tests start: the system's, npm's, and our own built ones.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// What every failure for want of a tool says. A suite that skipped instead would pass by being empty.
const REMEDY: &str = "run `cargo xtask test`";

/// A program that a Debian package brings, looked for where such packages put them.
pub fn system(name: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Servers lie in sbin, which an ordinary user's PATH often lacks.
    env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .with_context(|| format!("{name} is not installed; {REMEDY}"))
}

/// The folder into which `cargo xtask test` has installed the npm packages of `outside/npm`.
pub fn npm() -> Result<PathBuf> {
    let folder = tools()?.join("npm");
    if folder.join("node_modules/oidc-provider").is_dir() && folder.join("node_modules/emulate").is_dir() {
        return Ok(folder);
    }
    bail!("the npm packages of outside/npm are not installed in {}; {REMEDY}", folder.display())
}

/// The Node that those packages want; the system's own is older.
pub fn node() -> Result<PathBuf> {
    let node = npm()?.join("node_modules/.bin/node");
    if node.is_file() {
        return Ok(node);
    }
    bail!("npm has not installed Node; {REMEDY}")
}

/// The Python that has the packages of `outside/python`.
pub fn python() -> Result<PathBuf> {
    from_python("python")
}

/// Envoy, which comes as such a package.
pub fn envoy() -> Result<PathBuf> {
    from_python("envoy")
}

/// The library of Debian's `faketime` that gives a program with threads another clock, by `LD_PRELOAD`.
pub fn faketime() -> Result<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib")?.flatten();
    folders
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|file| file.is_file())
        .with_context(|| format!("faketime is not installed; {REMEDY}"))
}

/// Keycloak's folder, as `cargo xtask test` has unpacked and built it.
pub fn keycloak() -> Result<PathBuf> {
    let folder = tools()?.join("keycloak");
    // As there, this is written last.
    if folder.join("installed.txt").is_file() {
        return Ok(folder.join("server"));
    }
    bail!("Keycloak is not installed in {}; {REMEDY}", folder.display())
}

fn from_python(name: &str) -> Result<PathBuf> {
    let folder = tools()?.join("python");
    // The list is written last, so without it the environment is not whole.
    if folder.join("installed.txt").is_file() {
        return Ok(folder.join("bin").join(name));
    }
    bail!("the Python packages of outside/python are not installed in {}; {REMEDY}", folder.display())
}

/// A program of this workspace, built in the same profile as the tests that run now.
pub fn built(name: &str) -> Result<PathBuf> {
    let folder = match env::var_os("VESTIBULE_BUILT") {
        Some(folder) => PathBuf::from(folder),
        None => profile()?,
    };
    let program = folder.join(name);
    if program.is_file() {
        return Ok(program);
    }
    bail!("{name} is not built in {}; {REMEDY}", folder.display())
}

/// A folder in `target` for what a failed test leaves to look at.
pub fn failures() -> Result<PathBuf> {
    let folder = profile()?.join("outside-failures");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The repository's root, for the files that tests read from it.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in a folder of the repository")
}

fn tools() -> Result<PathBuf> {
    if let Some(folder) = env::var_os("OUTSIDE_TOOLS") {
        return Ok(PathBuf::from(folder));
    }
    // With `--target` the profile's folder lies one deeper, so all folders above it are asked.
    profile()?
        .ancestors()
        .map(|folder| folder.join("tools"))
        .find(|folder| folder.is_dir())
        .with_context(|| format!("there is no target/tools yet; {REMEDY}"))
}

/// `target/debug`, say: test executables lie in its folder `deps`.
fn profile() -> Result<PathBuf> {
    let test = env::current_exe()?;
    let deps = test.parent().context("the test executable lies in a folder")?;
    let profile = if deps.ends_with("deps") { deps.parent() } else { Some(deps) };
    Ok(profile.context("the folder `deps` lies in a profile's folder")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_is_missing_names_the_command_that_installs_it() {
        for error in [system("no-such-program").unwrap_err(), built("no-such-program").unwrap_err()] {
            let text = error.to_string();
            assert!(text.contains("no-such-program") && text.ends_with("run `cargo xtask test`"), "{text}");
        }
    }
}
