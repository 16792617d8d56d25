//! What a provider is to the core: six conversations, each of which may need the outside.

mod logout;

use std::fmt;

pub use logout::LogoutNotice;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    config::Problem,
    conversation::Http,
    exchange::{HttpFailure, Purpose},
    identity::{SignIn, Tokens},
    secret::{AuthorizationCode, CodeVerifier, Nonce, RequestToken, Secret, State},
    time::Timestamp,
};

/// Somebody who can say who a person is.
///
/// A plain OAuth 2 provider implements [`OAuth2`](crate::oauth2::OAuth2) instead and gets this for free. The methods
/// await nothing but `http`: a future that waits for anything else is ended with
/// [`ProviderError::AwaitsElsewhere`].
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// The name in paths, sessions and metrics: lower-case letters, digits, `-` and `_`. It must never change.
    fn id(&self) -> &str;

    /// The name that people know it by.
    fn label(&self) -> &str;

    /// Where to send the browser, and what `finish` will need that the browser must not see.
    async fn begin(&self, http: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError>;

    /// Turns an answered attempt into a proven sign-in. State, age, provider and `iss` have been checked.
    async fn finish(&self, http: &Http, answered: &Answered) -> Result<SignIn, ProviderError>;

    /// New tokens, and who the person is now.
    async fn refresh(&self, _http: &Http, _sign_in: &SignIn) -> Result<SignIn, ProviderError> {
        Err(ProviderError::Unsupported)
    }

    /// Ends the life of tokens that are no longer needed.
    async fn revoke(&self, _http: &Http, _tokens: &Tokens) -> Result<(), ProviderError> {
        Ok(())
    }

    /// Where to send the browser to end the provider's own session too; `None` where it has no such place.
    async fn end_session(&self, _http: &Http, _request: &EndSession) -> Result<Option<Url>, ProviderError> {
        Ok(None)
    }

    /// Whether the provider can say that it has ended sessions, by [`Provider::logout_token`] and
    /// [`Provider::speaks_for`]. A site that would hear it is refused where no provider of its can.
    fn tells_of_logout(&self) -> bool {
        false
    }

    /// Proves what the provider says about sessions that it has ended (OpenID Connect Back-Channel Logout §2.6): the
    /// token is as it came. Once-only, age and end the core looks at.
    async fn logout_token(&self, _http: &Http, _token: &Secret) -> Result<LogoutNotice, ProviderError> {
        Err(ProviderError::Unsupported)
    }

    /// Whether accounts of this issuer sign in through the provider. Only such an issuer may end sessions by a frame
    /// (OpenID Connect Front-Channel Logout §2).
    fn speaks_for(&self, _issuer: &str) -> bool {
        false
    }

    /// Which of an account's names identity headers carry.
    fn user_header(&self) -> UserHeader {
        UserHeader::Subject
    }

    /// What is wrong with how the provider is set up, if it could not refuse that when it was made.
    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// Whether the provider answers by a cross-site form POST (`response_mode=form_post`).
    fn answers_by_form_post(&self) -> bool {
        false
    }
}

/// Which of an account's names identity headers such as `X-Auth-Request-User` carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum UserHeader {
    /// The immutable identifier.
    Subject,
    /// The name that the account signs in by.
    Username,
}

/// What an authorization request must carry (RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID Connect Core §3.1.2.1).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuthorizationRequest {
    /// Must come back unchanged.
    pub state: State,
    /// Must be in the ID token.
    pub nonce: Nonce,
    /// Stays here; the request carries [`AuthorizationRequest::code_challenge`].
    pub code_verifier: CodeVerifier,
    /// Where the provider sends the browser back to, byte for byte as registered.
    pub redirect_uri: Url,
    /// `prompt`, where the application asked for one.
    pub prompt: Option<String>,
    /// `login_hint`, where the application gave one.
    pub login_hint: Option<String>,
    /// `max_age` in seconds, where the application asked for one.
    pub max_age: Option<u64>,
}

