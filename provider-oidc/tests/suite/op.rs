//! An issuer of the test's choosing: honest, until something in it is changed.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use url::Url;
use vestibule::{
    bearer::BearerIssuer as _,
    exchange::{Freshness, HttpFailure, HttpRequest, Purpose},
    identity::{Identity, SignIn},
    provider::{Begun, Provider as _, ProviderError},
    secret::{CodeVerifier, Nonce, State},
    testkit::{self, Asked, Reaction},
    time::Timestamp,
};
use vestibule_oidc::{Builder, Oidc, OidcBearer};

use crate::mint::{ACCESS_TOKEN, CLIENT, ISSUER, Mint, NONCE, NOW, SECRET, SUBJECT, keyring};

/// What an endpoint answers.
#[derive(Clone)]
pub(crate) enum Answer {
    Body(u16, &'static str, Vec<u8>),
    Nothing(HttpFailure),
}

impl Answer {
    pub(crate) fn json(value: &Value) -> Self {
        Self::Body(200, "application/json", value.to_string().into_bytes())
    }

    fn to(&self, asked: &Asked) -> Reaction {
        match self {
            Self::Body(status, media_type, body) => asked.answer(*status, media_type, body.clone()),
            Self::Nothing(failure) => asked.fail(*failure),
        }
    }
}

/// One question that came.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) purpose: Purpose,
    pub(crate) url: String,
    pub(crate) freshness: Option<Freshness>,
    pub(crate) request: Option<HttpRequest>,
}

pub(crate) struct Op {
    pub(crate) metadata: Value,
    pub(crate) keys: Value,
    /// The keys after a rotation; the same ones where there is none.
    pub(crate) fresh_keys: Option<Value>,
    pub(crate) token: Answer,
    pub(crate) userinfo: Answer,
    pub(crate) revocation: Answer,
    pub(crate) metadata_answer: Option<Answer>,
    pub(crate) keys_answer: Option<Answer>,
    pub(crate) now: i64,
    log: Mutex<Vec<Came>>,
}

impl Op {
    /// An issuer that does everything right and whose key `k1` signs with RS256.
    pub(crate) fn honest() -> Self {
        Self {
            metadata: json!({
                "issuer": ISSUER,
                "authorization_endpoint": "https://op.example/authorize",
                "token_endpoint": "https://op.example/token",
                "jwks_uri": "https://op.example/keys",
                "userinfo_endpoint": "https://op.example/userinfo",
                "revocation_endpoint": "https://op.example/revoke",
                "end_session_endpoint": "https://op.example/end",
                "id_token_signing_alg_values_supported": ["RS256", "ES256", "ES384", "EdDSA", "PS256", "HS256", "RS384"],
                "response_types_supported": ["id_token code", "code", "token code id_token"],
                "subject_types_supported": ["public"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            }),
            keys: json!({"keys": [keyring().rsa.jwk("k1")]}),
            fresh_keys: None,
            token: Answer::json(&json!({})),
            userinfo: Answer::json(&userinfo()),
            revocation: Answer::Body(200, "text/plain", Vec::new()),
            metadata_answer: None,
            keys_answer: None,
            now: NOW,
            log: Mutex::new(Vec::new()),
        }
        .id_token(Mint::sound().sign())
    }

    pub(crate) fn id_token(mut self, text: impl Into<Value>) -> Self {
        let token = text.into();
        self.token = Answer::json(&json!({
            "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600, "refresh_token": "refresh-token",
            "id_token": token,
        }));
        self
    }

    pub(crate) fn minted(self, mint: &Mint) -> Self {
        self.id_token(mint.sign())
    }

    pub(crate) fn keys(mut self, keys: impl IntoIterator<Item = Value>) -> Self {
        self.keys = json!({"keys": keys.into_iter().collect::<Vec<_>>()});
        self
    }

    pub(crate) fn userinfo(mut self, userinfo: &Value) -> Self {
        self.userinfo = Answer::json(userinfo);
        self
    }

    pub(crate) fn metadata(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.metadata[name] = value.into();
        self
    }

    pub(crate) fn without_metadata(mut self, name: &str) -> Self {
        self.metadata.as_object_mut().unwrap().remove(name);
        self
    }

    pub(crate) fn answer(&self, asked: &Asked) -> Reaction {
        self.log.lock().unwrap().push(Came {
            purpose: asked.purpose(),
            url: asked.url(),
            freshness: asked.freshness(),
            request: asked.request().cloned(),
        });
        match (asked.purpose(), asked.freshness()) {
            (Purpose::Metadata, _) => {
                self.metadata_answer.clone().unwrap_or_else(|| Answer::json(&self.metadata)).to(asked)
            }
            (Purpose::Keys, freshness) => {
                let fresh = self.fresh_keys.as_ref().filter(|_| freshness == Some(Freshness::Refetched));
                let keys = Answer::json(fresh.unwrap_or(&self.keys));
                self.keys_answer.clone().unwrap_or(keys).to(asked)
            }
            (Purpose::Token | Purpose::Refresh, _) => self.token.to(asked),
            (Purpose::Profile, _) => self.userinfo.to(asked),
            (Purpose::Revocation, _) => self.revocation.to(asked),
            (other, _) => panic!("nobody should ask for {other}"),
        }
    }

    /// What was asked, in order.
    pub(crate) fn asked(&self) -> Vec<Purpose> {
        self.log.lock().unwrap().iter().map(|came| came.purpose).collect()
    }

    pub(crate) fn came(&self, purpose: Purpose) -> Vec<Came> {
        self.log.lock().unwrap().iter().filter(|came| came.purpose == purpose).cloned().collect()
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.now)
    }

