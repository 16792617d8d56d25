//! Sessions are refreshed: with the newest token, once, whoever asks.

use std::sync::atomic::Ordering;

use vestibule::{config::Builder, response::Event};

use crate::town::{Browser, LIFE, Town};

#[test]
fn se_30_the_newest_refresh_token_is_used_and_none_twice_whichever_instance_asks() {
    let town = Town::new();
    let mut at = town.instance();
    let browser = Browser::signed_in(&at, "ada");
    for round in 0..6 {
        town.pass(LIFE as i64 - 30);
        if round % 2 == 0 {
            // The process has been restarted.
            at = town.instance();
        }
        assert_eq!(browser.who(&at).as_deref(), Some("ada"));
    }
    let sent: Vec<_> = (1..=6).map(|number| format!("canary-refresh-{number}")).collect();
    assert_eq!(town.issuer().sent, sent);
    assert!(!town.issuer().reused);
}

#[test]
fn nothing_is_refreshed_before_it_is_due() {
    let town = Town::new();
    let at = town.instance();
    let browser = Browser::signed_in(&at, "ada");
    for _ in 0..4 {
        town.pass(LIFE as i64 / 5);
        if !town.issuer().sent.is_empty() {
            break;
        }
        assert_eq!(browser.who(&at).as_deref(), Some("ada"));
    }
    // A fifth of its life before the end.
    assert_eq!(town.issuer().sent.len(), 1);
    let plain = town.instance_of(town.site());
    town.pass(LIFE as i64 * 2);
    assert_eq!(browser.who(&plain).as_deref(), Some("ada"));
    assert_eq!(town.issuer().sent.len(), 1, "nobody asked for that");
}

fn fifty_at_once(ago: i64, pace: i64) {
    let town = Town::new();
    let instances = [town.instance(), town.instance()];
    let browser = Browser::signed_in(&instances[0], "ada");
    town.pass(LIFE as i64 + ago);
    town.pace.store(pace, Ordering::SeqCst);
    let looks = (0..50).map(|number| town.looks(&instances[number % 2], &browser));
    let recognised = town.together(looks.collect::<Vec<_>>());
    assert_eq!(town.issuer().sent, ["canary-refresh-1"], "one refresh");
    assert_eq!(recognised.len(), 50);
    for recognition in &recognised {
        let recognition = recognition.as_ref().unwrap();
        let session = town.session(&instances[0], recognition).unwrap();
        assert_eq!(session.identity.username.as_deref(), Some("ada"));
    }
    let told = recognised
        .iter()
        .filter(|recognition| matches!(recognition.as_ref().unwrap().event, Some(Event::Refreshed { .. })));
    assert_eq!(told.count(), 1);
    assert!(!town.issuer().reused);
}

#[test]
fn se_31_fifty_requests_at_two_instances_make_one_refresh() {
    fifty_at_once(-20, 100);
}

#[test]
fn se_31_fifty_requests_with_a_token_that_has_ended_wait_for_one_refresh_of_eight_seconds() {
    fifty_at_once(1, 4_000);
    fifty_at_once(3_600, 4_000);
}

#[test]
fn se_42_a_group_that_was_taken_away_does_not_count_from_the_refresh_on() {
    let town = Town::new();
    let site = |site: Builder| site.refresh_tokens().groups(["staff"]);
    let at = town.instance_of(site(town.site()));
    let browser = Browser::signed_in(&at, "ada");
    town.issuer().groups = vec!["guests"];
    assert_eq!(browser.who(&at).as_deref(), Some("ada"), "nobody has asked the provider yet");
    town.pass(LIFE as i64 - 10);
    assert_eq!(browser.session(&at).unwrap_err().status(), 403);
    town.issuer().groups = vec!["guests", "staff"];
    town.pass(LIFE as i64 - 10);
    assert_eq!(browser.session(&at).unwrap().identity.groups, ["guests", "staff"], "and back again");
}

#[test]
fn se_42_how_old_a_claim_can_get_is_the_sites_to_say() {
    let town = Town::new();
    town.issuer().life = 100_000;
    let at =
        town.instance_of(town.site().refresh_every(std::time::Duration::from_secs(600)).groups(["staff"]));
    let browser = Browser::signed_in(&at, "ada");
    town.issuer().groups.clear();
    town.pass(599);
    assert!(browser.session(&at).is_ok());
    town.pass(1);
    assert_eq!(browser.session(&at).unwrap_err().status(), 403);
}

#[test]
fn se_42_whoever_is_no_member_any_more_by_the_providers_own_rule_is_signed_out() {
    let town = Town::new();
    let at = town.instance();
    let browser = Browser::signed_in(&at, "ada");
    town.issuer().groups = vec!["expelled"];
    town.pass(LIFE as i64 - 10);
    assert_eq!(browser.who(&at), None);
}