impl AuthorizationRequest {
    /// A request with nothing but what the protocol needs.
    pub fn new(state: State, nonce: Nonce, code_verifier: CodeVerifier, redirect_uri: Url) -> Self {
        Self { state, nonce, code_verifier, redirect_uri, prompt: None, login_hint: None, max_age: None }
    }

    /// `code_challenge` for the method S256 (RFC 7636 §4.2).
    pub fn code_challenge(&self) -> String {
        crate::entropy::code_challenge(&self.code_verifier)
    }
}

/// The beginning of an attempt: where the browser goes, and what is sealed meanwhile.
#[derive(Clone)]
#[non_exhaustive]
pub struct Begun {
    /// The authorization request's address.
    pub location: Url,
    /// What `iss` the callback may bring (RFC 9207 §2.4), where that is known.
    pub issuer: Option<String>,
    /// Whether the callback must bring `iss`: the provider said that it always sends it.
    pub issuer_required: bool,
    /// What an OAuth 1.0a callback brings in place of our `state`; `None` for OAuth 2.
    pub request_token: Option<RequestToken>,
    /// Whatever [`Provider::finish`] needs and cannot know otherwise. Sealed in the attempt.
    pub private: Vec<u8>,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Begun {
    /// Sends the browser to `location`.
    pub fn at(location: Url) -> Self {
        Self { location, issuer: None, issuer_required: false, request_token: None, private: Vec::new() }
    }

    /// Sets which `iss` the callback may bring, and whether it must bring one.
    pub fn issuer(mut self, issuer: impl Into<String>, required: bool) -> Self {
        self.issuer = Some(issuer.into());
        self.issuer_required = required;
        self
    }

    /// Has the callback known by this token: it must bring `oauth_token` and `oauth_verifier`, or `denied`, and neither
    /// `state` nor `code` (RFC 5849 §2.2). At most [`crate::limits::REQUEST_TOKEN_BYTES_MAX`].
    pub fn request_token(mut self, token: RequestToken) -> Self {
        self.request_token = Some(token);
        self
    }

    /// Seals `private` in the attempt, at most a few hundred bytes.
    pub fn private(mut self, private: Vec<u8>) -> Self {
        self.private = private;
        self
    }
}

/// An attempt's own callback. Only an attempt that it answers makes one.
#[non_exhaustive]
pub struct Answered {
    /// The code, once; of OAuth 1.0a, the verifier.
    pub code: AuthorizationCode,
    /// The nonce that the ID token must repeat.
    pub nonce: Nonce,
    /// The verifier that proves to the provider who began.
    pub code_verifier: CodeVerifier,
    /// The redirect URI of the authorization request, byte for byte.
    pub redirect_uri: Url,
    /// What [`Provider::begin`] sealed.
    pub private: Vec<u8>,
    /// `max_age` of the authorization request, which the ID token must honour.
    pub max_age: Option<u64>,
    /// When the attempt began.
    pub began: Timestamp,
}

impl fmt::Debug for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answered").field("began", &self.began).finish_non_exhaustive()
    }
}

/// What the provider needs to end its own session (OpenID Connect RP-Initiated Logout §2).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EndSession {
    /// Where the provider sends the browser afterwards.
    pub post_logout_redirect_uri: Url,
    /// The ID token of the session, where it was kept.
    pub id_token: Option<Secret>,
    /// Comes back unchanged.
    pub state: Option<State>,
}

impl EndSession {
    /// A sign-out after which the browser comes back to `post_logout_redirect_uri`.
    pub fn new(post_logout_redirect_uri: Url) -> Self {
        Self { post_logout_redirect_uri, id_token: None, state: None }
    }

    /// Names the session by its ID token (`id_token_hint`).
    pub fn id_token(mut self, id_token: impl Into<Option<Secret>>) -> Self {
        self.id_token = id_token.into();
        self
    }

    /// Sets what comes back unchanged.
    pub fn state(mut self, state: impl Into<Option<State>>) -> Self {
        self.state = state.into();
        self
    }
}

