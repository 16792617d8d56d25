//! Cookies: how ours are named, which attributes they carry, and how a browser's are read (RFC 6265bis).

use std::{fmt::Write as _, time::Duration};

use memchr::{memchr, memchr_iter};

use crate::{limits, request::RequestHead};

/// How our cookies are named and scoped; the same for setting and clearing, or a browser would keep the old one.
#[derive(Clone, Debug)]
pub(crate) struct CookieScope {
    /// https: `Secure`, and the prefix `__Host-`, which forbids `Domain` and any path but `/`.
    pub(crate) secure: bool,
    /// What the names of our own host's cookies begin with, prefix included.
    stem: String,
    /// What the names of those begin with that every host under `domain` gets; the same where there is none.
    shared_stem: String,
    domain: Option<String>,
}

impl CookieScope {
    /// Names that begin with `name`; those of session, tokens and return target are shared under a `domain`.
    pub(crate) fn new(name: &str, secure: bool, domain: Option<String>) -> Self {
        let prefix = if secure { "__Host-" } else { "" };
        let stem = format!("{prefix}{name}");
        // Browsers keep it only with `Secure`, and that is all that it promises.
        let shared_stem = if domain.is_some() { format!("__Secure-{name}") } else { stem.clone() };
        Self { secure, stem, shared_stem, domain }
    }

    /// The domain whose hosts share the session.
    pub(crate) fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    pub(crate) fn session(&self) -> String {
        self.shared_stem.clone()
    }

    pub(crate) fn tokens(&self) -> String {
        format!("{}_tokens", self.shared_stem)
    }

    pub(crate) fn remembered(&self) -> String {
        format!("{}_to", self.shared_stem)
    }

    pub(crate) fn rounds(&self) -> String {
        format!("{}_rounds", self.stem)
    }

    /// The name of the attempt cookie that goes with a hash of `state`.
    pub(crate) fn attempt(&self, state_hash: &str) -> String {
        format!("{}{state_hash}", self.attempts())
    }

    /// What the names of all attempt cookies begin with.
    pub(crate) fn attempts(&self) -> String {
        format!("{}_try_", self.stem)
    }

    /// The `Set-Cookie` that gives a browser this value.
    pub(crate) fn set(&self, name: &str, value: &str, max_age: Duration, cross_site: bool) -> String {
        let mut line = String::with_capacity(name.len() + value.len() + 80);
        let _ = write!(line, "{name}={value}; Path=/; Max-Age={}; HttpOnly", max_age.as_secs());
        line += if cross_site { "; SameSite=None" } else { "; SameSite=Lax" };
        if self.secure {
            line += "; Secure";
        }
        if let Some(domain) = self.domain.as_ref().filter(|_| name.starts_with(&self.shared_stem)) {
            let _ = write!(line, "; Domain={domain}");
        }
        line
    }

    /// The `Set-Cookie` that takes it away again.
    pub(crate) fn clear(&self, name: &str) -> String {
        self.set(name, "", Duration::ZERO, false)
    }
}

/// More cookies than we are willing to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManyCookies;

/// The cookies of one request.
#[derive(Debug, Default)]
pub(crate) struct Cookies {
    pairs: Vec<(String, String)>,
}

impl Cookies {
    /// Reads the `Cookie` headers; HTTP/2 may split them into several (RFC 9113 §8.2.3). A cookie that is not UTF-8
    /// takes no other with it.
    pub(crate) fn read(head: &(impl RequestHead + ?Sized)) -> Result<Self, TooManyCookies> {
        let mut pairs = Vec::new();
        each(head, |name, value| {
            if let Ok(name) = std::str::from_utf8(name) {
                // What is not UTF-8 gets a character that no value of ours has; it still counts as one of its name.
                pairs.push((name.to_owned(), String::from_utf8_lossy(value).into_owned()));
            }
        })?;
        Ok(Self { pairs })
    }

    /// Every pair whose name begins with `prefix`, byte for byte, quotes and all (no RFC 2109).
    pub(crate) fn starting<'c>(&'c self, prefix: &'c str) -> impl Iterator<Item = (&'c str, &'c str)> {
        let pairs = self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        pairs.filter(move |(name, _)| name.starts_with(prefix))
    }

    /// The value of `name`, where there is exactly one: of two, one was tossed in by somebody else.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        let mut found = self.pairs.iter().filter(|(own, _)| own == name);
        let value = &found.next()?.1;
        found.next().is_none().then_some(value)
    }

    /// Whether there is any of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(own, _)| own == name)
    }
}

/// The value of the cookie `name`, where there is exactly one; reads as [`Cookies::read`] does, and keeps nothing else.
pub(crate) fn only<'h>(head: &'h (impl RequestHead + ?Sized), name: &str) -> Option<&'h [u8]> {
    let mut found = None;
    let mut several = false;
    each(head, |own, value| {
        if own == name.as_bytes() {
            several |= found.is_some();
            found = Some(value);
        }
    })
    .ok()?;
    found.filter(|_| !several)
}

