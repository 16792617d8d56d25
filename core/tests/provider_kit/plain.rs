//! A plain OAuth 2 provider, written out by hand so that it can be broken in any place: `Plain("")` is sound, and
//! `Plain(row)` does wrong what that row asks for.

use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::{Value, json};
use url::Url;
use vestibule::{
    conversation::Http,
    exchange::Purpose,
    identity::{Identity, SignIn, Tokens},
    provider::{Answered, AuthorizationRequest, Begun, EndSession, Provider, ProviderError},
    secret::CodeVerifier,
    testkit::ProviderKit,
};

use crate::request::{Reader, broken, object, post, send};

pub(crate) const SECRET: &str = "the-secret-of-the-client";
pub(crate) const BASIC: &str = "Basic b3A6dGhlLXNlY3JldC1vZi10aGUtY2xpZW50";

pub(crate) struct Plain {
    pub(crate) broken: &'static str,
    pub(crate) remembered: Mutex<Option<CodeVerifier>>,
}

/// The kit for it, with everything that it asks for recorded.
pub(crate) fn kit(broken: &'static str) -> ProviderKit {
    let token = json!({
        "access_token": "the-access-token", "token_type": "Bearer", "expires_in": 3600, "scope": "user",
        "refresh_token": "the-refresh-token",
    });
    let user = json!({
        "id": 583_231, "login": "ada", "name": "Ada Lovelace", "picture": "https://op.example/ada.png",
        "orgs_url": "https://op.example/orgs",
    });
    let emails = json!([{"email": "ada@example.com", "primary": true, "verified": true}]);
    let json = |kit: ProviderKit, purpose, body: &Value| {
        kit.reply(purpose, 200, "application/json", body.to_string())
    };
    let kit = ProviderKit::new(Plain::broken_as(broken))
        .client("op")
        .client_secret(SECRET)
        .subject_at(if broken == "se_41_subject_is_no_name" { "/login" } else { "/id" })
        .reply(Purpose::Begin, 200, "application/json", "{}")
        .reply(Purpose::Revocation, 200, "text/plain", "")
        .printed(if broken == "lk_02_debug" {
            format!("Plain {{ secret: {SECRET:?} }}")
        } else {
            "Plain".into()
        });
    let kit = [
        (Purpose::Token, &token),
        (Purpose::Profile, &user),
        (Purpose::Emails, &emails),
        (Purpose::Groups, &json!({})),
    ]
    .into_iter()
    .fold(kit, |kit, (purpose, body)| json(kit, purpose, body));
    if broken == "se_36_verified_by_the_provider" {
        kit
    } else {
        kit.verified_at(Purpose::Emails, "/0/verified")
    }
}

impl Plain {
    pub(crate) fn broken_as(row: &'static str) -> Self {
        Self { broken: row, remembered: Mutex::default() }
    }

    pub(crate) fn is(&self, row: &str) -> bool {
        self.broken == row
    }

    pub(crate) fn either<T>(&self, row: &str, wrong: T, right: T) -> T {
        if self.is(row) { wrong } else { right }
    }

    fn location(&self, request: &AuthorizationRequest) -> Url {
        let scheme = self.either("nd_03_authorization_address", "http", "https");
        let mut url = Url::parse(&format!("{scheme}://op.example/authorize")).unwrap();
        let mut redirect_uri = request.redirect_uri.clone();
        if self.is("rp_00a_redirect_uri") {
            redirect_uri.set_query(None);
        }
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", self.either("rp_00b_response_type", "code token", "code"))
            .append_pair("client_id", self.either("rp_00a_client_id", "OP", "op"))
            .append_pair("redirect_uri", redirect_uri.as_str())
            .append_pair(
                "state",
                &format!("{}{}", request.state.expose(), self.either("se_02_state", "x", "")),
            )
            .append_pair(
                "code_challenge",
                &format!("{}{}", request.code_challenge(), self.either("rp_00e_code_challenge", "=", "")),
            )
            .append_pair(
                "code_challenge_method",
                self.either("rp_00e_code_challenge_method", "plain", "S256"),
            );
        if self.is("parameters_stand_once") {
            query.append_pair("state", "as-configured");
        }
        if self.is("code_verifier_stays_here") {
            query.append_pair("v", request.code_verifier.expose());
        }
        let Some(hint) = &request.login_hint else {
            drop(query);
            return url;
        };
        if self.is("wishes_stay_values") {
            drop(query);
            return Url::parse(&format!("{url}&login_hint={hint}")).unwrap();
        }
        query.append_pair("login_hint", hint);
        drop(query);
        url
    }

