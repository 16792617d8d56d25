//! Which parameters of a request are the protocol's own, so that no configuration sets them.

/// Parameters of an authorization request that only the core sets.
pub const PROTOCOL_PARAMETERS: [&str; 13] = [
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];
