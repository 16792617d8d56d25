//! Starting, stopping, and where it refuses to listen.

mod support;

use std::{net::SocketAddr, time::Duration};

use support::*;
use tokio::time::timeout;
use vestibule_dev_provider::{Behaviour, Client, Endpoint, Lie, Problem, StartError};

#[tokio::test]
async fn it_listens_on_loopback_only() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "[::ffff:127.0.0.1]:0"] {
        let address: SocketAddr = address.parse().unwrap();
        let error = builder().bind(address).start().await.unwrap_err();
        assert!(
            matches!(&error, StartError::Refused(problems) if *problems == [Problem::NotLoopback(address)])
        );
        let text = error.to_string();
        assert!(text.contains("loopback") && text.contains("Bind 127.0.0.1"), "{text}");
    }
}

#[tokio::test]
async fn a_taken_address_is_named() {
    let provider = provider().await;
    let error = builder().bind(provider.address()).start().await.unwrap_err();
    assert!(error.to_string().contains(&provider.address().to_string()), "{error}");
}

#[tokio::test]
async fn it_stops_at_once_whatever_is_going_on_and_opens_again() {
    let provider = provider().await;
    let earlier = tokens(&provider).await;
    provider.lie(Lie::At(Endpoint::Keys, Behaviour::Silence));
    provider.lie(Lie::At(Endpoint::Metadata, Behaviour::Endless));
    let waiting = tokio::spawn(http().get(provider.url(Endpoint::Keys)).send());
    let reading = tokio::spawn(http().get(provider.url(Endpoint::Metadata)).send());
    timeout(Duration::from_secs(30), provider.arrival(Endpoint::Keys, 1)).await.unwrap();
    timeout(Duration::from_secs(30), provider.arrival(Endpoint::Metadata, 1)).await.unwrap();

    timeout(Duration::from_secs(30), provider.stop()).await.unwrap();
    assert!(waiting.await.unwrap().is_err());
    drop(reading);
    assert!(http().get(provider.url(Endpoint::Keys)).send().await.unwrap_err().is_connect());

    provider.honest().reopen().await.unwrap();
    assert_eq!(userinfo(&provider, &earlier).await.status(), 200, "tokens outlive the closed port");
}

#[tokio::test]
async fn clients_register_late() {
    let provider = provider().await;
    let callback = "http://127.0.0.1:9/callback";
    let more = [("login_hint", "alice"), ("redirect_uri", callback)];
    let visit = async || http().get(authorize_url(&provider, "late", &more)).send().await.unwrap().status();
    assert_eq!(visit().await, 400);
    provider.register(Client::new("late").redirect_uri(callback)).unwrap();
    assert_eq!(visit().await, 303);
    let problems = provider.register(Client::new("late").redirect_uri("/relative#fragment")).unwrap_err();
    assert_eq!(problems.len(), 1);
}
