//! How the gateway runs, as far as options say it.

use std::time::Duration;

use vestibule::paths::Paths;

use crate::{
    options::Options,
    row::Row,
    rows,
    value::{self, Listen},
};

/// How the gateway runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Server {
    /// Where to listen.
    pub listen: Listen,
    /// Where metrics are served.
    pub metrics: Option<Listen>,
    /// The path that says whether the program runs.
    pub ping_path: String,
    /// The path that says whether the program can serve.
    pub ready_path: String,
    /// The header with a request's id, in lower case.
    pub request_id_header: String,
    /// Whether requests get a line in the log.
    pub request_logging: bool,
    /// The paths whose requests get none.
    pub quiet_paths: Vec<String>,
    /// How long requests under way have to end.
    pub grace: Duration,
    /// How long a connection may be silent.
    pub silence: Duration,
}

impl Server {
    pub(crate) fn of(options: &mut Options, endpoints: &Paths) -> Self {
        let (ping_path, ready_path) = (path(options, &rows::PING_PATH), path(options, &rows::READY_PATH));
        if ping_path == ready_path {
            options.problem(&rows::READY_PATH, "it is the ping path too", "give each a path of its own");
        }
        for (path, row) in [(&ping_path, &rows::PING_PATH), (&ready_path, &rows::READY_PATH)] {
            if leads_elsewhere(path, endpoints) {
                let remedy = "take another path, and none below those of the endpoints";
                options.problem(row, format!("`{path}` leads elsewhere already"), remedy);
            }
        }
        let mut quiet_paths = options.list(&rows::EXCLUDE_LOGGING_PATHS);
        if options.flag(&rows::SILENCE_PING_LOGGING).unwrap_or(false) {
            quiet_paths.extend([ping_path.clone(), ready_path.clone()]);
        }
        let default = Listen::Tcp(([127, 0, 0, 1], 4180).into());
        Self {
            listen: options.parsed(&rows::HTTP_ADDRESS, value::listen).unwrap_or(default),
            metrics: options.parsed(&rows::METRICS_ADDRESS, value::listen),
            ping_path,
            ready_path,
            request_id_header: header(options, &rows::REQUEST_ID_HEADER),
            request_logging: options.flag(&rows::REQUEST_LOGGING).unwrap_or(true),
            quiet_paths,
            grace: options.duration(&rows::SHUTDOWN_GRACE).unwrap_or(Duration::from_secs(10)),
            silence: options.duration(&rows::CONNECTION_SILENCE).unwrap_or(Duration::from_secs(75)),
        }
    }
}

/// Whether a path is an endpoint's, or below one: a proxy that asks below `auth` would be told that all is well.
fn leads_elsewhere(path: &str, endpoints: &Paths) -> bool {
    let is_in =
        |place: &str| path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let prefix = endpoints.prefix();
    path == "/robots.txt"
        || (!prefix.is_empty() && is_in(prefix))
        || endpoints.all().any(|(own, _)| is_in(own))
}

fn path(options: &mut Options, row: &Row) -> String {
    let path = options.text(row).unwrap_or_else(|| row.default.to_owned());
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    if !path.starts_with('/') || !path.bytes().all(is_plain) {
        let fault = format!("`{path}` is no path");
        options.problem(row, fault, format!("write a path from the root, such as `{}`", row.default));
    }
    path
}

fn header(options: &mut Options, row: &Row) -> String {
    let name = options.text(row).unwrap_or_else(|| row.default.to_owned());
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !name.bytes().all(is_token) {
        options.problem(row, format!("`{name}` is no header's name"), "use letters, digits and `-`");
    }
    name.to_ascii_lowercase()
}
