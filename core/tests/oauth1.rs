//! Callbacks of OAuth 1.0a: no state and no code, but the request token that the attempt was begun with, and a verifier
//! (RFC 5849 §2.2). Whatever holds for a state holds for the token.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use async_trait::async_trait;
use url::Url;
use vestibule::{
    conversation::Http,
    exchange::Purpose,
    identity::{Identity, SignIn, Tokens},
    limits::REQUEST_TOKEN_BYTES_MAX,
    provider::{Answered, AuthorizationRequest, Begun, OAuthError, Provider, ProviderError},
    request::PlainHead,
    response::{Event, Response},
    secret::RequestToken,
};
use world::{Browser, Plain, World, builder, refused};

/// A provider that gives request tokens out, numbered by the attempt that asks.
#[derive(Default)]
struct Elder {
    issuer: Option<&'static str>,
    /// What every request token is, where they are not numbered.
    token: Option<String>,
    refuses: Option<OAuthError>,
}

#[async_trait]
impl Provider for Elder {
    fn id(&self) -> &str {
        "elder"
    }

    fn label(&self) -> &str {
        "Elder"
    }

    async fn begin(&self, _: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        if let Some(error) = self.refuses {
            return Err(ProviderError::Refused(error));
        }
        let token = self.token.clone().unwrap_or_else(|| format!("token-{}", &request.state.expose()[..8]));
        let mut location = Url::parse("https://elder.example/authenticate").unwrap();
        location.query_pairs_mut().append_pair("oauth_token", &token);
        let private = format!("canary-secret-of {token}").into_bytes();
        let begun = Begun::at(location).private(private).request_token(RequestToken::new(token));
        Ok(match self.issuer {
            Some(issuer) => begun.issuer(issuer, true),
            None => begun,
        })
    }

    async fn finish(&self, http: &Http, answered: &Answered) -> Result<SignIn, ProviderError> {
        let purpose = Purpose::Token;
        let form = format!(
            "code={}&code_verifier={}&private={}",
            answered.code.expose(),
            answered.code_verifier.expose(),
            String::from_utf8_lossy(&answered.private),
        );
        let request = http::Request::post("https://elder.example/access").body(form.into_bytes()).unwrap();
        http.send(purpose, request)
            .await
            .map_err(|failure| ProviderError::Unreachable { purpose, failure })?;
        let mut tokens = Tokens::new("canary-access");
        tokens.token_secret = Some("canary-token-secret".into());
        Ok(SignIn::new("elder", Identity::new(7).issuer("https://elder.example"), tokens))
    }
}

fn world() -> World {
    World::of(builder().provider(Elder::default()))
}

/// Begins, and says which request token the browser takes along.
fn begin(browser: &mut Browser, world: &mut World, start: &str) -> String {
    let response = browser.visit(world, start);
    assert_eq!(response.status, 303, "{response:?}");
    let location = Url::parse(response.get("location").unwrap()).unwrap();
    location.query_pairs().find(|(name, _)| name == "oauth_token").unwrap().1.into_owned()
}

const START: &str = "/oauth2/start?rd=/deep";

fn answer(token: &str) -> String {
    format!("/oauth2/callback?oauth_token={token}&oauth_verifier=canary-verifier")
}

fn nothing_came_of_it(world: &World, browser: &Browser) {
    assert!(!browser.is_signed_in(world));
    assert_eq!(world.asked, [], "the provider was asked");
}

fn lands(response: &Response) -> (u16, Option<&str>) {
    (response.status, response.get("location"))
}

#[test]
fn the_provider_finds_its_verifier_and_what_it_sealed() {
    let mut world = World::of(builder().provider(Elder::default()).keep_tokens());
    let mut browser = Browser::default();
    let token = begin(&mut browser, &mut world, START);
    assert!(!browser.jar.keys().any(|name| name.contains(&token)), "its name gives nothing away");
    let response = browser.visit(&mut world, &answer(&token));
    assert_eq!(lands(&response), (303, Some("https://app.example/deep")));
    assert_eq!(world.asked, [Purpose::Token]);
    let [sent] = &world.token_requests[..] else { panic!("{:?}", world.token_requests) };
    assert!(sent.starts_with("code=canary-verifier&"), "{sent}");
    assert!(sent.ends_with(&format!("private=canary-secret-of {token}")), "{sent}");
    assert!(browser.is_signed_in(&world));
    let kept = world.vestibule.tokens(&browser.with_cookies(PlainHead::fetch("/")), world.now).unwrap();
    assert_eq!(kept.access.as_ref().unwrap().expose(), "canary-access");
    assert_eq!(kept.access_secret.as_ref().unwrap().expose(), "canary-token-secret");
    assert!(!format!("{kept:?}").contains("canary"));
}

#[test]
fn se_01_a_request_token_that_somebody_else_began_with_signs_nobody_in() {
    let mut world = world();
    let (mut attacker, mut victim) = (Browser::default(), Browser::default());
    let attackers = begin(&mut attacker, &mut world, START);
    let response = victim.visit(&mut world, &answer(&attackers));
    assert_eq!(refused(&response), (400, "attempt_missing".into()));
    nothing_came_of_it(&world, &victim);

    let own = begin(&mut victim, &mut world, START);
    let response = victim.visit(&mut world, &answer(&attackers));
    assert_eq!(refused(&response), (400, "state_mismatch".into()));
    nothing_came_of_it(&world, &victim);
    assert_eq!(victim.visit(&mut world, &answer(&own)).status, 303, "the victim's own sign-in goes on");
}

