//! Pages of the application's own: people are sent to its sign-in page, and land where it says.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod world;

use vestibule::{
    Vestibule,
    config::{Builder, ConfigError, Flavour, SignInWith},
    flow::{Outcome, Step},
    paths::{Endpoint, Paths},
    refusal::Refusal,
    request::PlainHead,
    response::Response,
};
use world::{Browser, ORIGIN, Plain, World, builder, refused};

fn site() -> Builder {
    builder().provider(Plain::new("plain"))
}

fn location(response: &Response) -> &str {
    assert_eq!(response.status, 303, "{response:?}");
    let location = response.get("location").unwrap();
    location.strip_prefix(ORIGIN).unwrap_or(location)
}

fn turned_back(world: &World, target: &str) -> Outcome {
    world.vestibule.turn_back(&PlainHead::navigation(target), Refusal::SignInRequired)
}

fn problems(built: Result<Vestibule, ConfigError>) -> Vec<(&'static str, String)> {
    let problems = built.err().map(|error| error.problems).unwrap_or_default();
    problems.into_iter().map(|problem| (problem.field, problem.fault)).collect()
}

#[test]
fn whoever_must_sign_in_is_sent_to_the_application_s_page_and_lands_where_that_says() {
    let mut world = World::of(site().sign_in_page("/welcome").land_on("/home?new=1"));
    assert_eq!(location(&turned_back(&world, "/home?new=1").response), "/welcome");
    assert_eq!(location(&turned_back(&world, "/").response), "/welcome?rd=%2F");
    let deep = turned_back(&world, "/deep?x=1").response;
    assert_eq!(location(&deep), "/welcome?rd=%2Fdeep%3Fx%3D1");
    let script = world.vestibule.turn_back(&PlainHead::fetch("/deep"), Refusal::SignInRequired);
    assert_eq!(refused(&script.response), (401, "sign_in_required".to_owned()));

    for (link, landing) in [("/oauth2/start", "/home?new=1"), ("/oauth2/start/plain?rd=/deep", "/deep")] {
        let mut browser = Browser::default();
        let asked = world::Asked::of(&browser.visit(&mut world, link));
        assert_eq!(location(&browser.come_back(&mut world, &asked)), landing, "{link}");
        assert!(browser.is_signed_in(&world));
    }
}

#[test]
fn a_target_that_is_none_counts_as_not_said_wherever_a_sign_in_begins_or_ends() {
    let mut world = World::of(site().sign_in_page("/welcome").land_on("/home"));
    let long = format!("/{}", "x".repeat(1_900));
    for link in [
        "/oauth2/start?rd=https://elsewhere.example/",
        "/oauth2/start?rd=/welcome",
        &format!("/oauth2/start?rd={long}"),
    ] {
        let mut browser = Browser::default();
        let asked = world::Asked::of(&browser.visit(&mut world, link));
        assert_eq!(location(&browser.come_back(&mut world, &asked)), "/home", "{}", &link[..30]);
        // Back onto a callback that was answered long ago, and to the page to sign in at.
        assert_eq!(location(&browser.come_back(&mut world, &asked)), "/home");
        assert_eq!(location(&browser.visit(&mut world, "/oauth2/sign_in")), "/home");
    }
    let mut browser = Browser::default();
    let begins = world.vestibule.begin(&PlainHead::navigation("/x"), &SignInWith::new(), world.now, [9; 32]);
    let Step::Done(begun) = begins else { panic!("a plain provider needs nothing to begin") };
    browser.take(&begun.response);
    let asked = world::Asked::of(&begun.response);
    assert_eq!(location(&browser.come_back(&mut world, &asked)), "/home");
}

#[test]
fn pages_of_ours_lead_to_the_application_s_and_signing_out_leads_where_it_did() {
    let mut world = World::of(site().sign_in_page("/welcome").land_on("/home"));
    let mut browser = Browser::default();
    let asked = browser.begin(&mut world, "/deep");
    let cancelled = browser.visit(&mut world, &asked.callback("error=access_denied"));
    let page = String::from_utf8(cancelled.body).unwrap();
    assert!(page.contains("\"/welcome?rd=%2Fdeep"), "{page}");
    let ended = browser.visit(&mut world, "/oauth2/sign_out");
    let page = String::from_utf8(ended.body).unwrap();
    assert!(ended.status == 200 && page.contains("\"/welcome\""), "{page}");
    assert_eq!(location(&browser.visit(&mut world, "/oauth2/sign_out?rd=/")), "/");
}

#[test]
fn a_guard_around_the_page_is_a_mistake_and_no_loop() {
    let site = || site().sign_in_page("/welcome").trusted_proxies(["10.0.0.1"]);
    let world = World::of(site());
    for target in ["/welcome", "/welcome?rd=%2Fdeep"] {
        assert_eq!(refused(&turned_back(&world, target).response), (500, "endpoint_guarded".to_owned()));
    }
    let mut world = World::of(site().flavour(Flavour::ForwardAuth));
    let question = |uri: &str| {
        PlainHead::navigation("/oauth2/auth")
            .with("x-forwarded-method", "GET")
            .with("x-forwarded-host", "app.example")
            .with("x-forwarded-uri", uri)
            .from_peer([10, 0, 0, 1].into())
    };
    let answer = world.handle(question("/welcome?rd=%2Fdeep")).response;
    assert_eq!(refused(&answer), (500, "endpoint_guarded".to_owned()));
    assert_eq!(location(&world.handle(question("/deep")).response), "/welcome?rd=%2Fdeep");
}

#[test]
fn what_is_no_page_and_no_place_to_land_on_is_a_problem_with_a_remedy() {
    for path in ["welcome", "/welcome/", "/a//b", "/a?b", "https://app.example/welcome", ""] {
        let found = problems(site().sign_in_page(path).build());
        assert_eq!(found, [("sign_in_page", format!("`{path}` is not a plain path"))]);
    }
    let taken = problems(site().sign_in_page("/oauth2/start").build());
    assert_eq!(taken, [("sign_in_page", "at `/oauth2/start` an endpoint answers".to_owned())]);
    let paths = Paths::default().rename(Endpoint::SignIn, "/oauth2/choose");
    assert!(problems(site().paths(paths).sign_in_page("/oauth2/sign_in").build()).is_empty());
    assert!(problems(site().sign_in_page("/").build()).is_empty());

    for target in
        ["home", "https://elsewhere.example/", "//elsewhere.example", "/oauth2/sign_out", "/welcome"]
    {
        let found = problems(site().sign_in_page("/welcome").land_on(target).build());
        assert_eq!(found.len(), 1, "{target}: {found:?}");
        assert!(found[0].0 == "land_on" && !found[0].1.contains(target), "{found:?}");
    }
    let allowed = site().allow_return_to("https://other.example").land_on("https://other.example/home");
    let mut world = World::of(allowed);
    let mut browser = Browser::default();
    let asked = world::Asked::of(&browser.visit(&mut world, "/oauth2/sign_in"));
    assert_eq!(location(&browser.come_back(&mut world, &asked)), "https://other.example/home");
}
