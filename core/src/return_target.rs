//! Where a browser may land after sign-in or sign-out: an address that one parser has read and written again.
//!
//! Only [`ReturnTarget::parse`] makes a target from a text, and what it keeps is never that text but what the WHATWG
//! parser, the browsers' own, made of it. Texts that browsers read as harmless, but that have deceived validators or
//! are read otherwise once somebody decodes them, are refused as well: a lost deep link costs one click.

use std::borrow::Cow;

use url::{Position, Url};

use crate::{address::is_loopback_to_browsers, limits::RETURN_TARGET_BYTES_MAX};

/// A place that a browser may be sent to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReturnTarget(Cow<'static, str>);

impl ReturnTarget {
    /// The own origin's `/`: where everything lands that has no better place.
    pub const fn root() -> Self {
        Self(Cow::Borrowed("/"))
    }

    /// Reads `text` as a place that `policy` allows; anything doubtful is `None`.
    ///
    /// Accepted are a path from the root (`/path?query#fragment`) and an absolute `https://` or `http://` address of
    /// the own or an allowed origin. What [`ReturnTarget::as_str`] gives is accepted again, by the same policy and
    /// unchanged; it must be parsed again when it comes back, since policies and keys change (RD-03).
    pub fn parse(text: &str, policy: &ReturnPolicy) -> Option<Self> {
        if RETURN_TARGET_BYTES_MAX < text.len() || text.contains(char::is_control) || !plainly_written(text) {
            return None;
        }
        let url = policy.own.join(text).ok()?;
        let path = decoded(url.path())?;
        if deceives(&path) {
            return None;
        }
        let rewritten = if url.origin() == policy.own.origin() {
            if policy.is_never(&path) {
                return None;
            }
            url[Position::BeforePath..].to_owned()
        } else if policy.allowed.iter().any(|allowed| allowed.covers(&url)) {
            String::from(url)
        } else {
            return None;
        };
        // Percent-encoding makes texts longer, and what is too long now would be refused on its way back.
        (rewritten.len() <= RETURN_TARGET_BYTES_MAX).then_some(Self(Cow::Owned(rewritten)))
    }

    /// `/path?query#fragment` for the own origin, an absolute address for another allowed origin.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The absolute address for the `Location` header; `origin` is what the policy was made from.
    pub fn location(&self, origin: &Url) -> String {
        if self.0.starts_with('/') {
            origin.origin().ascii_serialization() + &self.0
        } else {
            self.0.clone().into_owned()
        }
    }
}

impl ReturnTarget {
    /// The origin of the place; `own` is what the policy was made from.
    pub(crate) fn origin(&self, own: &Url) -> String {
        Url::parse(&self.location(own)).unwrap_or_else(|_| own.clone()).origin().ascii_serialization()
    }
}

/// Which addresses a browser may be sent back to.
#[derive(Clone, Debug)]
pub struct ReturnPolicy {
    own: Url,
    allowed: Vec<AllowedOrigin>,
    never_under: Vec<String>,
    never_exactly: Vec<String>,
}

impl ReturnPolicy {
    /// Allows the origin of `origin`, an `http` or `https` URL; what else is in it does not matter.
    pub fn new(origin: &Url) -> Self {
        let mut own = origin.clone();
        own.set_path("/");
        own.set_query(None);
        own.set_fragment(None);
        Self { own, allowed: Vec::new(), never_under: Vec::new(), never_exactly: Vec::new() }
    }

    /// Allows one more origin, `https://host[:port]`, or with `https://*.host[:port]` every host that has exactly one
    /// label more. Scheme and port must always be the same. Plain `http` is for loopback only.
    ///
    /// # Errors
    /// See [`AllowedOriginError`].
    pub fn allow(mut self, origin: &str) -> Result<Self, AllowedOriginError> {
        self.allowed.push(AllowedOrigin::parse(origin)?);
        Ok(self)
    }

    /// Excludes places of the own origin: `prefix` with everything below it, and exactly `paths`.
    ///
    /// These are our own endpoints: whoever lands there after sign-in is sent round in circles, or out again. Where
    /// the endpoints have no prefix of their own (`/`), only `paths` excludes anything, and never `/` itself.
    #[must_use]
    pub fn never(mut self, prefix: &str, paths: impl IntoIterator<Item = String>) -> Self {
        let comparable = |path: &str| Some(tidied(&decoded(path)?)).filter(|path| !path.is_empty());
        self.never_under.extend(comparable(prefix));
        self.never_exactly.extend(paths.into_iter().filter_map(|path| comparable(&path)));
        self
    }

