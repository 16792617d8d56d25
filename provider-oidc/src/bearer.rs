//! Tokens that API clients bring: access tokens in the form of RFC 9068, and ID tokens, as oauth2-proxy takes them.

use std::sync::Arc;

use async_trait::async_trait;
use openidconnect::{JsonWebKey as _, core::CoreJsonWebKey};
use serde_json::{Map, Value};
use vestibule::{
    bearer::BearerIssuer, conversation::Http, identity::Identity, provider::ProviderError, secret::Secret,
    time::Timestamp,
};

use crate::{
    config::{Config, Settings},
    id_token::{Unproven, signed},
    identify,
    jws::{Jws, Kind},
    metadata, rules,
};

/// An issuer whose tokens let API clients in, for [`Builder::bearer`](vestibule::config::Builder::bearer).
///
/// A token counts that is signed by the issuer's keys with an agreed algorithm, is meant for the client id or a trusted
/// audience, and has not ended. One that is bound to a key of its sender (`cnf`, RFC 7800) does not: nobody shows that
/// key here. Which groups and claims there are, the token alone says; userinfo is not asked.
#[derive(Debug)]
pub struct OidcBearer {
    config: Arc<Config>,
}

impl OidcBearer {
    pub(crate) fn new(config: Config) -> Self {
        Self { config: Arc::new(config) }
    }
}

#[async_trait]
impl BearerIssuer for OidcBearer {
    fn id(&self) -> &str {
        &self.config.settings.id
    }

    async fn prove(&self, http: &Http, token: &Secret) -> Result<Option<Identity>, ProviderError> {
        let Config { issuer, settings, .. } = &*self.config;
        let unproven = ProviderError::BearerToken;
        let jws = Jws::parse(token.expose(), Kind::Bearer, &settings.algorithms).map_err(unproven)?;
        let issued_by = jws.claims.get("iss").and_then(Value::as_str);
        let Some(issued_by) = issued_by.filter(|issued_by| issuer.describes_itself_as(issued_by)) else {
            return Ok(None);
        };
        // Of a template, that one says which tenant it is of.
        if issuer.of_token(&jws.claims).map_err(unproven)? != issued_by {
            return Err(unproven("its issuer is not that of its tenant"));
        }
        let subject = check(&jws.claims, settings, http.now()).map_err(unproven)?;
        let jwks_uri = metadata::keys_address(http, &self.config).await?;
        let judge = |key: &CoreJsonWebKey| {
            let algorithm = jws.header.algorithm.core();
            let verified = key.verify_signature(&algorithm, jws.signing_input.as_bytes(), &jws.signature);
            verified.map_err(|_| Unproven::Signature)
        };
        signed(http, &self.config, &jwks_uri, &jws.header, issued_by, unproven, judge).await?;
        Ok(Some(identify::identity(settings, issued_by, &subject, &jws.claims)))
    }
}

/// What a bearer token must say (RFC 9068 §4); its subject.
fn check(claims: &Map<String, Value>, settings: &Settings, now: Timestamp) -> Result<String, &'static str> {
    let subject = rules::identifier(claims, "sub")?.ok_or("it names no subject")?;
    rules::identifier(claims, "sid")?;
    if claims.contains_key("cnf") {
        return Err("it is bound to a key that nobody shows here");
    }
    // A logout token (OpenID Connect Back-Channel Logout §2.4) has the same issuer, audience and keys.
    if claims.contains_key("events") {
        return Err("it tells of an event and is nobody's to bring");
    }
    let ours = |audience: &Value| {
        audience.as_str().is_some_and(|audience| {
            audience == settings.client_id || settings.trusted_audiences.iter().any(|other| other == audience)
        })
    };
    let meant_for_us = match claims.get("aud") {
        Some(Value::Array(audiences)) => audiences.iter().any(ours) && audiences.iter().all(Value::is_string),
        Some(audience) => ours(audience),
        None => false,
    };
    if !meant_for_us {
        return Err("it is meant for somebody else");
    }
    rules::unended(claims, now)?;
    rules::authentication(claims, settings, settings.max_age, now)?;
    Ok(subject)
}
