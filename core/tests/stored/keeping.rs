//! Records and the keys that seal them.

use futures_executor::block_on;
use vestibule::{config::Builder, request::PlainHead, seal::KeyRing, session::ApplicationData};

use crate::town::{Browser, NEWER_SECRET, SECRET, Town};

fn with_keys(site: Builder, secrets: &[&str]) -> Builder {
    site.keys(KeyRing::new(secrets).unwrap())
}

#[test]
fn ck_12_a_record_that_an_older_key_sealed_is_sealed_anew() {
    let town = Town::new();
    let old = town.instance();
    let browser = Browser::signed_in(&old, "ada");
    let both = town.instance_of(with_keys(town.site(), &[NEWER_SECRET, SECRET]));
    let writes = || town.shelf.written.lock().unwrap().len();
    let before = writes();
    assert_eq!(browser.who(&both).as_deref(), Some("ada"));
    assert!(writes() > before, "it was sealed anew");
    let once = writes();
    assert_eq!(browser.who(&both).as_deref(), Some("ada"));
    assert_eq!(writes(), once, "once is enough");
    // An instance that knows the old key only finds nobody there, and says no more than that.
    assert_eq!(browser.who(&old), None);
}

#[test]
fn ck_12_a_ticket_that_an_older_key_sealed_is_sealed_anew() {
    let town = Town::new();
    let mut browser = Browser::signed_in(&town.instance(), "ada");
    let both = town.instance_of(with_keys(town.site(), &[NEWER_SECRET, SECRET]));
    assert_eq!(browser.send(&both, PlainHead::fetch("/oauth2/auth")).set_cookies().count(), 0);
    assert_eq!(browser.send(&both, PlainHead::navigation("/oauth2/auth")).set_cookies().count(), 1);
    let without = town.instance_of(with_keys(town.site(), &[NEWER_SECRET]));
    assert_eq!(browser.who(&without).as_deref(), Some("ada"));
    // Whoever has signed out gets no ticket back.
    let left = browser.clone();
    browser.sign_out(&both);
    assert_eq!(
        left.clone()
            .send(&both, PlainHead::navigation("/oauth2/auth"))
            .set_cookies()
            .filter(|line| !line.contains("_try_"))
            .count(),
        0
    );
}

#[test]
fn ck_12_a_removed_key_ends_its_sessions_without_an_error() {
    let town = Town::new();
    let mut browser = Browser::signed_in(&town.instance(), "ada");
    let without = town.instance_of(with_keys(town.site(), &[NEWER_SECRET]));
    assert_eq!(browser.who(&without), None);
    assert_eq!(browser.send(&without, PlainHead::fetch("/oauth2/auth")).status, 401);
    assert_eq!(browser.sign_in(&without, "ada").status, 303);
    assert_eq!(browser.who(&without).as_deref(), Some("ada"));
}

#[test]
fn what_an_application_keeps_is_in_the_record_at_every_instance() {
    let town = Town::new();
    let (here, there) = (town.instance(), town.instance());
    let browser = Browser::signed_in(&here, "ada");
    let data = ApplicationData::new(1, &"a basket").unwrap();
    let head = browser.head(PlainHead::fetch("/"));
    assert!(block_on(here.keep(&head, data)).is_ok());
    assert_eq!(browser.session(&there).unwrap().data::<String>(1).as_deref(), Some("a basket"));
    // A refresh leaves it alone.
    town.pass(290);
    assert_eq!(browser.session(&there).unwrap().data::<String>(1).as_deref(), Some("a basket"));
    assert_eq!(town.issuer().sent.len(), 1);
    let large = ApplicationData::new(1, &"x".repeat(300_000)).unwrap();
    assert!(block_on(here.keep(&head, large)).is_err());
    assert_eq!(browser.session(&there).unwrap().data::<String>(1).as_deref(), Some("a basket"));
}