    fn is_never(&self, path: &str) -> bool {
        let path = tidied(path);
        let rest_is_below = |rest: &str| rest.is_empty() || rest.starts_with('/');
        self.never_exactly.contains(&path)
            || self.never_under.iter().any(|prefix| path.strip_prefix(prefix).is_some_and(rest_is_below))
    }
}

/// Why a text does not name an origin that can be allowed, with the remedy. The text itself is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AllowedOriginError {
    /// No `http` or `https` origin can be read from it.
    #[error("not an origin: write `https://host` or `https://host:port`")]
    NotAnOrigin,
    /// There is a path, a query, a fragment or a user name.
    #[error("more than an origin: leave only `https://host` or `https://host:port`")]
    MoreThanOrigin,
    /// Whoever is on the way to a plain `http` site can read and change what it shows.
    #[error("plain http: write `https://`; only localhost and other loopback addresses may do without")]
    PlainHttp,
    /// A `*` stands for something else than the whole first label of a host name.
    #[error("misplaced `*`: it stands for the first label of a host name, as in `https://*.example.org`")]
    MisplacedStar,
    /// Everybody can have a host below a top-level domain.
    #[error("too wide: a `*` needs at least two labels after it, as in `https://*.example.org`")]
    TooWide,
}

#[derive(Clone, Debug)]
struct AllowedOrigin {
    scheme: String,
    host: String,
    port: Option<u16>,
    one_label_more: bool,
}

impl AllowedOrigin {
    fn parse(text: &str) -> Result<Self, AllowedOriginError> {
        let one_label_more = text.contains("://*.");
        let plain = text.replacen("://*.", "://", 1);
        if plain.contains('*') {
            return Err(AllowedOriginError::MisplacedStar);
        }
        let url = Url::parse(&plain).map_err(|_| AllowedOriginError::NotAnOrigin)?;
        let odd = |c: char| c.is_control() || c == ' ' || c == '\\';
        if !matches!(url.scheme(), "http" | "https") || plain.contains(odd) {
            return Err(AllowedOriginError::NotAnOrigin);
        }
        if !plainly_written(&plain) || url[Position::BeforePath..] != *"/" {
            return Err(AllowedOriginError::MoreThanOrigin);
        }
        if !url.has_host() {
            return Err(AllowedOriginError::NotAnOrigin);
        }
        let (name, loopback) = (url.domain().unwrap_or_default(), is_loopback_to_browsers(&url));
        if url.scheme() == "http" && !loopback {
            return Err(AllowedOriginError::PlainHttp);
        }
        if one_label_more && name.is_empty() {
            return Err(AllowedOriginError::MisplacedStar);
        }
        if one_label_more && !loopback && !name.trim_end_matches('.').contains('.') {
            return Err(AllowedOriginError::TooWide);
        }
        let (scheme, host) = (url.scheme().to_owned(), url.host_str().unwrap_or_default().to_owned());
        Ok(Self { scheme, host, port: url.port_or_known_default(), one_label_more })
    }

    fn covers(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let same_host = if self.one_label_more {
            // Parsers let more through than belongs in a name (`*` for one), and others stumble over it.
            let belongs = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            let label = host.strip_suffix(&self.host).and_then(|rest| rest.strip_suffix('.'));
            label.is_some_and(|label| !label.is_empty() && label.chars().all(belongs))
        } else {
            host == self.host
        };
        same_host && url.scheme() == self.scheme && url.port_or_known_default() == self.port
    }
}

