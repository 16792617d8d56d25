//! Callbacks that must not end in a session. Most must not even reach the provider.

mod world;

use vestibule::{
    exchange::{HttpFailure, Purpose},
    flow::Claim,
    request::PlainHead,
};
use world::{Browser, Plain, World, builder, refused};

/// No session, and the provider was asked nothing.
fn nothing_came_of_it(world: &World, browser: &Browser) {
    assert!(!browser.is_signed_in(world));
    assert_eq!(world.asked, [], "the provider was asked");
}

#[test]
fn se_01_a_callback_in_another_browser_signs_nobody_in() {
    let mut world = World::new();
    let mut attacker = Browser::default();
    let asked = attacker.begin(&mut world, "/");
    let mut victim = Browser::default();
    let response = victim.come_back(&mut world, &asked);
    assert_eq!(refused(&response), (400, "attempt_missing".into()));
    nothing_came_of_it(&world, &victim);

    victim.begin(&mut world, "/");
    let response = victim.come_back(&mut world, &asked);
    assert_eq!(refused(&response), (400, "state_mismatch".into()));
    nothing_came_of_it(&world, &victim);
    assert_eq!(victim.jar.len(), 1, "the victim's own attempt is still alive");
}

#[test]
fn se_03_a_callback_again_asks_nobody_and_leaves_the_session_alone() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let asked = browser.begin(&mut world, "/");
    browser.come_back(&mut world, &asked);
    let before = browser.jar["__Host-vestibule"].clone();
    world.asked.clear();
    let again = browser.come_back(&mut world, &asked);
    assert_eq!((again.status, again.get("location")), (303, Some("https://app.example/")));
    assert_eq!((world.asked.len(), &browser.jar["__Host-vestibule"]), (0, &before));
}

#[test]
fn se_04_the_time_is_up_inside_the_cookie_too() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let asked = browser.begin(&mut world, "/");
    world.wait(599);
    assert_eq!(browser.clone().come_back(&mut world, &asked).status, 303);
    world.asked.clear();
    world.wait(1);
    let response = browser.come_back(&mut world, &asked);
    assert_eq!(refused(&response), (400, "attempt_expired".into()));
    nothing_came_of_it(&world, &browser);
    assert!(browser.jar.is_empty(), "it is used up: {:?}", browser.jar.keys());
}

#[test]
fn se_06_states_and_attempts_cannot_be_swapped_or_changed() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let one = browser.begin(&mut world, "/one");
    let two = browser.begin(&mut world, "/two");
    let names: Vec<_> = browser.jar.keys().cloned().collect();
    let mut swapped = browser.clone();
    swapped.jar.insert(names[0].clone(), browser.jar[&names[1]].clone());
    swapped.jar.insert(names[1].clone(), browser.jar[&names[0]].clone());
    for asked in [&one, &two] {
        assert_eq!(refused(&swapped.come_back(&mut world, asked)), (400, "attempt_missing".into()));
    }
    nothing_came_of_it(&world, &swapped);
    let mut changed = browser.clone();
    for value in changed.jar.values_mut() {
        value.replace_range(40..41, if &value[40..41] == "A" { "B" } else { "A" });
    }
    assert_eq!(refused(&changed.come_back(&mut world, &one)), (400, "attempt_missing".into()));
    nothing_came_of_it(&world, &changed);
}

#[test]
fn se_08_a_planted_session_cookie_is_replaced() {
    let mut world = World::new();
    let mut attacker = Browser::default();
    attacker.sign_in(&mut world, "/");
    let planted = attacker.jar["__Host-vestibule"].clone();
    let mut victim = Browser::default();
    victim.jar.insert("__Host-vestibule".into(), planted.clone());
    world.profile["id"] = 8.into();
    victim.sign_in(&mut world, "/");
    assert_ne!(victim.jar["__Host-vestibule"], planted);
    let id = |world: &World, browser: &Browser| {
        let session =
            world.vestibule.session(&browser.with_cookies(PlainHead::fetch("/")), world.now).unwrap();
        (session.id, session.identity.subject)
    };
    assert_ne!(id(&world, &victim).0, id(&world, &attacker).0);
    assert_eq!(id(&world, &victim).1, "8");
}

