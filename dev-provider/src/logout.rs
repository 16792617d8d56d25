//! Sessions end here, and every client that wants to hear of it is told: by a signed token that it is sent (OpenID
//! Connect Back-Channel Logout), and by a frame on the page of whoever signs out (Front-Channel Logout).

use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use url::{Position, Url, form_urlencoded};

use crate::{
    Client, Signing,
    grants::SignedIn,
    jose::{Draft, random_text},
    json::Members,
    lie::Object,
    shared::{Shared, State},
};

/// How long a client is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much of a client's answer is read.
const ANSWER_MAX: u64 = 64 * 1024;

/// A logout token that a client was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notified {
    /// The client.
    pub client_id: String,
    /// The token, as it was sent.
    pub token: String,
    /// What it answered; `None` where it was not reached, or said nothing that is HTTP.
    pub status: Option<u16>,
}

/// What is over here, and whom to tell.
#[derive(Debug, Default)]
pub(crate) struct Farewell {
    /// Client, address and token.
    letters: Vec<(String, Url, String)>,
    /// Addresses to be shown in frames.
    pub(crate) frames: Vec<String>,
}

impl Farewell {
    /// Ends what `which` picks.
    pub(crate) fn end(shared: &Shared, state: &mut State, which: impl Fn(&SignedIn) -> bool) -> Self {
        let mut farewell = Self::default();
        for ended in state.grants.end(which) {
            let Some(client) = state.client(&ended.client_id) else { continue };
            if let Some(uri) = address(client.backchannel_logout_uri.as_deref()) {
                farewell.letters.push((client.id.clone(), uri, token(shared, state, client, &ended)));
            }
            if let Some(mut uri) = address(client.frontchannel_logout_uri.as_deref()) {
                uri.query_pairs_mut().append_pair("iss", &shared.issuer).append_pair("sid", &ended.sid);
                farewell.frames.push(uri.into());
            }
        }
        farewell
    }

    /// Sends every token, one after another.
    pub(crate) async fn send(&self) -> Vec<Notified> {
        let mut notified = Vec::new();
        for (client_id, uri, token) in &self.letters {
            let status = timeout(PATIENCE, post(uri, token)).await.ok().flatten();
            notified.push(Notified { client_id: client_id.clone(), token: token.clone(), status });
        }
        notified
    }
}

fn address(uri: Option<&str>) -> Option<Url> {
    uri.and_then(|uri| Url::parse(uri).ok())
}

/// A logout token (Back-Channel Logout §2.4), and every lie about it.
fn token(shared: &Shared, state: &State, client: &Client, ended: &SignedIn) -> String {
    let now = shared.clock.now();
    let honest = Members::new()
        .with("iss", shared.issuer.as_str())
        .with("sub", ended.sub.as_str())
        .with("aud", client.id.as_str())
        .with("iat", now)
        .with("exp", now + 120)
        .with("jti", random_text())
        .with("sid", ended.sid.as_str())
        .with("events", json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
    let mut claims = honest.clone();
    state.told.edit(Object::LogoutClaims, &mut claims);
    let header = |mut header: Members| {
        state.told.edit(Object::LogoutHeader, &mut header);
        header.to_json()
    };
    let draft = Draft {
        typ: "logout+jwt",
        honest_payload: honest.to_json().into_bytes(),
        payload: claims.to_json().into_bytes(),
        header: &header,
    };
    let workshop = shared.workshop(&state.keys, client.secret.as_deref());
    let signing = state.told.signed_logout().unwrap_or(Signing::With(shared.settings.alg));
    draft.sign(&workshop, &signing).into_text()
}

/// Sends one token, by plain HTTP: clients of this provider are on loopback. Gives the answer's status.
async fn post(uri: &Url, token: &str) -> Option<u16> {
    let address = *uri.socket_addrs(|| None).ok()?.first()?;
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", token).finish();
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        &uri[Position::BeforePath..Position::AfterQuery],
        &uri[Position::BeforeHost..Position::AfterPort],
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    // Whoever resets the connection after an answer has answered.
    let _ = stream.take(ANSWER_MAX).read_to_end(&mut answer).await;
    let line = String::from_utf8_lossy(&answer);
    line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}
