//! Values that must never be seen: no `Debug`, log line, error or URL of ours shows them.

use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A text that cannot be printed and is wiped from memory when dropped.
///
/// Comparison takes the same time wherever two secrets of one length first differ.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        same_bytes(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

/// Compares in a time that depends on the lengths only.
pub(crate) fn same_bytes(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

macro_rules! protocol_secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Secret);

        impl $name {
            /// Wraps a value.
            pub fn new(text: impl Into<String>) -> Self {
                Self(Secret::new(text))
            }

            /// The value itself, for the protocol message that it belongs in.
            pub fn expose(&self) -> &str {
                self.0.expose()
            }
        }
    };
}

protocol_secret! {
    /// `state`: ties a callback to the browser that began the attempt (RFC 6749 §10.12).
    State
}
protocol_secret! {
    /// `nonce`: ties an ID token to the attempt (OpenID Connect Core §15.5.2).
    Nonce
}
protocol_secret! {
    /// `code_verifier` of PKCE (RFC 7636 §4.1): 43 unreserved characters, 256 bits of entropy.
    CodeVerifier
}
protocol_secret! {
    /// `oauth_token` of temporary credentials: ties an OAuth 1.0a callback to the attempt (RFC 5849 §2.2). Its secret is
    /// another one, and stays here.
    RequestToken
}
protocol_secret! {
    /// The authorization code that a callback brings (RFC 6749 §4.1.2). Used once.
    AuthorizationCode
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lk_02_debug_never_shows_the_value() {
        let shown = format!(
            "{:?} {:?} {:?}",
            Secret::new("canary"),
            State::new("canary"),
            CodeVerifier::new("canary")
        );
        assert!(!shown.contains("canary"), "{shown}");
    }

    #[test]
    fn equality_needs_the_whole_text() {
        assert_eq!(State::new("abc"), State::new("abc"));
        assert_ne!(State::new("abc"), State::new("abd"));
        assert_ne!(State::new("abc"), State::new("abcd"));
    }
}