#[test]
fn se_13_a_copy_of_a_callback_makes_no_second_token_call() {
    let mut world = World::new();
    world.claim = Claim::Taken;
    let mut browser = Browser::default();
    let asked = browser.begin(&mut world, "/deep");
    let response = browser.come_back(&mut world, &asked);
    assert_eq!(refused(&response), (400, "attempt_already_answered".into()));
    assert!(String::from_utf8(response.body).unwrap().contains("href=\"/deep\""));
    nothing_came_of_it(&world, &browser);
}

#[test]
fn se_15_a_cancelled_sign_in_says_so_and_leaves_other_tabs_alone() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let one = browser.begin(&mut world, "/one");
    let two = browser.begin(&mut world, "/two");
    let query = "error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E";
    let response = browser.visit(&mut world, &one.callback(query));
    assert_eq!(refused(&response), (403, "access_denied".into()));
    let html = String::from_utf8(response.body).unwrap();
    assert!(!html.contains("alert") && html.contains("/oauth2/sign_in?rd=%2Fone&amp;switch=1"), "{html}");
    assert_eq!(browser.jar.len(), 1, "its own attempt is used up: {:?}", browser.jar.keys());
    let foreign = browser.visit(&mut world, "/oauth2/callback?error=access_denied&state=foreign");
    assert_eq!(refused(&foreign), (400, "state_mismatch".into()));
    assert_eq!(browser.come_back(&mut world, &two).get("location"), Some("https://app.example/two"));
}

#[test]
fn se_17_doubled_or_contradicting_parameters_are_refused_and_consume_nothing() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let asked = browser.begin(&mut world, "/");
    for outcome in ["code=a&code=b", "code=a&error=access_denied", "code=", "iss=a&iss=b&code=a", ""] {
        let response = browser.visit(&mut world, &asked.callback(outcome));
        assert_eq!(refused(&response), (400, "callback_malformed".into()), "{outcome}");
    }
    nothing_came_of_it(&world, &browser);
    assert_eq!(browser.come_back(&mut world, &asked).status, 303);
}

#[test]
fn se_18_an_answer_in_another_way_than_the_provider_answers_is_refused() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let asked = browser.begin(&mut world, "/");
    let query = asked.callback("code=a").split_once('?').unwrap().1.to_owned();
    let post = PlainHead::new("POST", "/oauth2/callback").with("sec-fetch-mode", "navigate");
    let outcome = world.record(browser.with_cookies(post), query.as_bytes()).outcome;
    assert_eq!(refused(&outcome.response), (400, "callback_malformed".into()));
    let both = PlainHead::new("POST", &asked.callback("code=a")).with("sec-fetch-mode", "navigate");
    let outcome = world.record(browser.with_cookies(both), query.as_bytes()).outcome;
    assert_eq!(refused(&outcome.response), (400, "callback_malformed".into()));
    nothing_came_of_it(&world, &browser);
}

#[test]
fn se_19_an_answer_at_another_providers_address_is_refused() {
    let mut world = World::of(builder().provider(Plain::new("one")).provider(Plain::new("two")));
    let mut browser = Browser::default();
    let asked = world::Asked::of(&browser.visit(&mut world, "/oauth2/start/one"));
    for path in ["/oauth2/callback/two", "/oauth2/callback"] {
        let target = asked.callback("code=a").replace("/oauth2/callback/one", path);
        let asked_again = browser.clone().visit(&mut world, &target);
        assert_eq!(refused(&asked_again), (400, "provider_mismatch".into()), "{path}");
        let used_up =
            asked_again.set_cookies().any(|line| line.contains("_try_") && line.contains("Max-Age=0"));
        assert!(used_up, "whatever answers a callback takes the attempt away");
    }
    nothing_came_of_it(&world, &browser);
}

