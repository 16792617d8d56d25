//! From proven claims to an identity (OpenID Connect Core §5.1).

use serde_json::{Map, Value};
use vestibule::identity::Identity;

use crate::config::Settings;

type Claims = Map<String, Value>;

/// Claims that belong to the protocol, not to the person. What they say has been used up in the checks.
const PROTOCOL_CLAIMS: [&str; 14] = [
    "iss",
    "sub",
    "aud",
    "azp",
    "exp",
    "iat",
    "nbf",
    "jti",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
    "auth_time",
];

/// An address or number and whether it is verified: one is worth nothing beside the other's from elsewhere.
const PAIRS: [(&str, &str); 2] = [("email", "email_verified"), ("phone_number", "phone_number_verified")];

/// The person that `claims` speak of.
pub(crate) fn identity(settings: &Settings, issuer: &str, subject: &str, claims: &Claims) -> Identity {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let owned = |name: &str| text(name).map(str::to_owned);
    let identity = Identity::new(subject)
        .issuer(issuer)
        .username(owned(&settings.username_claim))
        .name(owned("name"))
        .picture(owned("picture"))
        .groups(groups(settings, claims));
    let mut identity = if is_verified(settings, claims) {
        identity.verified_email(owned("email"))
    } else {
        identity.email(owned("email"))
    };
    let mapped =
        ["name", "picture", "email", "email_verified", &settings.username_claim, &settings.groups_claim];
    let kept = |name: &str| !PROTOCOL_CLAIMS.contains(&name) && !mapped.contains(&name);
    identity.claims =
        claims.iter().filter(|(name, _)| kept(name)).map(|(n, v)| (n.clone(), v.clone())).collect();
    identity
}

/// Only the issuer's own `true` counts: whoever reads `"false"` as a text reads it as something.
fn is_verified(settings: &Settings, claims: &Claims) -> bool {
    match claims.get("email_verified") {
        Some(Value::Bool(verified)) => *verified,
        Some(Value::String(text)) => settings.email_verified_text && text == "true",
        _ => false,
    }
}

/// Groups as a list of texts, or one text; what is neither is passed over.
fn groups(settings: &Settings, claims: &Claims) -> Vec<String> {
    match find(claims, &settings.groups_claim) {
        Some(Value::String(group)) => vec![group.clone()],
        Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// A claim by its name, or by a JSON pointer (RFC 6901) where it lies inside another.
pub(crate) fn find<'c>(claims: &'c Claims, name: &str) -> Option<&'c Value> {
    let Some(path) = name.strip_prefix('/') else { return claims.get(name) };
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let claim = claims.get(&first.replace("~1", "/").replace("~0", "~"))?;
    if rest.is_empty() { Some(claim) } else { claim.pointer(&format!("/{rest}")) }
}

/// Adds to the ID token's claims what userinfo knows besides. The ID token's word stands, but a pair comes whole from
/// one of the two: from userinfo, unless the ID token has both of it.
pub(crate) fn merge(mut claims: Claims, userinfo: Claims) -> Claims {
    // Some issuers write `null` for what they leave to userinfo.
    claims.retain(|_, value| !value.is_null());
    for (value, verified) in PAIRS {
        let whole = claims.contains_key(value) && claims.contains_key(verified);
        if !whole && userinfo.contains_key(value) {
            claims.remove(value);
            claims.remove(verified);
        }
    }
    let pair_of = |name: &str| PAIRS.iter().find(|(value, verified)| [*value, *verified].contains(&name));
    let from_id_token: Vec<_> = PAIRS.iter().filter(|(value, _)| claims.contains_key(*value)).collect();
    for (name, value) in userinfo {
        let of_other_pair = pair_of(&name).is_some_and(|pair| from_id_token.contains(&pair));
        if !of_other_pair {
            claims.entry(name).or_insert(value);
        }
    }
    claims
}

/// What people are called and reached by may be missing in later answers and is then as it was. Groups and other claims
/// are not carried over: who is in no group any more is often simply not listed.
pub(crate) fn with_names_of(mut new: Identity, old: &Identity) -> Identity {
    let keep = |new: &mut Option<String>, old: &Option<String>| {
        if new.is_none() {
            new.clone_from(old);
        }
    };
    keep(&mut new.username, &old.username);
    keep(&mut new.name, &old.name);
    keep(&mut new.picture, &old.picture);
    if new.email.is_none() {
        new.email.clone_from(&old.email);
        new.email_verified = old.email_verified;
    }
    new
}

