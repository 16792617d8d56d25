//! An OpenID Connect provider that can be broken in any place, as [`crate::plain`] can. Its signatures are hashes keyed
//! with what the key set shows: enough to tell who signed what, and no cryptography.

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use url::Url;
use vestibule::{
    address::is_safe,
    conversation::Http,
    exchange::{Freshness, HttpResponse, Purpose},
    identity::{Identity, SignIn, Tokens},
    provider::{Answered, AuthorizationRequest, Begun, OAuthError, Provider, ProviderError},
    testkit::{OpenId, ProviderKit},
};

use crate::{
    id_token::{Claims, Occasion, toy_signature},
    request::{Reader, broken, object, post, send},
};

pub(crate) const ISSUER: &str = "https://op.example";
pub(crate) const CLIENT: &str = "client-of-the-issuer";
pub(crate) const SECRET: &str = "the-secret-of-the-client";
/// What the key set shows, in base64url.
pub(crate) const KEY: &str = "dGhlIGtleSBvZiB0aGUgaXNzdWVy";

#[derive(Clone, Copy)]
pub(crate) struct Issuer(pub(crate) &'static str);

pub(crate) fn kit(broken: &'static str) -> ProviderKit {
    let metadata = json!({
        "issuer": ISSUER, "authorization_endpoint": "https://op.example/authorize",
        "token_endpoint": "https://op.example/token", "jwks_uri": "https://op.example/keys",
        "userinfo_endpoint": "https://op.example/userinfo",
    });
    let token = json!({
        "access_token": "the-access-token", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "the-refresh-token",
    });
    let userinfo = json!({"sub": "ada-7", "name": "Ada Lovelace"});
    let claims = json!({"sub": "ada-7", "email": "ada@example.com", "email_verified": true});
    let keys = json!({"keys": [{"kty": "TOY", "kid": "k1", "k": KEY}]});
    let kit = ProviderKit::new(Issuer(broken)).client(CLIENT).client_secret(SECRET);
    let replies = [
        (Purpose::Metadata, metadata),
        (Purpose::Token, token),
        (Purpose::Keys, keys),
        (Purpose::Profile, userinfo),
    ];
    replies
        .into_iter()
        .fold(kit, |kit, (purpose, body)| kit.reply(purpose, 200, "application/json", body.to_string()))
        .openid(OpenId::new(ISSUER, claims, |input| toy_signature(KEY, input)).key_id("k1"))
}

struct Metadata {
    authorization: Url,
    token: Url,
    keys: Url,
    userinfo: Option<Url>,
}

impl Issuer {
    pub(crate) fn is(self, row: &str) -> bool {
        self.0 == row
    }

    async fn metadata(self, http: &Http) -> Result<Metadata, ProviderError> {
        let purpose = Purpose::Metadata;
        let url = Url::parse("https://op.example/.well-known/openid-configuration").unwrap();
        let document = http.document(purpose, &url, Freshness::Cached).await;
        let silent = self.is("nd_05_discovery_silence");
        let document = document.map_err(|failure| match silent {
            true => broken(purpose, "no answer"),
            false => ProviderError::Unreachable { purpose, failure },
        })?;
        let reader = if self.is("nd_04_discovery_not_json") { Reader::Searching } else { Reader::Sound };
        let members = object(&reader, &document.body).ok_or(broken(purpose, "not JSON"))?;
        let issuer = members.get("issuer").and_then(Value::as_str).unwrap_or_default();
        let prefix = self.is("oidcc_discovery_issuer_mismatch") && issuer.starts_with(ISSUER);
        if issuer != ISSUER && !prefix {
            return Err(broken(purpose, "issuer"));
        }
        let address = |name: &str| {
            let url = members.get(name).and_then(Value::as_str).and_then(|text| Url::parse(text).ok());
            url.filter(|url| is_safe(url) || self.is("nd_02_discovery_addresses"))
        };
        let guessed =
            self.is("nd_04_discovery_incomplete").then(|| Url::parse("https://op.example/keys").unwrap());
        let missing = broken(purpose, "an address is missing");
        Ok(Metadata {
            authorization: address("authorization_endpoint").ok_or(missing)?,
            token: address("token_endpoint").ok_or(missing)?,
            keys: address("jwks_uri").or(guessed).ok_or(missing)?,
            userinfo: address("userinfo_endpoint"),
        })
    }

    async fn ask_for_tokens(
        self,
        http: &Http,
        purpose: Purpose,
        url: &Url,
        form: &[(&str, &str)],
    ) -> Result<(Tokens, Option<String>), ProviderError> {
        let form: Vec<_> = form.iter().copied().chain([("client_secret", SECRET)]).collect();
        let mut request = post(url.as_str(), &form, "");
        request.headers_mut().remove("authorization");
        let response = send(http, purpose, request).await?;
        let status = response.status().as_u16();
        if status == 429 || status >= 500 {
            return Err(ProviderError::Unavailable { purpose, status });
        }
        let reply = object(&Reader::Sound, response.body()).ok_or(broken(purpose, "not JSON"))?;
        if let Some(error) = reply.get("error") {
            return Err(ProviderError::Refused(OAuthError::parse(error.as_str().unwrap_or_default())));
        }
        match status {
            200 => {}
            400.. => return Err(ProviderError::Refused(OAuthError::Other)),
            _ => return Err(broken(purpose, "status")),
        }
        let mut tokens = crate::proof::tokens(purpose, &reply, http.now(), |_| false)?;
        let id_token = match reply.get("id_token") {
            None => None,
            Some(token) => Some(token.as_str().ok_or(broken(purpose, "id_token"))?.to_owned()),
        };
        tokens.id_token = id_token.clone().map(Into::into);
        Ok((tokens, id_token))
    }

    async fn userinfo(
        self,
        http: &Http,
        url: &Url,
        tokens: &Tokens,
    ) -> Result<Map<String, Value>, ProviderError> {
        let purpose = Purpose::Profile;
        let bearer = format!("Bearer {}", tokens.access_token.expose());
        let request =
            http::Request::get(url.as_str()).header("authorization", bearer).body(Vec::new()).unwrap();
        let response: HttpResponse = send(http, purpose, request).await?;
        match response.status().as_u16() {
            200 => object(&Reader::Sound, response.body()).ok_or(broken(purpose, "not JSON")),
            status @ (429 | 500..) => Err(ProviderError::Unavailable { purpose, status }),
            _ => Err(broken(purpose, "status")),
        }
    }

    /// Userinfo, about that subject.
    async fn asked(
        self,
        http: &Http,
        metadata: &Metadata,
        tokens: &Tokens,
        subject: Option<&str>,
        anybody: bool,
    ) -> Result<Map<String, Value>, ProviderError> {
        let Some(url) = &metadata.userinfo else { return Ok(Map::new()) };
        let mut userinfo = self.userinfo(http, url, tokens).await?;
        match (userinfo.remove("sub"), subject) {
            (None, _) if self.is("se_35_userinfo_without_subject") => Ok(userinfo),
            (Some(Value::String(found)), Some(subject)) if found != subject && !anybody => {
                Err(ProviderError::SubjectDiffers)
            }
            (Some(Value::String(found)), None) => {
                userinfo.insert("sub".into(), found.into());
                Ok(userinfo)
            }
            (Some(Value::String(_)), Some(_)) => Ok(userinfo),
            _ => Err(broken(Purpose::Profile, "sub")),
        }
    }

    fn identity(self, subject: &str, claims: &Map<String, Value>, userinfo: &Map<String, Value>) -> Identity {
        let text =
            |name: &str| claims.get(name).or(userinfo.get(name)).and_then(Value::as_str).map(str::to_owned);
        let identity = Identity::new(subject).issuer(ISSUER).name(text("name"));
        let flag = claims.get("email_verified");
        let other =
            userinfo.get("email_verified").filter(|_| self.is("se_36_address_and_flag_of_one_source"));
        match flag.or(other) {
            Some(Value::Bool(true)) => identity.verified_email(text("email")),
            _ => identity.email(text("email")),
        }
    }
}

#[async_trait]
impl Provider for Issuer {
    fn id(&self) -> &str {
        "issuer"
    }

    fn label(&self) -> &str {
        "Issuer"
    }

    async fn begin(&self, http: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        let mut url = self.metadata(http).await?.authorization;
        let nonce = request.nonce.expose();
        let other = nonce.to_uppercase();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", CLIENT)
            .append_pair("redirect_uri", request.redirect_uri.as_str())
            .append_pair("scope", if self.is("rp_00b_scope_openid") { "profile" } else { "openid profile" })
            .append_pair("state", request.state.expose())
            .append_pair("nonce", if self.is("se_07_nonce_sent") { &other } else { nonce })
            .append_pair("code_challenge", &request.code_challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(Begun::at(url).issuer(ISSUER, false))
    }

    async fn finish(&self, http: &Http, answered: &Answered) -> Result<SignIn, ProviderError> {
        let metadata = self.metadata(http).await?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", answered.code.expose()),
            ("code_verifier", answered.code_verifier.expose()),
            ("redirect_uri", answered.redirect_uri.as_str()),
        ];
        let (tokens, id_token) = self.ask_for_tokens(http, Purpose::Token, &metadata.token, &form).await?;
        let early = match self.is("userinfo_after_proof") {
            true => Some(self.asked(http, &metadata, &tokens, None, false).await?),
            false => None,
        };
        let id_token = match id_token {
            Some(id_token) => id_token,
            None if self.is("id_token_missing") => {
                let userinfo = self.asked(http, &metadata, &tokens, None, false).await?;
                let subject = userinfo.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned();
                return Ok(SignIn::new("issuer", self.identity(&subject, &Map::new(), &userinfo), tokens));
            }
            None => return Err(ProviderError::IdToken("there is none")),
        };
        let occasion = Occasion::SignIn { nonce: &answered.nonce, max_age: answered.max_age };
        let Claims { subject, claims } =
            self.prove(http, &metadata.keys, &id_token, &tokens, occasion).await?;
        let anybody = self.is("se_35_userinfo_other_subject");
        let userinfo = match early {
            Some(early) if early["sub"] != subject.as_str() => return Err(ProviderError::SubjectDiffers),
            Some(early) => early,
            None => self.asked(http, &metadata, &tokens, Some(&subject), anybody).await?,
        };
        Ok(SignIn::new("issuer", self.identity(&subject, &claims, &userinfo), tokens))
    }

    async fn refresh(&self, http: &Http, old: &SignIn) -> Result<SignIn, ProviderError> {
        let Some(refresh_token) = &old.tokens.refresh_token else { return Err(ProviderError::Unsupported) };
        let metadata = self.metadata(http).await?;
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
        let (mut tokens, id_token) =
            self.ask_for_tokens(http, Purpose::Refresh, &metadata.token, &form).await?;
        tokens.refresh_token = tokens.refresh_token.or_else(|| Some(refresh_token.clone()));
        let before = old.identity.subject.as_str();
        let mut anybody = false;
        let (subject, claims) = match id_token {
            Some(id_token) => {
                let proven =
                    self.prove(http, &metadata.keys, &id_token, &tokens, Occasion::Refresh(before)).await?;
                (proven.subject, proven.claims)
            }
            None if self.is("se_33_refreshed_without_id_token") => {
                return Err(ProviderError::IdToken("there is none"));
            }
            None => {
                anybody = self.is("se_33_refreshed_userinfo");
                (before.to_owned(), Map::new())
            }
        };
        let userinfo = self.asked(http, &metadata, &tokens, Some(before), anybody).await?;
        Ok(SignIn::new("issuer", self.identity(&subject, &claims, &userinfo), tokens))
    }
}
