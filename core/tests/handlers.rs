//! What an application's handlers begin, end and change.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use std::{sync::Arc, time::Duration};

use vestibule::{
    config::{Builder, Prompt, SignInWith},
    flow::{Outcome, Step},
    limits::{LOGIN_HINT_BYTES_MAX, SESSION_AND_TOKENS_BYTES_MAX},
    request::PlainHead,
    response::Event,
    session::{ApplicationData, NotKept, Session, SessionHeaders},
};
use world::{Asked, Browser, Plain, World, builder, code, refused};

fn one() -> Builder {
    builder().provider(Plain::new("plain"))
}

fn begin(world: &mut World, browser: &mut Browser, head: PlainHead, with: &SignInWith) -> Outcome {
    let (now, seed) = (world.now, world.seed());
    let vestibule = Arc::clone(&world.vestibule);
    let Step::Done(outcome) = vestibule.begin(&browser.with_cookies(head), with, now, seed) else {
        panic!("a plain provider needs nothing to begin")
    };
    browser.take(&outcome.response);
    outcome
}

fn end(world: &mut World, browser: &mut Browser, head: PlainHead, to: Option<&str>) -> Outcome {
    let (now, seed) = (world.now, world.seed());
    let Step::Done(outcome) = world.vestibule.end(&browser.with_cookies(head), to, now, seed) else {
        panic!("a session in a cookie ends with it")
    };
    browser.take(&outcome.response);
    outcome
}

fn keep(world: &mut World, browser: &Browser, data: &str) -> Result<SessionHeaders, NotKept> {
    let (now, seed) = (world.now, world.seed());
    let data = ApplicationData::new(1, &data).unwrap();
    world.vestibule.keep_data(&browser.with_cookies(PlainHead::fetch("/save")), data, now, seed)
}

fn take(browser: &mut Browser, headers: SessionHeaders) -> Vec<String> {
    let lines: Vec<_> =
        headers.into_iter().map(|(name, line)| (name == "set-cookie").then_some(line).unwrap()).collect();
    for line in &lines {
        let (name, rest) = line.split_once('=').unwrap();
        browser.jar.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
    }
    lines
}

fn session(world: &World, browser: &Browser) -> Session {
    world.vestibule.session(&browser.with_cookies(PlainHead::fetch("/")), world.now).unwrap()
}

fn has(asked: &Asked, name: &str) -> bool {
    asked.url.query_pairs().any(|(own, _)| own == name)
}

fn form(target: &str) -> PlainHead {
    PlainHead::new("POST", target).with("sec-fetch-mode", "navigate").with("sec-fetch-site", "same-origin")
}

#[test]
fn a_handler_begins_a_sign_in_as_it_likes_and_the_browser_lands_where_it_says() {
    // What strangers may not ask in a link, the application may.
    let mut world = World::of(one());
    let with = SignInWith::new()
        .prompt(Prompt::SelectAccount)
        .login_hint("ada@a.example")
        .return_to("/transfer?to=eve");
    for head in [PlainHead::navigation("/begin?rd=/elsewhere&prompt=none"), form("/begin")] {
        let mut ada = Browser::default();
        let outcome = begin(&mut world, &mut ada, head, &with);
        assert!(matches!(outcome.event, Some(Event::Began { .. })));
        let asked = Asked::of(&outcome.response);
        assert_eq!(asked.parameter("prompt"), "select_account");
        assert_eq!(asked.parameter("login_hint"), "ada@a.example");
        let landed = ada.come_back(&mut world, &asked);
        assert_eq!(landed.get("location"), Some("https://app.example/transfer?to=eve"));
        assert!(ada.is_signed_in(&world));
    }
    let shown = format!("{with:?}");
    assert!(!shown.contains("ada"), "{shown}");
}

#[test]
fn what_cannot_be_passed_on_is_left_out_and_no_target_leads_elsewhere() {
    let mut world = World::of(one());
    let long = "x".repeat(LOGIN_HINT_BYTES_MAX + 1);
    for hint in ["", "a\r\nb", &long] {
        let outcome = begin(
            &mut world,
            &mut Browser::default(),
            PlainHead::navigation("/begin"),
            &SignInWith::new().login_hint(hint),
        );
        assert!(!has(&Asked::of(&outcome.response), "login_hint"));
    }
    for target in ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1", ""] {
        let mut ada = Browser::default();
        let with = SignInWith::new().return_to(target);
        let outcome = begin(&mut world, &mut ada, PlainHead::navigation("/begin"), &with);
        assert!(!has(&Asked::of(&outcome.response), "prompt"));
        let landed = ada.come_back(&mut world, &Asked::of(&outcome.response));
        assert_eq!(landed.get("location"), Some("https://app.example/"), "{target}");
    }
}

