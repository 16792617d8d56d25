//! What all requests share.

use std::{
    net::SocketAddr,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::{
    Alg, Client, Person,
    clock::Clock,
    grants::Grants,
    jose::{KeyRing, Workshop},
    journal::Journal,
    lie::Told,
};

/// What does not change while the provider runs. Lives are in seconds.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) alg: Alg,
    pub(crate) code_life: i64,
    pub(crate) access_token_life: i64,
    pub(crate) id_token_life: i64,
    pub(crate) single_sign_on: bool,
    pub(crate) always_refresh_token: bool,
    pub(crate) claims_in_id_token: bool,
    pub(crate) more_audiences: Vec<String>,
}

/// The provider behind its handles and handlers.
pub(crate) struct Shared {
    pub(crate) address: SocketAddr,
    pub(crate) issuer: String,
    /// The path before every endpoint's, without a slash at its end.
    pub(crate) prefix: String,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    /// Told of each request that arrives.
    pub(crate) arrived: Notify,
    impostor: LazyLock<KeyRing>,
    state: Mutex<State>,
}

/// What changes while the provider runs.
pub(crate) struct State {
    pub(crate) clients: Vec<Client>,
    pub(crate) people: Vec<Person>,
    pub(crate) told: Told,
    pub(crate) keys: KeyRing,
    /// Keys that no longer sign but are still shown.
    pub(crate) retired: Option<KeyRing>,
    pub(crate) grants: Grants,
    pub(crate) journal: Journal,
    /// The username that every authorization request is answered for, without a page.
    pub(crate) chosen: Option<String>,
}

impl Shared {
    pub(crate) fn new(
        address: SocketAddr,
        issuer_path: &str,
        settings: Settings,
        clients: Vec<Client>,
        people: Vec<Person>,
        keys: KeyRing,
    ) -> Self {
        let state = State {
            clients,
            people,
            told: Told::default(),
            keys,
            retired: None,
            grants: Grants::default(),
            journal: Journal::default(),
            chosen: None,
        };
        Self {
            address,
            issuer: format!("http://{address}{issuer_path}"),
            prefix: issuer_path.trim_end_matches('/').to_owned(),
            settings,
            clock: Clock::default(),
            arrived: Notify::new(),
            impostor: LazyLock::new(|| {
                KeyRing::generate().expect("keys were generated before, at the start")
            }),
            state: Mutex::new(state),
        }
    }

    /// The state, for a moment: never held across an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A handler that panicked has failed a test already; the others need not fail with it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The full address of an endpoint.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{}{path}", self.address, self.prefix)
    }

    /// What to make tokens with for a client that has this secret.
    pub(crate) fn workshop<'a>(&'a self, keys: &'a KeyRing, secret: Option<&'a str>) -> Workshop<'a> {
        Workshop { alg: self.settings.alg, keys, impostor: &self.impostor, secret }
    }
}

impl State {
    pub(crate) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id)
    }

    pub(crate) fn person(&self, sub: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.sub == sub)
    }

    pub(crate) fn person_named(&self, username: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.username == username)
    }

    pub(crate) fn rotate_keys(&mut self, overlap: bool) {
        let fresh = KeyRing::generate().expect("keys were generated before, at the start");
        let old = std::mem::replace(&mut self.keys, fresh);
        self.retired = overlap.then_some(old);
    }
}
