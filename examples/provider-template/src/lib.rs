#![doc = include_str!("../README.md")]

use vestibule::plugin::*;

/// The provider, and the application that is registered there.
#[derive(Debug)]
pub struct Example {
    spec: OAuth2Spec,
    user: Url,
}

impl Example {
    /// The provider at `base`, and the application as it is registered there.
    pub fn new(base: &Url, client_id: &str, client_secret: impl Into<Secret>) -> Self {
        let spec = OAuth2Spec::new(
            // In paths and sessions; it must never change.
            "example",
            // What people read on the button.
            "Example",
            // "Authorization URL" in the provider's documentation.
            below(base, "oauth/authorize"),
            // "Token URL" or "access token URL".
            below(base, "oauth/token"),
            client_id,
            Some(client_secret.into()),
        )
        // Who vouches for accounts. It belongs to the account's name: once people have signed in, it must not change.
        .issuer(base.as_str().trim_end_matches('/'))
        // As few as tell who somebody is.
        .scopes(["profile", "email"]);
        Self { spec, user: below(base, "api/user") }
    }
}

#[async_trait]
impl OAuth2 for Example {
    fn spec(&self) -> &OAuth2Spec {
        &self.spec
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let user = http.get(Purpose::Profile, &self.user, tokens).await?;
        // `id` is what the provider never changes and never gives to somebody else.
        let identity = user.identity("id")?.username(user.text("login")).name(user.text("name"));
        // An address counts as verified if the provider says so of this very address.
        Ok(match user.is("email_verified") {
            true => identity.verified_email(user.text("email")),
            false => identity.email(user.text("email")),
        })
    }
}
