//! Who signed in, and with what: the proven outcome of a conversation with a provider.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{secret::Secret, time::Timestamp};

/// Who somebody is at a provider. Only `issuer` and `subject` together say which account this is;
/// everything else may change, be reused by somebody else, or be missing (OpenID Connect Core §5.7).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// Who vouches for the account: an issuer URL, or the provider's base address where it has none.
    pub issuer: String,
    /// The provider's own immutable identifier of the account, compared byte by byte.
    pub subject: String,
    /// The name that the account signs in by. It may be renamed and given to somebody else.
    pub username: Option<String>,
    /// The name that people call the person by.
    pub name: Option<String>,
    /// An e-mail address.
    pub email: Option<String>,
    /// Whether the provider says that it has verified that the address is the person's.
    pub email_verified: bool,
    /// The address of a picture.
    pub picture: Option<String>,
    /// Groups, organisations or teams, as the provider names them.
    pub groups: Vec<String>,
    /// Everything else that the provider said and that the application may want to decide on.
    pub claims: serde_json::Map<String, serde_json::Value>,
}

impl Identity {
    /// An account, by the provider's raw immutable identifier: never a login name or an e-mail address.
    pub fn new(subject: impl fmt::Display) -> Self {
        Self {
            issuer: String::new(),
            subject: subject.to_string(),
            username: None,
            name: None,
            email: None,
            email_verified: false,
            picture: None,
            groups: Vec::new(),
            claims: serde_json::Map::new(),
        }
    }

    /// Whether the other one is of the same account: byte for byte, and by nothing but issuer and subject.
    pub(crate) fn is_account_of(&self, other: &Self) -> bool {
        self.issuer == other.issuer && self.subject == other.subject
    }

    /// Sets who vouches for the account. A plain OAuth 2 provider leaves this to its
    /// [`OAuth2Spec`](crate::oauth2::OAuth2Spec).
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// Sets the name that the account signs in by.
    pub fn username(mut self, username: impl Into<Option<String>>) -> Self {
        self.username = username.into();
        self
    }

    /// Sets the name that people call the person by.
    pub fn name(mut self, name: impl Into<Option<String>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets an address of which the provider does not say that it is verified.
    pub fn email(mut self, email: impl Into<Option<String>>) -> Self {
        self.email = email.into();
        self.email_verified = false;
        self
    }

    /// Sets an address that the provider has verified. Nothing but the provider's own word makes it so.
    pub fn verified_email(mut self, email: impl Into<Option<String>>) -> Self {
        self.email = email.into();
        self.email_verified = self.email.is_some();
        self
    }

    /// Sets the address of a picture.
    pub fn picture(mut self, picture: impl Into<Option<String>>) -> Self {
        self.picture = picture.into();
        self
    }

    /// Sets groups, organisations or teams.
    pub fn groups(mut self, groups: impl IntoIterator<Item = String>) -> Self {
        self.groups = groups.into_iter().collect();
        self
    }

    /// Adds one claim.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }
}

/// An account in few bytes, to tell it from others: a hash of who vouches for it and of its identifier there.
pub(crate) type AccountKey = [u8; 16];

/// The key of the account that is called `subject` at `issuer`.
pub(crate) fn account_key(issuer: &str, subject: &str) -> AccountKey {
    let mut hash = Sha256::new();
    hash.update((issuer.len() as u64).to_be_bytes());
    hash.update(issuer);
    hash.update(subject);
    let mut key = AccountKey::default();
    key.copy_from_slice(&hash.finalize()[..16]);
    key
}

/// Says which account it is and that there is more: the rest is personal and stays out of logs.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// What a provider handed out with a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tokens {
    /// What the provider's interfaces ask for (RFC 6750). Opaque: never parsed.
    pub access_token: Secret,
    /// What requests with an OAuth 1.0a access token are signed with; there is none in OAuth 2 (RFC 5849 §3.4.2).
    pub token_secret: Option<Secret>,
    /// What gets a new access token, where the provider gave one.
    pub refresh_token: Option<Secret>,
    /// The ID token as it came, for `id_token_hint` at sign-out.
    pub id_token: Option<Secret>,
    /// When the access token ends, where the provider said so.
    pub expires: Option<Timestamp>,
    /// The scopes that were granted, where the provider named them.
    pub scopes: Vec<String>,
}

impl Tokens {
    /// An access token, of which nothing else is known.
    pub fn new(access_token: impl Into<Secret>) -> Self {
        Self {
            access_token: access_token.into(),
            token_secret: None,
            refresh_token: None,
            id_token: None,
            expires: None,
            scopes: Vec::new(),
        }
    }
}

/// A proven sign-in. Whoever makes one has verified everything that the protocol asks for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignIn {
    /// The id of the provider that it came through.
    pub provider: String,
    /// Who signed in.
    pub identity: Identity,
    /// With what.
    pub tokens: Tokens,
    /// The provider's own name of the session (`sid`), by which it can end it later.
    pub idp_session: Option<String>,
    /// When the person last showed the provider who they are (`auth_time`), where it said so.
    pub authenticated: Option<Timestamp>,
}

impl SignIn {
    /// A sign-in through the provider called `provider`.
    pub fn new(provider: impl Into<String>, identity: Identity, tokens: Tokens) -> Self {
        Self { provider: provider.into(), identity, tokens, idp_session: None, authenticated: None }
    }

    /// Sets the provider's own name of the session.
    pub fn idp_session(mut self, sid: Option<String>) -> Self {
        self.idp_session = sid;
        self
    }

    /// Sets when the person last showed the provider who they are.
    pub fn authenticated(mut self, at: Option<Timestamp>) -> Self {
        self.authenticated = at;
        self
    }
}
