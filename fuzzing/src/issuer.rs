//! An OpenID Connect issuer that answers as it is told, and the tokens that it has signed.

use std::sync::{Arc, OnceLock};

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use url::Url;
use vestibule::{
    conversation::Http,
    exchange::{HttpResponse, Purpose},
    identity::SignIn,
    provider::{AuthorizationRequest, Begun, Provider as _, ProviderError},
    secret::{CodeVerifier, Nonce, State},
    testkit,
    time::Timestamp,
};
use vestibule_oidc::{Algorithm, Oidc};

use crate::{
    outside::{ACCESS_TOKEN, json_reply},
    readers::base64url,
};

pub(crate) const ISSUER: &str = "https://op.example";
pub(crate) const CLIENT: &str = "client";
pub(crate) const SUBJECT: &str = "248289761001";
pub(crate) const NONCE: &str = "nonce-of-this-attempt";
/// When everything happens here: the time at which the two stored tokens were signed.
pub(crate) const NOW: i64 = 1_700_000_000;

/// A client that is pinned to one algorithm, the issuer's key for it, and the one token that the issuer has signed.
pub(crate) struct Pinned {
    pub(crate) name: &'static str,
    pub(crate) client: Arc<Oidc>,
    /// The public key, as a key set shows it.
    pub(crate) key: Value,
    pub(crate) token: String,
}

/// One for each kind of key. The private keys of the first two were thrown away after they had signed `tokens/`.
pub(crate) fn pinned() -> &'static [Pinned; 3] {
    static PINNED: OnceLock<[Pinned; 3]> = OnceLock::new();
    let client = |algorithm| {
        let built =
            Oidc::builder(ISSUER, CLIENT).client_secret("client secret").algorithms([algorithm]).build();
        Arc::new(built.expect("the client is set up as the documentation says"))
    };
    let key = |text| serde_json::from_str(text).expect("a key is JSON");
    PINNED.get_or_init(|| {
        [
            Pinned {
                name: "RS256",
                client: client(Algorithm::Rs256),
                key: key(include_str!("../tokens/rs256.jwk")),
                token: include_str!("../tokens/rs256.jwt").trim_end().to_owned(),
            },
            Pinned {
                name: "ES256",
                client: client(Algorithm::Es256),
                key: key(include_str!("../tokens/es256.jwk")),
                token: include_str!("../tokens/es256.jwt").trim_end().to_owned(),
            },
            Pinned {
                name: "EdDSA",
                client: client(Algorithm::EdDsa),
                key: json!({
                    "kty": "OKP", "crv": "Ed25519", "kid": "eddsa",
                    "x": base64url(signing_key().verifying_key().as_bytes()),
                }),
                token: sign(br#"{"alg":"EdDSA","kid":"eddsa","typ":"JWT"}"#, claims().to_string().as_bytes()),
            },
        ]
    })
}

/// The client that takes what [`sign`] signs.
pub(crate) fn eddsa() -> &'static Pinned {
    &pinned()[2]
}

/// What a sound ID token says, and no more: userinfo has to add the rest.
pub(crate) fn claims() -> Value {
    json!({"iss": ISSUER, "sub": SUBJECT, "aud": CLIENT, "nonce": NONCE, "iat": NOW - 5, "exp": NOW + 300})
}

/// What the issuer says about Ada.
pub(crate) fn userinfo() -> Value {
    json!({
        "sub": SUBJECT, "name": "Ada", "preferred_username": "ada", "email": "ada@company.example",
        "email_verified": true,
    })
}

/// A key that is the same in every run. It is worth nothing: everybody can read it here.
fn signing_key() -> SigningKey {
    SigningKey::from_bytes(b"everybody can read this, it says")
}

/// A token of these texts, signed by the issuer, whatever they are.
pub(crate) fn sign(header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", base64url(header), base64url(payload));
    let signature = signing_key().sign(input.as_bytes());
    format!("{input}.{}", base64url(signature.to_bytes()))
}

/// What each endpoint answers, and what was asked.
pub(crate) struct Issuer {
    pub(crate) metadata: HttpResponse,
    pub(crate) keys: HttpResponse,
    pub(crate) token: HttpResponse,
    pub(crate) userinfo: HttpResponse,
    /// Purpose and address of every question, in order.
    pub(crate) asked: Vec<(Purpose, String)>,
}

impl Issuer {
    /// An issuer that does everything right, with the keys and the token of `pinned`.
    pub(crate) fn honest(pinned: &Pinned) -> Self {
        Self {
            metadata: json_reply(&json!({
                "issuer": ISSUER,
                "authorization_endpoint": "https://op.example/authorize",
                "token_endpoint": "https://op.example/token",
                "jwks_uri": "https://op.example/keys",
                "userinfo_endpoint": "https://op.example/userinfo",
                "end_session_endpoint": "https://op.example/end",
                "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
            })),
            keys: json_reply(&json!({"keys": [pinned.key]})),
            token: HttpResponse::default(),
            userinfo: json_reply(&userinfo()),
            asked: Vec::new(),
        }
        .with_id_token(&pinned.token)
    }

    pub(crate) fn with_id_token(mut self, token: &str) -> Self {
        self.token =
            json_reply(&json!({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": token}));
        self
    }

    /// A sign-in from the callback on.
    pub(crate) fn finish(&mut self, client: &Arc<Oidc>) -> Result<SignIn, ProviderError> {
        let client = Arc::clone(client);
        self.converse(async move |http: Http| {
            let verifier = "verifier-verifier-verifier-verifier-verifier";
            let answered = testkit::answered("code", NONCE, verifier, redirect_uri(), Vec::new());
            client.finish(&http, &answered).await
        })
    }

    /// The beginning of a sign-in.
    pub(crate) fn begin(&mut self, client: &Arc<Oidc>) -> Result<Begun, ProviderError> {
        let client = Arc::clone(client);
        self.converse(async move |http: Http| {
            let verifier = CodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
            let request = AuthorizationRequest::new(
                State::new("the-state"),
                Nonce::new(NONCE),
                verifier,
                redirect_uri(),
            );
            client.begin(&http, &request).await
        })
    }

    fn converse<T, Fut>(&mut self, part: impl FnOnce(Http) -> Fut) -> Result<T, ProviderError>
    where
        Fut: Future<Output = Result<T, ProviderError>> + Send + 'static,
    {
        let Self { metadata, keys, token, userinfo, asked } = self;
        testkit::converse(Timestamp::from_unix(NOW), part, |question| {
            asked.push((question.purpose(), question.url()));
            question.respond(match question.purpose() {
                Purpose::Metadata => metadata.clone(),
                Purpose::Keys => keys.clone(),
                Purpose::Token => token.clone(),
                Purpose::Profile => userinfo.clone(),
                other => panic!("nobody should ask for {other}"),
            })
        })
    }

    /// Whether the issuer was asked for that.
    pub(crate) fn was_asked(&self, purpose: Purpose) -> bool {
        self.asked.iter().any(|(asked, _)| *asked == purpose)
    }
}

fn redirect_uri() -> Url {
    Url::parse("https://rp.example/oauth2/callback").expect("it is an address")
}
