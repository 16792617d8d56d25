//! Everything that can go wrong, as one list.
//!
//! A refusal is a value: the page that a person sees, the JSON problem that a program gets (RFC 9457), the log line,
//! the metric label and `docs/refusals.md` are all drawn from its row. No text from outside is ever part of it.

use serde::Serialize;

use crate::{
    exchange::HttpFailure,
    provider::{OAuthError, ProviderError},
    store::StoreError,
};

impl Refusal {
    /// Whether it says that it cannot be known who somebody is, which is something else than that they are nobody.
    pub fn leaves_unknown(self) -> bool {
        self == Self::StoreUnreachable
    }
}

impl From<StoreError> for Refusal {
    fn from(_: StoreError) -> Self {
        Self::StoreUnreachable
    }
}

/// Who has to do something about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Actor {
    /// The person at the browser.
    Person,
    /// Whoever runs the application.
    Operator,
    /// Whoever runs the provider.
    Provider,
}

impl Actor {
    /// The name in docs and logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Operator => "operator",
            Self::Provider => "provider",
        }
    }
}

macro_rules! refusals {
    ($($variant:ident $code:literal $status:literal $actor:ident $meaning:literal $remedy:literal)*) => {
        /// Why a request is refused. The code is stable: pages, problems, logs and metrics show it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Refusal {
            $(#[doc = $meaning] $variant,)*
        }

        impl Refusal {
            /// Every refusal there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The HTTP status of the answer.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// Who has to do something about it.
            pub fn actor(self) -> Actor {
                match self { $(Self::$variant => Actor::$actor,)* }
            }

            /// What happened, in one sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// What to do about it, in one sentence.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)* }
            }
        }
    };
}