#[test]
fn the_provider_is_the_one_that_is_named_or_that_somebody_came_through_or_is_chosen() {
    let two = || one().provider(Plain::new("other"));
    let mut world = World::of(two());
    let mut browser = Browser::default();
    let here = || PlainHead::navigation("/begin");
    let other = begin(&mut world, &mut browser, here(), &SignInWith::new().provider("other"));
    let asked = Asked::of(&other.response);
    assert_eq!(asked.url.host_str(), Some("other.example"));

    let choice = begin(
        &mut world,
        &mut Browser::default(),
        here(),
        &SignInWith::new().max_age(Duration::from_secs(60)).login_hint("a b").return_to("/x"),
    );
    let location = choice.response.get("location").unwrap();
    assert_eq!(location, "https://app.example/oauth2/sign_in?prompt=login&login_hint=a+b&max_age=60&rd=%2Fx");

    browser.come_back(&mut world, &asked);
    let again = begin(&mut world, &mut browser, here(), &SignInWith::new().max_age(Duration::ZERO));
    assert_eq!(Asked::of(&again.response).url.host_str(), Some("other.example"));
    let unknown = begin(&mut world, &mut browser, here(), &SignInWith::new().provider("unknown"));
    assert_eq!(refused(&unknown.response), (404, "unknown_provider".to_owned()));
}

#[test]
fn se_26_only_a_browser_that_goes_to_a_page_begins_or_ends_anything() {
    let mut world = World::of(one());
    let mut ada = Browser::default();
    ada.sign_in(&mut world, "/");
    let jar = ada.jar.clone();
    let script = begin(&mut world, &mut ada, PlainHead::fetch("/begin"), &SignInWith::new());
    assert_eq!(code(&script.response).as_deref(), Some("not_a_navigation"));
    for head in [
        PlainHead::navigation("/x").with("sec-purpose", "prefetch"),
        PlainHead::new("HEAD", "/x").with("sec-fetch-mode", "navigate"),
    ] {
        let begun = begin(&mut world, &mut ada, head.clone(), &SignInWith::new());
        assert!(begun.event.is_none() && begun.response.get("location").is_none());
        let ended = end(&mut world, &mut ada, head, None);
        assert!(ended.event.is_none() && ended.response.get("location").is_none());
    }
    assert_eq!(ada.jar, jar);
}

#[test]
fn a_sign_in_begins_where_it_can_end() {
    let shared = Builder::cookie_domain(one(), "app.example").allow_return_to("https://*.app.example");
    let mut world = World::of(shared);
    let head = PlainHead::navigation("/begin").with("host", "sibling.app.example");
    let with = SignInWith::new().return_to("/x").prompt(Prompt::Login);
    let sent = begin(&mut world, &mut Browser::default(), head, &with);
    assert_eq!(
        sent.response.get("location"),
        Some("https://app.example/oauth2/start/plain?prompt=login&rd=https%3A%2F%2Fsibling.app.example%2Fx")
    );
    assert_eq!(sent.response.set_cookies().count(), 0);
}

#[test]
fn a_handler_ends_a_session_as_the_endpoint_does() {
    let mut world = World::of(one().keep_tokens());
    let mut by_endpoint = Browser::default();
    by_endpoint.sign_in(&mut world, "/");
    let mut by_handler = by_endpoint.clone();
    let endpoint = by_endpoint.send(&mut world, form("/oauth2/sign_out"));
    let handler = end(&mut world, &mut by_handler, form("/leave"), None);
    assert_eq!(handler.response, endpoint);
    assert!(matches!(handler.event, Some(Event::SignedOut { .. })));
    assert!(by_handler.jar.is_empty(), "{:?}", by_handler.jar.keys());
    // Once more is no error, and says that nobody is signed in.
    assert_eq!(end(&mut world, &mut by_handler, form("/leave"), None).response.status, 200);

    for (to, lands) in
        [("/bye", "https://app.example/bye"), ("//evil.example", endpoint.get("location").unwrap())]
    {
        let mut ada = Browser::default();
        ada.sign_in(&mut world, "/");
        let ended = end(&mut world, &mut ada, PlainHead::fetch("/leave"), Some(to));
        assert_eq!(ended.response.get("location"), Some(lands));
        assert!(!ada.is_signed_in(&world));
    }
}

