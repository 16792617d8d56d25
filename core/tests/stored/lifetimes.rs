//! Sessions end by themselves: at their absolute limit, and when nobody uses them.

use std::time::Duration;

use vestibule::{
    Vestibule,
    driver::Host as _,
    errand::Errand,
    flow::{Effect, Step},
    seal::KeyRing,
};

use crate::town::{Browser, Plain, SECRET, Town, code};

const HOUR: i64 = 3_600;

#[test]
fn se_34_the_absolute_limit_ends_a_session_however_busy_it_is() {
    let town = Town::new();
    let at = town.instance_of(town.site().refresh_tokens().session_age(Duration::from_secs(7_200)));
    let browser = Browser::signed_in(&at, "ada");
    for _ in 0..72 {
        town.pass(99);
        assert_eq!(browser.who(&at).as_deref(), Some("ada"));
    }
    town.pass(72);
    assert_eq!(browser.who(&at), None);
    assert!(town.issuer().sent.len() > 20, "it was refreshed, and that made it no longer");
}

#[test]
fn se_34_an_unused_session_ends_and_a_used_one_does_not() {
    let town = Town::new();
    let at = town.instance_of(town.site().idle_limit(Duration::from_secs(600)));
    let (used, unused) = (Browser::signed_in(&at, "ada"), Browser::signed_in(&at, "bob"));
    for _ in 0..5 {
        town.pass(539);
        assert_eq!(used.who(&at).as_deref(), Some("ada"));
    }
    assert_eq!(unused.who(&at), None);
    town.pass(600);
    assert_eq!(used.who(&at), None);
}

#[test]
fn se_34_clocks_that_jump_an_hour_neither_end_a_session_nor_let_one_live_on() {
    for jump in [HOUR, -HOUR] {
        let town = Town::new();
        let site =
            town.site().idle_limit(Duration::from_secs(7_200)).session_age(Duration::from_secs(24 * 3_600));
        let at = town.instance_of(site.refresh_tokens());
        let browser = Browser::signed_in(&at, "ada");
        town.pass(60);
        town.pass(jump);
        assert_eq!(browser.who(&at).as_deref(), Some("ada"), "{jump}");
        town.pass(-jump);
        assert_eq!(browser.who(&at).as_deref(), Some("ada"), "{jump}");
        // An hour late at most, by the hour that the clock was wrong.
        town.pass(7_200 + HOUR);
        assert_eq!(browser.who(&at), None, "{jump}");
        assert!(!town.issuer().reused);
        let browser = Browser::signed_in(&at, "ada");
        for _ in 0..24 {
            town.pass(HOUR + jump);
            browser.who(&at);
            town.pass(-jump);
        }
        assert_eq!(browser.who(&at), None, "the absolute limit holds");
        assert!(!town.issuer().reused);
    }
}

#[test]
fn se_34_a_use_counts_although_somebody_else_writes_the_record_at_the_same_time() {
    let town = Town::new();
    let at = town.instance_of(town.site().idle_limit(Duration::from_secs(600)).refresh_tokens());
    let browser = Browser::signed_in(&at, "ada");
    town.pass(239);
    let is_write = |effect: &Effect| format!("{effect:?}").starts_with("replace");
    let used = town.up_to(town.looks(&at, &browser), is_write);
    town.pass(2);
    // Another request is to refresh the session: it writes that it will, and is heard of no more.
    let killed = town.up_to(town.looks(&at, &browser), |effect| matches!(effect, Effect::Http { .. }));
    assert!(matches!(killed, Errand::Needs(..)), "it came to the provider");
    drop(killed);
    assert!(town.finish(used).unwrap().session.is_some());
    town.pass(500);
    assert_eq!(browser.who(&at).as_deref(), Some("ada"), "it was used 502 seconds ago");
}

#[test]
fn se_34_se_13_clocks_that_jump_an_hour_let_nobody_answer_an_attempt_twice() {
    let in_cookies = || {
        let keys = KeyRing::new([SECRET]).unwrap();
        Vestibule::builder("https://app.example/oauth2/callback").keys(keys).provider(Plain::new())
    };
    let journeys: [&[i64]; 5] =
        [&[HOUR, -HOUR], &[-HOUR, HOUR], &[0, 599], &[599 + HOUR, -HOUR], &[-HOUR, 599, HOUR]];
    for (journey, stored) in journeys.into_iter().flat_map(|journey| [(journey, false), (journey, true)]) {
        let town = Town::new();
        let at = if stored { town.instance() } else { town.instance_of(in_cookies()) };
        let mut browser = Browser::default();
        let callback = browser.begin(&at, "ada");
        let copy = browser.clone();
        assert_eq!(browser.send(&at, callback.clone()).status, 303);
        for jump in journey {
            town.pass(*jump);
            // Whoever signs in has everything forgotten that has ended by this clock.
            Browser::signed_in(&at, "bob");
            let again = copy.clone().send(&at, callback.clone());
            let refusals = ["attempt_already_answered", "attempt_missing", "attempt_expired"];
            assert!(refusals.contains(&code(&again).as_str()), "{journey:?} {stored}: {again:?}");
        }
        let codes = town.issuer().codes.clone();
        assert_eq!(codes.iter().filter(|code| *code == "ada").count(), 1, "{journey:?} {stored}");
    }
}

#[test]
fn se_34_se_13_a_clock_put_back_while_an_answer_is_written_down_does_not_make_it_be_forgotten() {
    let town = Town::new();
    let at = town.instance();
    let mut browser = Browser::default();
    let callback = browser.begin(&at, "ada");
    let head = browser.head(callback.clone());
    let begun = at.vestibule().handle(&head, b"", town.now(), town.seed());
    let writes = |effect: &Effect| format!("{effect:?}").starts_with("insert StoreKey(attempt");
    let stopped = town.run_up_to(begun, writes);
    town.pass(-HOUR);
    assert!(matches!(town.run_up_to(stopped, |_| false), Step::Done(_)));
    // By the store's clock as much has passed as by the instance's: its memory must last to where the attempt ends.
    town.pass(HOUR + 599);
    assert_eq!(code(&browser.send(&at, callback)), "attempt_already_answered");
    assert_eq!(town.issuer().codes.len(), 1);
}
