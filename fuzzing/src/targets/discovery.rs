//! An issuer's description of itself.

use serde_json::Value;
use url::Url;
use vestibule::exchange::Purpose;

use crate::{
    Seen,
    issuer::{CLIENT, ISSUER, Issuer, NONCE, eddsa},
    outside::reply,
    readers::{clean_json, form, query, split_address, values},
};

/// The description.
///
/// A browser is sent, and questions are asked, only where a description of exactly this issuer says, by https and
/// without a password on the way; the authorization request carries each parameter of the protocol once (ND-02, ND-03,
/// ND-04).
pub fn discovery(data: &[u8]) -> Seen {
    let described = clean_json(data);
    let says = |name: &str| described.as_ref().and_then(|all| all.get(name)).and_then(Value::as_str);
    let honest = || {
        let mut issuer = Issuer::honest(eddsa());
        issuer.metadata = reply(200, b"application/json", data);
        issuer
    };
    let begun = honest().begin(&eddsa().client);
    if let Ok(begun) = &begun {
        assert_eq!(says("issuer"), Some(ISSUER));
        let location = begun.location.as_str();
        leads_to(location, says("authorization_endpoint"));
        let asked = form(query(location).as_bytes());
        for (name, expected) in [
            ("state", "the-state"),
            ("nonce", NONCE),
            ("client_id", CLIENT),
            ("response_type", "code"),
            ("code_challenge_method", "S256"),
            ("redirect_uri", "https://rp.example/oauth2/callback"),
        ] {
            assert_eq!(values(&asked, name), [expected], "{location}");
        }
        assert_eq!(values(&asked, "code_challenge").len(), 1);
        assert_eq!(begun.issuer.as_deref(), Some(ISSUER));
        let promised = described.as_ref().map(|all| &all["authorization_response_iss_parameter_supported"]);
        assert_eq!(begun.issuer_required, promised == Some(&Value::Bool(true)));
    }
    let mut issuer = honest();
    let finished = issuer.finish(&eddsa().client);
    for (purpose, address) in &issuer.asked {
        let described = match purpose {
            Purpose::Metadata => Some("https://op.example/.well-known/openid-configuration"),
            Purpose::Keys => says("jwks_uri"),
            Purpose::Token => says("token_endpoint"),
            Purpose::Profile => says("userinfo_endpoint"),
            other => panic!("nobody should ask for {other}"),
        };
        leads_to(address, described);
    }
    assert!(finished.is_err() || begun.is_ok(), "a description is good for both or for neither");
    Seen::accepted(finished.is_ok())
}

/// An address that is in use is the described one, for both readers, and one that may be asked.
fn leads_to(used: &str, described: Option<&str>) {
    let described = described.expect("an address that is asked is described");
    let (scheme, authority, _) = split_address(used);
    assert!(scheme == "https" && !authority.is_empty() && !authority.contains('@'), "{used:?}");
    assert!(!used.contains('#') && used.bytes().all(|byte| byte.is_ascii_graphic()), "{used:?}");
    let (used, described) = (Url::parse(used), Url::parse(described));
    let (used, described) = (used.expect("it is in use"), described.expect("it has been read"));
    assert_eq!((used.origin(), used.path()), (described.origin(), described.path()));
    assert!(used.query().unwrap_or_default().starts_with(described.query().unwrap_or_default()));
}
