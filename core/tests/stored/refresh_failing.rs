//! Refreshes that fail: what ends a session, and what does not.

use vestibule::exchange::HttpFailure;

use crate::{
    issuer::Instead,
    town::{Browser, LIFE, Town},
};

const DUE: i64 = LIFE as i64 - 10;

#[test]
fn se_32_a_grant_that_is_over_ends_the_session() {
    let town = Town::new();
    let at = town.instance();
    let browser = Browser::signed_in(&at, "ada");
    town.issuer().forget_everybody();
    town.pass(DUE);
    assert_eq!(browser.who(&at), None);
    assert_eq!(browser.who(&town.instance()), None);
    assert_eq!(town.issuer().sent.len(), 1);
}

#[test]
fn se_32_an_outage_keeps_the_session_and_there_is_one_try_in_thirty_seconds() {
    for instead in [Instead::Status(503), Instead::Status(500), Instead::Unheard(HttpFailure::Connect)] {
        let town = Town::new();
        let instances = [town.instance(), town.instance()];
        let browser = Browser::signed_in(&instances[0], "ada");
        town.issuer().instead.insert("refresh", instead);
        // Beyond the end of the access token too.
        town.pass(DUE);
        for second in 0..300 {
            assert_eq!(browser.who(&instances[second % 2]).as_deref(), Some("ada"));
            town.pass(1);
        }
        let tries = town.issuer().sent.len();
        assert_eq!(tries, 10, "{instead:?}");
        town.issuer().instead.clear();
        town.pass(30);
        assert_eq!(browser.who(&instances[0]).as_deref(), Some("ada"));
        assert_eq!(town.issuer().sent.len(), tries + 1);
        town.pass(DUE);
        assert_eq!(browser.who(&instances[0]).as_deref(), Some("ada"));
        assert_eq!(town.issuer().sent.last().unwrap(), "canary-refresh-2", "it goes on from there");
        assert!(!town.issuer().reused);
    }
}

#[test]
fn se_32_a_token_whose_answer_was_lost_is_not_sent_again_and_the_person_stays() {
    for (path, instead) in [
        ("refresh", Instead::Lost),
        ("refresh", Instead::Garbage),
        ("refresh", Instead::Unheard(HttpFailure::Broken)),
        // Somebody in between waited in vain for a provider that went on.
        ("refresh", Instead::Status(504)),
        // The new tokens came, and then no word of who that is: the old one is used up all the same.
        ("user", Instead::Garbage),
        ("user", Instead::Status(404)),
    ] {
        let town = Town::new();
        let at = town.instance();
        let browser = Browser::signed_in(&at, "ada");
        town.issuer().instead.insert(path, instead);
        town.pass(DUE);
        assert_eq!(browser.who(&at).as_deref(), Some("ada"));
        town.issuer().instead.clear();
        for _ in 0..50 {
            town.pass(31);
            assert_eq!(browser.who(&at).as_deref(), Some("ada"), "{path}: {instead:?}");
        }
        assert_eq!(town.issuer().sent, ["canary-refresh-1"], "{path}: {instead:?}");
        assert!(!town.issuer().reused);
    }
}

#[test]
fn se_32_new_tokens_are_not_lost_because_the_provider_does_not_say_who_it_is_about() {
    for instead in [Instead::Status(503), Instead::Unheard(HttpFailure::Connect), Instead::Lost] {
        let town = Town::new();
        let at = town.instance_of(town.site().refresh_tokens().groups(["staff"]));
        let browser = Browser::signed_in(&at, "ada");
        town.issuer().instead.insert("user", instead);
        town.pass(DUE);
        assert_eq!(browser.who(&at).as_deref(), Some("ada"), "as whom it was known");
        town.issuer().instead.clear();
        town.issuer().groups.clear();
        town.pass(DUE);
        assert_eq!(browser.session(&at).unwrap_err().status(), 403, "{instead:?}");
        assert_eq!(town.issuer().sent, ["canary-refresh-1", "canary-refresh-2"]);
        assert!(!town.issuer().reused);
    }
}

#[test]
fn se_33_somebody_else_in_a_refresh_ends_the_session_and_is_never_taken_for_it() {
    let town = Town::new();
    let at = town.instance();
    let browser = Browser::signed_in(&at, "ada");
    town.issuer().mistaken_for = Some("mallory");
    town.pass(DUE);
    assert_eq!(browser.who(&at), None);
    town.issuer().mistaken_for = None;
    assert_eq!(browser.who(&at), None);
}

#[test]
fn se_33_a_name_that_cannot_stand_in_a_header_is_not_taken_from_a_refresh() {
    let town = Town::new();
    let at = town.instance();
    let browser = Browser::signed_in(&at, "ada");
    town.issuer().login = Some("a\nb");
    town.pass(DUE);
    assert_eq!(browser.who(&at).as_deref(), Some("ada"), "the identity stays what it was");
}
