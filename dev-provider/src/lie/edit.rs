//! Edits of one member of a JSON object, the same for every object that this provider sends.

use serde_json::Value;

/// A JSON object that this provider sends.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// The ID token's claims.
    Claims,
    /// The ID token's header.
    Header,
    /// The claims of logout tokens.
    LogoutClaims,
    /// The header of logout tokens.
    LogoutHeader,
    /// The discovery document.
    Metadata,
    /// Every key that the honest key set shows.
    Key,
    /// The key set around the keys.
    KeySet,
    /// The token endpoint's answer.
    TokenAnswer,
    /// The claims of userinfo.
    Userinfo,
}

/// What is done to a member.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Its value is this, of whatever type.
    Set(Value),
    /// It is left out.
    Remove,
    /// Its value is this text verbatim, which need not be JSON: `18446744073709551616`, `NaN`, `01`.
    Text(String),
    /// The honest text with this at its end: `iss` becomes `https://provider.example1`.
    Append(String),
    /// It is there twice: this first, then the honest one.
    Double(Value),
}
