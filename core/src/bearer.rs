//! Tokens that API clients bring instead of a cookie (RFC 6750): who may issue them, and where a request carries them.
//!
//! Only `auth` takes them. Each is proven anew: there is no cache of decisions.

use std::{collections::BTreeSet, fmt, sync::Arc};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    config::{Builder, Problem},
    conversation::Http,
    identity::Identity,
    limits::BEARER_TOKEN_BYTES_MAX,
    provider::{ProviderError, UserHeader},
    request::RequestHead,
    secret::Secret,
};

/// Somebody whose tokens say who a request is from.
///
/// As a [`Provider`](crate::provider::Provider), it awaits nothing but `http`.
#[async_trait]
pub trait BearerIssuer: Send + Sync + 'static {
    /// The name in logs, metrics and rules; no provider and no other issuer has it.
    fn id(&self) -> &str;

    /// Proves a token: that this issuer made it, for this site, and for now. `None` where the token does not say that
    /// it is this issuer's; until it does, nothing may be asked, or every stranger could make us ask.
    ///
    /// A token that is not what it says is [`ProviderError::BearerToken`]; everything else means that it could not be
    /// looked at.
    async fn prove(&self, http: &Http, token: &Secret) -> Result<Option<Identity>, ProviderError>;

    /// Which of an account's names identity headers carry.
    fn user_header(&self) -> UserHeader {
        UserHeader::Subject
    }

    /// What is wrong with how the issuer is set up, if it could not refuse that when it was made.
    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }
}

/// Whose tokens count, and what becomes of one that does not.
#[derive(Clone, Default)]
pub(crate) struct Bearers {
    pub(crate) issuers: Vec<Arc<dyn BearerIssuer>>,
    /// Whether the session decides where a token proves nothing.
    pub(crate) session_decides: bool,
}

impl fmt::Debug for Bearers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.issuers.iter().map(|issuer| issuer.id())).finish()
    }
}

impl Bearers {
    /// What is wrong with them, beside providers with these ids.
    pub(crate) fn problems<'p>(&'p self, providers: impl Iterator<Item = &'p str>) -> Vec<Problem> {
        let mut problems: Vec<_> = self.issuers.iter().flat_map(|issuer| issuer.problems()).collect();
        let mut seen: BTreeSet<&str> = providers.collect();
        for issuer in self.issuers.iter().filter(|issuer| !seen.insert(issuer.id())) {
            // A rule that asks for one of them by its id would let in whom the other vouches for.
            let fault = format!("something else is called `{}`, too", issuer.id());
            problems.push(Problem::new("bearer", fault, "give each issuer and provider an id of its own"));
        }
        if self.session_decides && self.issuers.is_empty() {
            let fault = "no issuer's tokens count, so that none can fail to";
            problems.push(Problem::new(
                "bearer_or_session",
                fault,
                "add an issuer with `bearer`, or leave it away",
            ));
        }
        problems
    }
}

impl Builder {
    /// Lets API clients in that bring a token of this issuer: `auth` takes it in `Authorization`, as a bearer token or
    /// as user name or password. Whom it names must be let in by the same rules as everybody.
    ///
    /// A request with a token is decided by it alone, whatever cookies it has; see [`Builder::bearer_or_session`].
    pub fn bearer(mut self, issuer: impl BearerIssuer) -> Self {
        self.bearers.issuers.push(Arc::new(issuer));
        self
    }

    /// Lets the session decide about a request whose token proves nothing, for instance because it is meant for the
    /// application behind the proxy.
    pub fn bearer_or_session(mut self) -> Self {
        self.bearers.session_decides = true;
        self
    }
}