#[test]
fn se_22_another_issuer_in_the_answer_is_refused_before_anybody_is_asked() {
    let mut world = World::new();
    for (iss, passes) in [
        ("https%3A%2F%2Fplain.example", true),
        ("https%3A%2F%2Fplain.example%2F", false),
        ("https%3A%2F%2Fevil.example", false),
        ("", false),
    ] {
        let mut browser = Browser::default();
        let asked = browser.begin(&mut world, "/");
        world.asked.clear();
        let response = browser.visit(&mut world, &asked.callback(&format!("code=a&iss={iss}")));
        assert_eq!(
            (browser.is_signed_in(&world), world.asked.is_empty()),
            (passes, !passes),
            "{iss}: {response:?}"
        );
    }
}

#[test]
fn se_23_a_cookie_of_one_purpose_is_nothing_in_anothers_place() {
    let mut world = World::new();
    let mut browser = Browser::default();
    browser.begin(&mut world, "/");
    browser.send(&mut world, PlainHead::navigation("/oauth2/auth").with("x-auth-request-redirect", "/x"));
    let values: Vec<_> = browser.jar.values().cloned().collect();
    assert_eq!(values.len(), 2);
    for value in values {
        let mut confused = Browser::default();
        confused.jar.insert("__Host-vestibule".into(), value);
        assert!(!confused.is_signed_in(&world));
    }
    // Read as a number of rounds, a path is far more than three of them.
    let mut confused = Browser::default();
    confused.jar.insert("__Host-vestibule_rounds".into(), browser.jar["__Host-vestibule_to"].clone());
    assert_eq!(confused.visit(&mut world, "/oauth2/sign_in").status, 303);
}

#[test]
fn se_40_the_third_round_without_a_cookie_ends_on_a_page_that_names_it() {
    let mut world = World::new();
    let mut browser = Browser::default();
    for _ in 0..3 {
        assert_eq!(browser.sign_in(&mut world, "/deep").status, 303);
        browser.jar.remove("__Host-vestibule").unwrap();
    }
    let response = browser.visit(&mut world, "/oauth2/sign_in?rd=/deep");
    assert_eq!(refused(&response), (400, "session_cookie_lost".into()));
    assert!(String::from_utf8(response.body).unwrap().contains("called __Host-vestibule."));
    world.wait(61);
    assert_eq!(
        browser.visit(&mut world, "/oauth2/sign_in?rd=/deep").status,
        303,
        "a minute later it may try again"
    );
}

#[test]
fn a_failing_provider_ends_on_a_page_and_never_in_a_session() {
    for (failure, token_reply, expected) in [
        (Some(HttpFailure::Connect), (200, ""), (503, "provider_unreachable")),
        (Some(HttpFailure::TimedOut), (200, ""), (503, "provider_unreachable")),
        (Some(HttpFailure::TooLarge), (200, ""), (502, "provider_answer_invalid")),
        (None, (200, r#"{"error":"bad_verification_code"}"#), (502, "token_refused")),
        (None, (200, "<html>"), (502, "provider_answer_invalid")),
        (None, (302, ""), (502, "provider_answer_invalid")),
        (None, (503, ""), (503, "provider_unreachable")),
        (None, (401, r#"{"error":"invalid_client"}"#), (502, "token_refused")),
    ] {
        let mut world = World::new();
        let mut browser = Browser::default();
        let asked = browser.begin(&mut world, "/");
        world.failure = failure;
        world.token_reply = (token_reply.0, token_reply.1.to_owned());
        let response = browser.come_back(&mut world, &asked);
        assert_eq!(refused(&response), (expected.0, expected.1.to_owned()), "{failure:?} {token_reply:?}");
        assert_eq!(world.asked, [Purpose::Token], "a code is sent once");
        assert!(!browser.is_signed_in(&world) && browser.jar.is_empty());
    }
}

#[test]
fn a_conversation_ends_when_its_time_is_up() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let asked = browser.begin(&mut world, "/");
    world.pace = std::time::Duration::from_secs(8);
    let response = browser.come_back(&mut world, &asked);
    assert_eq!(refused(&response), (503, "provider_unreachable".into()));
    assert_eq!(world.asked, [Purpose::Token], "after 16 of 15 seconds nothing more is asked");
}
