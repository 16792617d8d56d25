//! What never ends, ends. These wait for real limits, so they all wait at once.

use std::{net::SocketAddr, time::Duration};

use serde_json::json;
use tokio::net::{TcpSocket, TcpStream};
use vestibule::limits::{CONVERSATION_TIME_MAX, PROVIDER_CALL_TIME_MAX};
use vestibule_conformance::{Behaviour, Edit, Endpoint, Lie, Object, Site};

/// Far longer than any limit: only what has none takes so long.
const FOR_EVER: Duration = Duration::from_secs(55);

async fn refused(endpoint: Endpoint, behaviour: Behaviour, asked: &[Endpoint]) {
    let site = Site::start().await;
    site.provider().lie(Lie::At(endpoint, behaviour.clone()));
    let outcome = tokio::time::timeout(FOR_EVER, site.sign_in()).await;
    let outcome = outcome.unwrap_or_else(|_| panic!("{behaviour:?} at {endpoint:?} went on for ever"));
    outcome.refused("provider_unreachable", (endpoint, behaviour));
    assert_eq!(outcome.asked, asked);
}

/// By the clock alone: nobody waits here.
#[tokio::test]
async fn nd_10_a_conversation_has_fifteen_seconds_whatever_it_asks_for() {
    let site = Site::start().await;
    let round = site.begin().await;
    let callback = round.ask_provider().await;
    let (asked_before, waits_before) = (site.host().asked().len(), site.host().waits().len());
    let pace = Duration::from_secs(6);
    site.host().pace(6);
    round.come_back(&callback).await.session();
    let asked = site.host().asked().split_off(asked_before);
    assert_eq!(asked.len(), 3, "token, keys, userinfo: {asked:?}");
    let (token, userinfo) = (asked[0].timeout, asked[2].timeout);
    assert_eq!(token, PROVIDER_CALL_TIME_MAX);
    // The keys themselves may take as long as any exchange, for others may wait for them too; not so this callback.
    let keys = site.host().waits()[waits_before].most;
    assert!(keys <= CONVERSATION_TIME_MAX - pace, "the keys were waited for for {keys:?}");
    assert!(userinfo <= CONVERSATION_TIME_MAX - 2 * pace, "userinfo was waited for for {userinfo:?}");
}

/// A listener whose queue is full: to whoever knocks nothing comes back, as from behind a firewall.
async fn black_hole() -> (SocketAddr, TcpSocketListening) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
    {
        queue.push(stream);
    }
    (address, (listener, queue))
}

type TcpSocketListening = (tokio::net::TcpListener, Vec<TcpStream>);

async fn no_connection() {
    let (address, _queue) = black_hole().await;
    let site = Site::start().await;
    let to = json!(format!("http://{address}/token"));
    site.provider().lie(Lie::member(Object::Metadata, "token_endpoint", Edit::Set(to)));
    let outcome =
        tokio::time::timeout(FOR_EVER, site.sign_in()).await.expect("a connection was waited for for ever");
    assert_eq!(outcome.code().as_deref(), Some("provider_unreachable"));
    assert_eq!(outcome.elsewhere.len(), 1, "tried once: {:?}", outcome.elsewhere);
}

#[tokio::test]
async fn nd_10_nd_12_nd_18_what_never_ends_is_given_up_once_and_for_all() {
    use Endpoint::{Authorize, Keys, Metadata, Token, Userinfo};
    let drip = || Behaviour::Drip(Duration::from_secs(1));
    tokio::join!(
        refused(Metadata, Behaviour::Silence, &[Metadata]),
        refused(Token, Behaviour::Silence, &[Metadata, Authorize, Token]),
        refused(Token, drip(), &[Metadata, Authorize, Token]),
        refused(Keys, Behaviour::Silence, &[Metadata, Authorize, Token, Keys]),
        refused(Userinfo, drip(), &[Metadata, Authorize, Token, Keys, Userinfo]),
        no_connection(),
    );
}
