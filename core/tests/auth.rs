//! `auth` and `userinfo`: what a proxy and a program are told, and what `auth` remembers for the browser.

mod world;

use std::sync::Arc;

use vestibule::{config::Flavour, refusal::Refusal, request::PlainHead};
use world::{Browser, Plain, World, builder, refused};

const AUTH: &str = "/oauth2/auth";

#[test]
fn gw_01_nobody_gets_401_somebody_202_and_whoever_may_not_enter_403() {
    let mut world = World::of(builder().provider(Plain::new("plain")).email_domains(["a.example"]));
    let mut browser = Browser::default();
    let nobody = browser.send(&mut world, PlainHead::fetch(AUTH));
    assert_eq!(refused(&nobody), (401, "sign_in_required".into()));
    browser.sign_in(&mut world, "/");
    let somebody = browser.send(&mut world, PlainHead::fetch(AUTH));
    assert_eq!((somebody.status, somebody.set_cookies().count(), somebody.body.len()), (202, 0, 0));

    let stricter = World::of(builder().provider(Plain::new("plain")).email_domains(["b.example"]));
    world.vestibule = stricter.vestibule;
    let forbidden = browser.send(&mut world, PlainHead::navigation(AUTH));
    assert_eq!(refused(&forbidden), (403, "email_not_allowed".into()));
    assert_eq!(forbidden.set_cookies().count(), 0, "the session is not ended by it");
}

#[test]
fn any_method_is_answered_and_nginx_gets_a_place_to_go() {
    let mut world = World::of(builder().provider(Plain::new("plain")).flavour(Flavour::Nginx));
    let mut browser = Browser::default();
    let nobody =
        browser.send(&mut world, PlainHead::navigation(AUTH).with("x-auth-request-redirect", "/deep?x=1"));
    assert_eq!(
        (nobody.status, nobody.get("location")),
        (401, Some("https://app.example/oauth2/sign_in?rd=%2Fdeep%3Fx%3D1"))
    );
    browser.sign_in(&mut world, "/");
    for method in ["GET", "HEAD", "POST", "PUT", "OPTIONS", "PROPFIND"] {
        assert_eq!(browser.send(&mut world, PlainHead::new(method, AUTH)).status, 200, "{method}");
    }
}

#[test]
fn gw_20_every_identity_header_goes_out_empty_if_need_be() {
    let mut world = World::new();
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    let response = browser.send(&mut world, PlainHead::fetch(AUTH));
    for (name, value) in [
        ("gap-auth", "ada@a.example"),
        ("x-auth-request-user", "ada"),
        ("x-auth-request-email", "ada@a.example"),
        ("x-auth-request-preferred-username", "ada"),
        ("x-auth-request-groups", ""),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(response.get(name), Some(value), "{name}");
    }
    world.profile = serde_json::json!({"id": 9});
    let mut nameless = Browser::default();
    nameless.sign_in(&mut world, "/");
    let response = nameless.send(&mut world, PlainHead::fetch(AUTH));
    assert_eq!(response.get("x-auth-request-user"), Some("9"));
    assert_eq!(response.get("x-auth-request-email"), Some(""));
}

#[test]
fn what_auth_remembers_leads_back_although_sign_in_is_asked_for_without_a_target() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let unauthorised = PlainHead::navigation(AUTH).with("x-auth-request-redirect", "/deep?x=1&y=2");
    assert_eq!(browser.send(&mut world, unauthorised).set_cookies().count(), 1);
    // As the first seed's nginx does: the visit of `sign_in` names itself as what was asked for.
    let own = PlainHead::navigation("/oauth2/sign_in").with("x-auth-request-redirect", "/oauth2/sign_in");
    let asked = world::Asked::of(&browser.send(&mut world, own));
    assert!(!browser.jar.keys().any(|name| name.ends_with("_to")), "it is used up by the start");
    assert_eq!(
        browser.come_back(&mut world, &asked).get("location"),
        Some("https://app.example/deep?x=1&y=2")
    );
}

#[test]
fn auth_remembers_visits_of_pages_only_and_the_last_one_wins() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let asks = |target: &str| PlainHead::navigation(AUTH).with("x-auth-request-redirect", target);
    for head in [
        PlainHead::fetch(AUTH).with("x-auth-request-redirect", "/data"),
        asks("/data").with("sec-websocket-key", "x"),
        asks("/data").with("sec-purpose", "prefetch"),
        asks("/form").with("content-type", "application/x-www-form-urlencoded"),
        asks("/oauth2/sign_in"),
        asks("//evil.example"),
        asks(&format!("/{}", "x".repeat(1_100))),
        PlainHead::navigation(AUTH),
    ] {
        let response = browser.send(&mut world, head.clone());
        assert_eq!((response.status, response.set_cookies().count()), (401, 0), "{head:?}");
    }
    browser.send(&mut world, asks("/first"));
    browser.send(&mut world, asks("/last"));
    browser.send(&mut world, PlainHead::fetch(AUTH).with("x-auth-request-redirect", "/data"));
    let asked = world::Asked::of(&browser.visit(&mut world, "/oauth2/sign_in"));
    assert_eq!(browser.come_back(&mut world, &asked).get("location"), Some("https://app.example/last"));

    browser.send(&mut world, asks("/stale"));
    browser.jar.remove("__Host-vestibule");
    world.wait(121);
    let asked = world::Asked::of(&browser.visit(&mut world, "/oauth2/sign_in"));
    assert_eq!(browser.come_back(&mut world, &asked).get("location"), Some("https://app.example/"));
}

