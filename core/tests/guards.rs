//! Guards: a group, a claim, a fresh sign-in, and what those get who lack it.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use std::time::Duration;

use async_trait::async_trait;
use url::Url;
use vestibule::{
    access::Requirement,
    config::{Builder, Keep},
    conversation::Http,
    guarded::Condition,
    identity::{Identity, SignIn, Tokens},
    provider::{Answered, AuthorizationRequest, Begun, Provider, ProviderError},
    request::PlainHead,
    response::{Event, Response},
    session::Session,
    time::Timestamp,
};
use world::{Asked, Browser, Plain, World, builder, refused};

const MINUTE: u64 = 60;

fn within(minutes: u64) -> Condition {
    Condition::new().signed_in_within(Duration::from_secs(minutes * MINUTE))
}

fn keeping() -> Builder {
    builder()
        .provider(Plain::new("plain"))
        .keep_groups(Keep::named(["staff", "admins"]))
        .keep_claims(Keep::named(["plan"]))
}

/// What somebody gets who asks for something behind a guard.
fn ask(
    world: &World,
    browser: &Browser,
    head: PlainHead,
    condition: &Condition,
) -> Result<Session, (Response, Option<Event>)> {
    let admitted = world.vestibule.admit(&browser.with_cookies(head), condition, world.now);
    admitted.map_err(|outcome| (outcome.response, outcome.event))
}

fn visit(world: &World, browser: &Browser, condition: &Condition) -> Result<Session, Response> {
    ask(world, browser, PlainHead::navigation("/deep?x=1"), condition).map_err(|(response, _)| response)
}

fn signed_in(world: &mut World) -> Browser {
    let mut ada = Browser::default();
    ada.sign_in(world, "/");
    ada
}

#[test]
fn groups_and_claims_let_in_whoever_has_them_and_tell_the_others() {
    let mut world = World::of(keeping());
    let ada = signed_in(&mut world);
    let staff = || Condition::new().group("staff");
    let either = || Condition::new().any_group(["admins", "staff"]);
    for condition in [Condition::new(), staff(), either(), staff().and(either()).claim("plan", "gold")] {
        assert!(visit(&world, &ada, &condition).is_ok(), "{condition:?}");
    }
    let plain = || Requirement::new().providers(["plain"]);
    let address = |domain: &str| Condition::new().requirement(plain().email_domains([domain.to_owned()]));
    assert!(visit(&world, &ada, &address("a.example")).is_ok());
    for (condition, code) in [
        (Condition::new().group("admins"), "group_not_allowed"),
        // Each call asks for one thing more: two groups are not a choice.
        (staff().group("admins"), "group_not_allowed"),
        (staff().and(Condition::new().any_group(["admins"])), "group_not_allowed"),
        (staff().claim("plan", "silver"), "claim_not_allowed"),
        (address("b.example"), "email_not_allowed"),
    ] {
        for head in [PlainHead::navigation("/deep"), PlainHead::fetch("/deep")] {
            let (response, event) = ask(&world, &ada, head, &condition).unwrap_err();
            assert_eq!(refused(&response), (403, code.to_owned()), "{condition:?}");
            assert!(matches!(event, Some(Event::Refused { .. })));
        }
    }
}

#[test]
fn a_stranger_is_sent_to_sign_in_whatever_the_guard_asks() {
    let world = World::of(keeping());
    for condition in [Condition::new().group("admins"), Condition::new().group("unknown"), within(10)] {
        let sent = visit(&world, &Browser::default(), &condition).unwrap_err();
        let target = "https://app.example/oauth2/sign_in?rd=%2Fdeep%3Fx%3D1";
        assert_eq!(sent.get("location"), Some(target), "{condition:?}");
        let (problem, _) =
            ask(&world, &Browser::default(), PlainHead::fetch("/deep"), &condition).unwrap_err();
        assert_eq!(refused(&problem), (401, "sign_in_required".to_owned()));
    }
}

