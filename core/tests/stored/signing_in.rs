//! What a sign-in leaves in the store, and what it takes away.

use std::{thread, time::Duration};

use futures_executor::block_on;
use vestibule::{
    Vestibule,
    driver::Host as _,
    flow::{Effect, Step},
    request::PlainHead,
    seal::KeyRing,
    store::StoreError,
};

use crate::town::{Browser, Plain, SECRET, Town, code};

#[test]
fn ck_21_the_store_holds_neither_cookie_nor_id_nor_account() {
    let town = Town::new();
    let at = town.instance();
    let browser = Browser::signed_in(&at, "ada-lovelace");
    let session = browser.session(&at).unwrap();
    let ticket = browser.0.get("__Host-vestibule").unwrap().to_owned();
    let written = town.shelf.written.lock().unwrap().concat();
    let is_there = |text: &str| written.windows(text.len()).any(|window| window == text.as_bytes());
    for text in [&ticket, &session.id.to_text(), "ada-lovelace", &session.identity.subject, "canary", "plain"]
    {
        assert!(!is_there(text), "{text} is in the store");
    }
    assert!(is_there("session:") && is_there("account:"), "this looked at what was written");
    // What is in the store signs nobody in.
    for value in town.shelf.written.lock().unwrap().iter() {
        let mut thief = Browser::default();
        thief.0.insert("__Host-vestibule", String::from_utf8_lossy(value).into_owned());
        assert_eq!(thief.who(&at), None);
    }
    assert!(ticket.len() < 200, "the cookie is a ticket: {}", ticket.len());
}

#[test]
fn se_08_se_09_a_sign_in_beside_a_session_ends_it_in_the_store() {
    let town = Town::new();
    let at = town.instance();
    let mut browser = Browser::signed_in(&at, "ada");
    let planted = browser.clone();
    let first = browser.session(&at).unwrap();
    assert_eq!(browser.sign_in(&at, "bob").status, 303);
    let second = browser.session(&at).unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(second.identity.username.as_deref(), Some("bob"));
    assert_eq!(planted.who(&at), None, "the old cookie is dead");
    let left = block_on(at.sessions(&first.identity.issuer, &first.identity.subject)).unwrap();
    assert_eq!(left, [], "the old record is gone");
    // The same person again is a new session too.
    let before = browser.clone();
    assert_eq!(browser.sign_in(&at, "bob").status, 303);
    assert_eq!((before.who(&at), browser.who(&at)), (None, Some("bob".to_owned())));
}

#[test]
fn se_13_copies_of_a_callback_at_two_instances_make_one_token_call() {
    let town = Town::new();
    let instances = [town.instance(), town.instance()];
    let mut browser = Browser::default();
    let callback = browser.begin(&instances[0], "ada");
    let copies: Vec<_> = (0..20)
        .map(|number| {
            let (at, mut browser, callback) =
                (instances[number % 2].clone(), browser.clone(), callback.clone());
            thread::spawn(move || (browser.send(&at, callback), browser))
        })
        .collect();
    let answers: Vec<_> = copies.into_iter().map(|copy| copy.join().unwrap()).collect();
    assert_eq!(town.issuer().codes, ["ada"]);
    let signed_in: Vec<_> = answers.iter().filter(|(response, _)| response.status == 303).collect();
    assert!(!signed_in.is_empty());
    let ids: Vec<_> =
        signed_in.iter().map(|(_, browser)| browser.session(&instances[1]).unwrap().id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "one session");
    for (response, _) in answers.iter().filter(|(response, _)| response.status != 303) {
        assert_eq!(code(response), "attempt_already_answered");
    }
}

#[test]
fn a_store_that_is_full_or_away_at_a_sign_in_is_503_and_nobodys_session() {
    for method in ["insert", "load"] {
        let town = Town::new();
        let at = town.instance();
        let mut browser = Browser::default();
        let callback = browser.begin(&at, "ada");
        // The attempt is claimed; then there is no room, or no answer.
        town.shelf.failing(move |asked, key| {
            (asked == method && !key.starts_with("attempt")).then_some(StoreError::Full)
        });
        let answer = browser.send(&at, callback);
        assert_eq!((answer.status, code(&answer).as_str()), (503, "store_unreachable"), "{method}");
        assert_eq!(browser.0.get("__Host-vestibule"), None);
        town.shelf.up();
        assert_eq!(browser.sign_in(&at, "ada").status, 303, "the next one works");
    }
    let town = Town::with_room_for(1);
    let at = town.instance();
    let mut browser = Browser::default();
    assert_eq!(code(&browser.sign_in(&at, "ada")), "store_unreachable", "the attempt took the room");
}

#[test]
fn lo_12_a_session_that_is_ended_while_it_begins_is_none() {
    let is_insert = |effect: &Effect| format!("{effect:?}").starts_with("insert StoreKey(session");
    let is_check = |effect: &Effect| format!("{effect:?}").starts_with("load StoreKey(ended");
    let stops: [&dyn Fn(&Effect) -> bool; 2] = [&is_insert, &is_check];
    for (number, stop) in stops.into_iter().enumerate() {
        let town = Town::new();
        let at = town.instance();
        let person = Browser::signed_in(&at, "ada").session(&at).unwrap().identity;
        let mut browser = Browser::default();
        let callback = browser.begin(&at, "ada");
        let head = browser.head(callback);
        let begun = at.vestibule().handle(&head, b"", town.now(), town.seed());
        let stopped = town.run_up_to(begun, stop);
        assert!(matches!(stopped, Step::Needs(..)), "it came to where somebody else is faster");
        let ended = block_on(at.end_sessions(&person.issuer, &person.subject, None)).unwrap();
        assert_eq!(ended, 1 + number, "what was written down by then is found");
        town.pass(1);
        let Step::Done(outcome) = town.run_up_to(stopped, |_| false) else {
            unreachable!("nothing stops it")
        };
        browser.0.take(outcome.response.set_cookies());
        assert_eq!(browser.who(&at), None);
        assert_eq!(block_on(at.sessions(&person.issuer, &person.subject)).unwrap(), []);
        // It says so, and the next sign-in is one.
        if number == 0 {
            assert_eq!(code(&outcome.response), "ended_meanwhile");
        }
        assert_eq!(browser.sign_in(&at, "ada").status, 303);
        assert_eq!(browser.who(&at).as_deref(), Some("ada"));
    }
}

#[test]
fn what_needs_a_store_and_has_none_is_refused_at_construction() {
    let site = || {
        let keys = KeyRing::new([SECRET]).unwrap();
        Vestibule::builder("https://app.example/oauth2/callback").keys(keys).provider(Plain::new())
    };
    let minute = Duration::from_secs(60);
    for (field, builder) in [
        ("idle_limit", site().idle_limit(minute)),
        ("refresh_tokens", site().refresh_tokens()),
        ("refresh_tokens", site().refresh_every(minute)),
    ] {
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains(field) && error.contains("give a session store"), "{error}");
    }
    let town = Town::new();
    for (field, builder) in [
        ("idle_limit", town.site().idle_limit(minute / 2)),
        ("refresh_every", town.site().refresh_every(minute / 2)),
    ] {
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
    // Listing and ending say so when they are asked for.
    let cookies = town.instance_of(site());
    assert_eq!(block_on(cookies.sessions("i", "s")), Err(StoreError::Missing));
    assert_eq!(block_on(cookies.end_sessions("i", "s", None)), Err(StoreError::Missing));
    let head = PlainHead::fetch("/");
    assert!(cookies.vestibule().recognise(&head, cookies.now(), [0; 32]).is_none());
}