#[test]
fn se_03_an_answered_request_token_asks_nobody_again() {
    let mut world = world();
    let mut browser = Browser::default();
    let token = begin(&mut browser, &mut world, START);
    browser.visit(&mut world, &answer(&token));
    world.asked.clear();
    let again = browser.visit(&mut world, &answer(&token));
    assert_eq!(lands(&again), (303, Some("https://app.example/")));
    browser.jar.clear();
    let stolen = browser.visit(&mut world, &answer(&token));
    assert_eq!(refused(&stolen), (400, "attempt_missing".into()));
    assert_eq!(world.asked, []);
}

#[test]
fn se_15_a_cancelled_sign_in_ends_its_own_attempt_and_no_other() {
    let mut world = world();
    let mut browser = Browser::default();
    let (one, two) = (begin(&mut browser, &mut world, START), begin(&mut browser, &mut world, START));
    let strangers = browser.visit(&mut world, "/oauth2/callback?denied=token-of-another");
    assert_eq!(refused(&strangers), (400, "state_mismatch".into()));
    let response = browser.visit(&mut world, &format!("/oauth2/callback?denied={one}"));
    assert_eq!(refused(&response), (403, "access_denied".into()));
    nothing_came_of_it(&world, &browser);
    assert_eq!(refused(&browser.visit(&mut world, &answer(&one))).1, "state_mismatch", "it is used up");
    assert_eq!(browser.visit(&mut world, &answer(&two)).status, 303);
}

#[test]
fn se_16_what_answers_in_the_other_protocol_or_in_both_answers_nothing() {
    let mut world = world();
    let mut browser = Browser::default();
    let token = begin(&mut browser, &mut world, START);
    for (query, code) in [
        (format!("state={token}&code=a"), "state_mismatch"),
        (format!("state={token}&error=access_denied"), "state_mismatch"),
        (format!("oauth_token={token}&oauth_verifier=v&state={token}&code=a"), "callback_malformed"),
        (format!("oauth_token={token}&oauth_verifier=v&denied={token}"), "callback_malformed"),
        (format!("oauth_token={token}&code=a"), "callback_malformed"),
        (format!("oauth_token={token}"), "callback_malformed"),
    ] {
        let response = browser.visit(&mut world, &format!("/oauth2/callback?{query}"));
        assert_eq!(refused(&response), (400, code.into()), "{query}");
    }
    nothing_came_of_it(&world, &browser);
    assert_eq!(browser.visit(&mut world, &answer(&token)).status, 303, "nothing was used up");

    let mut plain = World::new();
    let asked = browser.begin(&mut plain, "/");
    let state = asked.parameter("state");
    browser.jar.retain(|name, _| name.starts_with("__Host-vestibule_try_"));
    assert_eq!(refused(&browser.visit(&mut plain, &answer(&state))), (400, "state_mismatch".into()));
    let denied = browser.visit(&mut plain, &format!("/oauth2/callback?denied={state}"));
    assert_eq!(refused(&denied), (400, "state_mismatch".into()));
    assert_eq!(plain.asked, []);
}

#[test]
fn se_19_a_request_token_at_another_providers_address_is_refused() {
    let mut world = World::of(builder().provider(Elder::default()).provider(Plain::new("plain")));
    let mut browser = Browser::default();
    let token = begin(&mut browser, &mut world, "/oauth2/start/elder");
    let elsewhere = answer(&token).replace("callback", "callback/plain");
    assert_eq!(refused(&browser.visit(&mut world, &elsewhere)), (400, "provider_mismatch".into()));
    nothing_came_of_it(&world, &browser);
}

#[test]
fn se_22_iss_is_compared_in_this_protocol_too() {
    let elder = || Elder { issuer: Some("https://elder.example"), ..Elder::default() };
    for (iss, status) in
        [("", 400), ("&iss=https%3A%2F%2Fevil.example", 400), ("&iss=https%3A%2F%2Felder.example", 303)]
    {
        let mut world = World::of(builder().provider(elder()));
        let mut browser = Browser::default();
        let token = begin(&mut browser, &mut world, START);
        let response = browser.visit(&mut world, &(answer(&token) + iss));
        assert_eq!(response.status, status, "{iss}");
    }
}

#[test]
fn a_request_token_that_no_callback_could_bring_is_the_providers_fault() {
    for token in [String::new(), "x".repeat(REQUEST_TOKEN_BYTES_MAX + 1)] {
        let mut world = World::of(builder().provider(Elder { token: Some(token), ..Elder::default() }));
        let mut browser = Browser::default();
        let response = browser.visit(&mut world, START);
        assert_eq!(refused(&response), (502, "provider_answer_invalid".into()));
        assert!(browser.jar.is_empty());
    }
}

#[test]
fn what_the_provider_refuses_before_the_browser_goes_there_is_the_request() {
    for (error, expected) in [
        (OAuthError::InvalidClient, (403, "provider_refused")),
        (OAuthError::ServerError, (503, "provider_unreachable")),
    ] {
        let mut world = World::of(builder().provider(Elder { refuses: Some(error), ..Elder::default() }));
        let mut browser = Browser::default();
        let response = browser.visit(&mut world, START);
        assert_eq!(refused(&response), (expected.0, expected.1.into()));
        let Some(Event::Refused { detail: Some(detail), .. }) = browser.last_event else { panic!() };
        assert_eq!(detail, format!("the provider refused: {error}"));
    }
}
