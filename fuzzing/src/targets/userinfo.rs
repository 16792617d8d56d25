//! A userinfo endpoint's reply.

use serde_json::Value;
use vestibule::{exchange::Purpose, provider::ProviderError};

use crate::{
    Seen,
    issuer::{self, CLIENT, ISSUER, Issuer, SUBJECT, eddsa, sign},
    outside::reply,
    readers::clean_json,
    text::{expand, first_line, lossy},
};

/// Status and media type in the first line, as `200 application/json`; then the body. A body of `application/jwt` that
/// begins with `{` is signed by the issuer; `<signed>` is a token that it has signed.
///
/// What is accepted is an object about the subject of the ID token and nobody else, signed where it says that it is;
/// the identity says nothing that it does not say (SE-35, JT-38 to JT-40).
pub fn userinfo(data: &[u8]) -> Seen {
    let (first, body) = first_line(data);
    let first = lossy(first);
    let (status, media_type) = first.split_once(' ').unwrap_or((&first, ""));
    let Ok(status @ 100..=599) = status.parse::<u16>() else { return Seen::Refused };
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let is_token = essence.eq_ignore_ascii_case("application/jwt");

    let header = br#"{"alg":"EdDSA","kid":"eddsa"}"#;
    let mut claims = issuer::userinfo();
    claims["iss"] = ISSUER.into();
    claims["aud"] = CLIENT.into();
    let stored = sign(header, claims.to_string().as_bytes());
    let signed_now = is_token && body.starts_with(b"{");
    let sent =
        if signed_now { sign(header, body).into_bytes() } else { expand(body, &[("signed", &stored)]) };

    let mut issuer = Issuer::honest(eddsa());
    issuer.userinfo = reply(status, media_type.as_bytes(), sent.clone());
    let result = issuer.finish(&eddsa().client);
    assert!(issuer.was_asked(Purpose::Profile), "the ID token says too little");
    let sign_in = match result {
        Ok(sign_in) => sign_in,
        Err(error) => {
            assert!(!matches!(error, ProviderError::IdToken(_)), "the ID token is sound: {error}");
            return Seen::Refused;
        }
    };
    assert_eq!(status, 200);
    let said = match (is_token, signed_now) {
        (true, false) => {
            assert_eq!(sent, stored.as_bytes(), "nobody has signed that");
            claims
        }
        (true, true) => {
            let said = clean_json(body).expect("an accepted payload is JSON");
            assert_eq!(said["iss"], ISSUER);
            let meant_for_us = said["aud"] == CLIENT
                || said["aud"]
                    .as_array()
                    .is_some_and(|all| !all.is_empty() && all.iter().all(|one| one == CLIENT));
            assert!(meant_for_us, "{said}");
            said
        }
        (false, _) => clean_json(&sent).expect("an accepted body is JSON"),
    };
    assert_eq!(said["sub"], SUBJECT);
    let identity = sign_in.identity;
    assert_eq!((&*identity.issuer, &*identity.subject), (ISSUER, SUBJECT));
    let is_said =
        |name: &str, value: &Option<String>| value.is_none() || said[name].as_str() == value.as_deref();
    assert!(is_said("name", &identity.name) && is_said("preferred_username", &identity.username));
    assert!(is_said("email", &identity.email) && is_said("picture", &identity.picture));
    assert_eq!(identity.email_verified, identity.email.is_some() && said["email_verified"] == true);
    let groups = match &said["groups"] {
        Value::Array(groups) => groups.iter().filter_map(Value::as_str).collect(),
        group => group.as_str().into_iter().collect::<Vec<_>>(),
    };
    assert_eq!(identity.groups, groups);
    Seen::Accepted
}