/// What a request carries in `Authorization`.
#[derive(Debug)]
pub(crate) enum Presented {
    /// Nothing that is for us.
    Nothing,
    /// A token.
    Token(Secret),
    /// Something that is no token, though it says it is one; or there are two.
    NoToken(&'static str),
}

/// Reads the token that a request carries.
pub(crate) fn presented(head: &(impl RequestHead + ?Sized)) -> Presented {
    let mut count = 0;
    head.each_header("authorization", &mut |_| count += 1);
    let Some(value) = head.header("authorization") else { return Presented::Nothing };
    if count > 1 {
        return Presented::NoToken("there are two Authorization headers");
    }
    // Basic credentials are longer by a third, and have a name beside the token.
    if value.len() > 2 * BEARER_TOKEN_BYTES_MAX {
        return Presented::NoToken("it is larger than allowed");
    }
    let Some((scheme, rest)) = std::str::from_utf8(value).ok().and_then(|value| value.split_once(' ')) else {
        return Presented::Nothing;
    };
    let rest = rest.trim_matches(' ');
    if scheme.eq_ignore_ascii_case("bearer") {
        // RFC 6750 §2.1: what a token consists of.
        let whole = !rest.is_empty()
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
        return match whole {
            true if rest.len() <= BEARER_TOKEN_BYTES_MAX => Presented::Token(rest.into()),
            true => Presented::NoToken("it is larger than allowed"),
            false => Presented::NoToken("it is not made of the characters of a token"),
        };
    }
    if scheme.eq_ignore_ascii_case("basic") {
        return token_in_basic(rest).map_or(Presented::Nothing, Presented::Token);
    }
    Presented::Nothing
}

/// A token as user name with no password or GitHub's `x-oauth-basic`, or as password. Other credentials are the
/// application's business.
fn token_in_basic(credentials: &str) -> Option<Secret> {
    let credentials = Secret::new(String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?);
    let (user, password) = credentials.expose().split_once(':')?;
    let fits = |text: &str| text.len() <= BEARER_TOKEN_BYTES_MAX && looks_like_a_jwt(text);
    if matches!(password, "" | "x-oauth-basic") {
        return fits(user).then(|| user.into());
    }
    fits(password).then(|| password.into())
}

/// Three parts in base64url, the first two of which begin as a JSON object does.
fn looks_like_a_jwt(text: &str) -> bool {
    let mut parts = text.split('.');
    let base64url = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let objects = parts.by_ref().take(2).filter(|part| part.starts_with("ey") && base64url(part)).count();
    objects == 2 && parts.next().is_some_and(base64url) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::PlainHead;

    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln";

    fn read(value: &str) -> Option<String> {
        match presented(&PlainHead::new("GET", "/").with("authorization", value)) {
            Presented::Token(token) => Some(token.expose().to_owned()),
            Presented::Nothing => None,
            Presented::NoToken(fault) => Some(format!("fault: {fault}")),
        }
    }

    fn basic(credentials: &str) -> Option<String> {
        read(&format!("Basic {}", STANDARD.encode(credentials)))
    }

    #[test]
    fn a_token_stands_where_oauth2_proxy_looks_for_it() {
        let token = Some(TOKEN.to_owned());
        assert_eq!(read(&format!("Bearer {TOKEN}")), token);
        assert_eq!(read(&format!("bearer  {TOKEN} ")), token, "the scheme in whatever case");
        assert_eq!(read("Bearer opaque-token~1+/=").as_deref(), Some("opaque-token~1+/="));
        assert_eq!(basic(&format!("{TOKEN}:")), token);
        assert_eq!(basic(&format!("{TOKEN}:x-oauth-basic")), token);
        assert_eq!(basic(&format!("ci:{TOKEN}")), token);
        assert_eq!(basic(&format!(":{TOKEN}")), token);
    }

    #[test]
    fn what_is_no_token_of_ours_is_the_applications_business() {
        assert!(matches!(presented(&PlainHead::new("GET", "/")), Presented::Nothing));
        for other in [
            "ada:secret",
            "ada",
            &format!("{TOKEN}:secret"),
            "a.b.c:",
            "eyJ.eyJ.a.b:",
            &format!(":{TOKEN}.x"),
        ] {
            assert_eq!(basic(other), None, "{other}");
        }
        for other in ["", "Digest x=1", "Bearer", "Basic !", "Basic /w==", &format!("Token {TOKEN}")] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn jt_27_a_broken_or_a_huge_token_or_two_of_them_are_none() {
        let huge = "x".repeat(BEARER_TOKEN_BYTES_MAX + 1);
        for broken in ["Bearer ", "Bearer a b", "Bearer \"a\"", "Bearer a,b", &format!("Bearer {huge}")] {
            let fault = read(broken).unwrap();
            assert!(fault.starts_with("fault: "), "{broken}: {fault}");
        }
        let enormous = "x".repeat(2 * BEARER_TOKEN_BYTES_MAX);
        assert!(read(&format!("Basic {enormous}")).unwrap().starts_with("fault: "), "before it is decoded");
        assert_eq!(basic(&format!("ci:ey{huge}.ey.a")), None);
        let two =
            PlainHead::new("GET", "/").with("authorization", "Bearer a").with("authorization", "Bearer b");
        assert!(matches!(presented(&two), Presented::NoToken(_)));
    }
}