    /// A sign-in from the callback on.
    pub(crate) fn sign_in_to(&self, oidc: Oidc) -> Result<SignIn, ProviderError> {
        self.sign_in_within(oidc, None)
    }

    pub(crate) fn sign_in_within(&self, oidc: Oidc, max_age: Option<u64>) -> Result<SignIn, ProviderError> {
        let finish = async move |http: vestibule::conversation::Http| {
            let mut answered = testkit::answered(
                "code",
                NONCE,
                "verifier-verifier-verifier-verifier-verifier",
                redirect_uri(),
                Vec::new(),
            );
            answered.max_age = max_age;
            oidc.finish(&http, &answered).await
        };
        testkit::converse(self.now(), finish, |asked| self.answer(asked))
    }

    /// A sign-in to a client with a secret and nothing else configured.
    pub(crate) fn sign_in(&self) -> Result<SignIn, ProviderError> {
        self.sign_in_to(client())
    }

    /// What an API client's token proves.
    pub(crate) fn prove(&self, issuer: OidcBearer, token: &str) -> Result<Option<Identity>, ProviderError> {
        let token = vestibule::secret::Secret::new(token);
        testkit::converse(
            self.now(),
            async move |http: vestibule::conversation::Http| issuer.prove(&http, &token).await,
            |asked| self.answer(asked),
        )
    }

    pub(crate) fn refresh(&self, oidc: Oidc, old: SignIn) -> Result<SignIn, ProviderError> {
        let oidc = Arc::new(oidc);
        testkit::converse(
            self.now(),
            async move |http: vestibule::conversation::Http| oidc.refresh(&http, &old).await,
            |asked| self.answer(asked),
        )
    }

    pub(crate) fn begin(&self, oidc: Oidc) -> Result<Begun, ProviderError> {
        self.begin_with(oidc, |_| {})
    }

    pub(crate) fn begin_with(
        &self,
        oidc: Oidc,
        change: impl FnOnce(&mut vestibule::provider::AuthorizationRequest),
    ) -> Result<Begun, ProviderError> {
        let verifier = CodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        let mut request = vestibule::provider::AuthorizationRequest::new(
            State::new("state-of-this-attempt"),
            Nonce::new(NONCE),
            verifier,
            redirect_uri(),
        );
        change(&mut request);
        testkit::converse(
            self.now(),
            async move |http: vestibule::conversation::Http| oidc.begin(&http, &request).await,
            |asked| self.answer(asked),
        )
    }
}

pub(crate) fn userinfo() -> Value {
    json!({
        "sub": SUBJECT, "name": "Ada Lovelace", "preferred_username": "ada", "email": "ada@example.com",
        "email_verified": true, "groups": ["admins"],
    })
}

pub(crate) fn redirect_uri() -> Url {
    Url::parse("https://app.example/oauth2/callback").unwrap()
}

pub(crate) fn builder() -> Builder {
    Oidc::builder(ISSUER, CLIENT).client_secret(SECRET)
}

pub(crate) fn client() -> Oidc {
    builder().build().unwrap()
}

/// No session came of it, userinfo was not asked, and the token endpoint was asked once.
#[track_caller]
pub(crate) fn no_session(op: &Op, case: impl std::fmt::Debug) -> ProviderError {
    no_session_for(op, client(), case)
}

#[track_caller]
pub(crate) fn no_session_for(op: &Op, oidc: Oidc, case: impl std::fmt::Debug) -> ProviderError {
    match op.sign_in_to(oidc) {
        Ok(sign_in) => panic!("{case:?} was let in as {:?}", sign_in.identity),
        Err(error) => {
            let asked = op.asked();
            assert!(
                !asked.contains(&Purpose::Profile),
                "{case:?}: userinfo was asked before the ID token was proven"
            );
            assert_eq!(asked.iter().filter(|purpose| **purpose == Purpose::Token).count(), 1, "{case:?}");
            error
        }
    }
}

/// As [`no_session`], for a token that differs from a sound one in one thing. It is a thin one, so that userinfo
/// would be asked if the token were believed. It lets no API client in either.
#[track_caller]
pub(crate) fn refused(text: impl Into<Value>, case: impl std::fmt::Debug) -> &'static str {
    let text = text.into();
    if let Some(token) = text.as_str() {
        let op = Op::honest();
        match op.prove(builder().build_bearer().unwrap(), token) {
            Ok(None) | Err(ProviderError::BearerToken(_)) => {}
            other => panic!("{case:?} as a bearer token: {other:?}"),
        }
        assert!(!op.asked().contains(&Purpose::Profile));
    }
    refused_at_sign_in(text, case)
}

/// As [`refused`], for what only a sign-in asks of a token.
#[track_caller]
pub(crate) fn refused_at_sign_in(text: impl Into<Value>, case: impl std::fmt::Debug) -> &'static str {
    let error = no_session(&Op::honest().id_token(text), &case);
    match error {
        ProviderError::IdToken(fault) => fault,
        other => panic!("{case:?}: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn accepted(text: impl Into<Value>, case: impl std::fmt::Debug) {
    if let Err(error) = Op::honest().id_token(text).sign_in() {
        panic!("{case:?}: {error}");
    }
}
