//! Sessions end, and stay ended.

use std::{
    convert::Infallible,
    task::{Context, Waker},
    thread,
    time::Duration,
};

use futures_executor::block_on;
use futures_util::stream;
use vestibule::{
    driver::{Driver, Host as _},
    exchange::Purpose,
    flow::{Effect, Step},
    identity::Identity,
    request::PlainHead,
    seal::KeyRing,
    session::ApplicationData,
    store::StoreError,
};

use crate::town::{Browser, LIFE, NEWER_SECRET, SECRET, Town};

fn all_of(at: &Driver, person: &Identity) -> usize {
    block_on(at.sessions(&person.issuer, &person.subject)).unwrap().len()
}

#[test]
fn ck_14_a_cookie_that_was_copied_is_dead_after_sign_out_at_every_instance() {
    let town = Town::new();
    let instances = [town.instance(), town.instance()];
    let mut browser = Browser::signed_in(&instances[0], "ada");
    let copy = browser.clone();
    assert_eq!(copy.who(&instances[1]).as_deref(), Some("ada"));
    assert_eq!(browser.sign_out(&instances[0]).status, 303);
    for at in &instances {
        assert_eq!((copy.who(at), browser.who(at)), (None, None));
    }
    assert_eq!(town.issuer().revoked, ["canary-refresh-1"], "the provider takes the tokens back");
}