/// Whether `text` is a path from the root, or scheme, `://` and an authority without user name: the forms that every
/// reader of URLs takes apart alike; after `///`, say, browsers see a host where the `url` crate sees none. A backslash in
/// the query is fine, and browsers send it.
fn plainly_written(text: &str) -> bool {
    let before_query = text.split(['?', '#']).next().unwrap_or_default();
    let mut parts = before_query.split('/');
    let web = |scheme: &str| ["https:", "http:"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
    let plain = match (parts.next(), parts.next(), parts.next()) {
        (Some(""), Some(first), second) => !first.is_empty() || second.is_none(),
        (Some(scheme), Some(""), Some(host)) => web(scheme) && !host.is_empty() && !host.contains('@'),
        _ => false,
    };
    plain && !before_query.contains('\\')
}

/// Whether a fully decoded path turns into another address, or another place, in careless hands.
fn deceives(path: &str) -> bool {
    // What NFKC or a code page's best fit turns into a slash or backslash, and marks that no word begins with.
    const LIKE_SLASHES: &str = "/\\／＼﹨⁄∕∖¥₩〱〵ゝーｰ";
    const ZERO_WIDTH: &str = "\u{ad}\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}";
    let mut visible = path.chars().filter(|c| !c.is_whitespace() && !ZERO_WIDTH.contains(*c)).skip(1);
    path.contains(|c: char| c.is_control() || c == '\\')
        || visible.next().is_some_and(|second| LIKE_SLASHES.contains(second))
        // The parser has resolved these wherever it saw them: here they had been hidden by an encoding.
        || path.split('/').any(|segment| matches!(segment, "." | ".."))
}

/// Decodes until nothing is left to decode, as a chain of proxies might. Nothing if the result is not UTF-8: readers
/// differ in what they make of that.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    for byte in path.bytes() {
        bytes.push(byte);
        // Each decoded byte can be the last of another triple, as in `%252f`.
        while let [.., b'%', high, low] = bytes[..] {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let (Some(high), Some(low)) = (digit(high), digit(low)) else { break };
            bytes.truncate(bytes.len() - 3);
            bytes.push((high * 16 + low) as u8);
        }
    }
    String::from_utf8(bytes).ok()
}

/// A path as most servers compare it: without empty segments; `/` becomes the empty text.
fn tidied(path: &str) -> String {
    path.split('/').filter(|segment| !segment.is_empty()).flat_map(|segment| ["/", segment]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> ReturnPolicy {
        ReturnPolicy::new(&Url::parse("https://rp.example/app/oauth2/callback?x#y").unwrap())
    }

    #[test]
    fn what_cannot_be_allowed_says_why() {
        use AllowedOriginError::{MisplacedStar, MoreThanOrigin, NotAnOrigin, PlainHttp, TooWide};
        for (error, texts) in [
            (NotAnOrigin, "|b.example|b.example:8443|ftp://b.example|https://|https://b.example:99999"),
            (NotAnOrigin, " https://b.example|https://b.example |https:\\\\b.example|https://b\t.example"),
            (
                MoreThanOrigin,
                "https://b.example/path|https://b.example?|https://b.example#|https://a@b.example",
            ),
            (PlainHttp, "http://b.example|http://*.b.example|http://10.0.0.1|http://localhost.example"),
            (MisplacedStar, "https://*|https://a*.b.example|https://*.*.b.example|https://b.example:*"),
            (MisplacedStar, "https://*.10.0.0.1|https://*.[::1]"),
            (TooWide, "https://*.example|https://*.example."),
        ] {
            for text in texts.split('|') {
                assert_eq!(policy().allow(text).err(), Some(error), "{text:?}");
            }
        }
    }

    #[test]
    fn what_is_allowed_matches_scheme_host_and_port() {
        let origins = "https://B.example/ https://c.example:8443 http://*.localhost:3000 http://[::1]:3000";
        let policy = origins.split(' ').fold(policy(), |policy, origin| policy.allow(origin).unwrap());
        let lands = |text: &str| ReturnTarget::parse(text, &policy).is_some();
        let good = "https://b.example:443 https://c.example:8443/x http://a.localhost:3000 http://[::1]:3000";
        assert!(good.split(' ').all(lands));
        let bad = "https://b.example:444/ http://b.example:443/ https://c.example/ http://localhost:3000/";
        assert!(!bad.split(' ').any(lands));
    }

    #[test]
    fn own_endpoints_are_never_a_target() {
        let aliases = ["/app/oauth/logout".to_owned(), "/out%20now".to_owned()];
        let policy = policy().never("/app/oauth2/", aliases).never("/", ["/".to_owned()]);
        let lands = |text: &str| ReturnTarget::parse(text, &policy).is_some();
        let own = "/app/oauth2 /app/oauth2?rd=/x https://rp.example/app/oauth2/start /app/%6fauth2/start";
        assert!(!own.split(' ').any(lands));
        let as_well = "/app//oauth2/start /x/../app/oauth2/auth /app/oauth/logout/ /out%20now";
        assert!(!as_well.split(' ').any(lands));
        assert!("/ /app/oauth2x /app/oauth/logout/x /app /x/app/oauth2/start".split(' ').all(lands));
    }

    #[test]
    fn decoding_goes_to_the_end() {
        assert_eq!(decoded("/%2525252f%2%35%zz%").as_deref(), Some("//%%zz%"));
        assert_eq!(decoded("/%e2%9c%93").as_deref(), Some("/✓"));
        assert_eq!(decoded("/%c0%af"), None);
    }
}
