//! A real nginx with an original system's own configuration.

use std::{fs, path::Path, process::Command};

use anyhow::{Result, ensure};
use tempfile::TempDir;

use crate::{Child, PATIENCE, tools};

/// A running nginx. Its folder, with everything that it writes, goes with it.
#[derive(Debug)]
pub struct Nginx {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Nginx {
    /// The first system's file in front of `app`, which serves the page as well, on `port`.
    pub async fn seed1(app: u16, port: u16) -> Result<Self> {
        Self::seed1_between(app, app, port, |servers| servers).await
    }

    /// The same where somebody else serves the page, with `change` made to the file, as an administrator might.
    pub async fn seed1_between(
        app: u16,
        page: u16,
        port: u16,
        change: impl FnOnce(String) -> String,
    ) -> Result<Self> {
        let original = fs::read_to_string(tools::repository().join("examples/vue-nginx/nginx.conf"))?;
        Self::start(&change(seed1_with(&original, app, page, port)?), port).await
    }

    /// The second system's file in front of `app` and of who answers for sign-in, on `port`.
    pub async fn seed2(app: u16, gateway: u16, port: u16) -> Result<Self> {
        let original = fs::read_to_string(tools::repository().join("examples/streamlit-nginx/nginx.conf"))?;
        Self::start(&seed2_with(&original, app, gateway, port)?, port).await
    }

    /// Starts nginx with `servers` inside its `http` block, and waits until it answers on `port`.
    pub async fn start(servers: &str, port: u16) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("vestibule-nginx-").tempdir()?;
        let file = folder.path().join("nginx.conf");
        fs::write(&file, around(servers, folder.path()))?;
        let mut child = Child::start(
            "nginx",
            Command::new(tools::system("nginx")?)
                // From the first line on it must not write to the system's own log.
                .args(["-e", "stderr", "-p"])
                .arg(folder.path())
                .arg("-c")
                .arg(&file),
        )?;
        child.listens_on(port, PATIENCE).await?;
        Ok(Self { child, port, _folder: folder })
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits until its access or error log has a line that contains `needle`, and gives that line.
    ///
    /// An answer may arrive before the line about it does.
    pub async fn log_line_with(&mut self, needle: &str) -> Result<String> {
        self.child.line_with(needle, PATIENCE).await
    }
}

/// The first system's file with its upstreams and its listen value replaced, and nothing else.
fn seed1_with(original: &str, app: u16, page: u16, port: u16) -> Result<String> {
    readdressed(
        original,
        &[
            ("server host.docker.internal:5000;", format!("server 127.0.0.1:{app};")),
            ("server host.docker.internal:5173;", format!("server 127.0.0.1:{page};")),
            ("listen 8000;", format!("listen 127.0.0.1:{port};")),
        ],
    )
}

/// The second system's file with its upstreams and its listen value replaced, and nothing else.
fn seed2_with(original: &str, app: u16, gateway: u16, port: u16) -> Result<String> {
    readdressed(
        original,
        &[
            ("server streamlit:8501;", format!("server 127.0.0.1:{app};")),
            ("server oauth2-proxy:4180;", format!("server 127.0.0.1:{gateway};")),
            ("listen 8000;", format!("listen 127.0.0.1:{port};")),
        ],
    )
}

/// A configuration with its addresses replaced by a test's own. Each must be there exactly once, so that no example
/// quietly keeps one.
pub(crate) fn readdressed(original: &str, addresses: &[(&str, String)]) -> Result<String> {
    for (theirs, _) in addresses {
        ensure!(original.matches(theirs).count() == 1, "the original file has `{theirs}` exactly once");
    }
    Ok(replaced(original, addresses))
}

/// A text with each of these replaced wherever it stands, in one pass: what is put in may look like the next that is
/// looked for, as port 41801 begins like 4180.
pub(crate) fn replaced(original: &str, addresses: &[(&str, String)]) -> String {
    let (mut text, mut rest) = (String::new(), original);
    let next = |rest: &str| {
        let found = addresses.iter().filter_map(|(theirs, ours)| Some((rest.find(theirs)?, *theirs, ours)));
        found.min_by_key(|(at, ..)| *at).map(|(at, theirs, ours)| (at, at + theirs.len(), ours.clone()))
    };
    while let Some((start, end, ours)) = next(rest) {
        text += &rest[..start];
        text += &ours;
        rest = &rest[end..];
    }
    text + rest
}

/// What a distribution's own `nginx.conf` says around the servers, with every path in `folder`.
fn around(servers: &str, folder: &Path) -> String {
    let folder = folder.display();
    // A worker of another user could not enter the folder, which is its owner's alone.
    let user = if rustix::process::getuid().is_root() { "user root;" } else { "" };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|what| format!("    {what}_temp_path {folder}/{what};\n"))
        .collect();
    format!(
        "daemon off;\n{user}\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log stderr info;\n\
         events {{ worker_connections 256; }}\nhttp {{\n    access_log /dev/stdout;\n{temporary}\n{servers}\n}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_lines_of_each_original_differ() {
        let original = include_str!("../../examples/vue-nginx/nginx.conf");
        let changed = changed(original, &seed1_with(original, 1111, 3333, 2222).unwrap());
        assert_eq!(
            changed,
            [
                ("    server host.docker.internal:5000;", "    server 127.0.0.1:1111;"),
                ("    server host.docker.internal:5173;", "    server 127.0.0.1:3333;"),
                ("    listen 8000;", "    listen 127.0.0.1:2222;"),
            ]
            .map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned()))
        );
        let original = include_str!("../../examples/streamlit-nginx/nginx.conf");
        assert_eq!(3, self::changed(original, &seed2_with(original, 1, 2, 3).unwrap()).len());
    }

    #[test]
    fn an_address_that_was_put_in_is_none_to_be_replaced() {
        let addresses = [("a:80", "a:4180".to_owned()), ("a:4180", "a:9".to_owned())];
        assert_eq!(replaced("a:80 a:4180 a:80", &addresses), "a:4180 a:9 a:4180");
    }

    /// The lines that differ.
    fn changed(original: &str, ours: &str) -> Vec<(String, String)> {
        assert_eq!(original.lines().count(), ours.lines().count());
        let pairs = original.lines().zip(ours.lines()).filter(|(theirs, ours)| theirs != ours);
        pairs.map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned())).collect()
    }

    #[test]
    fn a_file_that_has_lost_a_value_is_refused() {
        assert!(seed1_with("upstream app {}", 1, 2, 3).is_err());
    }
}
