//! What a provider's interface answered, read member by member: whoever needs no more than that needs no types for it.

use std::fmt;

use serde_json::Value;
use url::Url;

use crate::{
    conversation::Http,
    exchange::{HttpResponse, Purpose},
    identity::{Identity, Tokens},
    oauth2::{expect_ok, json_body, pages},
    provider::ProviderError,
};

/// Members by which providers name a person, not an account: each can be given up and taken by somebody else, who would
/// get the account with it.
const CHANGE_HANDS: [&str; 13] = [
    "display_name",
    "email",
    "full_name",
    "handle",
    "login",
    "mail",
    "name",
    "nickname",
    "phone_number",
    "preferred_username",
    "screen_name",
    "user_name",
    "username",
];

/// What a plugin is told that takes one of them for the account.
pub(super) const NO_IDENTIFIER: ProviderError = ProviderError::Misconfigured {
    field: "subject",
    remedy: "take the provider's own immutable identifier of the account, never a login name or an e-mail address",
};

/// Whether a member of a profile, by its name or JSON pointer, is known to be no identifier of an account: a login name,
/// an address, what people are called.
pub fn changes_hands(member: &str) -> bool {
    let name = member.rsplit('/').next().unwrap_or(member);
    CHANGE_HANDS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// A JSON value that a provider answered. A member is named by its name, or by a JSON pointer such as `/data/id`
/// (RFC 6901).
#[derive(Clone, PartialEq)]
pub struct Json {
    purpose: Purpose,
    value: Value,
}

impl Http {
    /// Asks a provider's interface with the access token, and reads the JSON that it answers.
    ///
    /// # Errors
    /// No answer, a status other than 200, or no clean JSON.
    pub async fn get(&self, purpose: Purpose, url: &Url, tokens: &Tokens) -> Result<Json, ProviderError> {
        self.get_json(purpose, url, tokens).await.map(|value| Json::new(purpose, value))
    }

    /// As [`Http::get`] for a list that may come in pages: those that `Link` names as `next` (RFC 8288) are asked for
    /// too, as long as they lie where the first does. The conversation's limit ends a list that has no end.
    ///
    /// # Errors
    /// As [`Http::get`]; the answer is no list; or its next page lies elsewhere, where the access token must not go.
    pub async fn get_list(
        &self,
        purpose: Purpose,
        url: &Url,
        tokens: &Tokens,
    ) -> Result<Vec<Json>, ProviderError> {
        let mut items = Vec::new();
        let mut page = url.clone();
        loop {
            let response = self.get_with_token(purpose, &page, tokens).await?;
            expect_ok(purpose, &response)?;
            items.append(&mut Json::read(purpose, &response)?.items()?);
            let beside = |next: &Url| next.origin() == url.origin() && next.path() == url.path();
            match pages::next(purpose, &response, &page, beside)? {
                Some(next) => page = next,
                None => return Ok(items),
            }
        }
    }
}

impl Json {
    /// `value`, as it answered a question of that purpose.
    pub fn new(purpose: Purpose, value: Value) -> Self {
        Self { purpose, value }
    }

    /// Reads the body of an answer, whatever its status.
    ///
    /// # Errors
    /// It is no clean JSON: see [`JsonFault`](crate::json::JsonFault).
    pub fn read(purpose: Purpose, response: &HttpResponse) -> Result<Self, ProviderError> {
        json_body(purpose, response).map(|value| Self::new(purpose, value))
    }

    /// The account whose immutable identifier `member` is: a whole number, or a text that is not empty. Take the one
    /// that the provider never changes and never gives to somebody else, which is never a login name or an address.
    ///
    /// # Errors
    /// The member is missing or anything else: then nothing says which account it is. Or it is one that
    /// [`changes_hands`].
    pub fn identity(&self, member: &str) -> Result<Identity, ProviderError> {
        if changes_hands(member) {
            return Err(NO_IDENTIFIER);
        }
        let fault =
            "the member that says which account it is is missing, or neither a text nor a whole number";
        match self.member(member) {
            Some(Value::String(text)) if !text.is_empty() => Ok(Identity::new(text)),
            Some(Value::Number(number)) if !number.is_f64() => Ok(Identity::new(number)),
            _ => Err(ProviderError::Broken { purpose: self.purpose, fault }),
        }
    }

    /// A text; `None` where there is none, an empty one or something else.
    pub fn text(&self, member: &str) -> Option<String> {
        self.member(member).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Whether a member is `true`, in so many words: neither `"true"` nor `1` is the provider's word.
    pub fn is(&self, member: &str) -> bool {
        self.member(member) == Some(&Value::Bool(true))
    }

    /// The texts in a list; what is no text in it is passed over, and no list has none.
    pub fn texts(&self, member: &str) -> Vec<String> {
        let items = self.member(member).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// A member as it is, null where there is none: for claims.
    pub fn value(&self, member: &str) -> Value {
        self.member(member).cloned().unwrap_or_default()
    }

    /// A member to be read further, null where there is none.
    pub fn at(&self, member: &str) -> Self {
        Self { purpose: self.purpose, value: self.value(member) }
    }

    /// The items of a list.
    ///
    /// # Errors
    /// It is none.
    pub fn items(self) -> Result<Vec<Self>, ProviderError> {
        let purpose = self.purpose;
        match self.value {
            Value::Array(items) => Ok(items.into_iter().map(|value| Self { purpose, value }).collect()),
            _ => Err(ProviderError::Broken { purpose, fault: "it is not a list" }),
        }
    }

    fn member(&self, member: &str) -> Option<&Value> {
        if member.starts_with('/') { self.value.pointer(member) } else { self.value.get(member) }
    }
}

/// What somebody's profile says stays out of logs.
impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Json").field("purpose", &self.purpose).finish_non_exhaustive()
    }
}
