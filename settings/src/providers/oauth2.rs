//! Any provider that speaks plain OAuth 2, described by options alone: where its endpoints are, and which members of
//! its profile say what.

use async_trait::async_trait;
use url::Url;
use vestibule::{
    address::is_safe,
    conversation::Http,
    exchange::Purpose,
    identity::{Identity, Tokens},
    oauth2::{ClientAuthentication, Json, OAuth2, OAuth2Spec, changes_hands},
    provider::ProviderError,
};

use crate::{
    options::Options,
    providers::{Common, Made, built, refuse_others},
    row::Row,
    rows,
};

static OWN: [&Row; 10] = [
    &rows::LOGIN_URL,
    &rows::REDEEM_URL,
    &rows::PROFILE_URL,
    &rows::OAUTH2_SUBJECT_CLAIM,
    &rows::OAUTH2_USERNAME_CLAIM,
    &rows::OAUTH2_NAME_CLAIM,
    &rows::OAUTH2_EMAIL_CLAIM,
    &rows::OAUTH2_EMAIL_VERIFIED_CLAIM,
    &rows::OAUTH2_GROUPS_CLAIM,
    &rows::OAUTH2_CLIENT_AUTHENTICATION,
];

/// A provider that is all configuration.
struct Configured {
    spec: OAuth2Spec,
    profile: Url,
    claims: Claims,
}

/// Which members of a profile say what: a name, or a JSON pointer such as `/data/id`.
struct Claims {
    subject: String,
    username: String,
    name: String,
    email: String,
    /// `None` where nothing says that an address is verified, so that none is.
    email_verified: Option<String>,
    groups: String,
}

pub(super) fn make(options: &mut Options, common: Common) -> Option<Made> {
    let remedy = "leave it out; for an OpenID Connect issuer set PROVIDER=oidc";
    refuse_others(options, &OWN, "it is not for PROVIDER=oauth2", remedy);
    let (login, redeem, profile) =
        (url(options, &rows::LOGIN_URL), url(options, &rows::REDEEM_URL), url(options, &rows::PROFILE_URL));
    let claim = |row: &Row| options.text(row).unwrap_or_else(|| row.default.to_owned());
    let claims = Claims {
        subject: claim(&rows::OAUTH2_SUBJECT_CLAIM),
        username: claim(&rows::OAUTH2_USERNAME_CLAIM),
        name: claim(&rows::OAUTH2_NAME_CLAIM),
        email: claim(&rows::OAUTH2_EMAIL_CLAIM),
        email_verified: options.text(&rows::OAUTH2_EMAIL_VERIFIED_CLAIM),
        groups: claim(&rows::OAUTH2_GROUPS_CLAIM),
    };
    if changes_hands(&claims.subject) {
        let fault = "it names a member that somebody else can have tomorrow";
        let remedy = "name the one that the provider never changes and never gives to somebody else";
        options.problem(&rows::OAUTH2_SUBJECT_CLAIM, fault, remedy);
    }
    let by = match options.choice(&rows::OAUTH2_CLIENT_AUTHENTICATION) {
        Some("post") => ClientAuthentication::Post,
        _ => ClientAuthentication::Basic,
    };
    let id = common.id.unwrap_or_else(|| "oauth2".to_owned());
    let label = common.label.unwrap_or_else(|| id.clone());
    let is_public = common.client_secret.is_none();
    let mut spec = OAuth2Spec::new(id, label, login?, redeem?, common.client_id, common.client_secret)
        .scopes(common.scopes);
    if !is_public {
        spec = spec.client_authentication(by);
    }
    if let Some(prompt) = common.prompt {
        spec = spec.extra_parameter("prompt", prompt);
    }
    let provider = Configured { spec, profile: profile?, claims };
    built(options, Ok(provider)).map(|provider| Made { provider, names_members: false })
}

