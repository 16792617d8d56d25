//! What an address is, where that decides whether plain http will do.

use url::{Host, Url};

/// Whether `url` is plain http on this very machine: what is said there cannot be overheard.
///
/// `localhost` counts (RFC 6761 §6.3), names below it do not.
pub fn is_loopback_http(url: &Url) -> bool {
    url.scheme() == "http" && is_loopback(url)
}

/// Whether `url` is https, or plain http on this very machine.
pub fn is_safe(url: &Url) -> bool {
    (url.scheme() == "https" && url.has_host()) || is_loopback_http(url)
}

/// Whether browsers look for `url` on their own machine. They never ask a resolver about names below `localhost`; other
/// programs may, so that this is for where a browser is sent only.
pub(crate) fn is_loopback_to_browsers(url: &Url) -> bool {
    is_loopback(url) || url.domain().is_some_and(|name| name.ends_with(".localhost"))
}

/// Whether `url` is on this very machine, whatever its scheme. `localhost` counts, names below it do not.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// `path` below whatever path `base` has, whether that ends with a slash or not.
pub fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{}", base.path().trim_end_matches('/'), path.trim_start_matches('/')));
    url.set_query(None);
    url.set_fragment(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_below_a_path_keeps_it() {
        for (base, expected) in [
            ("https://a.example", "https://a.example/api/v1"),
            ("https://a.example/", "https://a.example/api/v1"),
            ("https://a.example/git", "https://a.example/git/api/v1"),
            ("https://a.example/git/?x=1#y", "https://a.example/git/api/v1"),
        ] {
            for path in ["api/v1", "/api/v1"] {
                assert_eq!(below(&Url::parse(base).unwrap(), path).as_str(), expected);
            }
        }
    }

    #[test]
    fn plain_http_is_safe_on_this_machine_only() {
        let safe = |text| is_safe(&Url::parse(text).unwrap());
        for text in ["https://a.example", "http://localhost:1", "http://127.8.8.8", "http://[::1]:1"] {
            assert!(safe(text), "{text}");
        }
        for text in [
            "http://a.example",
            "http://localhost.a.example",
            "http://x.localhost",
            "http://10.0.0.1",
            "ftp://127.0.0.1",
            "javascript:x",
        ] {
            assert!(!safe(text), "{text}");
        }
    }
}