#[test]
fn what_no_session_keeps_is_a_mistake_that_names_its_remedy_and_no_403() {
    let mut world = World::of(keeping());
    let ada = signed_in(&mut world);
    let check = |condition: &Condition| world.vestibule.check_condition(condition);
    for (condition, named) in [
        (Condition::new().group("boss"), "Builder::keep_groups(Keep::named([\"boss\"]))"),
        (Condition::new().claim("role", "x"), "Builder::keep_claims(Keep::named([\"role\"]))"),
        (Condition::new().any_group(["boss", "chief"]), "[\"boss\", \"chief\"]"),
        (Condition::new().claim("email", "ada@a.example"), "`emails`"),
        (Condition::new().any_group([""; 0]), "names no groups"),
        (Condition::new().requirement(Requirement::new().providers(["other"])), "no provider `other`"),
        // That one would be refused in any case.
        (Condition::new().group("admins").group("boss"), "boss"),
    ] {
        let error = check(&condition).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
        let (response, event) = ask(&world, &ada, PlainHead::fetch("/"), &condition).unwrap_err();
        assert_eq!(refused(&response), (500, "guard_impossible".to_owned()), "{condition:?}");
        let Some(Event::Refused { detail: Some(detail), .. }) = event else { panic!("{event:?}") };
        assert!(detail.contains(named), "{detail}");
        let body = String::from_utf8(response.body).unwrap();
        assert!(!body.contains("keep_"), "the remedy is for the log: {body}");
    }
    for condition in
        [Condition::new().any_group(["boss", "staff"]), Condition::new().claim("plan", "x"), within(1)]
    {
        assert_eq!(check(&condition), Ok(()), "{condition:?}");
    }
    let hurried = Condition::new().signed_in_within(Duration::from_secs(59));
    assert!(check(&hurried).unwrap_err().to_string().contains("a minute at least"));
    let all =
        World::of(builder().provider(Plain::new("plain")).keep_groups(Keep::All).keep_claims(Keep::All));
    assert_eq!(all.vestibule.check_condition(&Condition::new().group("boss").claim("role", "x")), Ok(()));
}

#[test]
fn whoever_has_not_signed_in_lately_is_sent_to_do_it_again_and_comes_back() {
    let mut world = World::of(keeping());
    let mut ada = signed_in(&mut world);
    world.wait(10 * MINUTE);
    assert!(visit(&world, &ada, &within(10)).is_ok());
    world.wait(1);
    let sent = visit(&world, &ada, &within(10)).unwrap_err();
    let start = sent.get("location").unwrap().strip_prefix(world::ORIGIN).unwrap().to_owned();
    assert_eq!((sent.status, start.as_str()), (303, "/oauth2/start/plain?rd=%2Fdeep%3Fx%3D1&max_age=600"));

    let asked = Asked::of(&ada.visit(&mut world, &start));
    assert_eq!(asked.parameter("prompt"), "login");
    assert_eq!(ada.come_back(&mut world, &asked).get("location"), Some("https://app.example/deep?x=1"));
    assert!(visit(&world, &ada, &within(10)).is_ok(), "and no loop");

    // The shortest of several counts, and a group that somebody lacks comes first: nobody signs in again for a no.
    world.wait(5 * MINUTE);
    assert!(visit(&world, &ada, &within(10).and(within(4))).is_err());
    assert!(visit(&world, &ada, &within(4).and(within(10))).is_err());
    let refusal = visit(&world, &ada, &within(4).group("admins")).unwrap_err();
    assert_eq!(refused(&refusal), (403, "group_not_allowed".to_owned()));
}

#[test]
fn a_script_is_told_how_recent_the_sign_in_must_be() {
    let mut world = World::of(keeping());
    let ada = signed_in(&mut world);
    world.wait(10 * MINUTE);
    let (problem, _) = ask(&world, &ada, PlainHead::fetch("/deep"), &within(5)).unwrap_err();
    assert_eq!(refused(&problem), (401, "insufficient_user_authentication".to_owned()));
    let challenge = "Vestibule error=\"insufficient_user_authentication\", max_age=\"300\"";
    assert_eq!(problem.get("www-authenticate"), Some(challenge));
    let body: serde_json::Value = serde_json::from_slice(&problem.body).unwrap();
    assert_eq!(body["max_age"], 300);
}

