//! What the userinfo endpoint adds, about the subject of the ID token and nobody else (OpenID Connect Core §5.3).

use openidconnect::{JsonWebKey as _, core::CoreJsonWebKey};
use serde_json::{Map, Value};
use url::Url;
use vestibule::{
    conversation::Http,
    exchange::{HttpResponse, Purpose},
    identity::{Identity, Tokens},
    oauth2::{expect_ok, json_body},
    provider::ProviderError,
    time::Timestamp,
};

use crate::{
    config::{Config, Settings, UserInfo},
    id_token::{Unproven, signed},
    identify::find,
    jws::{Jws, Kind},
    metadata::Metadata,
    rules,
};

type Claims = Map<String, Value>;

/// Whose userinfo is asked for: the account that the ID token proved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) subject: &'a str,
}

/// Where to ask, if `claims` leave something to be asked. Who was in groups `before` is asked about them again.
pub(crate) fn endpoint(
    config: &Config,
    metadata: &Metadata,
    claims: &Claims,
    before: Option<&Identity>,
) -> Result<Option<Url>, ProviderError> {
    let had_groups = before.is_some_and(|before| !before.groups.is_empty());
    match config.settings.user_info {
        UserInfo::Never => Ok(None),
        UserInfo::WhenNeeded if !lacks_something(&config.settings, metadata, claims, had_groups) => Ok(None),
        UserInfo::WhenNeeded => metadata.userinfo_endpoint.clone(),
        UserInfo::Always => {
            metadata.userinfo_endpoint.clone()?.map(Some).ok_or(ProviderError::Misconfigured {
                field: "user_info",
                remedy: "the issuer has no userinfo endpoint: use `WhenNeeded` or `Never`",
            })
        }
    }
}

/// Whether a claim is missing that was asked for and that the issuer may have (OpenID Connect Core §5.4).
fn lacks_something(settings: &Settings, metadata: &Metadata, claims: &Claims, had_groups: bool) -> bool {
    let asked = |scope: &str| settings.scopes.iter().any(|asked| asked == scope);
    let mut wanted: Vec<&str> = Vec::new();
    if asked("email") {
        wanted.extend(["email", "email_verified"]);
    }
    if asked("profile") {
        wanted.extend(["name", &settings.username_claim]);
    }
    if settings.groups_wanted || had_groups || asked("groups") {
        wanted.push(&settings.groups_claim);
    }
    // The first part of a JSON pointer is the claim that the issuer lists.
    let first =
        |name: &str| name.strip_prefix('/').and_then(|path| path.split('/').next().map(str::to_owned));
    let listed = |name: &str| metadata.may_have(&first(name).unwrap_or_else(|| name.to_owned()));
    wanted.into_iter().any(|name| find(claims, name).is_none_or(Value::is_null) && listed(name))
}

/// Asks for userinfo. No answer, or not a whole one, is an error: half an identity is none.
pub(crate) async fn fetch(
    http: &Http,
    config: &Config,
    metadata: &Metadata,
    endpoint: &Url,
    tokens: &Tokens,
    account: Account<'_>,
) -> Result<Claims, ProviderError> {
    let purpose = Purpose::Profile;
    let response = http.get_with_token(purpose, endpoint, tokens).await?;
    expect_ok(purpose, &response)?;
    let claims = if is_token(&response) {
        from_token(http, config, metadata, &response, account).await?
    } else if config.settings.signed_user_info {
        return Err(broken("it is not a signed token, and only signed ones are accepted"));
    } else {
        json_body(purpose, &response)?
    };
    match claims.get("sub") {
        Some(Value::String(subject)) if subject == account.subject => Ok(claims),
        Some(Value::String(_)) => Err(ProviderError::SubjectDiffers),
        _ => Err(broken("it names no subject")),
    }
}

fn broken(fault: &'static str) -> ProviderError {
    ProviderError::Broken { purpose: Purpose::Profile, fault }
}

fn is_token(response: &HttpResponse) -> bool {
    let media_type = response.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = media_type.and_then(|media_type| media_type.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/jwt")
}

/// Userinfo as a token (OpenID Connect Core §5.3.2): signed like the ID token, by the same issuer, for this client.
async fn from_token(
    http: &Http,
    config: &Config,
    metadata: &Metadata,
    response: &HttpResponse,
    account: Account<'_>,
) -> Result<Claims, ProviderError> {
    let text = std::str::from_utf8(response.body()).map_err(|_| broken("it is not a token"))?;
    let jws = Jws::parse(text, Kind::Jwt, &config.settings.algorithms).map_err(broken)?;
    is_ours(&jws.claims, &config.settings, account, http.now()).map_err(broken)?;
    let judge = |key: &CoreJsonWebKey| {
        let algorithm = jws.header.algorithm.core();
        let verified = key.verify_signature(&algorithm, jws.signing_input.as_bytes(), &jws.signature);
        verified.map_err(|_| Unproven::Signature)
    };
    signed(http, config, &metadata.jwks_uri, &jws.header, account.issuer, broken, judge).await?;
    Ok(jws.claims)
}

fn is_ours(
    claims: &Claims,
    settings: &Settings,
    account: Account<'_>,
    now: Timestamp,
) -> Result<(), &'static str> {
    if claims.get("iss").and_then(Value::as_str) != Some(account.issuer) {
        return Err("its issuer is not that of the ID token");
    }
    let ours = |audience: &Value| *audience == settings.client_id.as_str();
    let trusted = |audience: &Value| {
        audience
            .as_str()
            .is_some_and(|audience| settings.trusted_audiences.iter().any(|trusted| trusted == audience))
    };
    let meant_for_us = match claims.get("aud") {
        Some(Value::Array(audiences)) => {
            audiences.iter().any(ours) && audiences.iter().all(|audience| ours(audience) || trusted(audience))
        }
        Some(audience) => ours(audience),
        None => false,
    };
    if !meant_for_us {
        return Err("it is meant for another client, or for others too");
    }
    rules::audience(claims, settings)?;
    rules::current(claims, now)
}
