//! Signing out: whose wish counts, and where it ends.

mod world;

use vestibule::{paths::Paths, request::PlainHead, response::Event};
use world::{Browser, ORIGIN, Plain, World, builder, refused};

const SIGN_OUT: &str = "/oauth2/sign_out";

fn signed_in(world: &mut World) -> Browser {
    let mut browser = Browser::default();
    browser.sign_in(world, "/");
    browser
}

#[test]
fn a_visit_from_the_site_itself_signs_out_at_once_and_ends_on_a_public_page() {
    let mut world = World::new();
    for site in ["same-origin", "none"] {
        let mut browser = signed_in(&mut world);
        let head = PlainHead::navigation(SIGN_OUT).without("sec-fetch-site").with("sec-fetch-site", site);
        let response = browser.send(&mut world, head);
        assert_eq!(
            (response.status, response.get("location")),
            (303, Some("https://app.example/oauth2/sign_out?ended"))
        );
        assert!(!browser.jar.contains_key("__Host-vestibule"));
        assert!(matches!(browser.last_event, Some(Event::SignedOut { .. })));
        let page = browser.visit(&mut world, "/oauth2/sign_out?ended");
        assert_eq!(page.status, 200);
        assert!(String::from_utf8(page.body).unwrap().contains("Signed out"));
    }
}

#[test]
fn lo_01_another_site_signs_nobody_out() {
    let mut world = World::new();
    let mut browser = signed_in(&mut world);
    let cross = |head: PlainHead| head.without("sec-fetch-site").with("sec-fetch-site", "cross-site");
    let asked = browser.send(&mut world, cross(PlainHead::navigation(SIGN_OUT)));
    assert_eq!(asked.status, 200);
    assert!(
        String::from_utf8(asked.body).unwrap().contains("<form method=\"post\" action=\"/oauth2/sign_out\">")
    );
    browser.send(&mut world, cross(PlainHead::fetch(SIGN_OUT)));
    browser.send(&mut world, PlainHead::new("GET", SIGN_OUT));
    let posted =
        browser.send(&mut world, PlainHead::new("POST", SIGN_OUT).with("sec-fetch-site", "cross-site"));
    assert_eq!(refused(&posted), (403, "cross_site".into()));
    let posted =
        browser.send(&mut world, PlainHead::new("POST", SIGN_OUT).with("origin", "https://evil.example"));
    assert_eq!(refused(&posted), (403, "cross_site".into()));
    browser.send(&mut world, PlainHead::new("HEAD", SIGN_OUT));
    browser.send(&mut world, PlainHead::navigation(SIGN_OUT).with("sec-purpose", "prefetch"));
    assert!(browser.is_signed_in(&world));
    let own = browser.send(&mut world, PlainHead::new("POST", SIGN_OUT).with("origin", ORIGIN));
    assert_eq!(own.status, 303);
    assert!(!browser.is_signed_in(&world));
}

#[test]
fn an_alias_signs_out_and_without_a_session_leads_to_the_start_of_the_site() {
    let paths = Paths::below("/oauth2").sign_out_alias("/app/oauth/logout");
    let mut world = World::of(builder().provider(Plain::new("plain")).paths(paths));
    let mut browser = signed_in(&mut world);
    let response = browser.visit(&mut world, "/app/oauth/logout");
    assert_eq!(response.get("location"), Some("https://app.example/oauth2/sign_out?ended"));
    let response = browser.visit(&mut world, "/app/oauth/logout");
    assert_eq!((response.status, response.get("location")), (303, Some("https://app.example/")));
    let remembered = browser.send(
        &mut world,
        PlainHead::navigation("/oauth2/auth").with("x-auth-request-redirect", "/app/oauth/logout"),
    );
    assert_eq!(remembered.set_cookies().count(), 0, "nobody wants to come back to a sign-out");
}

#[test]
fn a_target_after_signing_out_must_be_an_allowed_one() {
    let mut world = World::new();
    for (rd, location) in [
        ("/bye", "https://app.example/bye"),
        ("https://evil.example", "https://app.example/oauth2/sign_out?ended"),
        ("//evil.example", "https://app.example/oauth2/sign_out?ended"),
    ] {
        let mut browser = signed_in(&mut world);
        let response = browser.visit(&mut world, &format!("{SIGN_OUT}?rd={rd}"));
        assert_eq!(response.get("location"), Some(location));
    }
}

#[test]
fn ck_17_clearing_repeats_every_attribute_of_setting() {
    let mut world = World::new();
    let mut browser = signed_in(&mut world);
    let response = browser.visit(&mut world, SIGN_OUT);
    let line = response.set_cookies().find(|line| line.starts_with("__Host-vestibule=")).unwrap();
    assert_eq!(line, "__Host-vestibule=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure");
}

#[test]
fn the_page_that_says_signed_out_is_not_shown_to_whoever_is_signed_in() {
    let mut world = World::new();
    let mut browser = signed_in(&mut world);
    let page = browser.visit(&mut world, "/oauth2/sign_out?ended");
    assert!(String::from_utf8(page.body).unwrap().contains("Sign out?"));
    assert!(browser.is_signed_in(&world));
}

#[test]
fn signing_in_and_out_again_and_again_is_no_lost_cookie() {
    let mut world = World::new();
    let mut browser = Browser::default();
    for _ in 0..5 {
        assert_eq!(browser.sign_in(&mut world, "/").get("location"), Some("https://app.example/"));
        browser.visit(&mut world, SIGN_OUT);
        assert!(browser.jar.is_empty(), "{:?}", browser.jar.keys());
    }
}

#[test]
fn the_question_may_lead_to_an_allowed_site_and_its_form_says_where_it_comes_from() {
    let wider = builder().provider(Plain::new("plain")).allow_return_to("https://other.example");
    let mut world = World::of(wider);
    let mut browser = signed_in(&mut world);
    let cross =
        PlainHead::navigation("/oauth2/sign_out?rd=https://other.example/bye").without("sec-fetch-site");
    let page = browser.send(&mut world, cross.with("sec-fetch-site", "cross-site"));
    let policy = page.get("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self' https://other.example;"), "{policy}");
    assert_eq!(page.get("referrer-policy"), Some("same-origin"));
}
