//! The store is out of reach: nobody can be told who they are, and nobody is signed out.

use std::time::Duration;

use futures_executor::block_on;
use vestibule::{guarded::Condition, limits, refusal::Refusal, request::PlainHead, store::StoreError};

use crate::town::{Browser, LIFE, Town, code};

#[test]
fn a_store_that_is_down_is_503_everywhere_and_signs_nobody_out() {
    for error in [StoreError::Unavailable, StoreError::Broken] {
        let town = Town::new();
        let at = town.instance();
        let mut browser = Browser::signed_in(&at, "ada");
        let kept = browser.0.header();
        town.shelf.down(error);
        for head in [
            PlainHead::fetch("/oauth2/auth"),
            PlainHead::navigation("/oauth2/auth"),
            PlainHead::fetch("/oauth2/userinfo"),
            PlainHead::navigation("/oauth2/sign_in"),
            PlainHead::navigation("/oauth2/sign_out"),
        ] {
            let answer = browser.send(&at, head);
            assert_eq!((answer.status, code(&answer).as_str()), (503, "store_unreachable"), "{answer:?}");
            assert_eq!(answer.set_cookies().count(), 0);
        }
        assert_eq!(browser.session(&at).unwrap_err(), Refusal::StoreUnreachable);
        let head = browser.head(PlainHead::fetch("/"));
        let guarded = block_on(at.admit(&head, &Condition::new())).unwrap_err();
        assert_eq!((guarded.status, code(&guarded).as_str()), (503, "store_unreachable"));
        assert_eq!(block_on(at.tokens(&head)).unwrap_err(), Refusal::StoreUnreachable);
        assert_eq!(browser.0.header(), kept, "the cookie is kept");
        town.shelf.up();
        assert_eq!(browser.who(&at).as_deref(), Some("ada"));
    }
}

/// As a Redis that fills up after the turn of a refresh was written down, and before its token went out.
#[test]
fn a_store_that_fills_up_in_the_middle_of_a_refresh_keeps_who_is_signed_in() {
    let town = Town::new();
    let at = town.instance();
    let browser = Browser::signed_in(&at, "ada");
    town.pass(LIFE as i64 - 10);
    town.shelf.failing(|method, _| (method == "replace").then_some(StoreError::Full));
    assert_eq!(browser.who(&at).as_deref(), Some("ada"));
    assert_eq!(town.issuer().sent, [""; 0]);
    town.shelf.up();
    town.pass(limits::REFRESH_TURN.as_secs() as i64 + 1);
    assert_eq!(browser.who(&at).as_deref(), Some("ada"));
    assert_eq!(town.issuer().sent.len(), 1, "the next turn is one");
}

/// As a Redis that is full, or that has become a replica.
#[test]
fn a_store_that_takes_nothing_still_says_who_is_signed_in() {
    for error in [StoreError::Full, StoreError::Unavailable] {
        let town = Town::new();
        let site = town.site().refresh_tokens().idle_limit(Duration::from_secs(3_600));
        let at = town.instance_of(site);
        let browser = Browser::signed_in(&at, "ada");
        town.shelf.failing(move |method, _| matches!(method, "insert" | "replace").then_some(error));
        // A note of the visit is due, then a refresh, and then the access token has ended.
        for seconds in [70, LIFE as i64 - 80, 20, 1_000] {
            town.pass(seconds);
            assert_eq!(browser.who(&at).as_deref(), Some("ada"));
        }
        assert_eq!(town.issuer().sent, [""; 0], "no token goes out whose going out cannot be written down");
        town.shelf.up();
        town.pass(1);
        assert_eq!(browser.who(&at).as_deref(), Some("ada"));
        assert_eq!(town.issuer().sent.len(), 1);
        town.shelf.failing(|method, _| (method == "replace").then_some(StoreError::Broken));
        town.pass(70);
        assert_eq!(
            browser.session(&at).unwrap_err(),
            Refusal::StoreUnreachable,
            "this is nothing that passes"
        );
    }
}

#[test]
fn whoever_brings_no_ticket_asks_no_store() {
    let town = Town::new();
    let at = town.instance();
    town.shelf.down(StoreError::Unavailable);
    let mut browser = Browser::default();
    assert_eq!(browser.send(&at, PlainHead::fetch("/oauth2/auth")).status, 401);
    browser.0.insert("__Host-vestibule", "forged");
    assert_eq!(browser.send(&at, PlainHead::fetch("/oauth2/auth")).status, 401);
}

#[test]
fn a_store_that_goes_away_in_the_middle_of_a_refresh_signs_nobody_out_and_no_token_is_sent_twice() {
    for calls in 0..6 {
        let town = Town::new();
        let at = town.instance();
        let browser = Browser::signed_in(&at, "ada");
        town.pass(LIFE as i64 - 10);
        let mut left = calls;
        town.shelf.failing(move |_, _| {
            left -= 1;
            (left < 0).then_some(StoreError::Unavailable)
        });
        let _ = browser.session(&at);
        town.shelf.up();
        for _ in 0..40 {
            assert_eq!(browser.who(&at).as_deref(), Some("ada"), "{calls}");
            town.pass(15);
        }
        assert!(!town.issuer().reused, "{calls}");
    }
}