    async fn identify(&self, http: &Http, token: &str, emails: bool) -> Result<Identity, ProviderError> {
        let response = self.get(http, Purpose::Profile, "https://op.example/user", token).await?;
        let reader = match self.broken {
            "se_35_profile_not_json" => Reader::Searching,
            "jt_26_profile_too_deep" => Reader::Deep,
            "jt_08_profile_duplicates" => Reader::LastOfTwo,
            _ => Reader::Sound,
        };
        let profile = object(&reader, response.body()).ok_or(broken(Purpose::Profile, "not JSON"))?;
        let text = |name: &str| profile.get(name).and_then(Value::as_str).map(str::to_owned);
        if self.is("nd_02_addresses_in_replies")
            && let Some(url) = text("orgs_url")
        {
            self.get(http, Purpose::Groups, &url, token).await?;
        }
        crate::proof::odd_profile(&profile, |row| self.is(row))?;
        let identity = Identity::new(crate::proof::subject(&profile, |row| self.is(row))?)
            .issuer("https://op.example")
            .username(text("login"))
            .name(text("name"))
            .picture(text("picture"));
        if !emails {
            return Ok(identity.verified_email("ada@example.com".to_owned()));
        }
        match self.get(http, Purpose::Emails, "https://op.example/emails", token).await {
            Err(ProviderError::Unreachable { .. }) if self.is("nd_12_person_silence") => Ok(identity),
            Err(error) => Err(error),
            Ok(response) => crate::proof::email(identity, response.body(), |row| self.is(row)),
        }
    }
}

#[async_trait]
impl Provider for Plain {
    fn id(&self) -> &str {
        "op"
    }

    fn label(&self) -> &str {
        self.either("set_up", " ", "OP")
    }

    async fn begin(&self, http: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        if self.is("begins") {
            return Err(ProviderError::Unsupported);
        }
        if self.is("se_24_attempts_do_not_mix") {
            *self.remembered.lock().unwrap() = Some(request.code_verifier.clone());
        }
        self.announce(http).await?;
        let issuer = self.either("se_22_issuer_to_expect", "https://op.example/login", "https://op.example");
        Ok(Begun::at(self.location(request)).issuer(issuer, false))
    }

    async fn finish(&self, http: &Http, answered: &Answered) -> Result<SignIn, ProviderError> {
        let tokens = self.exchange(http, answered).await?;
        let identity = self.identify(http, tokens.access_token.expose(), true).await?;
        Ok(SignIn::new(self.either("signs_in", "other", "op"), identity, tokens))
    }

    async fn refresh(&self, http: &Http, old: &SignIn) -> Result<SignIn, ProviderError> {
        if self.is("refreshes") {
            return Err(broken(Purpose::Refresh, "it is not done"));
        }
        let token = match &old.tokens.refresh_token {
            None if !self.is("refresh_without_refresh_token") => return Err(ProviderError::Unsupported),
            token => token.as_ref().map_or("", |token| token.expose()),
        };
        let tokens = self.renew(http, token).await?;
        let shown = self.either("oidcc_new_access_token_used", &old.tokens, &tokens).access_token.expose();
        let identity = self.identify(http, shown, !self.is("se_42_groups_asked_again")).await?;
        if identity.subject != old.identity.subject && !self.is("se_33_refreshed_other_person") {
            return Err(ProviderError::SubjectDiffers);
        }
        Ok(SignIn::new("op", identity, tokens))
    }

    async fn revoke(&self, http: &Http, tokens: &Tokens) -> Result<(), ProviderError> {
        if self.is("revokes") {
            return Err(ProviderError::Unsupported);
        }
        let token = tokens.access_token.expose();
        let wrong = format!("https://op.example/revoke?token={token}");
        let url = self.either("rfc7009_token_in_the_body", wrong.as_str(), "https://op.example/revoke");
        let request = post(url, &[("token", token)], BASIC);
        let times = self.either("requests_within_limit", 100, 1);
        for _ in 1..times {
            send(http, Purpose::Revocation, request.clone()).await?;
        }
        let sent = send(http, Purpose::Revocation, request).await;
        let silent = self.is("lo_06_revocation_silence");
        let response = sent.map_err(|error| if silent { ProviderError::Unsupported } else { error })?;
        let done = response.status() == 200 || self.is("lo_06_revocation_refused");
        if done { Ok(()) } else { Err(broken(Purpose::Revocation, "status")) }
    }

    async fn end_session(&self, _: &Http, request: &EndSession) -> Result<Option<Url>, ProviderError> {
        if self.is("awaits_nothing_else") {
            std::future::pending::<()>().await;
        }
        if self.is("ends_session") {
            return Err(ProviderError::Unsupported);
        }
        let scheme = self.either("nd_03_end_session_address", "http", "https");
        let mut url = Url::parse(&format!("{scheme}://op.example/end")).unwrap();
        let mut back_to = request.post_logout_redirect_uri.clone();
        if self.is("end_session_returns") {
            back_to.set_query(None);
        }
        url.query_pairs_mut().append_pair("post_logout_redirect_uri", back_to.as_str());
        if self.is("lk_04_end_session_without_secrets") {
            url.query_pairs_mut().append_pair("client_secret", SECRET);
        }
        let hint = request.id_token.as_ref().map_or("", |token| token.expose());
        if hint.len() < 4_000 || self.is("lo_03_huge_hint") {
            url.query_pairs_mut().append_pair("id_token_hint", hint);
        }
        Ok(Some(url))
    }
}
