//! A provider's tokens, where the site keeps them: sealed in a cookie of their own, which opens beside its own session
//! only, and only when somebody asks for them.
//!
//! Nothing refreshes them: a sealed session has no place for new ones. They serve until they end.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    check::Verdict,
    config::{Builder, Vestibule},
    cookie,
    entropy::Entropy,
    identity::Tokens,
    limits::{SESSION_AND_TOKENS_BYTES_MAX, SESSION_BYTES_MAX},
    request::RequestHead,
    seal::Binding,
    secret::Secret,
    session::{Session, SessionId},
    time::Timestamp,
};

/// What token cookies are sealed for. Its number changes with the form of [`KeptTokens`].
const TOKENS_PURPOSE: &str = "tokens/2";

/// One of the tokens that a provider hands out with a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenKind {
    /// What the provider's interfaces ask for; of OAuth 1.0a, with its secret.
    Access,
    /// What gets a new access token.
    Refresh,
    /// What says who signed in.
    Id,
}

/// Which tokens are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TokenKeeping {
    access: bool,
    refresh: bool,
    id: bool,
}

impl TokenKeeping {
    pub(crate) fn add(&mut self, kind: TokenKind) {
        match kind {
            TokenKind::Access => self.access = true,
            TokenKind::Refresh => self.refresh = true,
            TokenKind::Id => self.id = true,
        }
    }

    pub(crate) fn any(self) -> bool {
        self.access || self.refresh || self.id
    }

    pub(crate) fn refresh(self) -> bool {
        self.refresh
    }

    /// What is kept of `tokens`; `None` where that is nothing.
    pub(crate) fn of(self, tokens: &Tokens) -> Option<KeptTokens> {
        let kept = KeptTokens {
            access: self.access.then(|| tokens.access_token.clone()),
            access_secret: self.access.then(|| tokens.token_secret.clone()).flatten(),
            refresh: self.refresh.then(|| tokens.refresh_token.clone()).flatten(),
            id: self.id.then(|| tokens.id_token.clone()).flatten(),
            access_expires: if self.access { tokens.expires } else { None },
        };
        let any = [&kept.access, &kept.refresh, &kept.id].into_iter().any(Option::is_some);
        any.then_some(kept)
    }
}

impl Builder {
    /// Keeps access, refresh and ID token of every session, for the application or a proxy that asks for them. They
    /// must fit into a cookie of their own, and many providers' do not all together; see [`Builder::keep_token`].
    ///
    /// Responses that sign somebody in are larger by that: nginx needs `proxy_buffer_size 16k` or so.
    pub fn keep_tokens(self) -> Self {
        self.keep_token(TokenKind::Access).keep_token(TokenKind::Refresh).keep_token(TokenKind::Id)
    }

    /// Keeps one of the tokens of every session.
    pub fn keep_token(mut self, kind: TokenKind) -> Self {
        self.keep_tokens.add(kind);
        self
    }
}

/// The tokens of a session, as far as they are kept. Only their cookie writes them down:
///
/// ```compile_fail,E0277
/// fn can_be_written(_: impl serde::Serialize) {}
/// fn seen(tokens: vestibule::tokens::KeptTokens) {
///     can_be_written(tokens);
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptTokens {
    /// What the provider's interfaces ask for.
    pub access: Option<Secret>,
    /// What requests with an OAuth 1.0a access token are signed with.
    pub access_secret: Option<Secret>,
    /// What gets a new access token. Whoever uses it up must keep what comes instead: this session cannot.
    pub refresh: Option<Secret>,
    /// The ID token as it came.
    pub id: Option<Secret>,
    /// When the access token ends, where the provider said so.
    pub access_expires: Option<Timestamp>,
}

/// What the cookie holds of [`KeptTokens`], sealed.
#[derive(Serialize, Deserialize)]
struct Written {
    access: Option<Secret>,
    access_secret: Option<Secret>,
    refresh: Option<Secret>,
    id: Option<Secret>,
    access_expires: Option<Timestamp>,
}

impl From<Written> for KeptTokens {
    fn from(Written { access, access_secret, refresh, id, access_expires }: Written) -> Self {
        Self { access, access_secret, refresh, id, access_expires }
    }
}

