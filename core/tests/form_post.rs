//! Providers that answer by a cross-site form: the attempt's cookie must come along, and no other of ours does.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use async_trait::async_trait;
use vestibule::{
    Vestibule,
    conversation::Http,
    identity::SignIn,
    provider::{Answered, AuthorizationRequest, Begun, Provider, ProviderError},
    request::PlainHead,
    response::Response,
    seal::KeyRing,
};
use world::{Asked, Browser, Plain, SECRET, World, builder, refused};

struct ByForm(Plain);

#[async_trait]
impl Provider for ByForm {
    fn id(&self) -> &str {
        Provider::id(&self.0)
    }

    fn label(&self) -> &str {
        Provider::label(&self.0)
    }

    async fn begin(&self, http: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        self.0.begin(http, request).await
    }

    async fn finish(&self, http: &Http, answered: &Answered) -> Result<SignIn, ProviderError> {
        self.0.finish(http, answered).await
    }

    fn answers_by_form_post(&self) -> bool {
        true
    }
}

fn post(world: &mut World, browser: &mut Browser, asked: &Asked) -> Response {
    let form = asked.callback("code=canary-code").split_once('?').unwrap().1.to_owned();
    // A browser adds to a form of another site what is SameSite=None, and nothing else.
    let brought = Browser {
        jar: browser.jar.clone().into_iter().filter(|(name, _)| name.contains("_try_")).collect(),
        ..Browser::default()
    };
    let head = PlainHead::new("POST", "/oauth2/callback")
        .with("sec-fetch-mode", "navigate")
        .with("sec-fetch-dest", "document")
        .with("sec-fetch-site", "cross-site")
        .with("content-type", "application/x-www-form-urlencoded");
    let response = world.record(brought.with_cookies(head), form.as_bytes()).outcome.response;
    browser.take(&response);
    response
}

#[test]
fn a_form_from_the_provider_finishes_the_sign_in() {
    let mut world = World::of(builder().provider(ByForm(Plain::new("plain"))));
    let mut browser = Browser::default();
    let begun = browser.visit(&mut world, "/oauth2/sign_in?rd=/deep");
    assert!(
        begun.set_cookies().all(|line| line.contains("_try_") && line.ends_with("; SameSite=None; Secure"))
    );
    let response = post(&mut world, &mut browser, &Asked::of(&begun));
    assert_eq!((response.status, response.get("location")), (303, Some("https://app.example/deep")));
    assert!(
        response
            .set_cookies()
            .any(|line| line.starts_with("__Host-vestibule=") && line.contains("SameSite=Lax"))
    );
    assert!(browser.is_signed_in(&world));
    let by_query = Asked::of(&browser.visit(&mut world, "/oauth2/sign_in?switch=1"));
    assert_eq!(refused(&browser.come_back(&mut world, &by_query)), (400, "callback_malformed".into()));
}

#[test]
fn ck_17_an_attempt_is_cleared_with_the_attributes_that_it_was_set_with() {
    let gone = |response: &Response| -> Vec<_> {
        let lines =
            response.set_cookies().filter(|line| line.contains("_try_") && line.contains("Max-Age=0;"));
        lines.map(|line| line.split_once("; ").unwrap().1.to_owned()).collect()
    };
    let none = "Path=/; Max-Age=0; HttpOnly; SameSite=None; Secure";
    let lax = "Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure";
    let mut by_form = World::of(builder().provider(ByForm(Plain::new("plain"))));
    let mut browser = Browser::default();
    let asked = Asked::of(&browser.visit(&mut by_form, "/oauth2/sign_in"));
    assert_eq!(gone(&post(&mut by_form, &mut browser, &asked)), [none]);
    let asked = Asked::of(&browser.visit(&mut by_form, "/oauth2/sign_in?switch=1"));
    for value in browser.jar.iter_mut().filter(|(name, _)| name.contains("_try_")).map(|(_, value)| value) {
        value.push('x');
    }
    assert_eq!(gone(&post(&mut by_form, &mut browser, &asked)), [none], "nobody knows whose it was");
    for _ in 0..8 {
        assert!(gone(&browser.visit(&mut by_form, "/oauth2/sign_in?switch=1")).is_empty());
    }
    assert_eq!(gone(&browser.visit(&mut by_form, "/oauth2/sign_in?switch=1")), [none], "the oldest");
    let mut world = World::new();
    let mut browser = Browser::default();
    assert_eq!(gone(&browser.sign_in(&mut world, "/")), [lax]);
}

#[test]
fn se_40_the_loop_breaker_counts_rounds_that_a_form_finished_too() {
    let mut world = World::of(builder().provider(ByForm(Plain::new("plain"))));
    let mut browser = Browser::default();
    for _ in 0..3 {
        let asked = Asked::of(&browser.visit(&mut world, "/oauth2/sign_in"));
        post(&mut world, &mut browser, &asked);
        browser.jar.remove("__Host-vestibule").unwrap();
    }
    assert_eq!(refused(&browser.visit(&mut world, "/oauth2/sign_in")), (400, "session_cookie_lost".into()));
}

#[test]
fn over_plain_http_such_a_provider_is_refused_at_construction() {
    let plain =
        Vestibule::builder("http://127.0.0.1:4180/oauth2/callback").keys(KeyRing::new([SECRET]).unwrap());
    let error = plain.provider(ByForm(Plain::new("plain"))).build().unwrap_err();
    assert_eq!((error.problems.len(), error.problems[0].field), (1, "provider"));
}
