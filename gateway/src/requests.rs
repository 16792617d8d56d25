//! What the log says about each request: one line, and an id that stands in every other line about it.

use std::{
    fmt::Write as _,
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use axum::http::{HeaderMap, Method, StatusCode, Uri};
use vestibule_settings::Server;

/// How long an id of the proxy's may be. One that is longer, or no plain text, counts as none.
const ID_BYTES_MAX: usize = 128;

/// How much of a path is shown.
const PATH_CHARS_MAX: usize = 256;

/// Where ids come from if the proxy gives none: this run of the program, and a number.
#[derive(Debug)]
pub(crate) struct Ids {
    run: String,
    next: AtomicU64,
}

impl Ids {
    /// `seed` tells this run from others; it is no secret.
    pub(crate) fn new(seed: &[u8]) -> Self {
        let mut run = String::new();
        for byte in seed.iter().take(6) {
            // Writing to a string cannot fail.
            let _ = write!(run, "{byte:02x}");
        }
        Self { run, next: AtomicU64::new(1) }
    }

    /// The id that the proxy gave, or a new one.
    pub(crate) fn of(&self, headers: &HeaderMap, name: &str) -> String {
        let given = headers.get(name).and_then(|value| value.to_str().ok()).filter(|id| is_plain(id));
        given.map_or_else(
            || format!("{}-{:06}", self.run, self.next.fetch_add(1, Ordering::Relaxed)),
            str::to_owned,
        )
    }
}

/// Whether an id can stand in a log line without being taken for something else.
fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte);
    !id.is_empty() && id.len() <= ID_BYTES_MAX && id.bytes().all(plain)
}

/// A request, as far as its line tells. Of the target only the path: the query has codes and states in it.
#[derive(Debug)]
pub(crate) struct Line {
    method: Method,
    uri: Uri,
    peer: Option<SocketAddr>,
    began: Instant,
}

impl Line {
    /// `None` where the request gets no line.
    pub(crate) fn begin(
        server: &Server,
        method: &Method,
        uri: &Uri,
        peer: Option<SocketAddr>,
    ) -> Option<Self> {
        let is_quiet = !server.request_logging || server.quiet_paths.iter().any(|quiet| quiet == uri.path());
        (!is_quiet).then(|| Self { method: method.clone(), uri: uri.clone(), peer, began: Instant::now() })
    }

    /// Writes the line. A check that lets somebody through happens with every request of every page.
    pub(crate) fn write(self, status: StatusCode, is_granted_check: bool) {
        let Self { method, uri, peer, began } = self;
        let path: String = uri.path().chars().take(PATH_CHARS_MAX).collect();
        let (status, method) = (status.as_u16(), method.as_str());
        let peer = peer.map(|peer| peer.ip().to_string());
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        if is_granted_check {
            tracing::debug!(method, path, status, ms, peer, "answered");
        } else {
            tracing::info!(method, path, status, ms, peer, "answered");
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn an_id_is_the_proxy_s_if_it_is_plain_and_ours_otherwise() {
        let ids = Ids::new(&[0xab; 32]);
        let of = |value: &'static str| {
            let headers =
                [("x-request-id".parse().unwrap(), HeaderValue::from_static(value))].into_iter().collect();
            ids.of(&headers, "x-request-id")
        };
        assert_eq!(of("7f3a-91"), "7f3a-91");
        assert_eq!(of("a b"), "abababababab-000001");
        assert_eq!(of(""), "abababababab-000002");
        assert_eq!(of(r#"x"} level="error"#), "abababababab-000003");
        assert_eq!(ids.of(&HeaderMap::new(), "x-request-id"), "abababababab-000004");
    }
}
