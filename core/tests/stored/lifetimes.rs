//! Sessions end by themselves: at their absolute limit, and when nobody uses them.

use std::time::Duration;

use crate::town::{Browser, Town};

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
