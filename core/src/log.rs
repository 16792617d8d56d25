//! One event, one line. Nothing secret is ever at hand here: events and failures carry none.

use crate::{
    config::ConfigError,
    exchange::{HttpFailure, HttpResponse, Purpose},
    limits::DECISION_TIME_MAX,
    refusal::{Actor, Refusal},
    response::Event,
    store::StoreError,
};

/// Writes what came of a request.
pub(crate) fn event(event: Option<&Event>) {
    let Some(event) = event else { return };
    match event {
        Event::Began { provider } => tracing::debug!(provider, "sign-in began"),
        Event::SignedIn { provider, groups_left_out, expires } => {
            tracing::info!(provider, groups_left_out, expires = expires.unix(), "signed in");
        }
        Event::Refreshed { provider } => tracing::debug!(provider, "session refreshed"),
        Event::RefreshFailed { provider, error, ended: true } => {
            tracing::info!(provider, %error, "session ended: it could not be refreshed");
        }
        Event::RefreshFailed { provider, error, ended: false } => {
            tracing::warn!(provider, %error, "session could not be refreshed, and goes on as it is");
        }
        Event::EndedByProvider { provider, sessions } => {
            tracing::info!(provider, sessions, "sessions ended by their provider");
        }
        Event::SignedOut { provider } => tracing::info!(provider, "signed out"),
        Event::Refused { refusal, provider, detail } => {
            let (code, provider, detail) = (refusal.code(), provider.as_deref(), detail.as_deref());
            match refusal.actor() {
                // Nobody has done anything yet: every first visit is like that.
                Actor::Person if *refusal == Refusal::SignInRequired => {
                    tracing::debug!(code, provider, detail, "refused")
                }
                Actor::Person => tracing::info!(code, provider, detail, "refused"),
                Actor::Provider => tracing::warn!(code, provider, detail, "refused"),
                Actor::Operator => tracing::error!(code, provider, detail, "refused"),
            }
        }
    }
}

/// Writes what weakens the protection.
pub(crate) fn cautions(cautions: &[String]) {
    cautions.iter().for_each(|caution| tracing::warn!("{caution}"));
}

/// Writes that a guard asks for what nobody can have, and what to do about that.
pub(crate) fn impossible_guard(error: &ConfigError) {
    error.problems.iter().for_each(|problem| tracing::error!("a guard lets nobody in: {problem}"));
}

/// Writes that a provider was asked something.
pub(crate) fn exchanged(purpose: Purpose, result: &Result<HttpResponse, HttpFailure>) {
    let purpose = purpose.label();
    match result {
        Ok(response) => tracing::debug!(purpose, status = response.status().as_u16(), "provider answered"),
        Err(failure) => tracing::warn!(purpose, failure = %failure, "provider did not answer"),
    }
}

/// Writes that a provider answered with a document that cannot be used, and that the last good one goes on.
pub(crate) fn document_set_aside(purpose: Purpose) {
    tracing::warn!(
        purpose = purpose.label(),
        "provider answered with a document that cannot be used; the last good one goes on"
    );
}

/// Writes that the store has not taken what can wait.
pub(crate) fn not_noted(error: StoreError) {
    tracing::warn!(%error, "the session store takes nothing now; whoever is signed in stays so");
}

/// Writes that the application took longer to decide than it may.
pub(crate) fn hook_timed_out() {
    tracing::error!(
        seconds = DECISION_TIME_MAX.as_secs(),
        "the application did not decide about a sign-in in time"
    );
}

/// Writes why the application could not decide.
pub(crate) fn hook_failed(error: &(dyn std::error::Error + 'static)) {
    tracing::error!(error, "the application could not decide about a sign-in");
}
