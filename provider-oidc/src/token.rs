//! The client at the issuer's token and revocation endpoints, as core speaks to those.

use vestibule::{
    conversation::Http,
    identity::Tokens,
    oauth2::{ClientAuthentication, OAuth2Spec},
    provider::{Answered, ProviderError},
    secret::Secret,
};

use crate::{config::Config, metadata::Metadata};

/// A code for tokens.
pub(crate) async fn exchange(
    http: &Http,
    config: &Config,
    metadata: &Metadata,
    answered: &Answered,
) -> Result<Tokens, ProviderError> {
    spec(config, metadata)?.exchange(http, answered).await
}

/// A refresh token for new tokens.
pub(crate) async fn refresh(
    http: &Http,
    config: &Config,
    metadata: &Metadata,
    old: &Secret,
) -> Result<Tokens, ProviderError> {
    spec(config, metadata)?.renew(http, old).await
}

/// The end of a token's life, where the issuer has an endpoint for that.
pub(crate) async fn revoke(
    http: &Http,
    config: &Config,
    metadata: &Metadata,
    tokens: &Tokens,
) -> Result<(), ProviderError> {
    let Some(endpoint) = &metadata.revocation_endpoint.clone()? else { return Ok(()) };
    spec(config, metadata)?.revoke_at(http, endpoint, tokens).await
}

fn spec(config: &Config, metadata: &Metadata) -> Result<OAuth2Spec, ProviderError> {
    let settings = &config.settings;
    let spec = OAuth2Spec::new(
        &settings.id,
        &settings.label,
        metadata.authorization_endpoint.clone(),
        metadata.token_endpoint.clone(),
        &settings.client_id,
        settings.client_secret.clone(),
    );
    match settings.client_secret {
        Some(_) => Ok(spec.client_authentication(authentication(config, metadata)?)),
        None => Ok(spec),
    }
}

/// What was configured; else what the issuer says that it takes, `client_secret_basic` first: it is what an issuer
/// takes that says nothing (OpenID Connect Discovery §3).
fn authentication(config: &Config, metadata: &Metadata) -> Result<ClientAuthentication, ProviderError> {
    if let Some(by) = config.settings.client_authentication {
        return Ok(by);
    }
    let Some(methods) = &metadata.authentication_methods else { return Ok(ClientAuthentication::Basic) };
    let takes = |method: &str| methods.iter().any(|listed| listed == method);
    if takes("client_secret_basic") {
        Ok(ClientAuthentication::Basic)
    } else if takes("client_secret_post") {
        Ok(ClientAuthentication::Post)
    } else {
        Err(ProviderError::Misconfigured {
            field: "client_authentication",
            remedy: "the issuer lists neither client_secret_basic nor client_secret_post: choose one if it takes it all the same",
        })
    }
}
