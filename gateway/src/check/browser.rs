//! What a browser does with cookies, as far as it decides whether somebody has a session (RFC 6265bis §5.7, §5.8).

use axum::http::{HeaderMap, header::SET_COOKIE};
use url::Url;
use vestibule::address::is_loopback;

/// A cookie that a browser keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cookie {
    pub(super) name: String,
    value: String,
    /// The host that set it, or the domain that it is for.
    host: String,
    is_for_domain: bool,
    pub(super) is_secure: bool,
}

/// Why a browser does not send a cookie somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Withheld {
    /// It is for https, and the address is http.
    Insecure,
    /// It is for another host.
    OtherHost,
}

/// A browser's cookies.
#[derive(Debug, Default)]
pub(super) struct Jar {
    cookies: Vec<Cookie>,
}

impl Jar {
    /// Keeps what an answer from `url` sets, or forgets what it clears. A cookie for somebody else's domain is dropped.
    pub(super) fn keep(&mut self, url: &Url, headers: &HeaderMap) {
        for line in headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok()) {
            let Some(cookie) = Cookie::parse(line, url) else { continue };
            self.cookies.retain(|own| own.name != cookie.name);
            if !cookie.value.is_empty() {
                self.cookies.push(cookie);
            }
        }
    }

    /// The `Cookie` header that goes to `url`.
    pub(super) fn header(&self, url: &Url) -> String {
        let sent = self.cookies.iter().filter(|cookie| cookie.withheld(url).is_none());
        sent.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect::<Vec<_>>().join("; ")
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Cookie> {
        self.cookies.iter()
    }
}

impl Cookie {
    fn parse(line: &str, url: &Url) -> Option<Self> {
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let mut cookie = Self {
            name: name.to_owned(),
            value: value.to_owned(),
            host: url.host_str()?.to_owned(),
            is_for_domain: false,
            is_secure: false,
        };
        for attribute in parts {
            let (attribute, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            match attribute.to_ascii_lowercase().as_str() {
                "secure" => cookie.is_secure = true,
                "max-age" if value == "0" => cookie.value.clear(),
                "domain" => {
                    let domain = value.trim_start_matches('.').to_ascii_lowercase();
                    if !is_within(&cookie.host, &domain) {
                        return None;
                    }
                    cookie.host = domain;
                    cookie.is_for_domain = true;
                }
                _ => {}
            }
        }
        Some(cookie)
    }

    /// Why this cookie does not go to `url`; `None` where it does.
    pub(super) fn withheld(&self, url: &Url) -> Option<Withheld> {
        let host = url.host_str().unwrap_or_default();
        let is_meant = if self.is_for_domain { is_within(host, &self.host) } else { host == self.host };
        if !is_meant {
            Some(Withheld::OtherHost)
        } else if self.is_secure && url.scheme() != "https" && !is_loopback(url) {
            Some(Withheld::Insecure)
        } else {
            None
        }
    }
}

fn is_within(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_goes_where_a_browser_sends_it() {
        let set_at = Url::parse("https://auth.app.example/x").unwrap();
        for (line, url, expected) in [
            ("a=1; Secure", "https://auth.app.example/", Some(None)),
            ("a=1; Secure", "http://auth.app.example/", Some(Some(Withheld::Insecure))),
            ("a=1", "https://app.example/", Some(Some(Withheld::OtherHost))),
            ("a=1; Domain=app.example", "https://other.app.example/", Some(None)),
            ("a=1; domain=.App.Example", "https://app.example/", Some(None)),
            ("a=1; Domain=app.example", "https://badapp.example/", Some(Some(Withheld::OtherHost))),
            ("a=1; Domain=other.example", "https://other.example/", None),
        ] {
            let withheld =
                Cookie::parse(line, &set_at).map(|cookie| cookie.withheld(&Url::parse(url).unwrap()));
            assert_eq!(withheld, expected, "{line} {url}");
        }
    }
}