#[test]
fn lo_01_another_sites_form_ends_no_session_through_a_handler_either() {
    let mut world = World::of(one());
    let mut ada = Browser::default();
    ada.sign_in(&mut world, "/");
    let jar = ada.jar.clone();
    for head in [
        PlainHead::new("POST", "/leave")
            .with("sec-fetch-mode", "navigate")
            .with("sec-fetch-site", "cross-site"),
        PlainHead::new("POST", "/leave").with("origin", "https://evil.example"),
        PlainHead::new("DELETE", "/leave").with("origin", "null"),
    ] {
        let outcome = end(&mut world, &mut ada, head, None);
        assert_eq!(refused(&outcome.response), (403, "cross_site".to_owned()));
    }
    assert_eq!(ada.jar, jar);
}

#[test]
fn other_data_is_the_same_session_until_the_same_time() {
    let mut world = World::of(one().keep_tokens());
    let mut ada = Browser::default();
    ada.sign_in(&mut world, "/");
    let before = session(&world, &ada);
    world.wait(3_600);
    let old = ada.clone();
    let headers = keep(&mut world, &ada, "two books").unwrap();
    let shown = format!("{headers:?}");
    assert!(shown.contains("__Host-vestibule=[sealed]"), "{shown}");
    let lines = take(&mut ada, headers);
    // The browser forgets it when it ends, not a session's age later.
    let left = 7 * 86_400 - 3_600;
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].ends_with(&format!("; Path=/; Max-Age={left}; HttpOnly; SameSite=Lax; Secure")),
        "{shown}"
    );
    let after = session(&world, &ada);
    assert_eq!(after.data::<String>(1).as_deref(), Some("two books"));
    assert_eq!((after.id, after.signed_in, after.expires), (before.id, before.signed_in, before.expires));
    assert_eq!(after.identity, before.identity);
    let tokens = world.vestibule.tokens(&ada.with_cookies(PlainHead::fetch("/")), world.now).unwrap();
    assert_eq!(tokens.access.unwrap().expose(), "canary-access-token");

    // Two requests that read the same session: the last answer is what the browser has.
    let (first, second) =
        (keep(&mut world, &old, "one").unwrap(), keep(&mut world, &old, "another").unwrap());
    take(&mut ada, second);
    take(&mut ada, first);
    assert_eq!(session(&world, &ada).data::<String>(1).as_deref(), Some("one"));

    world.now = before.expires;
    assert!(!ada.is_signed_in(&world));
}

#[test]
fn what_does_not_fit_is_an_error_and_changes_nothing() {
    let mut world = World::of(one().keep_tokens());
    let mut ada = Browser::default();
    ada.sign_in(&mut world, "/");
    let too_large = keep(&mut world, &ada, &"x".repeat(4_000)).unwrap_err();
    let NotKept::TooLarge { bytes, limit, largest_part } = &too_large else { panic!("{too_large:?}") };
    assert!(bytes > limit && *largest_part == "application data");
    assert_eq!(too_large.refusal().code(), "session_too_large");
    assert!(!too_large.to_string().contains("xxx"));

    // Beside large tokens there is less room, so that a request's cookies stay within one header line.
    let token = format!(r#"{{"access_token":"{}","token_type":"bearer"}}"#, "t".repeat(2_000));
    world.token_reply = (200, token);
    ada.sign_in(&mut world, "/");
    let NotKept::TooLarge { limit, .. } = keep(&mut world, &ada, &"x".repeat(2_000)).unwrap_err() else {
        panic!()
    };
    let beside = ada.jar["__Host-vestibule_tokens"].len() + "__Host-vestibule_tokens".len();
    assert_eq!(limit, SESSION_AND_TOKENS_BYTES_MAX - beside);
    assert!(keep(&mut world, &ada, &"x".repeat(1_000)).is_ok());
}

#[test]
fn nobody_keeps_data_in_a_session_that_there_is_not() {
    let mut world = World::of(one());
    let error = keep(&mut world, &Browser::default(), "x").unwrap_err();
    assert_eq!((error.refusal().code(), error.refusal().status()), ("sign_in_required", 401));
    let mut ada = Browser::default();
    ada.sign_in(&mut world, "/");
    let mut closed = World::of(one().email_domains(["b.example"]));
    closed.now = world.now;
    assert_eq!(keep(&mut closed, &ada, "x").unwrap_err().refusal().code(), "email_not_allowed");
}
