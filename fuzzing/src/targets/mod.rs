//! The targets, by what they read. Each says first how its input is written, then what must hold.

pub(crate) mod access_rules;
pub(crate) mod callback;
pub(crate) mod callback_token;
pub(crate) mod cookies;
pub(crate) mod discovery;
pub(crate) mod email_rule;
pub(crate) mod forwarded_headers;
pub(crate) mod github;
pub(crate) mod id_token;
pub(crate) mod json;
pub(crate) mod key_set;
pub(crate) mod profile;
pub(crate) mod request_head;
pub(crate) mod return_target;
pub(crate) mod token_reply;
pub(crate) mod userinfo;
