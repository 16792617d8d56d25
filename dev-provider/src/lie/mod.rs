//! What the provider can be told to lie about. A lie is a value; those told add up, in the order of telling.

mod behaviour;
mod edit;
mod perform;
mod strange_keys;
mod told;

pub use behaviour::{Answer, Behaviour, Endpoint};
pub use edit::{Edit, Object};
pub use strange_keys::strange_keys;

pub(crate) use perform::perform;
pub(crate) use told::Told;

use serde_json::Value;

use crate::Signing;

/// One thing that the provider does wrongly from now on, until it is told to be honest.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub enum Lie {
    /// The ID token has this claim instead of the honest one, or does not have it at all.
    Claim {
        /// The claim's name.
        name: String,
        /// Its value of any JSON type; none leaves the claim out.
        value: Option<Value>,
    },
    /// One member of one JSON object is set, removed, doubled or otherwise edited.
    Member {
        /// Which object.
        of: Object,
        /// The member's name.
        name: String,
        /// What is done to it.
        edit: Edit,
    },
    /// The ID token's payload is this text, with `{{name}}` replaced by the JSON of the honest claim `name`.
    RawPayload(String),
    /// The ID token's payload is these bytes, which need not be text.
    RawPayloadBytes(Vec<u8>),
    /// The ID token's header is this text, with `{{name}}` replaced by the JSON of the honest member `name`.
    RawHeader(String),
    /// The ID token is signed in this way.
    Signing(Signing),
    /// The ID token is this text, with `{{header}}`, `{{payload}}` and `{{signature}}` replaced by those segments.
    RawIdToken(String),
    /// The key set has these keys before the honest ones; see [`strange_keys`].
    ExtraKeys(Vec<Value>),
    /// The key set is this text, which need not be JSON.
    RawKeys(String),
    /// All keys are replaced, without overlap, the moment before each ID token is signed.
    RotateBeforeSigning,
    /// The authorization response has this parameter as often as there are values, and with those values.
    Callback {
        /// The parameter's name: `iss`, `state`, `code` …
        name: String,
        /// Its values; none leaves it out, two double it.
        values: Vec<String>,
    },
    /// Codes end in this text; they stay valid in every other respect.
    CodeSuffix(String),
    /// Every authorization request is answered with this error.
    Refuse {
        /// The error's code.
        error: String,
        /// Its description, which may be as hostile as one likes.
        description: String,
    },
    /// Userinfo describes the person with this subject, whoever the access token belongs to.
    UserinfoOf(String),
    /// Userinfo is a JWT signed in this way; [`Signing::With`] makes a correct one.
    SignedUserinfo(Signing),
    /// Logout tokens are signed in this way.
    SignedLogout(Signing),
    /// This endpoint behaves in this way; several behaviours of one endpoint combine.
    At(Endpoint, Behaviour),
}

impl Lie {
    /// The ID token claims `value` for `name`.
    pub fn claim(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::Claim { name: name.into(), value: Some(value.into()) }
    }

    /// The ID token claims nothing for `name`.
    pub fn no_claim(name: impl Into<String>) -> Self {
        Self::Claim { name: name.into(), value: None }
    }

    /// One member of one JSON object is edited.
    pub fn member(of: Object, name: impl Into<String>, edit: Edit) -> Self {
        Self::Member { of, name: name.into(), edit }
    }

    /// The authorization response has this parameter with these values, as often as there are any.
    pub fn callback<V: Into<String>>(name: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self::Callback { name: name.into(), values: values.into_iter().map(Into::into).collect() }
    }
}

impl From<Signing> for Lie {
    fn from(signing: Signing) -> Self {
        Self::Signing(signing)
    }
}