/// Why a provider's part of a sign-in failed. Nothing in it came from outside but what is named here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// The provider answered with an error of the protocol.
    #[error("the provider refused: {0}")]
    Refused(OAuthError),
    /// The provider did not answer.
    #[error("{purpose}: {failure}")]
    Unreachable {
        /// What it was asked for.
        purpose: Purpose,
        /// What happened.
        failure: HttpFailure,
    },
    /// The provider says that it cannot answer now: status 429 or 5xx. Trying later may help.
    #[error("{purpose}: the provider answered with status {status}")]
    Unavailable {
        /// What it was asked for.
        purpose: Purpose,
        /// Its status.
        status: u16,
    },
    /// The provider's answer is not what the protocol says. Trying again does not help.
    #[error("{purpose}: {fault}")]
    Broken {
        /// What it was asked for.
        purpose: Purpose,
        /// What is wrong with the answer, in words of ours.
        fault: &'static str,
    },
    /// The ID token does not prove what it must.
    #[error("ID token: {0}")]
    IdToken(&'static str),
    /// A token that an API client brought does not prove what it must.
    #[error("bearer token: {0}")]
    BearerToken(&'static str),
    /// What came as a logout token does not prove what it must.
    #[error("logout token: {0}")]
    LogoutToken(&'static str),
    /// Userinfo is about somebody else than the ID token.
    #[error("userinfo names another subject than the ID token")]
    SubjectDiffers,
    /// The account may not enter by a rule that only the provider could check, such as a membership.
    #[error("not a member: {0}")]
    NotAMember(&'static str),
    /// The provider is set up in a way that cannot work.
    #[error("{field}: {remedy}")]
    Misconfigured {
        /// The setting.
        field: &'static str,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The provider cannot do this.
    #[error("the provider cannot do this")]
    Unsupported,
    /// The plugin awaited something else than its `Http` handle.
    #[error("the plugin awaits something else than its `Http` handle")]
    AwaitsElsewhere,
    /// Whoever performs effects gave the answer to another question.
    #[error("the host gave the answer to another question")]
    AnsweredOtherwise,
    /// The plugin asked more often than [`crate::limits::CONVERSATION_REQUESTS_MAX`].
    #[error("the plugin asks more often than a conversation may")]
    TooManyRequests,
}

/// An error of the protocol, known by name; whatever else a provider says is [`OAuthError::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OAuthError {
    /// The person, or the provider on their behalf, said no.
    AccessDenied,
    /// The code or refresh token is spent, too old, or another client's.
    InvalidGrant,
    /// The client id or secret is wrong.
    InvalidClient,
    /// The request was malformed.
    InvalidRequest,
    /// The client may not do this.
    UnauthorizedClient,
    /// A scope is unknown or not allowed.
    InvalidScope,
    /// The provider had an error.
    ServerError,
    /// The provider is overloaded.
    TemporarilyUnavailable,
    /// The person would have to be asked, and `prompt=none` forbade it: `login_required`, `consent_required` ...
    InteractionRequired,
    /// The redirect URI is not registered.
    RedirectUriMismatch,
    /// Anything else.
    Other,
}

impl OAuthError {
    /// Reads an `error` parameter or member (RFC 6749 §4.1.2.1 and §5.2, OpenID Connect Core §3.1.2.6, GitHub's own).
    pub fn parse(error: &str) -> Self {
        match error {
            "access_denied" => Self::AccessDenied,
            "invalid_grant" | "bad_verification_code" | "bad_refresh_token" => Self::InvalidGrant,
            "invalid_client" | "incorrect_client_credentials" => Self::InvalidClient,
            "invalid_request" => Self::InvalidRequest,
            "unauthorized_client" | "application_suspended" => Self::UnauthorizedClient,
            "invalid_scope" => Self::InvalidScope,
            "server_error" => Self::ServerError,
            "temporarily_unavailable" => Self::TemporarilyUnavailable,
            "login_required" | "consent_required" | "interaction_required" | "account_selection_required" => {
                Self::InteractionRequired
            }
            "redirect_uri_mismatch" => Self::RedirectUriMismatch,
            _ => Self::Other,
        }
    }

    /// The name in logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidClient => "invalid_client",
            Self::InvalidRequest => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::InvalidScope => "invalid_scope",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InteractionRequired => "interaction_required",
            Self::RedirectUriMismatch => "redirect_uri_mismatch",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
