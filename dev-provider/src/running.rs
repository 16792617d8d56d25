//! The handle on a provider that runs.

use std::{fmt, io, net::SocketAddr, sync::Arc};

use serde_json::Value;
use tokio::net::TcpListener;

use crate::{
    Alg, Behaviour, Client, Endpoint, Issued, Lie, Notified, Person, Problem, Received, Signing, jose::Draft,
    logout::Farewell, serve::Server, shared::Shared, start_error::problems_of,
};

/// A running provider. Clones are handles on the same one.
#[derive(Clone)]
pub struct Running {
    shared: Arc<Shared>,
    server: Arc<Server>,
}

impl Running {
    pub(crate) fn new(shared: Shared, listener: TcpListener) -> Self {
        let shared = Arc::new(shared);
        let server = Arc::new(Server::default());
        server.open(Arc::clone(&shared), listener);
        Self { shared, server }
    }

    /// The issuer, as it stands in `iss` and in the metadata.
    pub fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// The full address of an endpoint.
    pub fn url(&self, endpoint: Endpoint) -> String {
        self.shared.url(endpoint.path())
    }

    /// Closes the port and every connection at once. What was issued is remembered; see [`Running::reopen`].
    pub async fn stop(&self) {
        self.server.close().await;
    }

    /// Listens at the same address again after [`Running::stop`], with the same keys, people and tokens.
    ///
    /// # Errors
    ///
    /// If something else has taken the address in the meantime.
    pub async fn reopen(&self) -> io::Result<()> {
        self.server.close().await;
        let listener = TcpListener::bind(self.shared.address).await?;
        self.server.open(Arc::clone(&self.shared), listener);
        Ok(())
    }
}

/// What tests look at.
impl Running {
    /// All requests so far, in order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.state().journal.received().cloned().collect()
    }

    /// The requests so far that came to this endpoint.
    pub fn requests_to(&self, endpoint: Endpoint) -> Vec<Received> {
        let path = format!("{}{}", self.shared.prefix, endpoint.path());
        let state = self.shared.state();
        state.journal.received().filter(|request| request.path == path).cloned().collect()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.shared.state().journal.forget_received();
    }

    /// Waits until at least `count` requests have come to this endpoint, answered or not.
    pub async fn arrival(&self, endpoint: Endpoint, count: usize) {
        loop {
            let arrived = self.shared.arrived.notified();
            tokio::pin!(arrived);
            // Before counting, so that what arrives in between wakes this up.
            arrived.as_mut().enable();
            if self.requests_to(endpoint).len() >= count {
                return;
            }
            arrived.await;
        }
    }

    /// The names of the sessions that this subject has here: `sid` of their ID tokens, each once.
    pub fn sessions(&self, sub: &str) -> Vec<String> {
        let signed_in = self.shared.state().grants.signed_in(|signed_in| signed_in.sub == sub);
        signed_in.into_iter().map(|signed_in| signed_in.sid).collect()
    }

    /// All codes and tokens that were handed out.
    pub fn issued(&self) -> Vec<Issued> {
        self.shared.state().journal.issued().cloned().collect()
    }
}

/// What tests change.
impl Running {
    /// Tells a lie, beside those told before.
    pub fn lie(&self, lie: impl Into<Lie>) -> &Self {
        self.shared.state().told.tell(lie.into());
        self
    }

    /// Takes back every lie, also those for once.
    pub fn honest(&self) -> &Self {
        self.shared.state().told = Default::default();
        self
    }

    /// The next request to this endpoint, and only that, is answered in this way. Said twice, it holds for the
    /// next two requests.
    pub fn fail_next(&self, endpoint: Endpoint, behaviour: Behaviour) -> &Self {
        self.fail_next_with(endpoint, [behaviour])
    }

    /// As [`Running::fail_next`], with several behaviours combined.
    pub fn fail_next_with(
        &self,
        endpoint: Endpoint,
        behaviours: impl IntoIterator<Item = Behaviour>,
    ) -> &Self {
        self.shared.state().told.tell_once(endpoint, behaviours.into_iter().collect());
        self
    }

    /// Makes new keys; the old ones are gone from the key set at once.
    pub fn rotate_keys(&self) -> &Self {
        self.shared.state().rotate_keys(false);
        self
    }

    /// Makes new keys; the old ones stay in the key set until the next rotation.
    pub fn rotate_keys_with_overlap(&self) -> &Self {
        self.shared.state().rotate_keys(true);
        self
    }

    /// Registers a client, in place of one with the same id.
    ///
    /// # Errors
    ///
    /// All that is wrong with the client.
    pub fn register(&self, client: Client) -> Result<(), Vec<Problem>> {
        let problems = problems_of(&client);
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut state = self.shared.state();
        state.clients.retain(|other| other.id != client.id);
        state.clients.push(client);
        Ok(())
    }

    /// Adds a person, in place of one with the same subject. Tokens that are out there describe the new one.
    pub fn person(&self, person: Person) -> &Self {
        let mut state = self.shared.state();
        match state.people.iter_mut().find(|other| other.sub == person.sub) {
            Some(old) => *old = person,
            None => state.people.push(person),
        }
        drop(state);
        self
    }

    /// Answers every authorization request for this username at once, without a page; none brings the page back.
    pub fn sign_in_as(&self, username: Option<&str>) -> &Self {
        self.shared.state().chosen = username.map(ToOwned::to_owned);
        self
    }

    /// Moves the provider's clock by so many seconds, forwards or backwards.
    pub fn shift_clock(&self, seconds: i64) -> &Self {
        self.shared.clock.shift(seconds);
        self
    }

    /// Revokes every code and token of this subject.
    pub fn revoke(&self, sub: &str) -> &Self {
        self.shared.state().grants.revoke(|grant| grant.sub == sub);
        self
    }

    /// Ends every session of this subject, as an administrator does, and sends each client a logout token that has
    /// registered for that; to browsers nothing is said. Gives what was sent, and what came of it.
    pub async fn end_sessions(&self, sub: &str) -> Vec<Notified> {
        let farewell =
            Farewell::end(&self.shared, &mut self.shared.state(), |signed_in| signed_in.sub == sub);
        farewell.send().await
    }

    /// Signs any payload in any way, as `client_id`'s provider: for logout tokens and for forgeries.
    pub fn sign(&self, client_id: &str, typ: &str, payload: &Value, signing: &Signing) -> String {
        let state = self.shared.state();
        let secret = state.client(client_id).and_then(|client| client.secret.as_deref());
        let workshop = self.shared.workshop(&state.keys, secret);
        let payload = payload.to_string().into_bytes();
        let header = |header: crate::json::Members| header.to_json();
        let draft = Draft { typ, honest_payload: payload.clone(), payload, header: &header };
        draft.sign(&workshop, signing).into_text()
    }

    /// The public key for this algorithm as a JWK, published or not.
    pub fn public_key(&self, alg: Alg) -> Value {
        self.shared.state().keys.jwk(alg)
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("issuer", &self.shared.issuer).finish_non_exhaustive()
    }
}
