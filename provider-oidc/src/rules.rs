//! What an ID token must say beyond what `openidconnect` checks: the crate compares issuer, audience, nonce and, without
//! leeway, expiry. It leaves `azp`, the other times, the types of times, `acr` and the shape of `sub` and `sid` to its
//! caller (OpenID Connect Core §3.1.3.7 and §12.2).

use serde_json::{Map, Value};
use vestibule::{
    identity::SignIn,
    limits::{CLOCK_LEEWAY, ID_TOKEN_AGE_MAX},
    secret::Nonce,
    time::Timestamp,
};

use crate::config::Settings;

/// Characters of `sub` (OpenID Connect Core §2), and of `sid`, for which no limit is written.
const IDENTIFIER_BYTES_MAX: usize = 255;
/// The greatest whole number that every reader of JSON reads as the same one (RFC 8259 §6).
const WHOLE_NUMBER_MAX: i64 = 1 << 53;

type Claims = Map<String, Value>;

/// What an ID token is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Occasion<'o> {
    /// It ends an attempt.
    SignIn { nonce: &'o Nonce, max_age: Option<u64> },
    /// It came with new tokens for an old sign-in.
    Refresh(&'o SignIn),
}

/// What was read on the way.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) subject: String,
    pub(crate) idp_session: Option<String>,
    pub(crate) authenticated: Option<Timestamp>,
}

/// Checks `claims`, of which nothing is proven yet.
pub(crate) fn check(
    claims: &Claims,
    settings: &Settings,
    now: Timestamp,
    occasion: Occasion<'_>,
) -> Result<Read, &'static str> {
    let subject = identifier(claims, "sub")?.ok_or("it names no subject")?;
    let idp_session = identifier(claims, "sid")?;
    audience(claims, settings)?;
    lifetime(claims, now)?;
    let authenticated = match occasion {
        Occasion::SignIn { max_age, .. } => authentication(claims, settings, max_age, now)?,
        Occasion::Refresh(sign_in) => {
            let authenticated = authenticated_at(claims)?;
            same_sign_in(&subject, authenticated, sign_in)?;
            authenticated
        }
    };
    Ok(Read { subject, idp_session, authenticated })
}

/// When the person showed the issuer who they are, if that is recent enough and was done in one of the ways that were
/// asked for.
pub(crate) fn authentication(
    claims: &Claims,
    settings: &Settings,
    max_age: Option<u64>,
    now: Timestamp,
) -> Result<Option<Timestamp>, &'static str> {
    let authenticated = authenticated_at(claims)?;
    if let Some(seconds) = max_age {
        recent(authenticated, seconds, now)?;
    }
    if !settings.acr_values.is_empty() {
        let acr = claims.get("acr").and_then(Value::as_str);
        if !acr.is_some_and(|acr| settings.acr_values.iter().any(|value| value == acr)) {
            return Err("the person signed in in none of the ways that were asked for");
        }
    }
    Ok(authenticated)
}

fn authenticated_at(claims: &Claims) -> Result<Option<Timestamp>, &'static str> {
    Ok(date(claims, "auth_time")?.map(Timestamp::from_unix))
}

/// Printable ASCII, and not too much of it: an identifier ends in headers, logs and records.
pub(crate) fn identifier(claims: &Claims, name: &'static str) -> Result<Option<String>, &'static str> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let text = value.as_str().filter(|text| (1..=IDENTIFIER_BYTES_MAX).contains(&text.len()));
    match text.filter(|text| text.bytes().all(|byte| matches!(byte, 0x20..=0x7e))) {
        Some(text) => Ok(Some(text.to_owned())),
        None => Err("its sub or sid is not a text of 1 to 255 printable ASCII characters"),
    }
}

/// That the client is among the audiences, `openidconnect` checks, and that the others are trusted. A token for several
/// must say for whom it was made, and whoever it names must be us.
pub(crate) fn audience(claims: &Claims, settings: &Settings) -> Result<(), &'static str> {
    let several = claims.get("aud").and_then(Value::as_array).is_some_and(|audiences| audiences.len() > 1);
    match claims.get("azp") {
        None if several => Err("it is meant for several and does not say for whom it was made"),
        None => Ok(()),
        Some(party) if party == &settings.client_id => Ok(()),
        Some(_) => Err("it was made for another client"),
    }
}

