//! What whoever begins a sign-in may ask of the provider.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use vestibule::{
    config::{Builder, StartParameter},
    limits::LOGIN_HINT_BYTES_MAX,
    oauth2::OAuth2Spec,
    request::PlainHead,
    response::Response,
};
use world::{Asked, Browser, Plain, World, builder};

fn open(builder: Builder) -> Builder {
    builder.start_parameter(StartParameter::LoginHint).start_parameter(StartParameter::Prompt)
}

fn one() -> Builder {
    builder().provider(Plain::new("plain"))
}

fn visit(world: &mut World, target: &str) -> Response {
    Browser::default().visit(world, target)
}

/// What the provider is asked beside the protocol.
fn wishes(world: &mut World, target: &str) -> (Option<String>, Option<String>) {
    let asked = Asked::of(&visit(world, target));
    assert!(asked.url.as_str().starts_with("https://plain.example/authorize"), "{}", asked.url.path());
    let has = |name: &str| asked.url.query_pairs().any(|(own, _)| own == name);
    (
        has("prompt").then(|| asked.parameter("prompt")),
        has("login_hint").then(|| asked.parameter("login_hint")),
    )
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn nothing_is_passed_on_unless_the_site_lets_it_through() {
    let target = "/oauth2/start?prompt=login&login_hint=ada@a.example";
    assert_eq!(wishes(&mut World::new(), target), (None, None));
    let hints_only = one().start_parameter(StartParameter::LoginHint);
    assert_eq!(wishes(&mut World::of(hints_only), target), (None, some("ada@a.example")));
    let mut world = World::of(open(one()));
    for begins in ["/oauth2/start", "/oauth2/start/plain", "/oauth2/sign_in"] {
        let target = format!("{begins}?prompt=login&login_hint=ada%2Bx@a.example");
        assert_eq!(wishes(&mut world, &target), (some("login"), some("ada+x@a.example")), "{begins}");
    }
}

#[test]
fn what_no_provider_knows_is_not_passed_on() {
    let mut world = World::of(open(one()));
    let long = "x".repeat(LOGIN_HINT_BYTES_MAX + 1);
    for query in [
        "prompt=evil",
        "prompt=login%20consent",
        "prompt=",
        "prompt=login&prompt=none",
        "login_hint=",
        "login_hint=a%0d%0ab",
        &format!("login_hint={long}"),
    ] {
        assert_eq!(wishes(&mut world, &format!("/oauth2/start?{query}")), (None, None), "{query}");
    }
    let longest = "x".repeat(LOGIN_HINT_BYTES_MAX);
    assert_eq!(wishes(&mut world, &format!("/oauth2/start?login_hint={longest}")).1, Some(longest));
    // Nothing of it reaches another parameter of the request.
    let asked =
        Asked::of(&visit(&mut world, "/oauth2/start?login_hint=a%26redirect_uri%3Dhttps://evil.example"));
    assert_eq!(asked.parameter("redirect_uri"), "https://app.example/oauth2/callback");
}

#[test]
fn whoever_wants_another_account_is_asked_to_choose_unless_they_say_how() {
    let mut world = World::of(open(one()));
    assert_eq!(wishes(&mut world, "/oauth2/start?switch=1").0, some("select_account"));
    assert_eq!(wishes(&mut world, "/oauth2/start?switch=1&prompt=login").0, some("login"));
}

#[test]
fn what_is_asked_for_once_wins_over_what_is_configured() {
    let at = |path: &str| url::Url::parse(&format!("https://plain.example/{path}")).unwrap();
    let spec = OAuth2Spec::new("plain", "Plain", at("authorize"), at("token"), "client", None)
        .issuer("https://plain.example")
        .extra_parameter("prompt", "consent")
        .extra_parameter("hd", "a.example");
    let mut world = World::of(open(builder().provider(Plain::of(spec))));
    assert_eq!(wishes(&mut world, "/oauth2/start").0, some("consent"));
    assert_eq!(wishes(&mut world, "/oauth2/start?prompt=login").0, some("login"), "and stands there once");
    let asked = Asked::of(&visit(&mut world, "/oauth2/start?prompt=login"));
    assert_eq!(asked.parameter("hd"), "a.example");
}

#[test]
fn the_page_to_choose_passes_on_what_it_was_asked_for() {
    let two = || builder().provider(Plain::new("plain")).provider(Plain::new("other"));
    let mut world = World::of(open(two()));
    let page = visit(&mut world, "/oauth2/sign_in?rd=/deep&prompt=login&login_hint=ada%26x");
    let html = String::from_utf8(page.body).unwrap();
    let expected = "/oauth2/start/plain?rd=%2Fdeep&amp;login_hint=ada%26x&amp;prompt=login\"";
    assert!(html.contains(expected), "{html}");
    let unnamed = visit(&mut world, "/oauth2/start?prompt=login");
    assert_eq!(unnamed.get("location"), Some("https://app.example/oauth2/sign_in?prompt=login"));
    let mut closed = World::of(two());
    let page = visit(&mut closed, "/oauth2/sign_in?rd=/deep&prompt=login&login_hint=ada");
    let html = String::from_utf8(page.body).unwrap();
    assert!(html.contains("/oauth2/start/plain?rd=%2Fdeep\"") && !html.contains("login_hint"), "{html}");
}

#[test]
fn the_page_may_be_shown_for_one_provider_too() {
    let mut world = World::of(one().always_show_sign_in_page());
    let mut browser = Browser::default();
    let page = browser.visit(&mut world, "/oauth2/sign_in?rd=/deep");
    assert_eq!(page.status, 200);
    let html = String::from_utf8(page.body).unwrap();
    assert!(html.contains("href=\"/oauth2/start/plain?rd=%2Fdeep\">Sign in with PLAIN</a>"), "{html}");
    let asked = Asked::of(&browser.visit(&mut world, "/oauth2/start/plain?rd=%2Fdeep"));
    assert_eq!(browser.come_back(&mut world, &asked).get("location"), Some("https://app.example/deep"));
    let again = browser.send(&mut world, PlainHead::navigation("/oauth2/sign_in?rd=/deep"));
    assert_eq!(again.status, 303, "whoever is signed in just goes on");
}
