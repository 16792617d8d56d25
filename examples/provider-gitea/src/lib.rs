#![doc = include_str!("../README.md")]

use vestibule::plugin::*;

/// A Gitea or Forgejo, and the application that is registered there.
#[derive(Debug)]
pub struct Gitea {
    spec: OAuth2Spec,
    api: Url,
}

impl Gitea {
    /// The instance at `base`, which may lie below a path, and the application as it is registered there.
    pub fn new(base: &Url, client_id: &str, client_secret: impl Into<Secret>) -> Self {
        let at = |path| below(base, path);
        let (authorize, token) = (at("login/oauth/authorize"), at("login/oauth/access_token"));
        let spec = OAuth2Spec::new("gitea", "Gitea", authorize, token, client_id, Some(client_secret.into()))
            // Several instances can share a host: the accounts of each are its own.
            .issuer(at("").as_str().trim_end_matches('/'))
            .scopes(["read:user", "read:organization"])
            // What it says of a refresh token that is spent; RFC 6749 has `invalid_grant` for that.
            .token_error(Purpose::Refresh, "unauthorized_client", OAuthError::InvalidGrant);
        Self { spec, api: at("api/v1") }
    }
}

#[async_trait]
impl OAuth2 for Gitea {
    fn spec(&self) -> &OAuth2Spec {
        &self.spec
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let user = http.get(Purpose::Profile, &below(&self.api, "user"), tokens).await?;
        let emails = http.get_list(Purpose::Emails, &below(&self.api, "user/emails"), tokens).await?;
        let groups = http.get_list(Purpose::Groups, &below(&self.api, "user/orgs"), tokens).await?;
        let proven = emails.iter().find(|email| email.is("primary") && email.is("verified"));
        // The login can be renamed and then taken by somebody else; the number cannot.
        let identity = user
            .identity("id")?
            .username(user.text("login"))
            .name(user.text("full_name"))
            .picture(user.text("avatar_url"))
            .groups(groups.iter().filter_map(|group| group.text("username")));
        Ok(identity.verified_email(proven.and_then(|email| email.text("email"))))
    }
}
