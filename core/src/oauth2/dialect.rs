//! In what a provider's token replies differ from RFC 6749 §5, where only its plugin can know that.

use crate::{exchange::Purpose, provider::OAuthError};

/// What a plugin has said about token replies. Nothing by default.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dialect {
    pub(crate) token_type_may_be_missing: bool,
    pub(crate) errors: Vec<(Purpose, String, OAuthError)>,
}

impl Dialect {
    /// What an `error` member means.
    pub(crate) fn error(&self, purpose: Purpose, name: &str) -> OAuthError {
        let said = self.errors.iter().find(|(of, error, _)| *of == purpose && error == name);
        said.map_or_else(|| OAuthError::parse(name), |(_, _, means)| *means)
    }
}