refusals! {
    AttemptMissing "attempt_missing" 400 Person
        "The answer from the sign-in provider came to a browser that has no sign-in under way."
        "Sign in again; if that keeps happening, this browser does not keep this site's cookies, or the site is also reachable by another address than the one in the address bar."
    StateMismatch "state_mismatch" 400 Person
        "The answer from the sign-in provider does not belong to a sign-in that this browser began."
        "Sign in again from the page that you wanted to see."
    AttemptExpired "attempt_expired" 400 Person
        "This sign-in was begun too long ago."
        "Sign in again; there are ten minutes to finish it."
    AttemptAlreadyAnswered "attempt_already_answered" 400 Person
        "This sign-in has already been finished."
        "Go on to the site; if it asks you to sign in, do so once more."
    CallbackMalformed "callback_malformed" 400 Person
        "The answer from the sign-in provider is incomplete or contradicts itself."
        "Sign in again; if it recurs, tell whoever runs this site."
    ProviderMismatch "provider_mismatch" 400 Person
        "The answer came from another provider than the one that this sign-in was begun with."
        "Sign in again; if you did not begin two sign-ins, somebody may have tampered with the answer."
    IssuerMismatch "issuer_mismatch" 400 Operator
        "The answer names another issuer than the one that this sign-in was begun with, or none where it must name one."
        "Sign in again; if it always happens, compare the configured issuer with the `iss` that the provider sends (RFC 9207)."
    NotANavigation "not_a_navigation" 400 Person
        "A sign-in begins with a visit in the browser, not with a request made by a script, a form, or an image."
        "Open the sign-in address as a page of its own."
    SessionCookieLost "session_cookie_lost" 400 Person
        "You signed in several times, but the browser did not bring the session cookie back."
        "Allow cookies for this site; if they are allowed, whoever runs the site should compare the address in the address bar with the configured redirect URL, and https with the Secure attribute."
    MethodNotAllowed "method_not_allowed" 405 Person
        "This address does not answer to that method."
        "Open it as a page."
    NotFound "not_found" 404 Person
        "There is nothing at this address."
        "Check the address."
    UnknownProvider "unknown_provider" 404 Person
        "There is no sign-in provider of that name."
        "Choose one of the providers on the sign-in page."
    RequestTooLarge "request_too_large" 413 Person
        "The request is larger than anything that this address takes."
        "Sign in again from the page that you wanted to see."
    CookiesTooLarge "cookies_too_large" 431 Person
        "The browser sends more cookies for this site than can be read."
        "Delete this site's cookies and sign in again."
    SignInRequired "sign_in_required" 401 Person
        "Nobody is signed in."
        "Sign in."
    BearerInvalid "bearer_invalid" 401 Person
        "The token that came with this request does not say who it is from."
        "Get a new token for this site from one of the issuers whose tokens count here; the log says which check failed."
    LogoutTokenInvalid "logout_token_invalid" 400 Provider
        "What came here does not prove that the sign-in provider has ended anybody's session."
        "Send one `logout_token` as a form, as OpenID Connect Back-Channel Logout says; the log says which check failed."
    FrontchannelMalformed "frontchannel_malformed" 400 Provider
        "It does not say which session of a known sign-in provider has ended."
        "Register this address at the provider so that `iss` and `sid` are sent with it, each once."
    SignInAgain "insufficient_user_authentication" 401 Person
        "This is only for people who have signed in a short while ago."
        "Sign in again: open `sign_in` as a page, with the `max_age` of this answer in its query."
    CrossSite "cross_site" 403 Person
        "Another site asked for this."
        "Use the button on this site's own page."
    AccessDenied "access_denied" 403 Person
        "The sign-in was cancelled, or the provider did not allow it."
        "Sign in again, and allow it this time; or use another account."
    ProviderRefused "provider_refused" 403 Operator
        "The sign-in provider refused the request."
        "Try again later; whoever runs this site finds the reason in the log and should check client id, redirect URL and scopes at the provider."
    EmailNotAllowed "email_not_allowed" 403 Person
        "This account's e-mail address may not enter."
        "Use an account with an address that is allowed, or ask whoever runs this site."
    EmailUnverified "email_unverified" 403 Person
        "The provider has not verified this account's e-mail address, and the site goes by it."
        "Verify the address at the provider, then sign in again."
    EmailMissing "email_missing" 403 Person
        "The provider gave no e-mail address for this account, and the site goes by it."
        "Use an account with a verified address; whoever runs the site should check that the scope for e-mail is asked for."
    GroupNotAllowed "group_not_allowed" 403 Person
        "This account is in none of the groups that may enter."
        "Use another account, or ask whoever runs this site."
    ClaimNotAllowed "claim_not_allowed" 403 Person
        "What the provider says about this account does not let it have this."
        "Use another account, or ask whoever runs this site."
    ProviderNotAllowed "provider_not_allowed" 403 Person
        "Whoever wants to have this must sign in through another provider."
        "Sign in again through the provider that is asked for."
    OtherAccount "other_account" 403 Person
        "You were asked to sign in again, and have signed in with another account."
        "Sign in again with the account that you are using here; to change accounts, sign out first."
    ClosedToEverybody "closed_to_everybody" 403 Person
        "Nobody may have this."
        "Check the address, or ask whoever runs this site."
    AskedUnclear "asked_unclear" 403 Person
        "It cannot be told for sure what was asked for, and who may have it depends on that."
        "Ask for the page by its ordinary address; if that does not help, whoever runs this site finds in the log what the proxy did not say, and should list it as trusted and let it set its headers."
    ConstraintUnknown "constraint_unknown" 403 Operator
        "The proxy asks for something that is not known here."
        "Let it ask by `allowed_groups`, `allowed_emails` and `allowed_email_domains` only."
    MembershipRequired "membership_required" 403 Person
        "This account is not a member of an organisation or team that may enter."
        "Use another account; if you are a member, let the organisation approve this application at the provider."
    DeniedByApplication "denied_by_application" 403 Person
        "The application does not let this account in."
        "Use another account, or ask whoever runs this site."
    TokenRefused "token_refused" 502 Operator
        "The sign-in provider did not accept the code."
        "Sign in again; if it recurs, check client id, client secret and redirect URL at the provider, and both clocks."
    ProviderAnswerInvalid "provider_answer_invalid" 502 Provider
        "The sign-in provider answered with something that cannot be used."
        "Try again later; the log says which answer was wrong and how."
    IdTokenInvalid "id_token_invalid" 502 Provider
        "The sign-in provider's ID token does not prove who you are."
        "Try again; if it recurs, the log says which check failed."
    SubjectMismatch "subject_mismatch" 502 Provider
        "The sign-in provider's answers are about two different accounts."
        "Try again; if it recurs, tell whoever runs the provider."
    ProviderUnreachable "provider_unreachable" 503 Provider
        "The sign-in provider does not answer."
        "Try again in a moment; whoever is signed in already is not affected."
    StoreUnreachable "store_unreachable" 503 Operator
        "It cannot be looked up who is signed in: the session store does not answer, or has no room."
        "Try again in a moment; nobody has been signed out."
    EndedMeanwhile "ended_meanwhile" 400 Person
        "Your sessions were ended, here or at the sign-in provider, while this sign-in was being finished."
        "Sign in again."
    TooManySignIns "too_many_sign_ins" 503 Operator
        "More people or programs are signing in at this moment than this site takes on at once."
        "Try again in a moment; if it recurs, the sign-in provider or the application is slow, or somebody floods the site, which a rate limit in the proxy is for."
    HookFailed "hook_failed" 503 Operator
        "The application could not decide about this sign-in."
        "Try again in a moment; whoever runs this site finds the error in the application's log."
    SessionTooLarge "session_too_large" 500 Operator
        "What is known about this account does not fit into a cookie."
        "Keep fewer groups, claims and tokens and less application data with the session; the log names the largest part."
    MountedElsewhere "mounted_elsewhere" 500 Operator
        "These routes are mounted at another path than the one that is configured."
        "Mount them at the configured prefix, or configure the prefix that they are mounted at."
    EndpointGuarded "endpoint_guarded" 500 Operator
        "Nobody can sign in here, because the sign-in itself asks for people who are signed in."
        "Put the guard around what is to be protected only, and add the sign-in's own routes outside of it, before it."
    GuardImpossible "guard_impossible" 500 Operator
        "This page asks of people what nobody here can have."
        "Whoever wrote the application finds in the log what its guard names, and how to keep that in sessions."
    ProviderMisconfigured "provider_misconfigured" 500 Operator
        "The sign-in provider is set up in a way that cannot work."
        "The log names the setting and what to do about it."
    HostFaulty "host_faulty" 500 Operator
        "The part of this site that speaks to the sign-in provider broke a rule of its interface."
        "Whoever wrote the host or the adapter finds in the log that it gave the answer to another question."
    PluginFaulty "plugin_faulty" 500 Operator
        "The plugin for this sign-in provider broke a rule of its interface."
        "The log names the plugin and the rule: it may await nothing but its HTTP handle, and ask at most 32 times."
}

