//! An ID token: forged ones, and ones that the issuer itself has signed and should not have.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha512};
use vestibule::{exchange::Purpose, identity::SignIn, provider::ProviderError};

use crate::{
    Seen,
    issuer::{CLIENT, ISSUER, Issuer, NONCE, NOW, SUBJECT, eddsa, pinned, sign, userinfo},
    outside::{ACCESS_TOKEN, json_reply},
    readers::{base64url, clean_json},
    text::{expand, first_line, lines, lossy},
};

/// The algorithm that the client is pinned to in the first line, then header, payload and signature, a line each; what
/// begins with `{` is JSON to be written in base64url, and `<header>`, `<payload>` and `<signature>` are those of the
/// token that the issuer has signed. Dots between the lines are not part of them, dots in them are.
///
/// Whatever is accepted is that token to the byte (JT-41), and nobody is asked about the person before.
pub fn id_token(data: &[u8]) -> Seen {
    let (name, rest) = first_line(data);
    let pinned = pinned().iter().find(|pinned| pinned.name.as_bytes() == name).unwrap_or(eddsa());
    let parts: Vec<&str> = pinned.token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("a signed token has three parts") };
    let values = [("header", header), ("payload", payload), ("signature", signature)];
    let segment = |line: &[u8]| {
        if line.starts_with(b"{") { base64url(line) } else { lossy(&expand(line, &values)).into_owned() }
    };
    let token = lines(rest).map(segment).collect::<Vec<_>>().join(".");
    let mut issuer = Issuer::honest(pinned).with_id_token(&token);
    let result = issuer.finish(&pinned.client);
    assert_eq!(result.is_ok(), token == pinned.token, "{result:?}");
    if let Ok(sign_in) = &result {
        assert_eq!((&*sign_in.identity.issuer, &*sign_in.identity.subject), (ISSUER, SUBJECT));
    } else {
        assert!(!issuer.was_asked(Purpose::Profile), "the ID token was not proven");
    }
    Seen::accepted(result.is_ok())
}

/// A header in the first line, the rest is a payload; the issuer signs them as they are.
///
/// What is accepted is, for a second reader too, meant for this client and this attempt, in its time, by that issuer;
/// the identity is the subject's and says nothing that nobody said (JT-06 to JT-15, JT-31, JT-32).
pub fn signed_claims(data: &[u8]) -> Seen {
    let (header, payload) = first_line(data);
    let mut issuer = Issuer::honest(eddsa()).with_id_token(&sign(header, payload));
    issuer.userinfo = json_reply(&unverified());
    match issuer.finish(&eddsa().client) {
        Ok(sign_in) => {
            let header = clean_json(header).expect("an accepted header is JSON");
            header_is_plain(header.as_object().expect("a header is an object"));
            let claims = clean_json(payload).expect("an accepted payload is JSON");
            let claims = claims.as_object().expect("claims are an object");
            claims_are_ours(claims);
            says_no_more(&sign_in, claims, issuer.was_asked(Purpose::Profile));
            Seen::Accepted
        }
        Err(error) => {
            let proven = issuer.was_asked(Purpose::Profile);
            assert!(!proven || matches!(error, ProviderError::SubjectDiffers), "{error}");
            Seen::Refused
        }
    }
}

/// What userinfo says there: of an address that is not verified, so that a word about another one would show.
fn unverified() -> Value {
    let mut userinfo = userinfo();
    userinfo["email_verified"] = false.into();
    userinfo
}

fn header_is_plain(header: &Map<String, Value>) {
    assert_eq!(header["alg"], "EdDSA");
    for name in ["crit", "b64", "cty", "enc", "zip"] {
        assert!(!header.contains_key(name), "{name} is not understood");
    }
    let is_jwt = |value: &Value| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("jwt"));
    assert!(header.get("typ").is_none_or(is_jwt));
    assert!(header.get("kid").is_none_or(|kid| kid == "eddsa"), "the issuer has no such key");
}

fn claims_are_ours(claims: &Map<String, Value>) {
    assert_eq!(claims["iss"], ISSUER);
    assert_eq!(claims["nonce"], NONCE);
    match &claims["aud"] {
        Value::Array(audiences) => {
            assert!(!audiences.is_empty() && audiences.iter().all(|audience| audience == CLIENT));
            assert!(audiences.len() == 1 || claims.contains_key("azp"));
        }
        audience => assert_eq!(audience, CLIENT),
    }
    assert!(claims.get("azp").is_none_or(|party| party == CLIENT));
    let time = |name: &str| {
        let seconds = claims.get(name).map(|value| value.as_f64().expect("a time is a number"));
        assert!(seconds.is_none_or(|seconds| (0.0..=9_007_199_254_740_992.0).contains(&seconds)));
        seconds.map(|seconds| seconds - NOW as f64)
    };
    let (exp, iat) = (time("exp").expect("it ends"), time("iat").expect("it was issued"));
    assert!(exp > -60.0 && iat < 61.0 && iat > -86_461.0, "exp {exp}, iat {iat}");
    assert!(time("nbf").is_none_or(|nbf| nbf < 61.0));
    time("auth_time");
    for name in ["sub", "sid"] {
        let sound = |value: &Value| {
            value.as_str().is_some_and(|text| {
                (1..=255).contains(&text.len()) && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
            })
        };
        assert!(claims.get(name).map_or(name == "sid", sound), "{name}");
    }
    let hash = base64url(&Sha512::digest(ACCESS_TOKEN)[..32]);
    assert!(claims.get("at_hash").is_none_or(|claimed| *claimed == *hash), "another access token's hash");
}

/// Whatever the identity says, the ID token or userinfo has said, and an address is verified only where its own source
/// says `true`.
fn says_no_more(sign_in: &SignIn, claims: &Map<String, Value>, userinfo_too: bool) {
    let identity = &sign_in.identity;
    assert_eq!(identity.issuer, ISSUER);
    assert_eq!(Some(&*identity.subject), claims["sub"].as_str());
    assert_eq!(sign_in.idp_session.as_deref(), claims.get("sid").and_then(Value::as_str));
    let userinfo = if userinfo_too { unverified() } else { Value::Null };
    assert!(!userinfo_too || claims["sub"] == SUBJECT, "userinfo was somebody else's");
    let said = |name: &str, value: &Option<String>| {
        let value = value.as_deref();
        value.is_none()
            || claims.get(name).and_then(Value::as_str) == value
            || userinfo[name].as_str() == value
    };
    assert!(said("name", &identity.name) && said("preferred_username", &identity.username));
    assert!(said("email", &identity.email) && said("picture", &identity.picture));
    let verifies = |source: &Value, email: &str| source["email"] == email && source["email_verified"] == true;
    if identity.email_verified {
        let email = identity.email.as_deref().expect("what is verified is an address");
        let claims = Value::Object(claims.clone());
        assert!(verifies(&claims, email) || verifies(&userinfo, email), "{email:?} is not verified");
    }
}
