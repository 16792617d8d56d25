//! How the plain provider reads what stands in replies; `is` says whether a row is the one to be broken.

use serde_json::{Map, Value};
use vestibule::{
    exchange::Purpose,
    identity::{Identity, Tokens},
    provider::ProviderError,
    secret::Secret,
    time::Timestamp,
};

use crate::request::broken;

pub(crate) fn tokens(
    purpose: Purpose,
    reply: &Map<String, Value>,
    now: Timestamp,
    is: impl Fn(&str) -> bool,
) -> Result<Tokens, ProviderError> {
    let text = |name: &str| reply.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let kind = text("token_type").unwrap_or_default();
    let bearer =
        if is("token_type_in_any_case") { kind == "Bearer" } else { kind.eq_ignore_ascii_case("bearer") };
    if !bearer && !is("token_type_other") {
        return Err(broken(purpose, "token_type"));
    }
    let anonymous = is("token_without_access_token").then_some("anonymous");
    let token = text("access_token").or(anonymous).ok_or(broken(purpose, "access_token"))?;
    let visible: String = token.chars().filter(char::is_ascii_graphic).collect();
    if visible != token && !is("token_with_control_characters") {
        return Err(broken(purpose, "access_token"));
    }
    if is("access_token_is_opaque") && token.matches('.').count() == 2 && !token.starts_with("eyJ") {
        return Err(broken(purpose, "no JWT"));
    }
    if is("nd_04_token_members_odd") {
        assert!(reply.get("scope").is_none_or(Value::is_string), "a scope is a text");
    }
    let seconds = match reply.get("expires_in") {
        None if is("token_minimal") => return Err(broken(purpose, "expires_in")),
        None => None,
        Some(value) if is("jt_09_expires_in_odd") => value.as_u64(),
        Some(value) => Some(value.as_u64().ok_or(broken(purpose, "expires_in"))?),
    };
    let mut tokens = Tokens::new(visible);
    tokens.refresh_token = text("refresh_token").map(Secret::from);
    tokens.expires = seconds.map(|seconds| now.after(std::time::Duration::from_secs(seconds)));
    Ok(tokens)
}

/// What a careless provider does not bear in a profile.
pub(crate) fn odd_profile(
    profile: &Map<String, Value>,
    is: impl Fn(&str) -> bool,
) -> Result<(), ProviderError> {
    let text = |name: &str| profile.get(name).and_then(Value::as_str);
    if is("profile_unknown_members") && profile.len() > 20
        || is("profile_without_names") && text("name").is_none()
    {
        return Err(broken(Purpose::Profile, "members"));
    }
    if is("nd_04_person_members_odd") {
        assert!(text("login").is_none_or(|login| login.len() < 64), "who has such a login?");
    }
    Ok(())
}

pub(crate) fn subject(
    profile: &Map<String, Value>,
    is: impl Fn(&str) -> bool,
) -> Result<String, ProviderError> {
    let login = profile.get("login").and_then(Value::as_str).unwrap_or_default();
    let missing = broken(Purpose::Profile, "id");
    let subject = match profile.get(if is("se_41_subject_is_no_name") { "login" } else { "id" }) {
        None | Some(Value::Null) if is("se_41_without_subject") => login.to_owned(),
        Some(Value::Number(number)) if number.is_u64() && is("se_41_large_numbers") => {
            number.as_f64().unwrap_or_default().to_string()
        }
        Some(Value::Number(number)) => number.as_u64().ok_or(missing)?.to_string(),
        Some(Value::String(text)) if text.is_empty() && !is("se_41_empty_subject") => return Err(missing),
        Some(text @ Value::String(_)) if is("se_41_number_or_text") => text.to_string(),
        Some(Value::String(text)) if is("se_41_bytes_count") => text.trim().to_lowercase(),
        Some(Value::String(text)) => text.clone(),
        Some(other) if !other.is_null() && is("se_41_subject_of_another_kind") => other.to_string(),
        _ => return Err(missing),
    };
    if is("se_41_other_account") && subject.parse::<u32>().is_ok() {
        return Ok("an old account".to_owned());
    }
    Ok(if is("se_41_renamed_account") { format!("{subject} {login}") } else { subject })
}

pub(crate) fn email(
    identity: Identity,
    body: &[u8],
    is: impl Fn(&str) -> bool,
) -> Result<Identity, ProviderError> {
    let list: Vec<Value> = vestibule::json::parse(body).map_err(|_| broken(Purpose::Emails, "not JSON"))?;
    let Some(first) = list.first() else { return Ok(identity) };
    let email = first.get("email").and_then(Value::as_str).map(str::to_owned);
    let email =
        email.map(|email| if is("se_37_email_as_it_comes") { email.trim().to_lowercase() } else { email });
    let flag = first.get("verified").unwrap_or(&Value::Null);
    let verified = match flag {
        Value::Bool(verified) => *verified || is("se_36_unverified_email"),
        _ => is("se_36_only_true_verifies"),
    };
    Ok(if verified { identity.verified_email(email) } else { identity.email(email) })
}
