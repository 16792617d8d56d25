//! Whatever a spec says, every row of the kit holds.

use serde_json::json;
use vestibule::{
    oauth2::{ClientAuthentication, OAuth2Spec},
    plugin::*,
    testkit::ProviderKit,
};

use crate::op::{JSON, at};

const CLIENT: &str = "the-client-id";
const SECRET: &str = "the+client/secret=";
const TOKENS: &str = r#"{"access_token":"the-access-token","token_type":"bearer","refresh_token":"the-refresh-token","expires_in":60}"#;

/// Names the account that its profile names.
struct Named(OAuth2Spec);

#[async_trait]
impl OAuth2 for Named {
    fn spec(&self) -> &OAuth2Spec {
        &self.0
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let user = http.get(Purpose::Profile, &at("user"), tokens).await?;
        let identity = user.identity("id")?.username(user.text("login"));
        Ok(match user.is("sure") {
            true => identity.verified_email(user.text("email")),
            false => identity.email(user.text("email")),
        })
    }
}

fn confidential() -> OAuth2Spec {
    OAuth2Spec::new("op", "OP", at("authorize"), at("token"), CLIENT, Some(SECRET.into()))
}

fn kit(spec: OAuth2Spec) -> ProviderKit {
    let has_secret = spec.client_secret.is_some();
    let printed = format!("{spec:?}");
    let kit = ProviderKit::new(Named(spec))
        .printed(printed)
        .client(CLIENT)
        .reply(Purpose::Token, 200, JSON, TOKENS)
        .reply(Purpose::Profile, 200, JSON, r#"{"id":7,"login":"ada","email":"ada@example.com","sure":true}"#)
        .reply(Purpose::Revocation, 200, JSON, "")
        .subject_at("/id")
        .verified_at(Purpose::Profile, "/sure");
    if has_secret { kit.client_secret(SECRET) } else { kit }
}

#[test]
fn a_provider_passes_the_kit_in_every_dialect() {
    use ClientAuthentication::{Basic, BasicUnencoded, Post};
    for by in [Basic, BasicUnencoded, Post] {
        kit(confidential().client_authentication(by)).check();
    }
    kit(OAuth2Spec::new("op", "OP", at("authorize"), at("token"), CLIENT, None)).check();
    let issuer = "https://op.example";
    let all = confidential()
        .issuer(issuer)
        .issuer_required()
        .scopes(["a", "b"])
        .scope_separator(",")
        .extra_parameter("audience", "api")
        .token_parameter("resource", "https://api.example")
        .token_error(Purpose::Refresh, "unauthorized_client", OAuthError::InvalidGrant)
        .revocation_endpoint(at("revoke"))
        .end_session_endpoint(at("end"));
    kit(all.clone()).check();
    // What a spec says that is less than the RFCs ask for is named by its row, and by no other.
    let less = kit(all.token_type_may_be_missing().end_session_return_parameter("returnTo")).run();
    assert_eq!(less.failed(), ["token_type_other"], "{less}");
    let description = json!({
        "issuer": issuer,
        "authorization_endpoint": at("authorize").as_str(),
        "token_endpoint": at("token").as_str(),
        "revocation_endpoint": at("revoke").as_str(),
        "end_session_endpoint": at("end").as_str(),
        "authorization_response_iss_parameter_supported": true,
    });
    kit(OAuth2Spec::discovered("op", "OP", issuer, CLIENT, Some(SECRET.into())))
        .reply(Purpose::Metadata, 200, JSON, description.to_string())
        .check();
}
