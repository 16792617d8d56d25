//! An address that a provider names, under the rule that only some domains may enter.

use serde_json::{Value, json};
use vestibule::request::PlainHead;

use crate::{
    Seen,
    oracle::refusal,
    outside::{Begun, Outside, json_reply, session_set},
    site::{SESSION, by_email},
    text::{first_line, lossy},
};

/// What the provider says about the address being verified in the first line, as JSON; then the address.
///
/// Whoever enters has one plain address of exactly `company.example`, or of a name below `sub.example`, and a provider
/// that says `true`; proxies are then told that address (SE-36, SE-37).
pub fn email_rule(data: &[u8]) -> Seen {
    let (verified, email) = first_line(data);
    let verified: Value = serde_json::from_slice(verified).unwrap_or_default();
    let email = lossy(email);
    let begun = Begun::new(by_email(), "/", 1);
    let head = PlainHead::navigation(&format!("/oauth2/callback?code=c&state={}", begun.state))
        .with("cookie", begun.cookie());
    let mut outside = Outside::honest();
    outside.profile = json_reply(&json!({"id": "7", "email": email, "verified": verified}));
    let response = outside.visit(by_email(), head, b"").response;
    let expected = verified == true && is_ours(&email);
    assert_eq!(
        outside.decisions,
        usize::from(expected),
        "the application is asked about nobody else: {email:?}"
    );
    let Some(session) = session_set(&response) else {
        let too_large = refusal(&response).as_deref() == Some("session_too_large");
        assert!(!expected || too_large, "{email:?} may enter: {response:?}");
        return Seen::Refused;
    };
    assert!(expected, "{email:?} {verified}");
    let asks = PlainHead::fetch("/oauth2/auth").with("cookie", format!("{SESSION}={session}"));
    let auth = Outside::honest().visit(by_email(), asks, b"").response;
    assert_eq!((auth.status, auth.get("x-auth-request-email")), (202, Some(&*email)));
    Seen::Accepted
}

/// RFC 5322's `dot-atom` addresses and their next of kin, read backwards from the domain.
fn is_ours(email: &str) -> bool {
    if !email.is_ascii() || email.matches('@').count() != 1 {
        return false;
    }
    let (local, domain) = email.split_at(email.find('@').unwrap_or(0));
    let domain = domain.trim_start_matches('@').to_ascii_lowercase();
    let of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let below = domain.strip_suffix(".sub.example").unwrap_or_default();
    let ours = domain == "company.example"
        || (!below.is_empty()
            && below.split('.').all(|label| !label.is_empty() && label.bytes().all(of_a_name)));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    ours && !local.is_empty() && local.bytes().all(plain)
}
