//! Where the browser is sent: to sign in (RFC 6749 §4.1.1, RFC 7636 §4.3), and to sign out.

use ::oauth2::{AuthUrl, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope};
use url::Url;

use crate::{
    oauth2::OAuth2Spec,
    provider::{AuthorizationRequest, EndSession},
};

impl OAuth2Spec {
    pub(super) fn authorization_request(&self, endpoint: Url, request: &AuthorizationRequest) -> Url {
        let client = self.client().set_auth_uri(AuthUrl::from_url(endpoint));
        let client = client.set_redirect_uri(RedirectUrl::from_url(request.redirect_uri.clone()));
        let verifier = PkceCodeVerifier::new(request.code_verifier.expose().to_owned());
        let mut builder = client
            .authorize_url(|| CsrfToken::new(request.state.expose().to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        if self.scope_separator == " " {
            builder = builder.add_scopes(self.scopes.iter().cloned().map(Scope::new));
        } else {
            builder = builder.add_extra_param("scope", self.scopes.join(self.scope_separator));
        }
        let once = [("prompt", &request.prompt), ("login_hint", &request.login_hint)];
        for (name, value) in &self.extra_parameters {
            // What is asked for this once wins over what is configured.
            if !once.iter().any(|(asked, value)| asked == name && value.is_some()) {
                builder = builder.add_extra_param(name, value);
            }
        }
        for (name, value) in once {
            if let Some(value) = value {
                builder = builder.add_extra_param(name, value);
            }
        }
        builder.url().0
    }

    /// Where the browser signs out of the provider itself.
    pub(super) fn end_session_request(&self, mut endpoint: Url, request: &EndSession) -> Url {
        let mut query = endpoint.query_pairs_mut();
        query.append_pair("client_id", &self.client_id);
        let back_to = request.post_logout_redirect_uri.as_str();
        query.append_pair(self.end_session_return_parameter, back_to);
        if let Some(state) = &request.state {
            query.append_pair("state", state.expose());
        }
        drop(query);
        endpoint
    }
}
