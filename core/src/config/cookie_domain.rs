//! One session for several hosts under one domain: an option that gives up what `__Host-` protects.

use url::{Host, Url};

use crate::config::{Builder, Problem};

impl Builder {
    /// Shares the session between all hosts under `domain`, such as `example.com` for `app.example.com` and
    /// `wiki.example.com`. The host of the redirect URL must be one of them; a sign-in that begins at another goes on
    /// there, and comes back where [`Builder::allow_return_to`] names that other host.
    ///
    /// The cookies of session, tokens and return target then go to every host under the domain, and every host there
    /// can put others in their place: the prefix `__Host-` forbids that, and is given up for `__Secure-`. All of them
    /// must be trusted. The cookies of a sign-in under way stay with their own host, as they are. Browsers refuse
    /// domains under which everybody can have a name, such as `co.uk`.
    pub fn cookie_domain(mut self, domain: impl Into<String>) -> Self {
        self.cookie_domain = Some(domain.into());
        self
    }

    /// The domain in its one spelling, where it is one that cookies of `redirect_url` can have.
    pub(super) fn checked_cookie_domain(
        &self,
        redirect_url: Option<&Url>,
        problems: &mut Vec<Problem>,
    ) -> Option<String> {
        let written = self.cookie_domain.as_deref()?;
        let mut problem = |fault: &str, remedy: &str| {
            problems.push(Problem::new("cookie_domain", format!("`{written}` {fault}"), remedy));
        };
        let Some(domain) = domain(written) else {
            problem(
                "is not the domain of several hosts",
                "write at least two labels and nothing else, such as `example.com`, or leave it away for one host",
            );
            return None;
        };
        let redirect_url = redirect_url?;
        if redirect_url.scheme() != "https" {
            problem(
                "needs a redirect URL with https: without it, everybody on the way could put cookies in place",
                "use https, or leave the domain away",
            );
        }
        if !redirect_url.host_str().is_some_and(|host| is_under(host, &domain)) {
            problem(
                "is not a domain that the redirect URL's host belongs to, so that browsers would keep no cookie",
                "give one that the host ends in, or leave it away for the host alone",
            );
        }
        Some(domain)
    }
}

/// The domain as browsers compare it: no dot in front (RFC 6265bis §5.7), lower case, ASCII.
fn domain(written: &str) -> Option<String> {
    let written = written.strip_prefix('.').unwrap_or(written);
    // Only a name is left of these by the parser, and no port, path or user name.
    if written.contains(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.')) {
        return None;
    }
    let url = Url::parse(&format!("https://{written}/")).ok()?;
    let Some(Host::Domain(name)) = url.host() else { return None };
    let sound = name.split('.').count() >= 2 && name.split('.').all(|label| !label.is_empty());
    sound.then(|| name.to_owned())
}

/// Whether `host` is `domain` or below it, label by label.
pub(crate) fn is_under(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|below| below.is_empty() || below.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ck_18_a_domain_has_one_spelling_and_at_least_two_labels() {
        for written in ["example.com", ".example.com", "EXAMPLE.com"] {
            assert_eq!(domain(written).as_deref(), Some("example.com"), "{written}");
        }
        assert_eq!(domain("bücher.example").as_deref(), Some("xn--bcher-kva.example"));
        for written in [
            "com",
            ".com",
            "",
            ".",
            "..example.com",
            "example.com.",
            "example..com",
            "127.0.0.1",
            "0x7f.1",
            "[::1]",
            "*.example.com",
            "example.com:443",
            "https://example.com",
            "example.com/",
            "a@example.com",
            "example.com; Secure",
            "example com",
            "example.com\r\nx: y",
        ] {
            assert_eq!(domain(written), None, "{written:?}");
        }
    }

    #[test]
    fn ck_18_a_host_belongs_to_a_domain_label_by_label() {
        assert!(is_under("example.com", "example.com") && is_under("a.b.example.com", "example.com"));
        assert!(!is_under("ample.com", "example.com") && !is_under("badexample.com", "example.com"));
        assert!(!is_under("example.com.evil.example", "example.com") && !is_under("com", "example.com"));
    }
}