#[test]
fn the_sign_in_page_takes_a_script_at_its_word_and_asks_nobody_in_vain() {
    let two = keeping().provider(Plain::new("other"));
    let mut world = World::of(two);
    let mut ada = Browser::default();
    let begun = Asked::of(&ada.visit(&mut world, "/oauth2/start/other"));
    ada.come_back(&mut world, &begun);
    // Recently enough: there is nothing to ask.
    let on = ada.visit(&mut world, "/oauth2/sign_in?rd=%2Fdeep&max_age=60");
    assert_eq!(on.get("location"), Some("https://app.example/deep"));
    world.wait(2 * MINUTE);
    let asked = Asked::of(&ada.visit(&mut world, "/oauth2/sign_in?rd=%2Fdeep&max_age=60"));
    assert_eq!(
        (asked.url.host_str(), asked.parameter("prompt")),
        (Some("other.example"), "login".to_owned())
    );
    // A stranger chooses first, and it is not forgotten on the way.
    let page = Browser::default().visit(&mut world, "/oauth2/sign_in?max_age=60");
    assert!(String::from_utf8(page.body).unwrap().contains("/oauth2/start/plain?max_age=60"));
    // Whoever wants another account is asked which.
    let asked = Asked::of(&ada.visit(&mut world, "/oauth2/start/plain?max_age=60&switch=1"));
    assert_eq!(asked.parameter("prompt"), "select_account");
    world.profile["id"] = 8.into();
    let landed = ada.clone().come_back(&mut world, &asked);
    assert_eq!(landed.status, 303, "another account is what was wanted: {:?}", world::code(&landed));
    for odd in ["-1", "x", "1e3", "99999999999999999999", ""] {
        let asked = Asked::of(&ada.visit(&mut world, &format!("/oauth2/start/plain?max_age={odd}")));
        assert!(!asked.url.query().unwrap().contains("prompt"), "{odd}");
    }
}

#[test]
fn a_guard_around_the_endpoints_is_a_mistake_and_no_loop() {
    let mut world = World::of(keeping());
    let ada = signed_in(&mut world);
    world.wait(10 * MINUTE);
    let (response, _) = ask(&world, &ada, PlainHead::navigation("/oauth2/start"), &within(5)).unwrap_err();
    assert_eq!(refused(&response), (500, "endpoint_guarded".to_owned()));
}

/// A provider that says when it last saw the person, and may not ask again when it should.
struct Telling {
    authenticated: Timestamp,
    subject: &'static str,
}

#[async_trait]
impl Provider for Telling {
    fn id(&self) -> &str {
        "telling"
    }

    fn label(&self) -> &str {
        "Telling"
    }

    async fn begin(&self, _: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        let max_age = request.max_age.map_or_else(|| "none".to_owned(), |seconds| seconds.to_string());
        let state = request.state.expose();
        let url = format!(
            "https://op.example/?state={state}&max_age={max_age}&redirect_uri={}&prompt={}",
            request.redirect_uri,
            request.prompt.as_deref().unwrap_or("none")
        );
        Ok(Begun::at(Url::parse(&url).unwrap()))
    }

    async fn finish(&self, _: &Http, _: &Answered) -> Result<SignIn, ProviderError> {
        let identity = Identity::new(self.subject).issuer("https://op.example");
        Ok(SignIn::new("telling", identity, Tokens::new("t")).authenticated(Some(self.authenticated)))
    }
}

/// The same site at another time: its provider last saw the person then.
fn at(world: &World, authenticated: Timestamp, subject: &'static str) -> World {
    let mut next = World::of(builder().provider(Telling { authenticated, subject }));
    next.now = world.now;
    next
}

fn again(world: &mut World, browser: &mut Browser, condition: &Condition) -> Response {
    let sent = visit(world, browser, condition).unwrap_err();
    let start = sent.get("location").unwrap().strip_prefix(world::ORIGIN).unwrap();
    let asked = Asked::of(&browser.visit(world, start));
    assert_eq!((asked.parameter("max_age").as_str(), asked.parameter("prompt").as_str()), ("300", "login"));
    browser.come_back(world, &asked)
}

