//! The application's word on everybody who signs in: everybody may enter, and the session remembers since when this
//! process has known them.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use vestibule::{
    driver::{HookError, OnSignIn},
    flow::Decision,
    identity::SignIn,
    session::ApplicationData,
};

/// The version of [`Since`]: raised when its form changes, so that what older sessions hold counts as absent.
pub(crate) const VERSION: u32 = 1;

/// What is attached to a session.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Since {
    first_seen: String,
}

/// When each account first signed in. A real application would ask its database here.
#[derive(Default)]
pub(crate) struct FirstSeen(Mutex<HashMap<(String, String), Since>>);

#[async_trait]
impl OnSignIn for FirstSeen {
    async fn decide(&self, sign_in: &SignIn) -> Result<Decision, HookError> {
        // Issuer and subject are the account; a name or an address may be somebody else's tomorrow.
        let account = (sign_in.identity.issuer.clone(), sign_in.identity.subject.clone());
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = accounts
            .entry(account)
            .or_insert_with(|| Since { first_seen: format!("{:.0}", jiff::Timestamp::now()) });
        Ok(Decision::allow_with(ApplicationData::new(VERSION, since)?))
    }
}