fn url(options: &mut Options, row: &Row) -> Option<Url> {
    let text = options.required(row);
    if text.is_empty() {
        return None;
    }
    let url = Url::parse(&text).ok().filter(|url| is_safe(url) && url.fragment().is_none());
    if url.is_none() {
        options.problem(
            row,
            "it is no address that may be asked",
            "write a whole one that begins with https://",
        );
    }
    url
}

#[async_trait]
impl OAuth2 for Configured {
    fn spec(&self) -> &OAuth2Spec {
        &self.spec
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        self.claims.identity(&http.get(Purpose::Profile, &self.profile, tokens).await?)
    }
}

impl Claims {
    fn identity(&self, profile: &Json) -> Result<Identity, ProviderError> {
        let identity = profile
            .identity(&self.subject)?
            .username(profile.text(&self.username))
            .name(profile.text(&self.name))
            .groups(profile.texts(&self.groups));
        // Nothing but a plain `true` is the provider's word.
        let is_verified = self.email_verified.as_deref().is_some_and(|name| profile.is(name));
        let email = profile.text(&self.email);
        Ok(if is_verified { identity.verified_email(email) } else { identity.email(email) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use vestibule::testkit::ProviderKit;

    use super::*;

    fn identity(profile: Value) -> Result<Identity, ProviderError> {
        claims().identity(&Json::new(Purpose::Profile, profile))
    }

    fn claims() -> Claims {
        Claims {
            subject: "id".to_owned(),
            username: "login".to_owned(),
            name: "/about/name".to_owned(),
            email: "email".to_owned(),
            email_verified: Some("/about/sure".to_owned()),
            groups: "groups".to_owned(),
        }
    }

    #[test]
    fn members_say_who_somebody_is() {
        let profile = json!({
            "id": 7, "login": "ada", "email": "ada@example.com", "groups": ["a", 1, "b"],
            "about": { "name": "Ada", "sure": true },
        });
        let identity = identity(profile).unwrap();
        assert_eq!((&*identity.subject, identity.username.as_deref()), ("7", Some("ada")));
        assert_eq!((identity.name.as_deref(), identity.groups), (Some("Ada"), vec!["a".into(), "b".into()]));
        assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("ada@example.com"), true));
    }

    #[test]
    fn a_provider_that_is_all_configuration_passes_the_kit() {
        let at = |path: &str| Url::parse("https://op.example").unwrap().join(path).unwrap();
        let secret = "the-secret-of-the-client";
        for by in [ClientAuthentication::Basic, ClientAuthentication::Post] {
            let spec =
                OAuth2Spec::new("op", "OP", at("authorize"), at("token"), "client", Some(secret.into()))
                    .client_authentication(by)
                    .scopes(["user"])
                    .extra_parameter("prompt", "select_account");
            let profile = json!({
                "id": 7, "login": "ada", "email": "ada@example.com", "groups": ["a", 1, "b"],
                "about": { "name": "Ada", "sure": true },
            });
            let token = json!({
                "access_token": "the-access-token", "token_type": "bearer", "refresh_token": "the-refresh-token",
            });
            ProviderKit::new(Configured { spec, profile: at("user"), claims: claims() })
                .client("client")
                .client_secret(secret)
                .reply(Purpose::Token, 200, "application/json", token.to_string())
                .reply(Purpose::Profile, 200, "application/json", profile.to_string())
                .subject_at("/id")
                .verified_at(Purpose::Profile, "/about/sure")
                .check();
        }
    }

    #[test]
    fn an_account_is_known_for_sure_and_an_address_verified_in_so_many_words() {
        for id in [json!(null), json!(""), json!(1.5), json!(true), json!(["x"])] {
            assert!(identity(json!({ "id": id })).is_err(), "{id}");
        }
        for sure in [json!("true"), json!(1), json!(null)] {
            let profile = json!({ "id": "x", "email": "a@b.example", "about": { "sure": sure } });
            assert!(!identity(profile).unwrap().email_verified, "{sure}");
        }
    }
}