impl Refusal {
    /// What a provider's failure means for the person who wants to sign in.
    pub fn of_provider(error: &ProviderError) -> Self {
        match error {
            ProviderError::Refused(OAuthError::AccessDenied) => Self::AccessDenied,
            ProviderError::Refused(OAuthError::ServerError | OAuthError::TemporarilyUnavailable)
            | ProviderError::Unavailable { .. } => Self::ProviderUnreachable,
            ProviderError::Refused(_) => Self::TokenRefused,
            ProviderError::Unreachable {
                failure: HttpFailure::TooLarge | HttpFailure::NotADocument, ..
            }
            | ProviderError::Broken { .. } => Self::ProviderAnswerInvalid,
            ProviderError::Unreachable { .. } => Self::ProviderUnreachable,
            ProviderError::IdToken(_) => Self::IdTokenInvalid,
            ProviderError::BearerToken(_) => Self::BearerInvalid,
            ProviderError::LogoutToken(_) => Self::LogoutTokenInvalid,
            ProviderError::SubjectDiffers => Self::SubjectMismatch,
            ProviderError::NotAMember(_) => Self::MembershipRequired,
            ProviderError::Misconfigured { .. } | ProviderError::Unsupported => Self::ProviderMisconfigured,
            ProviderError::AwaitsElsewhere | ProviderError::TooManyRequests => Self::PluginFaulty,
            ProviderError::AnsweredOtherwise => Self::HostFaulty,
        }
    }

    /// What an `error` in a callback means (RFC 6749 §4.1.2.1).
    pub fn of_callback_error(error: OAuthError) -> Self {
        match error {
            OAuthError::AccessDenied | OAuthError::InteractionRequired => Self::AccessDenied,
            OAuthError::ServerError | OAuthError::TemporarilyUnavailable => Self::ProviderUnreachable,
            _ => Self::ProviderRefused,
        }
    }

    /// Whether signing in again can help, so that a page offers it.
    pub fn may_be_tried_again(self) -> bool {
        !matches!(
            self,
            Self::NotFound
                | Self::MethodNotAllowed
                | Self::MountedElsewhere
                | Self::EndpointGuarded
                | Self::CrossSite
                | Self::ClosedToEverybody
                | Self::AskedUnclear
                | Self::ConstraintUnknown
                | Self::LogoutTokenInvalid
                | Self::FrontchannelMalformed
        )
    }
}

/// The whole list as the table of `docs/refusals.md`.
pub fn documentation() -> String {
    let mut page = String::from(
        "# Refusals\n\n\
         Everything that can go wrong, drawn from the list in `core/src/refusal.rs`; a test keeps this page equal to it.\n\
         The code stands on the page, in the JSON problem (`code`), in the log line and in the metric.\n\n\
         | code | status | who acts | what happened | what to do |\n|---|---|---|---|---|\n",
    );
    for refusal in Refusal::ALL {
        page += &format!(
            "| `{}` | {} | {} | {} | {} |\n",
            refusal.code(),
            refusal.status(),
            refusal.actor().label(),
            refusal.meaning(),
            refusal.remedy(),
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_every_row_is_whole() {
        let codes: HashSet<_> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
        assert_eq!(codes.len(), Refusal::ALL.len());
        for refusal in Refusal::ALL {
            assert!(refusal.meaning().ends_with('.') && refusal.remedy().ends_with('.'), "{refusal:?}");
            assert!((400..=503).contains(&refusal.status()), "{refusal:?}");
        }
    }
}