/// An ID token must have an end and a beginning.
fn lifetime(claims: &Claims, now: Timestamp) -> Result<(), &'static str> {
    for (name, missing) in
        [("exp", "it does not say when it ends"), ("iat", "it does not say when it was issued")]
    {
        date(claims, name)?.ok_or(missing)?;
    }
    current(claims, now)
}

/// A token that may be old, but must have an end.
pub(crate) fn unended(claims: &Claims, now: Timestamp) -> Result<(), &'static str> {
    date(claims, "exp")?.ok_or("it does not say when it ends")?;
    valid(claims, now)
}

/// Looks at the times that are there; a token that is a day old is none of this occasion.
pub(crate) fn current(claims: &Claims, now: Timestamp) -> Result<(), &'static str> {
    valid(claims, now)?;
    let issued = date(claims, "iat")?.map(Timestamp::from_unix);
    if issued.is_some_and(|issued| now.since(issued) > ID_TOKEN_AGE_MAX + CLOCK_LEEWAY) {
        return Err("it was issued too long ago");
    }
    Ok(())
}

/// Whether now is between beginning and end. A time of the wrong type must not pass for an absent one.
fn valid(claims: &Claims, now: Timestamp) -> Result<(), &'static str> {
    let time = |name| date(claims, name).map(|seconds| seconds.map(Timestamp::from_unix));
    let latest = now.after(CLOCK_LEEWAY);
    if time("exp")?.is_some_and(|end| now >= end.after(CLOCK_LEEWAY)) {
        return Err("it has ended, or the clocks differ by more than a minute");
    }
    if time("iat")?.is_some_and(|issued| issued > latest) {
        return Err("it was issued in the future: the clocks differ by more than a minute");
    }
    if time("nbf")?.is_some_and(|beginning| beginning > latest) {
        return Err("it is not valid yet: the clocks differ by more than a minute");
    }
    Ok(())
}

/// OpenID Connect Core §3.1.2.1: whoever asks for `max_age` must get `auth_time`, and look at it.
fn recent(authenticated: Option<Timestamp>, max_age: u64, now: Timestamp) -> Result<(), &'static str> {
    let authenticated =
        authenticated.ok_or("it does not say when the person signed in, and that was asked for")?;
    if authenticated > now.after(CLOCK_LEEWAY) {
        return Err("the person signed in in the future: the clocks differ by more than a minute");
    }
    if now.since(authenticated).as_secs() > max_age.saturating_add(CLOCK_LEEWAY.as_secs()) {
        return Err("the person signed in too long ago");
    }
    Ok(())
}

/// OpenID Connect Core §12.2. The nonce is no longer known, and new tokens need not repeat it.
fn same_sign_in(subject: &str, authenticated: Option<Timestamp>, old: &SignIn) -> Result<(), &'static str> {
    if subject != old.identity.subject {
        return Err("its subject is not the one that signed in");
    }
    match (authenticated, old.authenticated) {
        (Some(new), Some(old)) if new != old => Err("its auth_time is not that of the sign-in"),
        _ => Ok(()),
    }
}

/// A time as RFC 7519 §2 writes it: a number of seconds, perhaps with a fraction. Anything else that is there is an
/// error, never "no limit".
pub(crate) fn date(claims: &Claims, name: &'static str) -> Result<Option<i64>, &'static str> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_i64().or_else(|| {
        let seconds = value.as_f64().filter(|seconds| (0.0..=WHOLE_NUMBER_MAX as f64).contains(seconds));
        // Within the range just checked, cutting the fraction off is all that the conversion does.
        seconds.map(|seconds| seconds as i64)
    });
    match seconds.filter(|seconds| (0..=WHOLE_NUMBER_MAX).contains(seconds)) {
        Some(seconds) => Ok(Some(seconds)),
        None => Err("a time in it is not a number of seconds since 1970"),
    }
}
