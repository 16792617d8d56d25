//! The catalogue of attacks on sign-ins under way, as far as `hostile.rs` does not have it: codes and attempts that
//! change hands, accounts that change places, and many at once.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use std::{collections::VecDeque, sync::Arc};

use proptest::prelude::RngCore;
use vestibule::{
    exchange::Purpose,
    flow::{Answer, Claim, Decision, Effect, Step},
    request::PlainHead,
    session::Session,
};
use world::{Asked, Browser, Plain, World, builder, refused};

fn session(world: &World, browser: &Browser) -> Session {
    world.vestibule.session(&browser.with_cookies(PlainHead::fetch("/")), world.now).unwrap()
}

#[test]
fn se_02_state_is_sent_and_needed_by_every_provider() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let asked = browser.begin(&mut world, "/");
    assert!(asked.parameter("state").len() >= 43);
    for target in ["/oauth2/callback?code=a", "/oauth2/callback?code=a&state="] {
        assert_eq!(refused(&browser.visit(&mut world, target)), (400, "callback_malformed".into()));
    }
    assert_eq!(
        refused(&browser.visit(&mut world, "/oauth2/callback?code=a&state=other")).1,
        "state_mismatch"
    );
    assert!(world.asked.is_empty() && !browser.is_signed_in(&world));
}

#[test]
fn se_05_no_address_carries_an_attempt_or_a_session_into_another_browser() {
    let mut world = World::new();
    let mut attacker = Browser::default();
    let asked = attacker.begin(&mut world, "/");
    let (name, sealed) = attacker.jar.iter().next().unwrap();
    let mut victim = Browser::default();
    for extra in [
        format!("tx={sealed}"),
        format!("session={sealed}"),
        format!("sid={sealed}"),
        format!("{name}={sealed}"),
        format!("cookie={name}={sealed}"),
    ] {
        let response = victim.visit(&mut world, &asked.callback(&format!("code=a&{extra}")));
        assert_eq!(refused(&response), (400, "attempt_missing".into()), "{extra}");
    }
    attacker.come_back(&mut world, &asked);
    let cookie = attacker.jar["__Host-vestibule"].clone();
    let response =
        victim.visit(&mut world, &format!("/oauth2/auth?__Host-vestibule={cookie}&session={cookie}"));
    assert_eq!(response.status, 401);
    let header = PlainHead::fetch("/oauth2/auth").with("authorization", format!("Bearer {cookie}"));
    assert_eq!(world.handle(header.with("x-session", cookie)).response.status, 401);
}

#[test]
fn se_09_another_person_in_the_same_browser_inherits_nothing() {
    let mut world =
        World::of(builder().provider(Plain::new("plain")).keep_groups(vestibule::config::Keep::All));
    let mut browser = Browser::default();
    world.profile = serde_json::json!({
        "id": 1, "login": "a", "name": "A", "email": "a@a.example", "verified": true, "groups": ["admins"]
    });
    browser.sign_in(&mut world, "/");
    let first = session(&world, &browser);
    world.profile = serde_json::json!({"id": 2});
    browser.sign_in(&mut world, "/");
    let second = session(&world, &browser);
    assert_ne!(first.id, second.id);
    let identity = second.identity;
    assert_eq!((identity.subject.as_str(), identity.groups.len()), ("2", 0));
    assert_eq!(
        (identity.username, identity.name, identity.email, identity.email_verified),
        (None, None, None, false)
    );
}

#[test]
fn se_10_a_code_of_one_tab_does_not_pass_with_the_verifier_of_another() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let one = browser.begin(&mut world, "/one");
    let two = browser.begin(&mut world, "/two");
    world.codes.insert("code-one".into(), one.parameter("code_challenge"));
    world.codes.insert("code-two".into(), two.parameter("code_challenge"));
    let response = browser.visit(&mut world, &two.callback("code=code-one"));
    assert_eq!(refused(&response), (502, "token_refused".into()));
    assert_eq!(world.token_requests.len(), 1);
    assert!(!browser.is_signed_in(&world));
    assert_eq!(browser.visit(&mut world, &one.callback("code=code-one")).status, 303);
}

#[test]
fn se_12_a_stolen_code_is_worth_nothing_in_another_browser() {
    let mut world = World::new();
    let (mut victim, mut attacker) = (Browser::default(), Browser::default());
    let victims = victim.begin(&mut world, "/");
    world.codes.insert("stolen".into(), victims.parameter("code_challenge"));
    let attackers = attacker.begin(&mut world, "/");
    let response = attacker.visit(&mut world, &attackers.callback("code=stolen"));
    assert_eq!(refused(&response), (502, "token_refused".into()));
    assert!(!attacker.is_signed_in(&world));
}

#[test]
fn se_14_back_onto_a_callback_that_was_answered_just_goes_on() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let asked = browser.begin(&mut world, "/deep");
    browser.come_back(&mut world, &asked);
    world.wait(3_600);
    world.asked.clear();
    let back = browser.come_back(&mut world, &asked);
    assert_eq!((back.status, back.get("location")), (303, Some("https://app.example/")));
    assert_eq!(world.asked, []);
}