/// `new`, made from a refreshed ID token alone because userinfo is out of reach, with what is not known anew as it was.
pub(crate) fn complete(new: Identity, old: &Identity, settings: &Settings, claims: &Claims) -> Identity {
    let mut new = with_names_of(new, old);
    if find(claims, &settings.groups_claim).is_none() {
        new.groups.clone_from(&old.groups);
    }
    for (name, value) in &old.claims {
        new.claims.entry(name.clone()).or_insert_with(|| value.clone());
    }
    new
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Oidc;

    fn claims(value: Value) -> Claims {
        value.as_object().cloned().unwrap_or_default()
    }

    fn settings() -> Settings {
        Oidc::builder("https://op.example", "client").settings
    }

    #[test]
    fn an_address_and_its_being_verified_come_from_one_source() {
        let verified_elsewhere = json!({"email": "b@x", "email_verified": true});
        for (id_token, userinfo, merged) in [
            (json!({"email": "a@x"}), verified_elsewhere.clone(), verified_elsewhere.clone()),
            (json!({"email_verified": true}), json!({"email": "b@x"}), json!({"email": "b@x"})),
            (json!({"email": "a@x"}), json!({"email_verified": true}), json!({"email": "a@x"})),
            (
                json!({"email": "a@x", "email_verified": false}),
                verified_elsewhere.clone(),
                json!({"email": "a@x", "email_verified": false}),
            ),
            (json!({}), verified_elsewhere.clone(), verified_elsewhere.clone()),
        ] {
            assert_eq!(merge(claims(id_token.clone()), claims(userinfo)), claims(merged), "{id_token}");
        }
    }

    #[test]
    fn only_the_boolean_verifies_an_address() {
        let email = |settings: &Settings, verified: Value| {
            let claims = claims(json!({"email": "a@x.example", "email_verified": verified}));
            identity(settings, "i", "s", &claims).email_verified
        };
        assert!(email(&settings(), json!(true)));
        for other in [json!(false), json!("true"), json!("false"), json!(1), json!(null), json!([true])] {
            assert!(!email(&settings(), other.clone()), "{other}");
        }
        let lenient = Oidc::builder("https://op.example", "client").accept_email_verified_text().settings;
        assert!(email(&lenient, json!("true")));
        assert!(!email(&lenient, json!("false")) && !email(&lenient, json!("True")));
    }

    #[test]
    fn groups_are_a_list_a_text_or_inside_another_claim() {
        let found = |claim: &str, value: Value| {
            let settings = Oidc::builder("https://op.example", "client").groups_claim(claim).settings;
            identity(&settings, "i", "s", &claims(value)).groups
        };
        assert_eq!(found("groups", json!({"groups": ["a", 1, "b"]})), ["a", "b"]);
        assert_eq!(found("groups", json!({"groups": "a"})), ["a"]);
        assert!(found("groups", json!({"groups": {"a": true}})).is_empty());
        assert_eq!(found("/realm_access/roles", json!({"realm_access": {"roles": ["r"]}})), ["r"]);
        assert_eq!(found("https://x.example/groups", json!({"https://x.example/groups": ["g"]})), ["g"]);
        assert_eq!(found("/https:~1~1x.example~1g", json!({"https://x.example/g": ["g"]})), ["g"]);
    }

    #[test]
    fn claims_of_the_protocol_and_mapped_ones_are_not_kept_twice() {
        let all = json!({
            "iss": "i", "sub": "s", "aud": "c", "exp": 1, "iat": 1, "nonce": "n", "sid": "x", "at_hash": "h",
            "preferred_username": "ada", "name": "Ada", "email": "a@x", "email_verified": true, "groups": ["g"],
            "acr": "mfa", "address": {"country": "GB"}, "department": "research", "name#de": "Ada",
        });
        let identity = identity(&settings(), "i", "s", &claims(all));
        let kept: Vec<_> = identity.claims.keys().map(String::as_str).collect();
        assert_eq!(kept, ["acr", "address", "department", "name#de"]);
        assert_eq!(identity.username.as_deref(), Some("ada"));
    }
}