impl From<&KeptTokens> for Written {
    fn from(tokens: &KeptTokens) -> Self {
        let KeptTokens { access, access_secret, refresh, id, access_expires } = tokens.clone();
        Self { access, access_secret, refresh, id, access_expires }
    }
}

impl KeptTokens {
    /// What there is of a client that brought `token` itself.
    pub(crate) fn brought(token: Secret) -> Self {
        Self {
            access: Some(token.clone()),
            access_secret: None,
            refresh: None,
            id: Some(token),
            access_expires: None,
        }
    }

    /// As they came, where the access token is among them.
    pub(crate) fn with_access(self) -> Option<Tokens> {
        let mut tokens = Tokens::new(self.access?);
        tokens.token_secret = self.access_secret;
        tokens.refresh_token = self.refresh;
        tokens.id_token = self.id;
        Some(tokens)
    }

    /// The access token, unless it is known to have ended.
    pub(crate) fn live_access(&self, now: Timestamp) -> Option<&Secret> {
        self.access.as_ref().filter(|_| self.access_expires.is_none_or(|expires| now < expires))
    }

    fn largest_part(&self) -> &'static str {
        let bytes = |token: &Option<Secret>| token.as_ref().map_or(0, |token| token.expose().len());
        let parts = [
            (bytes(&self.access) + bytes(&self.access_secret), "access token"),
            (bytes(&self.refresh), "refresh token"),
            (bytes(&self.id), "ID token"),
        ];
        parts.into_iter().max().map_or("", |(_, part)| part)
    }
}

impl Vestibule {
    /// The tokens of whoever asks: `None` where nobody is signed in who may enter, or none are kept.
    pub fn tokens(&self, head: &(impl RequestHead + ?Sized), now: Timestamp) -> Option<KeptTokens> {
        self.check(head, now, |verdict| match verdict {
            Verdict::SignedIn(session) => self.tokens_of(head, session.id, now),
            Verdict::Forbidden(..) | Verdict::Anonymous => None,
        })
    }

    /// The tokens that a request brings along with the session called `id`.
    pub(crate) fn tokens_of(
        &self,
        head: &(impl RequestHead + ?Sized),
        id: SessionId,
        now: Timestamp,
    ) -> Option<KeptTokens> {
        if self.keeps_sessions() {
            return head.recognised()?.tokens.as_ref().and_then(|tokens| self.keep_tokens.of(tokens));
        }
        let name = self.cookies.tokens();
        let text = cookie::only(head, &name)?;
        let opened = self.keys.open(&self.tokens_binding(&name, id), text, now).ok()?;
        postcard::from_bytes::<Written>(opened.payload()).ok().map(KeptTokens::from)
    }

    /// The cookie that keeps `tokens` beside `session`, whose own cookie has that many bytes; or what does not fit.
    pub(crate) fn tokens_cookie(
        &self,
        tokens: &KeptTokens,
        session: &Session,
        session_bytes: usize,
        entropy: &mut Entropy,
    ) -> Result<String, String> {
        let name = self.cookies.tokens();
        let bytes = Zeroizing::new(
            postcard::to_allocvec(&Written::from(tokens)).expect("texts can always be written"),
        );
        let binding = self.tokens_binding(&name, session.id);
        let sealed = self.keys.seal(&binding, entropy.bytes(), session.expires, &bytes);
        let size = name.len() + sealed.expose().len();
        let limit = SESSION_BYTES_MAX.min(SESSION_AND_TOKENS_BYTES_MAX.saturating_sub(session_bytes));
        if size > limit {
            let part = tokens.largest_part();
            return Err(format!("the tokens have {size} bytes of {limit}; the largest part is: {part}"));
        }
        Ok(self.cookies.set(&name, sealed.expose(), self.session_age, false))
    }

    /// Beside another session they do not open.
    pub(crate) fn tokens_binding(&self, name: &str, id: SessionId) -> Binding {
        self.binding(&format!("{TOKENS_PURPOSE} {}", id.to_text()), name)
    }
}