#[test]
fn se_20_a_code_of_the_honest_provider_never_reaches_the_evil_one() {
    let mut world = World::of(builder().provider(Plain::new("evil")).provider(Plain::new("honest")));
    let mut browser = Browser::default();
    let evil = Asked::of(&browser.visit(&mut world, "/oauth2/start/evil"));
    // The evil provider has sent the browser on to the honest one; its answer comes back, wherever to.
    let honest_iss = "code=a&iss=https%3A%2F%2Fhonest.example";
    let response = browser.visit(&mut world, &evil.callback(honest_iss));
    assert_eq!(refused(&response), (400, "issuer_mismatch".into()));
    for outcome in ["code=a", honest_iss] {
        let evil = Asked::of(&browser.visit(&mut world, "/oauth2/start/evil"));
        let at_honest = evil.callback(outcome).replace("/callback/evil", "/callback/honest");
        assert_eq!(refused(&browser.visit(&mut world, &at_honest)), (400, "provider_mismatch".into()));
    }
    assert_eq!(world.asked, []);
}

#[test]
fn se_21_two_clients_at_one_issuer_do_not_take_each_others_answers() {
    let tenant = |id: &str| {
        let at = |path: &str| url::Url::parse(&format!("https://op.example/{path}")).unwrap();
        let spec = vestibule::oauth2::OAuth2Spec::new(id, id, at("authorize"), at("token"), id, None);
        Plain::of(spec.issuer("https://op.example"))
    };
    let mut world = World::of(builder().provider(tenant("red")).provider(tenant("blue")));
    let mut browser = Browser::default();
    let red = Asked::of(&browser.visit(&mut world, "/oauth2/start/red"));
    let blue = Asked::of(&browser.visit(&mut world, "/oauth2/start/blue"));
    for (asked, from, to) in [(&red, "/red", "/blue"), (&blue, "/blue", "/red")] {
        let crossed = asked.callback("code=a&iss=https%3A%2F%2Fop.example").replacen(from, to, 1);
        assert_eq!(refused(&browser.visit(&mut world, &crossed)), (400, "provider_mismatch".into()));
    }
    assert_eq!(world.asked, []);
}

/// One sign-in among many, between two of its effects.
struct Running {
    user: u64,
    browser: Browser,
    step: Step,
}

#[test]
fn se_24_ten_thousand_interleaved_sign_ins_end_each_in_its_own_persons_session() {
    let mut world = World::new();
    let mut chance =
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    let mut running: VecDeque<Running> = VecDeque::new();
    let (mut begun, mut ended) = (0_u64, 0);
    while ended < 10_000 {
        if begun < 10_000 && running.len() < 200 {
            let mut browser = Browser::default();
            let asked = browser.begin(&mut world, "/");
            let head =
                browser.with_cookies(PlainHead::navigation(&asked.callback(&format!("code=user-{begun}"))));
            let seed = world.seed();
            let step = Arc::clone(&world.vestibule).handle(&head, b"", world.now, seed);
            running.push_back(Running { user: begun, browser, step });
            begun += 1;
            continue;
        }
        let index = usize::try_from(chance.next_u64() % running.len() as u64).unwrap();
        let Running { user, mut browser, step } = running.swap_remove_back(index).unwrap();
        match step {
            Step::Done(outcome) => {
                browser.take(&outcome.response);
                assert_eq!(session(&world, &browser).identity.subject, user.to_string());
                ended += 1;
            }
            Step::Needs(effect, machine) => {
                let step = machine.step(answer(&effect), world.now);
                running.push_back(Running { user, browser, step });
            }
        }
    }
}

/// A provider that knows each person by the code, and then by the token.
fn answer(effect: &Effect) -> Answer {
    let reply = |body: String| Answer::Http(Ok(http::Response::new(body.into_bytes())));
    match effect {
        Effect::Claim { .. } => Answer::Claim(Claim::First),
        Effect::Decide(_) => Answer::Decide(Some(Decision::allow())),
        Effect::Http { purpose: Purpose::Token, request, .. } => {
            let code =
                url::form_urlencoded::parse(request.body()).find(|(name, _)| name == "code").unwrap().1;
            reply(format!(r#"{{"access_token":"token-of-{code}","token_type":"bearer"}}"#))
        }
        Effect::Http { request, .. } => {
            let token = request.headers()["authorization"].to_str().unwrap();
            reply(format!(r#"{{"id":{}}}"#, token.strip_prefix("Bearer token-of-user-").unwrap()))
        }
        other => panic!("nobody asked for that: {other:?}"),
    }
}

#[test]
fn se_25_another_instance_or_the_same_one_restarted_finishes_what_was_begun() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let asked = browser.begin(&mut world, "/deep");
    world.vestibule = World::new().vestibule;
    assert_eq!(browser.come_back(&mut world, &asked).get("location"), Some("https://app.example/deep"));
    assert!(browser.is_signed_in(&world));
}

#[test]
fn se_27_accounts_are_told_apart_by_issuer_and_subject_and_never_joined_by_an_address() {
    let mut world = World::of(builder().provider(Plain::new("one")).provider(Plain::new("two")));
    let mut accounts = Vec::new();
    for verified in [serde_json::json!(true), false.into(), "true".into(), serde_json::Value::Null] {
        world.profile["verified"] = verified;
        for provider in ["one", "two"] {
            let mut browser = Browser::default();
            let asked = Asked::of(&browser.visit(&mut world, &format!("/oauth2/start/{provider}")));
            browser.come_back(&mut world, &asked);
            let identity = session(&world, &browser).identity;
            assert_eq!(identity.email_verified, world.profile["verified"] == true);
            accounts.push((identity.issuer, identity.subject));
        }
    }
    accounts.sort();
    accounts.dedup();
    assert_eq!(accounts.len(), 2, "the same number at two issuers is two accounts: {accounts:?}");
}