#[test]
fn the_providers_word_on_when_it_asked_counts_and_not_when_the_browser_came() {
    let zero = World::new();
    let long_ago = Timestamp::from_unix(zero.now.unix() - 3_600);
    let mut world = at(&zero, long_ago, "7");
    let mut ada = signed_in(&mut world);
    assert!(visit(&world, &ada, &Condition::new()).is_ok());
    // One that asks is believed, and its clock may be a minute behind.
    let mut world = at(&world, Timestamp::from_unix(world.now.unix() - 50), "7");
    assert_eq!(again(&mut world, &mut ada, &within(5)).status, 303);
    let session = visit(&world, &ada, &within(5)).unwrap();
    assert_eq!(session.authenticated, Some(Timestamp::from_unix(world.now.unix() - 50)));
    world.wait(5 * MINUTE + 10);
    assert!(visit(&world, &ada, &within(5)).is_ok());
    world.wait(1);
    assert!(visit(&world, &ada, &within(5)).is_err());

    // A clock that is ahead makes nobody more recent than they are.
    let mut world = at(&zero, zero.now.after(Duration::from_secs(86_400)), "7");
    let ada = signed_in(&mut world);
    world.wait(7 * MINUTE);
    assert!(visit(&world, &ada, &within(5)).is_err());
}

#[test]
fn se_29_a_provider_that_does_not_ask_again_ends_on_a_page_and_the_session_stays_as_it_was() {
    let zero = World::new();
    let mut world = at(&zero, zero.now, "7");
    let mut ada = signed_in(&mut world);
    world.wait(5 * MINUTE + 61);
    // It sends the browser back at once, with the old time.
    let mut lazy = at(&world, zero.now, "7");
    let before = ada.jar["__Host-vestibule"].clone();
    let page = again(&mut lazy, &mut ada, &within(5));
    assert_eq!(refused(&page), (502, "provider_answer_invalid".to_owned()));
    assert_eq!(ada.jar["__Host-vestibule"], before);
    assert!(visit(&lazy, &ada, &within(5)).is_err() && visit(&lazy, &ada, &Condition::new()).is_ok());
}

#[test]
fn se_29_another_account_is_no_second_sign_in_of_the_first() {
    let zero = World::new();
    let mut world = at(&zero, zero.now, "7");
    let mut ada = signed_in(&mut world);
    world.wait(10 * MINUTE);
    let mut other = at(&world, world.now, "8");
    let before = ada.jar["__Host-vestibule"].clone();
    let page = again(&mut other, &mut ada, &within(5));
    assert_eq!(refused(&page), (403, "other_account".to_owned()));
    // A browser brings no session along to an answer by form_post: it is the attempt that knows.
    let sent = visit(&other, &ada, &within(5)).unwrap_err();
    let start = sent.get("location").unwrap().strip_prefix(world::ORIGIN).unwrap();
    let asked = Asked::of(&ada.visit(&mut other, start));
    let mut bare = ada.clone();
    bare.jar.remove("__Host-vestibule");
    assert_eq!(refused(&bare.come_back(&mut other, &asked)).1, "other_account");
    assert_eq!(ada.jar["__Host-vestibule"], before);
    // Signing in with another account without being asked to repeat anything is what it always was.
    let mut eve = ada.clone();
    assert_eq!(eve.sign_in(&mut other, "/").status, 303);
    assert_eq!(visit(&other, &eve, &Condition::new()).unwrap().identity.subject, "8");
}

#[test]
fn a_browser_that_does_not_keep_the_new_session_is_told_so_after_three_rounds() {
    let zero = World::new();
    let mut world = at(&zero, zero.now, "7");
    let mut ada = signed_in(&mut world);
    let old = ada.jar["__Host-vestibule"].clone();
    world.wait(10 * MINUTE);
    for round in 0..4 {
        let mut asking = at(&world, world.now, "7");
        let sent = visit(&asking, &ada, &within(5)).unwrap_err();
        let start = sent.get("location").unwrap().strip_prefix(world::ORIGIN).unwrap();
        let begun = ada.visit(&mut asking, start);
        if round == 3 {
            assert_eq!(refused(&begun), (400, "session_cookie_lost".to_owned()));
            return;
        }
        ada.come_back(&mut asking, &Asked::of(&begun));
        ada.jar.insert("__Host-vestibule".to_owned(), old.clone());
    }
    panic!("there is no end to it");
}
