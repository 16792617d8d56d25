//! The authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID Connect Core §3.1.2.1).

use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, basic::BasicClient,
};
use vestibule::provider::{AuthorizationRequest, Begun};

use crate::{config::Config, metadata::Metadata};

/// Where the browser goes, and what `iss` it may come back with.
pub(crate) fn begin(config: &Config, metadata: &Metadata, request: &AuthorizationRequest) -> Begun {
    let client = BasicClient::new(ClientId::new(config.settings.client_id.clone()))
        .set_auth_uri(AuthUrl::from_url(metadata.authorization_endpoint.clone()))
        .set_redirect_uri(RedirectUrl::from_url(request.redirect_uri.clone()));
    let verifier = PkceCodeVerifier::new(request.code_verifier.expose().to_owned());
    let mut builder = client
        .authorize_url(|| CsrfToken::new(request.state.expose().to_owned()))
        .add_scopes(config.settings.scopes.iter().cloned().map(Scope::new))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .add_extra_param("nonce", request.nonce.expose().to_owned());
    for (name, value) in parameters(config, request) {
        builder = builder.add_extra_param(name, value);
    }
    let (location, _) = builder.url();
    let mut begun = Begun::at(location);
    // RFC 9207 §2.4. For a template with several tenants the issuer is known only from the ID token, which is checked
    // against the tenant that it names; that the callback brings some `iss` can be asked all the same.
    begun.issuer = config.issuer.of_callback();
    begun.issuer_required = metadata.sends_issuer;
    begun
}

/// The parameters that may be missing. What an application asks for this once wins over what is configured.
fn parameters<'p>(config: &'p Config, request: &'p AuthorizationRequest) -> Vec<(&'p str, String)> {
    let max_age = request.max_age.or(config.settings.max_age).map(|seconds| seconds.to_string());
    let acr_values = (!config.settings.acr_values.is_empty()).then(|| config.settings.acr_values.join(" "));
    let optional = [
        ("prompt", request.prompt.clone()),
        ("login_hint", request.login_hint.clone()),
        ("max_age", max_age),
        ("acr_values", acr_values),
        ("response_mode", config.settings.form_post.then(|| "form_post".to_owned())),
    ];
    let mut parameters: Vec<_> =
        optional.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect();
    for (name, value) in &config.settings.extra_parameters {
        if !parameters.iter().any(|(present, _)| present == name) {
            parameters.push((name, value.clone()));
        }
    }
    parameters
}
