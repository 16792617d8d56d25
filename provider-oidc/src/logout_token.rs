//! From the text of a logout token to what its issuer has signed (OpenID Connect Back-Channel Logout §2.4 and §2.6).

use std::sync::Arc;

use openidconnect::{JsonWebKey as _, core::CoreJsonWebKey};
use serde_json::{Map, Value};
use vestibule::{
    conversation::Http,
    provider::{LogoutNotice, ProviderError},
    secret::Secret,
    time::Timestamp,
};

use crate::{
    config::{Config, Settings},
    id_token::{Unproven, signed},
    jws::{Jws, Kind},
    metadata, rules,
};

/// The member of `events` that makes a token a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Proves a logout token. Whatever can be seen without the issuer's keys is looked at before they are fetched: anybody
/// can send anything here.
pub(crate) async fn prove(
    http: &Http,
    config: &Arc<Config>,
    token: &Secret,
) -> Result<LogoutNotice, ProviderError> {
    let unproven = ProviderError::LogoutToken;
    let Config { issuer, settings, .. } = &**config;
    let jws = Jws::parse(token.expose(), Kind::Logout, &settings.algorithms).map_err(unproven)?;
    let issued_by = jws.claims.get("iss").and_then(Value::as_str);
    let issued_by = issued_by.filter(|issued_by| issuer.describes_itself_as(issued_by));
    let issued_by = issued_by.ok_or(unproven("its issuer is not the one that is configured"))?;
    // Of a template, a token that names its tenant must be of that one; not every issuer puts it into logout tokens.
    if jws.claims.contains_key("tid") && issuer.of_token(&jws.claims).map_err(unproven)? != issued_by {
        return Err(unproven("its issuer is not that of its tenant"));
    }
    let notice = read(&jws.claims, issued_by, settings, http.now()).map_err(unproven)?;
    let jwks_uri = metadata::keys_address(http, config).await?;
    let judge = |key: &CoreJsonWebKey| {
        let algorithm = jws.header.algorithm.core();
        let verified = key.verify_signature(&algorithm, jws.signing_input.as_bytes(), &jws.signature);
        verified.map_err(|_| Unproven::Signature)
    };
    signed(http, config, &jwks_uri, &jws.header, issued_by, unproven, judge).await?;
    Ok(notice)
}

/// What a logout token must say, and must not.
fn read(
    claims: &Map<String, Value>,
    issuer: &str,
    settings: &Settings,
    now: Timestamp,
) -> Result<LogoutNotice, &'static str> {
    let event = claims.get("events").and_then(Value::as_object).and_then(|events| events.get(EVENT));
    if !event.is_some_and(Value::is_object) {
        return Err("it does not tell of a logout");
    }
    // An ID token is none, whatever else it says.
    if claims.contains_key("nonce") {
        return Err("it has a nonce, which only ID tokens have");
    }
    meant_for_us(claims, settings)?;
    let id = rules::identifier(claims, "jti")?.ok_or("it has no name of its own")?;
    let issued = rules::date(claims, "iat")?.ok_or("it does not say when it was issued")?;
    let ends = rules::date(claims, "exp")?.ok_or("it does not say when it ends")?;
    rules::unended(claims, now)?;
    let at = Timestamp::from_unix;
    let notice = LogoutNotice::new(issuer, id, at(issued), at(ends))
        .subject(rules::identifier(claims, "sub")?)
        .idp_session(rules::identifier(claims, "sid")?);
    notice.check(now)?;
    Ok(notice)
}

/// That the client is among the audiences, and that the others are trusted, as for ID tokens.
fn meant_for_us(claims: &Map<String, Value>, settings: &Settings) -> Result<(), &'static str> {
    let audiences = match claims.get("aud") {
        Some(Value::Array(audiences)) => audiences.as_slice(),
        Some(audience) => std::slice::from_ref(audience),
        None => &[],
    };
    let is_us = |audience: &Value| audience.as_str() == Some(settings.client_id.as_str());
    let is_trusted = |audience: &Value| {
        let trusted = settings.trusted_audiences.iter();
        audience.as_str().is_some_and(|audience| trusted.into_iter().any(|other| other == audience))
    };
    let others_are_trusted = audiences.iter().all(|audience| is_us(audience) || is_trusted(audience));
    if audiences.iter().any(is_us) && others_are_trusted {
        Ok(())
    } else {
        Err("it is meant for another client, or for others too")
    }
}