#[test]
fn gw_02_whatever_the_cookie_is_nothing_but_a_session_gets_through() {
    let mut world = World::new();
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    let good = browser.jar["__Host-vestibule"].clone();
    let long = "A".repeat(20_000);
    for cookies in [
        format!("__Host-vestibule={good}; __Host-vestibule=other"),
        format!("__Host-vestibule=other; __Host-vestibule={good}"),
        format!("__hOsT-vestibule={good}"),
        format!("__Host-vestibule=\"{good}\""),
        format!("__Host-vestibule={}", &good[..good.len() - 1]),
        "__Host-vestibule=".to_owned(),
        "__Host-vestibule={}".to_owned(),
        format!("__Host-vestibule={long}"),
    ] {
        let response = world.handle(PlainHead::fetch(AUTH).with("cookie", cookies.clone())).response;
        assert_eq!(response.status, 401, "{cookies}");
    }
    let tossed = PlainHead::fetch(AUTH)
        .with("cookie", format!("__Host-vestibule={good}"))
        .with("cookie", "__Host-vestibule=x");
    assert_eq!(world.handle(tossed).response.status, 401);
    assert_eq!(browser.send(&mut world, PlainHead::fetch(AUTH)).status, 202);
}

#[test]
fn se_34_a_session_ends_on_its_own_side_of_the_cookie() {
    let age = std::time::Duration::from_secs(60);
    let mut world = World::of(builder().provider(Plain::new("plain")).session_age(age));
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    world.wait(59);
    assert_eq!(browser.send(&mut world, PlainHead::fetch(AUTH)).status, 202);
    world.wait(1);
    assert_eq!(browser.send(&mut world, PlainHead::fetch(AUTH)).status, 401);
    browser.sign_in(&mut world, "/");
    world.wait(30);
    assert_eq!(browser.send(&mut world, PlainHead::fetch(AUTH)).status, 202);
    let shorter = builder().provider(Plain::new("plain")).session_age(age / 2).build().unwrap();
    world.vestibule = Arc::new(shorter);
    let answer = browser.send(&mut world, PlainHead::fetch(AUTH)).status;
    assert_eq!(answer, 401, "a limit that was shortened counts at once");
}

#[test]
fn userinfo_says_who_it_is_or_that_nobody_is() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let nobody = browser.visit(&mut world, "/oauth2/userinfo");
    assert_eq!((nobody.status, nobody.get("content-type")), (401, Some("application/problem+json")));
    browser.sign_in(&mut world, "/");
    let info = browser.visit(&mut world, "/oauth2/userinfo");
    let info: serde_json::Value = serde_json::from_slice(&info.body).unwrap();
    assert_eq!(
        (&info["user"], &info["email"], &info["preferredUsername"]),
        (&"ada".into(), &"ada@a.example".into(), &"ada".into())
    );
    assert_eq!((&info["subject"], &info["issuer"]), (&"7".into(), &"https://plain.example".into()));
}

#[test]
fn the_application_sends_browsers_to_sign_in_and_programs_a_problem() {
    let mut world = World::new();
    let turned =
        world.vestibule.turn_back(&PlainHead::navigation("/deep?x=1"), Refusal::SignInRequired).response;
    assert_eq!(turned.get("location"), Some("https://app.example/oauth2/sign_in?rd=%2Fdeep%3Fx%3D1"));
    let post = PlainHead::new("POST", "/form").with("sec-fetch-mode", "navigate");
    let turned = world.vestibule.turn_back(&post, Refusal::SignInRequired).response;
    assert_eq!(turned.get("location"), Some("https://app.example/oauth2/sign_in"));
    let hostile = world
        .vestibule
        .turn_back(&PlainHead::navigation("//evil.example/%2f.."), Refusal::SignInRequired)
        .response;
    assert_eq!(hostile.get("location"), Some("https://app.example/oauth2/sign_in"));
    for head in [PlainHead::fetch("/api"), PlainHead::navigation("/ws").with("sec-websocket-key", "x")] {
        let turned = world.vestibule.turn_back(&head, Refusal::SignInRequired).response;
        assert_eq!(refused(&turned), (401, "sign_in_required".into()));
        assert!(turned.get("www-authenticate").is_some() && turned.get("location").is_none());
    }
    let own = PlainHead::navigation("/oauth2/sign_in");
    let guarded = world.vestibule.turn_back(&own, Refusal::SignInRequired).response;
    assert_eq!(refused(&guarded), (500, "endpoint_guarded".into()), "never in circles");
    let forbidden =
        world.vestibule.turn_back(&PlainHead::navigation("/deep"), Refusal::EmailNotAllowed).response;
    assert_eq!(refused(&forbidden), (403, "email_not_allowed".into()), "never in circles");
    let _ = world.seed();
}
