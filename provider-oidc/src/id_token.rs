//! From the text of an ID token to claims that its issuer has signed, for this client, for this occasion
//! (OpenID Connect Core §3.1.3.7).

use chrono::{DateTime, Utc};
use openidconnect::{
    AccessToken, AccessTokenHash, Audience, ClaimsVerificationError, ClientId, ClientSecret, IssuerUrl,
    JsonWebKeySet, Nonce,
    core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKey},
};
use serde_json::{Map, Value};
use url::Url;
use vestibule::{
    conversation::Http, exchange::Freshness, identity::Tokens, limits::CLOCK_LEEWAY, provider::ProviderError,
    secret::Secret, time::Timestamp,
};

use crate::{
    algorithm::KeyKind,
    config::Config,
    jws::{Header, Jws, Kind},
    keys::Keys,
    metadata::Metadata,
    rules::{self, Occasion},
};

/// A proven ID token. Only [`prove`] makes one.
#[derive(Debug)]
pub(crate) struct Proven {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) idp_session: Option<String>,
    pub(crate) authenticated: Option<Timestamp>,
    pub(crate) claims: Map<String, Value>,
}

/// Proves the ID token that came with `tokens`.
pub(crate) async fn prove(
    http: &Http,
    config: &Config,
    metadata: &Metadata,
    tokens: &Tokens,
    id_token: &Secret,
    occasion: Occasion<'_>,
) -> Result<Proven, ProviderError> {
    let text = id_token.expose();
    let jws = Jws::parse(text, Kind::Jwt, &config.settings.algorithms).map_err(ProviderError::IdToken)?;
    let issuer = config.issuer.of_token(&jws.claims).map_err(ProviderError::IdToken)?;
    if let Occasion::Refresh(sign_in) = occasion
        && sign_in.identity.issuer != issuer
    {
        return Err(ProviderError::IdToken("its issuer is not the one of the sign-in"));
    }
    let read =
        rules::check(&jws.claims, &config.settings, http.now(), occasion).map_err(ProviderError::IdToken)?;
    let Ok(token) = text.parse::<CoreIdToken>() else {
        return Err(ProviderError::IdToken("a claim is missing or of the wrong type"));
    };
    let now = http.now();
    let judge = |key: &CoreJsonWebKey| {
        let verifier = verifier(config, &issuer, key, &jws.header, now)?;
        let verdict = match occasion {
            Occasion::SignIn { nonce, .. } => token.claims(&verifier, &Nonce::new(nonce.expose().to_owned())),
            Occasion::Refresh(_) => token.claims(&verifier, |_: Option<&Nonce>| Ok(())),
        };
        let claims = verdict.map_err(|error| Unproven::of(&error))?;
        access_token_is_the_one(claims.access_token_hash(), key, &jws, tokens).map_err(Unproven::Claims)
    };
    signed(http, config, &metadata.jwks_uri, &jws.header, &issuer, ProviderError::IdToken, judge).await?;
    let rules::Read { subject, idp_session, authenticated } = read;
    Ok(Proven { issuer, subject, idp_session, authenticated, claims: jws.claims })
}

/// Why one key does not prove a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unproven {
    /// Another key may.
    Signature,
    /// No key will: the token does not say what it must.
    Claims(&'static str),
}

impl Unproven {
    fn of(error: &ClaimsVerificationError) -> Self {
        Self::Claims(match error {
            ClaimsVerificationError::SignatureVerification(_) => return Self::Signature,
            ClaimsVerificationError::Expired(_) => "it has ended, or the clocks differ by more than a minute",
            ClaimsVerificationError::InvalidAudience(_) => {
                "it is meant for another client, or for others too"
            }
            ClaimsVerificationError::InvalidIssuer(_) => "its issuer is not the one that was asked",
            ClaimsVerificationError::InvalidNonce(_) => "its nonce is not the one of this sign-in",
            _ => "it is of a kind that is not supported",
        })
    }
}

