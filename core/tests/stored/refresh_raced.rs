//! Refreshes that are overtaken, and instances that die in the middle of one.

use vestibule::{exchange::Purpose, flow::Effect, store::StoreRequest};

use crate::town::{Browser, LIFE, Town};

/// Where a run is stopped.
type Stop<'s> = &'s dyn Fn(&Effect) -> bool;

const DUE: i64 = LIFE as i64 - 10;

fn is_token_call(effect: &Effect) -> bool {
    matches!(effect, Effect::Http { purpose: Purpose::Refresh, .. })
}

fn is_write(effect: &Effect) -> bool {
    matches!(effect, Effect::Store(StoreRequest::Replace { .. }))
}

#[test]
fn an_instance_that_dies_in_the_middle_of_a_refresh_signs_nobody_out() {
    // Before the token goes out, while it is on its way, and when the new ones have come.
    let asks_who = |effect: &Effect| matches!(effect, Effect::Http { purpose: Purpose::Profile, .. });
    let stops: [(Stop<'_>, usize); 3] = [(&is_token_call, 0), (&asks_who, 1), (&is_write, 0)];
    for (number, (stop, sent)) in stops.into_iter().enumerate() {
        let town = Town::new();
        let (dying, living) = (town.instance(), town.instance());
        let browser = Browser::signed_in(&dying, "ada");
        town.pass(DUE);
        drop(town.up_to(town.looks(&dying, &browser), stop));
        assert_eq!(town.issuer().sent.len(), sent);
        for _ in 0..100 {
            assert_eq!(browser.who(&living).as_deref(), Some("ada"));
            town.pass(7);
        }
        let is_unsent = number == 2;
        assert_eq!(town.issuer().sent.len(), sent + if is_unsent { 3 } else { 0 }, "{number}");
        assert!(!town.issuer().reused, "no token was sent for the second time");
    }
}

#[test]
fn se_30_whoever_was_stopped_before_the_token_went_out_does_not_send_one_that_somebody_else_has_sent() {
    let town = Town::new();
    let (slow, fast) = (town.instance(), town.instance());
    let browser = Browser::signed_in(&slow, "ada");
    town.pass(DUE);
    // It has the turn and is about to write that down when the store's clock jumps, and the turn is over.
    let stopped = town.up_to(town.looks(&slow, &browser), is_write);
    town.pass(21);
    let sending = town.up_to(town.looks(&fast, &browser), |effect| {
        matches!(effect, Effect::Http { purpose: Purpose::Profile, .. })
    });
    assert_eq!(town.issuer().sent.len(), 1);
    town.pass(-21);
    let late = town.finish(stopped).unwrap();
    assert!(late.session.is_some());
    assert!(town.finish(sending).unwrap().session.is_some());
    assert_eq!(town.issuer().sent, ["canary-refresh-1"]);
    assert!(!town.issuer().reused);
    assert_eq!(browser.who(&slow).as_deref(), Some("ada"));
}

#[test]
fn an_answer_that_comes_after_its_turn_is_still_taken() {
    let town = Town::new();
    let (slow, other) = (town.instance(), town.instance());
    let browser = Browser::signed_in(&slow, "ada");
    town.pass(DUE);
    let asks_who = |effect: &Effect| matches!(effect, Effect::Http { purpose: Purpose::Profile, .. });
    let stopped = town.up_to(town.looks(&slow, &browser), asks_who);
    town.pass(5);
    let got = town.up_to(stopped, is_write);
    town.pass(20);
    // Somebody else finds a token that nobody has come back with.
    assert_eq!(browser.who(&other).as_deref(), Some("ada"));
    assert!(town.finish(got).unwrap().session.is_some());
    town.pass(DUE);
    assert_eq!(browser.who(&other).as_deref(), Some("ada"));
    assert_eq!(town.issuer().sent, ["canary-refresh-1", "canary-refresh-2"]);
    assert!(!town.issuer().reused);
}