#[test]
fn a_browser_that_leaves_in_the_middle_of_signing_out_is_signed_out() {
    let town = Town::new();
    let at = town.instance();
    let browser = Browser::signed_in(&at, "ada");
    let person = browser.session(&at).unwrap().identity;
    let head = browser.head(PlainHead::navigation("/oauth2/sign_out"));
    let everywhere = async || at.end_sessions(&person.issuer, &person.subject, None).await;
    let other = Browser::signed_in(&at, "ada");
    town.shelf.hold(true);
    let mut leaves = Box::pin(at.answer(&head, stream::empty::<Result<&[u8], Infallible>>()));
    assert!(leaves.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(leaves);
    town.shelf.hold(false);
    assert!(soon(|| browser.who(&at).is_none()));
    assert_eq!(other.who(&at).as_deref(), Some("ada"));

    town.shelf.hold(true);
    let mut leaves = Box::pin(everywhere());
    assert!(leaves.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(leaves);
    town.shelf.hold(false);
    assert!(soon(|| other.who(&at).is_none()));
    assert!(soon(|| town.issuer().revoked.len() == 2));
}

/// Whether it happens, in the time that a test has.
fn soon(happens: impl Fn() -> bool) -> bool {
    (0..1_000).any(|_| {
        thread::sleep(Duration::from_millis(10));
        happens()
    })
}

#[test]
fn ck_15_a_slow_change_after_sign_out_brings_nothing_back() {
    let town = Town::new();
    let at = town.instance_of(town.site().idle_limit(Duration::from_secs(600)));
    let mut browser = Browser::signed_in(&at, "ada");
    let (copy, session) = (browser.clone(), browser.session(&at).unwrap());
    // A use of the session that is about to be written down ...
    town.pass(120);
    let is_write = |effect: &Effect| format!("{effect:?}").starts_with("replace");
    let slow = town.up_to(town.looks(&at, &browser), is_write);
    // ... when the person signs out.
    browser.sign_out(&at);
    let _late = town.finish(slow).unwrap();
    assert_eq!(copy.who(&at), None);
    assert_eq!(all_of(&at, &session.identity), 0);
    // And what an application wants to keep.
    let data = ApplicationData::new(1, &"late").unwrap();
    assert!(block_on(at.keep(&copy.head(PlainHead::fetch("/")), data)).is_err());
    assert_eq!(copy.who(&at), None);
}

#[test]
fn lo_19_a_refresh_in_flight_while_signing_out_leaves_the_session_dead_and_its_tokens_are_taken_back() {
    let town = Town::new();
    let at = town.instance();
    let mut browser = Browser::signed_in(&at, "ada");
    let copy = browser.clone();
    town.pass(LIFE as i64 - 10);
    let asks_who = |effect: &Effect| matches!(effect, Effect::Http { purpose: Purpose::Profile, .. });
    // The token call has been answered: there are new tokens, which the store does not know.
    let refreshing = town.up_to(town.looks(&at, &browser), asks_who);
    browser.sign_out(&town.instance_of(town.site()));
    let recognition = town.finish(refreshing).unwrap();
    assert!(recognition.session.is_none());
    assert_eq!(copy.who(&at), None);
    assert_eq!(town.issuer().revoked, ["canary-refresh-1", "canary-refresh-2"]);
    assert!(!town.issuer().reused);
}

#[test]
fn lo_20_an_instance_ends_what_it_cannot_open_and_another_can() {
    let town = Town::new();
    let ring = |secrets: &[&str]| KeyRing::new(secrets).unwrap();
    let both = town.instance_of(town.site().keys(ring(&[SECRET, NEWER_SECRET])));
    let newer = town.instance_of(town.site().keys(ring(&[NEWER_SECRET])));
    let browser = Browser::signed_in(&both, "ada");
    let person = browser.session(&both).unwrap().identity;
    assert_eq!(browser.who(&newer), None, "its key was taken away there");
    assert_eq!(block_on(newer.end_sessions(&person.issuer, &person.subject, None)), Ok(1));
    assert_eq!((browser.who(&both), all_of(&both, &person)), (None, 0));
}

#[test]
fn lo_20_all_of_an_account_end_after_the_older_ones_have_ended_one_by_one() {
    let town = Town::new();
    let at = town.instance();
    let browsers: Vec<_> = (0..3).map(|_| Browser::signed_in(&at, "ada")).collect();
    let other = Browser::signed_in(&at, "bob");
    let ids: Vec<_> = browsers.iter().map(|browser| browser.session(&at).unwrap().id).collect();
    let person = browsers[0].session(&at).unwrap().identity;
    let (issuer, subject) = (person.issuer.as_str(), person.subject.as_str());
    assert_eq!(block_on(at.end_session(issuer, subject, ids[0])), Ok(true));
    assert_eq!(block_on(at.end_session(issuer, subject, ids[0])), Ok(false), "it ends once");
    assert_eq!(browsers.iter().filter(|browser| browser.who(&at).is_some()).count(), 2);
    // Nobody ends somebody else's by its name.
    let theirs = other.session(&at).unwrap();
    assert_eq!(block_on(at.end_session(issuer, subject, theirs.id)), Ok(false));
    assert_eq!(block_on(at.end_sessions(issuer, subject, None)), Ok(2));
    let mut revoked = town.issuer().revoked.clone();
    revoked.sort();
    assert_eq!(
        revoked,
        ["canary-refresh-1", "canary-refresh-2", "canary-refresh-3"],
        "the provider takes all back"
    );
    assert!(browsers.iter().all(|browser| browser.who(&at).is_none()));
    assert_eq!(other.who(&at).as_deref(), Some("bob"));
}

#[test]
fn lo_21_a_person_sees_all_their_sessions_and_ends_all_but_this_one() {
    let town = Town::new();
    let instances = [town.instance(), town.instance()];
    let browsers: Vec<_> = (0..5)
        .map(|number| {
            town.pass(1);
            Browser::signed_in(&instances[number % 2], "ada")
        })
        .collect();
    let own = browsers[2].session(&instances[0]).unwrap();
    let (issuer, subject) = (own.identity.issuer.as_str(), own.identity.subject.as_str());
    let listed = block_on(instances[1].sessions(issuer, subject)).unwrap();
    let ids: Vec<_> = browsers.iter().map(|browser| browser.session(&instances[0]).unwrap().id).collect();
    assert_eq!(listed.iter().map(|summary| summary.id).collect::<Vec<_>>(), ids, "in the order they began");
    assert!(listed.iter().all(|summary| summary.provider == "plain" && summary.expires > summary.signed_in));
    assert_eq!(block_on(instances[1].end_sessions(issuer, subject, Some(own.id))), Ok(4));
    for (number, browser) in browsers.iter().enumerate() {
        assert_eq!(browser.who(&instances[0]).is_some(), number == 2, "{number}");
    }
    assert_eq!(all_of(&instances[0], &own.identity), 1);
}

#[test]
fn a_store_that_takes_nothing_lets_sessions_go() {
    let town = Town::new();
    let at = town.instance();
    let browsers = [Browser::signed_in(&at, "ada"), Browser::signed_in(&at, "ada")];
    let person = browsers[0].session(&at).unwrap().identity;
    town.shelf.failing(|method, _| matches!(method, "insert" | "replace").then_some(StoreError::Full));
    assert_eq!(block_on(at.end_sessions(&person.issuer, &person.subject, None)), Err(StoreError::Full));
    assert!(browsers.iter().all(|browser| browser.who(&at).is_none()));
    assert_eq!(town.issuer().revoked.len(), 2, "and the provider takes their tokens back");
}

#[test]
fn lo_12_a_session_whose_listing_was_written_before_it_stays_listed() {
    let town = Town::new();
    let at = town.instance();
    let mut other = Browser::signed_in(&at, "ada");
    let person = other.session(&at).unwrap().identity;
    let (issuer, subject) = (person.issuer.clone(), person.subject.clone());
    other.sign_out(&at);
    // The record is listed and not written yet when an instance whose clock is behind ends what is listed.
    let (elsewhere, late, whose) = (at.clone(), town.clone(), person.clone());
    town.shelf.between_listing_and_record(move || {
        late.pass(-5);
        assert_eq!(block_on(elsewhere.end_sessions(&whose.issuer, &whose.subject, None)), Ok(0));
        late.pass(5);
    });
    let browser = Browser::signed_in(&at, "ada");
    assert_eq!(browser.who(&at).as_deref(), Some("ada"));
    town.pass(1);
    assert_eq!(block_on(at.end_sessions(&issuer, &subject, None)), Ok(1), "it is found");
    assert_eq!(browser.who(&at), None);
}

#[test]
fn lo_12_an_announcement_that_could_not_be_made_leaves_an_earlier_one_standing() {
    for calls in 0..4 {
        let town = Town::new();
        let at = town.instance();
        let person = Browser::signed_in(&at, "ada").session(&at).unwrap().identity;
        let (issuer, subject) = (person.issuer.as_str(), person.subject.as_str());
        let mut slow = Browser::default();
        let callback = slow.begin(&at, "ada");
        let begun = at.vestibule().handle(&slow.head(callback), b"", town.now(), town.seed());
        let is_insert = |effect: &Effect| format!("{effect:?}").starts_with("insert StoreKey(session");
        let stopped = town.run_up_to(begun, is_insert);
        assert_eq!(block_on(at.end_sessions(issuer, subject, None)), Ok(1));
        // Once more, and the store goes away in the middle of it: whatever it was asked first has happened.
        town.pass(5);
        let mut left = calls;
        town.shelf.failing(move |_, _| {
            left -= 1;
            (left < 0).then_some(StoreError::Unavailable)
        });
        let _ = block_on(at.end_sessions(issuer, subject, None));
        town.shelf.up();
        let Step::Done(outcome) = town.run_up_to(stopped, |_| false) else {
            unreachable!("nothing stops it")
        };
        slow.0.take(outcome.response.set_cookies());
        assert_eq!(slow.who(&at), None, "{calls}");
        assert_eq!(town.issuer().revoked.last().map(String::as_str), Some("canary-refresh-2"), "{calls}");
    }
}