/// Shows each key that can have signed a token to `judge`, until one has. Where none has and the token may name a newer
/// key than the cache has, the keys are fetched anew, once (OpenID Connect Core §10.1.1).
pub(crate) async fn signed(
    http: &Http,
    config: &Config,
    jwks_uri: &Url,
    header: &Header,
    issuer: &str,
    error: fn(&'static str) -> ProviderError,
    judge: impl Fn(&CoreJsonWebKey) -> Result<(), Unproven> + Send + Sync,
) -> Result<(), ProviderError> {
    if header.algorithm.key_kind() == KeyKind::Secret {
        let secret = config.settings.client_secret.as_ref().map_or("", Secret::expose);
        return match judge(&<CoreJsonWebKey as openidconnect::JsonWebKey>::new_symmetric(secret.into())) {
            Ok(()) => Ok(()),
            Err(Unproven::Signature) => Err(error("it was not signed with the client's secret")),
            Err(Unproven::Claims(fault)) => Err(error(fault)),
        };
    }
    for freshness in [Freshness::Cached, Freshness::Refetched] {
        let keys = Keys::fetch(http, jwks_uri, freshness).await?;
        let mut tried = 0;
        for key in keys.fitting(header, |key_issuer| config.issuer.lets_sign(key_issuer, issuer)) {
            tried += 1;
            match judge(key) {
                Ok(()) => return Ok(()),
                Err(Unproven::Signature) => {}
                Err(Unproven::Claims(fault)) => return Err(error(fault)),
            }
        }
        // The key that it names is there and did not sign it: asking again would not change that.
        if header.key_id.is_some() && tried > 0 {
            return Err(error("its signature is not by the key that it names"));
        }
        // Any stranger can bring a bearer or logout token that names none, and would have the issuer asked each time.
        if header.key_id.is_none() && header.kind != Kind::Jwt {
            break;
        }
    }
    Err(error("no key of its issuer has signed it"))
}

/// `openidconnect`'s view of the issuer, with one key and a clock that is late by the leeway that the crate lacks.
fn verifier<'v>(
    config: &'v Config,
    issuer: &str,
    key: &CoreJsonWebKey,
    header: &Header,
    now: Timestamp,
) -> Result<CoreIdTokenVerifier<'v>, Unproven> {
    let client = ClientId::new(config.settings.client_id.clone());
    let issuer =
        IssuerUrl::new(issuer.to_owned()).map_err(|_| Unproven::Claims("its issuer is not an address"))?;
    let verifier = if header.algorithm.key_kind() == KeyKind::Secret {
        let secret = config.settings.client_secret.as_ref().map_or("", Secret::expose);
        let secret = ClientSecret::new(secret.to_owned());
        CoreIdTokenVerifier::new_confidential_client(client, secret, issuer, JsonWebKeySet::new(Vec::new()))
    } else {
        CoreIdTokenVerifier::new_public_client(client, issuer, JsonWebKeySet::new(vec![key.clone()]))
    };
    let late = now.unix().saturating_sub(i64::try_from(CLOCK_LEEWAY.as_secs()).unwrap_or(0));
    let late =
        DateTime::<Utc>::from_timestamp(late, 0).ok_or(Unproven::Claims("the time is out of range"))?;
    Ok(verifier
        .set_allowed_algs([header.algorithm.core()])
        .set_time_fn(move || late)
        .set_other_audience_verifier_fn(|audience: &Audience| {
            config.settings.trusted_audiences.contains(audience)
        }))
}

/// An access token that another sign-in got, put beside this ID token, has another hash (OpenID Connect Core
/// §3.1.3.8). What cannot be compared does not pass.
fn access_token_is_the_one(
    claimed: Option<&AccessTokenHash>,
    key: &CoreJsonWebKey,
    jws: &Jws<'_>,
    tokens: &Tokens,
) -> Result<(), &'static str> {
    if !jws.claims.contains_key("at_hash") {
        return Ok(());
    }
    let token = AccessToken::new(tokens.access_token.expose().to_owned());
    let hash = AccessTokenHash::from_token(&token, &jws.header.algorithm.core(), key);
    match (claimed, hash) {
        (Some(claimed), Ok(hash)) if *claimed == hash => Ok(()),
        _ => Err("its at_hash is not that of the access token"),
    }
}
