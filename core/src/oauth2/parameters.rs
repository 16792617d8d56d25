//! Which parameters of a request are the protocol's own, so that no configuration sets them.

use url::Url;

/// Parameters of an authorization request that only the core sets, or that change what must come back.
pub const PROTOCOL_PARAMETERS: [&str; 16] = [
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "dpop_jkt",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// Parameters of a request to the token endpoint that only the core sets, or that make another grant of it.
pub const TOKEN_PROTOCOL_PARAMETERS: [&str; 14] = [
    "assertion",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "grant_type",
    "password",
    "redirect_uri",
    "refresh_token",
    "scope",
    "username",
];

/// Whether `name` is one of `own` to whoever may read it: some servers do not tell upper from lower case, and PHP reads
/// a dot as an underscore.
pub fn is_one_of(own: &[&str], name: &str) -> bool {
    let read = name.to_ascii_lowercase().replace('.', "_");
    own.contains(&read.as_str())
}

/// Whether a parameter of that name is read as one by every server. `state[]` is `state` to some.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':'))
}

/// Whether the query of an address sets a parameter of the protocol: of two of one name, one side would read the
/// first and another the last (RFC 6749 §3.1).
pub(super) fn sets_one_of(own: &[&str], url: &Url) -> bool {
    url.query_pairs().any(|(name, _)| is_one_of(own, &name))
}
