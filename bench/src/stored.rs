//! The same site with its sessions in a store, and what browsers carry of a session, here and there.

use std::sync::Arc;

use vestibule::{
    Vestibule,
    flow::{Answer, Effect, Step},
    response::Response,
    store::SessionStore,
    time::Timestamp,
    tokens::TokenKind,
};
use vestibule_axum::Head;

use crate::site::{self, Account};

/// What of a token's bytes a provider with large ones sends: a signed one with a few claims in it.
const SIGNED_TOKEN_BYTES: usize = 900;
/// A random one, as most refresh tokens are.
const RANDOM_TOKEN_BYTES: usize = 43;

/// The site of [`site::vestibule`] with its sessions in `store`.
pub fn vestibule(groups: usize, store: Arc<dyn SessionStore>) -> Arc<Vestibule> {
    site::built(site::builder(groups).store(store))
}

/// The account of that number: each session is another person's.
pub fn account(number: u64) -> Account {
    Account { subject: format!("f81d4fae-7dec-41d0-8765-{number:012x}"), ..Account::typical() }
}

/// Signs an account in, in the exchanges that a real sign-in takes; the store is asked for real. The answer to the
/// callback has its cookies.
pub async fn sign_in(
    vestibule: &Arc<Vestibule>,
    store: Option<&dyn SessionStore>,
    account: &Account,
    number: u64,
    now: Timestamp,
) -> Response {
    let (attempt, callback) = site::begin_by(vestibule, now, seed(number, 1));
    let request = site::request(&callback, &attempt);
    let mut step = vestibule.handle(&Head(&request), b"", now, seed(number, 2));
    loop {
        step = match (step, store) {
            (Step::Done(outcome), _) => return outcome.response,
            (Step::Needs(Effect::Store(request), machine), Some(store)) => {
                machine.step(Answer::Store(request.ask(store).await), now)
            }
            (Step::Needs(effect, machine), _) => machine.step(site::answer(&effect, account), now),
        };
    }
}

/// The session's cookie that a sign-in has ended with, as the browser sends it back.
pub fn session_cookie(response: &Response) -> Option<&str> {
    site::cookies_set(response, site::is_of_a_session).next()
}

/// Randomness that no other number has, nor this one with another request.
fn seed(number: u64, request: u8) -> [u8; 32] {
    let mut seed = [request; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    seed
}

/// What a browser sends with each request for one kind of session.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Carried {
    /// The session.
    pub label: &'static str,
    /// Bytes of all its cookies, names and separators included.
    pub bytes: usize,
}

/// The cookies of typical sessions. They are the same on every machine.
pub async fn carried(store: Arc<dyn SessionStore>, now: Timestamp) -> Vec<Carried> {
    let large = Account {
        access_token: "x".repeat(SIGNED_TOKEN_BYTES),
        refresh_token: Some("x".repeat(RANDOM_TOKEN_BYTES)),
        ..Account::typical()
    };
    let sealed = |groups| (site::vestibule(groups), None, Account::typical());
    let keeping = site::builder(2).keep_token(TokenKind::Access).keep_token(TokenKind::Refresh);
    let kept = site::builder(100).store(Arc::clone(&store)).keep_tokens();
    let sites = [
        ("sealed: a name, an address, no group", sealed(0)),
        ("sealed: the same with two groups", sealed(2)),
        ("sealed: the same with twenty groups", sealed(20)),
        ("sealed: the same with a hundred groups", sealed(100)),
        (
            "sealed: two groups, and an access token of 900 bytes and a refresh token of 43 kept beside",
            (site::built(keeping), None, large.clone()),
        ),
        ("a ticket for a session in a store, whatever that holds", (site::built(kept), Some(&store), large)),
    ];
    let mut carried = Vec::new();
    for (label, (vestibule, store, account)) in sites {
        let response = sign_in(&vestibule, store.map(|store| &**store), &account, 0, now).await;
        let cookies = site::cookies_set(&response, site::is_of_a_session).collect::<Vec<_>>();
        carried.push(Carried { label, bytes: cookies.join("; ").len() });
    }
    carried
}

#[cfg(test)]
mod tests {
    use vestibule::store::MemoryStore;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

    #[tokio::test]
    async fn each_sign_in_is_another_session_in_the_store() {
        let store = Arc::new(MemoryStore::new(|| NOW));
        let vestibule = vestibule(2, Arc::clone(&store) as _);
        let mut cookies = std::collections::BTreeSet::new();
        for number in 0..3 {
            let response = sign_in(&vestibule, Some(&*store), &account(number), number, NOW).await;
            cookies.extend(session_cookie(&response).map(str::to_owned));
        }
        let sessions = cookies.len();
        assert_eq!(sessions, 3);
        let before = store.len();
        sign_in(&vestibule, Some(&*store), &account(3), 3, NOW).await;
        assert!(store.len() > before, "{before}");
    }

    #[tokio::test]
    async fn a_ticket_is_small_whatever_the_session_holds() {
        let carried = carried(Arc::new(MemoryStore::new(|| NOW)), NOW).await;
        let bytes: Vec<_> = carried.iter().map(|carried| carried.bytes).collect();
        assert!(bytes[..4].is_sorted() && bytes[1] < bytes[4], "{bytes:?}");
        assert!(bytes[5] < bytes[0] && bytes[5] > 40, "{bytes:?}");
    }
}