/// Without the spaces and tabs around it, and nothing else (RFC 6265bis §5.6.3).
fn trimmed(mut pair: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = pair {
        pair = rest;
    }
    pair
}

/// Walks through all cookies of a request, in place and within the limits.
fn each<'h>(
    head: &'h (impl RequestHead + ?Sized),
    mut each: impl FnMut(&'h [u8], &'h [u8]),
) -> Result<(), TooManyCookies> {
    let (mut bytes, mut count) = (0, 0);
    head.each_header("cookie", &mut |line| {
        bytes += line.len();
        let mut start = 0;
        for end in memchr_iter(b';', line).chain([line.len()]) {
            let pair = trimmed(&line[start..end]);
            start = end + 1;
            let Some(equals) = memchr(b'=', pair) else { continue };
            count += 1;
            if bytes <= limits::COOKIE_HEADER_BYTES_MAX && count <= limits::COOKIES_MAX {
                each(&pair[..equals], &pair[equals + 1..]);
            }
        }
    });
    let within = bytes <= limits::COOKIE_HEADER_BYTES_MAX && count <= limits::COOKIES_MAX;
    if within { Ok(()) } else { Err(TooManyCookies) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::PlainHead;

    fn read(line: &[u8], name: &str) -> Option<String> {
        let head = PlainHead::new("GET", "/").with("cookie", line);
        let read = Cookies::read(&head).unwrap().one(name).map(str::to_owned);
        let only = only(&head, name).map(|value| String::from_utf8_lossy(value).into_owned());
        assert_eq!(read, only, "both readers read alike");
        read
    }

    #[test]
    fn ck_01_every_cookie_carries_every_attribute_set_and_cleared() {
        let scope = CookieScope::new("vestibule", true, None);
        for line in
            [scope.set(&scope.session(), "v", Duration::from_secs(9), false), scope.clear(&scope.session())]
        {
            assert!(line.starts_with("__Host-vestibule="), "{line}");
            for attribute in ["; Path=/", "; Max-Age=", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
                assert_eq!(line.matches(attribute).count(), 1, "{line}");
            }
            assert!(!line.contains("Domain"));
        }
        let form_post = scope.set(&scope.attempt("x"), "v", Duration::from_secs(9), true);
        assert!(form_post.contains("; SameSite=None; Secure"), "{form_post}");
    }

    #[test]
    fn ck_02_of_two_cookies_of_one_name_neither_counts() {
        assert_eq!(read(b"__Host-s=a; __Host-s=b", "__Host-s"), None);
        assert_eq!(read(b"__Host-s=a; __Host-s=\xff", "__Host-s"), None);
        let two_lines = PlainHead::new("GET", "/").with("cookie", "s=a").with("cookie", "s=b");
        assert_eq!(Cookies::read(&two_lines).unwrap().one("s"), None);
    }

    #[test]
    fn ck_04_names_are_compared_byte_for_byte() {
        for line in ["__hOsT-s=v", "__Host-s%20=v", "__Host-s[0]=v", "\u{2000}__Host-s=v", "\u{a0}__Host-s=v"]
        {
            assert_eq!(read(line.as_bytes(), "__Host-s"), None, "{line}");
        }
    }

    #[test]
    fn ck_05_there_is_no_rfc_2109_parsing() {
        assert_eq!(read(b"$Version=1,__Host-s=v", "__Host-s"), None);
        assert_eq!(read(b"__Host-s=\"v\"", "__Host-s").as_deref(), Some("\"v\""));
        assert_eq!(read(b"x=\"a; __Host-s=v; b\"", "__Host-s").as_deref(), Some("v"));
    }

    #[test]
    fn ck_06_odd_headers_are_read_or_refused() {
        assert_eq!(read(b"=x; ; ;;__Host-s=V; novalue; a=b=c; \xff\x00", "__Host-s").as_deref(), Some("V"));
        assert_eq!(
            read(b"theirs=caf\xe9; __Host-s=V", "__Host-s").as_deref(),
            Some("V"),
            "another's is no matter of ours"
        );
        for line in ["a=b; ".repeat(500), "a".repeat(64 * 1024)] {
            let head = PlainHead::new("GET", "/").with("cookie", format!("__Host-s=V; {line}"));
            assert_eq!(Cookies::read(&head).err(), Some(TooManyCookies));
            assert_eq!(only(&head, "__Host-s"), None);
        }
    }

    #[test]
    fn ck_07_crumbs_of_http_2_are_joined() {
        let head = PlainHead::new("GET", "/").with("cookie", "a=1").with("cookie", "s=v");
        assert_eq!(Cookies::read(&head).unwrap().one("s"), Some("v"));
    }
}
