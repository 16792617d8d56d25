//! API clients that bring a token to `auth` instead of a cookie.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Waker},
    time::Duration,
};

use async_trait::async_trait;
use vestibule::{
    access::{AccessRule, Requirement},
    bearer::BearerIssuer,
    config::{Builder, Flavour, Keep, Problem},
    conversation::Http,
    driver::{AdmitAll, Driver, Host},
    entropy::Seed,
    exchange::{HttpFailure, HttpRequest, HttpResponse, Purpose},
    identity::Identity,
    identity_headers::{IdentityHeaders, Says},
    limits::SIGN_INS_UNDER_WAY_MAX,
    provider::{ProviderError, UserHeader},
    request::PlainHead,
    response::{Event, Response},
    secret::Secret,
    time::Timestamp,
};
use world::{
    Browser, Plain, World, builder, refused,
    threads::{Threads, answer, callback, send},
};

const AUTH: &str = "/oauth2/auth";

/// An issuer whose tokens say plainly what they are: `issuer:subject`, or `issuer:false`.
struct Issuer(&'static str);

#[async_trait]
impl BearerIssuer for Issuer {
    fn id(&self) -> &str {
        self.0
    }

    async fn prove(&self, http: &Http, token: &Secret) -> Result<Option<Identity>, ProviderError> {
        let Some(subject) = token.expose().strip_prefix(self.0).and_then(|rest| rest.strip_prefix('.'))
        else {
            return Ok(None);
        };
        let request = http::Request::get("https://keys.example/").body(Vec::new()).unwrap();
        let purpose = Purpose::Keys;
        let unreachable = |failure| ProviderError::Unreachable { purpose, failure };
        http.send(purpose, request).await.map_err(unreachable)?;
        match subject {
            "false" => Err(ProviderError::BearerToken("it is false")),
            "nobody" => Ok(Some(Identity::new("").issuer("https://ci.example"))),
            "unvouched" => Ok(Some(Identity::new("7"))),
            "unwritable" => Ok(Some(Identity::new("7\r\nx: y").issuer("https://ci.example"))),
            "hangs" => std::future::pending().await,
            subject => Ok(Some(
                Identity::new(subject)
                    .issuer("https://ci.example")
                    .username("robot".to_owned())
                    .verified_email(Some("robot@a.example".to_owned()))
                    .groups(["staff".to_owned(), "other".to_owned()]),
            )),
        }
    }

    fn user_header(&self) -> UserHeader {
        if self.0 == "named" { UserHeader::Username } else { UserHeader::Subject }
    }
}

fn site() -> Builder {
    builder().provider(Plain::new("plain")).bearer(Issuer("ci")).bearer(Issuer("named"))
}

fn bearer(token: &str) -> PlainHead {
    PlainHead::new("GET", AUTH).with("authorization", format!("Bearer {token}"))
}

fn ask(world: &mut World, head: PlainHead) -> Response {
    world.handle(head).response
}

#[test]
fn a_token_that_is_proven_lets_in_whom_it_names() {
    let mut world = World::of(site().keep_groups(Keep::named(["staff"])));
    let response = ask(&mut world, bearer("ci.7"));
    assert_eq!(response.status, 202);
    let shown = |name: &str| response.get(name).unwrap().to_owned();
    assert_eq!(shown("x-auth-request-user"), "7");
    assert_eq!(shown("x-auth-request-email"), "robot@a.example");
    assert_eq!(shown("x-auth-request-preferred-username"), "robot");
    assert_eq!(shown("x-auth-request-groups"), "staff", "as far as a session would keep them");
    assert_eq!(shown("gap-auth"), "robot@a.example");
    assert_eq!(response.set_cookies().count(), 0);
    let all = format!("{:?}", response.headers);
    assert!(!all.contains("ci.7"), "the token itself goes nowhere: {all}");
    let named = ask(&mut world, bearer("named.8"));
    assert_eq!(named.get("x-auth-request-user"), Some("robot"));
    assert_eq!(world.asked, [Purpose::Keys; 2]);
}

#[test]
fn gw_13_every_token_is_proven_anew() {
    let mut world = World::of(site());
    assert_eq!(ask(&mut world, bearer("ci.7")).status, 202);
    assert_eq!(ask(&mut world, bearer("ci.7")).status, 202);
    assert_eq!(world.asked.len(), 2);
    world.failure = Some(HttpFailure::Connect);
    assert_eq!(refused(&ask(&mut world, bearer("ci.7"))), (503, "provider_unreachable".into()));
}

#[test]
fn a_token_that_proves_nothing_is_refused_as_rfc_6750_says() {
    let mut world = World::of(site());
    for token in ["ci.false", "stranger.7", "a b", "\"x\"", ""] {
        let head = bearer(token).with("cookie", "x=y");
        let outcome = world.handle(head);
        assert_eq!(refused(&outcome.response), (401, "bearer_invalid".into()), "{token}");
        assert_eq!(outcome.response.get("www-authenticate"), Some("Bearer error=\"invalid_token\""));
        assert_eq!(outcome.response.get("location"), None);
        assert!(!String::from_utf8_lossy(&outcome.response.body).contains("stranger"));
        let Some(Event::Refused { detail: Some(detail), .. }) = outcome.event else { panic!("{token}") };
        assert!(detail.starts_with("bearer token: ") && !detail.contains("stranger"), "{detail}");
    }
    assert_eq!(world.asked, [Purpose::Keys], "only the issuer that one names was asked");
    let two = bearer("ci.7").with("authorization", "Bearer ci.8");
    assert_eq!(refused(&ask(&mut world, two)).1, "bearer_invalid");
}

#[test]
fn whoever_the_token_names_must_be_let_in_by_the_rules() {
    for (site, code) in [
        (site().email_domains(["b.example"]), "email_not_allowed"),
        (site().groups(["admins"]), "group_not_allowed"),
    ] {
        let mut world = World::of(site);
        let outcome = world.handle(bearer("ci.7"));
        assert_eq!(refused(&outcome.response), (403, code.into()));
        let Some(Event::Refused { provider, detail, .. }) = outcome.event else { panic!("{code}") };
        assert_eq!(provider, None, "nobody has failed to sign in there");
        assert!(detail.is_some_and(|detail| detail.contains("`ci`")));
    }
    let mut world = World::of(site().email_domains(["a.example"]).groups(["other"]));
    assert_eq!(ask(&mut world, bearer("ci.7")).status, 202, "by groups that the session does not keep");
}

#[test]
fn whoever_the_token_names_must_meet_what_is_asked_for_this() {
    let asked = |token: &str, query: &str| {
        PlainHead::new("GET", &format!("{AUTH}?{query}")).with("authorization", format!("Bearer {token}"))
    };
    let rule = |requirement| AccessRule::signed_in(requirement);
    for (requirement, query, code) in [
        (Requirement::new().groups(["other"]).providers(["ci"]), "allowed_groups=staff", ""),
        (Requirement::new().groups(["admins"]), "", "group_not_allowed"),
        (Requirement::new().providers(["plain"]), "", "provider_not_allowed"),
        (Requirement::new(), "allowed_groups=admins", "group_not_allowed"),
        (Requirement::new(), "allowed_emails=robot@a.example", ""),
    ] {
        let mut world = World::of(site().rule(rule(requirement)));
        let expected = if code.is_empty() { (202, String::new()) } else { (403, code.to_owned()) };
        assert_eq!(refused(&ask(&mut world, asked("ci.7", query))), expected, "{query}");
    }
}

#[test]
fn no_browser_is_sent_to_an_issuer_of_tokens_to_sign_in() {
    let rule = AccessRule::signed_in(Requirement::new().providers(["ci"]));
    let two = site().provider(Plain::new("other")).flavour(Flavour::ForwardAuth).trusted_proxies(["unix"]);
    let mut world = World::of(two.rule(rule));
    let visit = PlainHead::new("GET", AUTH)
        .with("x-forwarded-method", "GET")
        .with("x-forwarded-host", "app.example")
        .with("x-forwarded-uri", "/x")
        .with("sec-fetch-mode", "navigate")
        .with("accept", "text/html");
    let location = ask(&mut world, visit).get("location").map(str::to_owned);
    assert_eq!(location.as_deref(), Some("https://app.example/oauth2/sign_in?rd=%2Fx"));
}

#[test]
fn what_is_everybodys_is_so_whatever_a_token_says() {
    let mut world = World::of(site().rule(AccessRule::public()));
    for token in ["ci.7", "stranger.7", "a b"] {
        let response = ask(&mut world, bearer(token));
        assert_eq!((response.status, response.get("x-auth-request-user")), (202, Some("")), "{token}");
    }
    let mut closed = World::of(site().rule(AccessRule::nobody()));
    assert_eq!(refused(&ask(&mut closed, bearer("ci.7"))), (403, "closed_to_everybody".into()));
    assert!(world.asked.is_empty() && closed.asked.is_empty());
}

#[test]
fn an_issuer_that_names_nobody_or_hangs_lets_nobody_in() {
    let mut world = World::of(site());
    for token in ["ci.nobody", "ci.unvouched", "ci.unwritable"] {
        assert_eq!(
            refused(&ask(&mut world, bearer(token))),
            (502, "provider_answer_invalid".into()),
            "{token}"
        );
    }
    assert_eq!(refused(&ask(&mut world, bearer("ci.hangs"))), (500, "plugin_faulty".into()));
}

#[test]
fn a_request_with_a_token_is_decided_by_it_alone() {
    let mut world = World::of(site());
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    let with_session = |token: &str| browser.with_cookies(bearer(token));
    assert_eq!(refused(&ask(&mut world, with_session("stranger.7"))), (401, "bearer_invalid".into()));
    let robot = ask(&mut world, with_session("ci.9"));
    assert_eq!(robot.get("x-auth-request-user"), Some("9"), "not the person of the session");
    assert!(world.vestibule.grant(&with_session("stranger.7"), world.now).is_none(), "nor on the hot path");
    let nobody_s = browser.with_cookies(PlainHead::fetch(AUTH));
    for other in ["Basic YWRhOnNlY3JldA==", "Digest x", ""] {
        let own_business = nobody_s.clone().with("authorization", other);
        assert_eq!(ask(&mut world, own_business).get("x-auth-request-user"), Some("ada"), "{other}");
    }
}

#[test]
fn the_session_decides_where_it_may_and_the_token_proves_nothing() {
    let mut world = World::of(site().bearer_or_session());
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    let with_session = |token: &str| browser.with_cookies(bearer(token));
    for token in ["stranger.7", "ci.false", "a b"] {
        let response = ask(&mut world, with_session(token));
        assert_eq!((response.status, response.get("x-auth-request-user")), (202, Some("ada")), "{token}");
        assert_eq!(refused(&ask(&mut world, bearer(token))), (401, "bearer_invalid".into()), "{token}");
    }
    assert_eq!(ask(&mut world, with_session("ci.9")).get("x-auth-request-user"), Some("9"));
    world.failure = Some(HttpFailure::Connect);
    assert_eq!(ask(&mut world, with_session("ci.9")).get("x-auth-request-user"), Some("ada"));
    assert_eq!(refused(&ask(&mut world, bearer("ci.9"))), (503, "provider_unreachable".into()));
}

#[test]
fn without_an_issuer_no_header_lets_anybody_in_and_the_session_decides() {
    let mut world = World::new();
    assert_eq!(refused(&ask(&mut world, bearer("ci.7"))), (401, "sign_in_required".into()));
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    assert_eq!(ask(&mut world, browser.with_cookies(bearer("ci.7"))).status, 202);
}

#[test]
fn a_token_counts_for_auth_only() {
    let mut world = World::of(site());
    for target in ["/oauth2/userinfo", "/oauth2/sign_in"] {
        let head = PlainHead::fetch(target).with("authorization", "Bearer ci.7");
        assert_ne!(ask(&mut world, head).status, 200, "{target}");
    }
    assert!(world.asked.is_empty());
}

struct Unsound;

#[async_trait]
impl BearerIssuer for Unsound {
    fn id(&self) -> &str {
        "unsound"
    }

    async fn prove(&self, _: &Http, _: &Secret) -> Result<Option<Identity>, ProviderError> {
        Ok(None)
    }

    fn problems(&self) -> Vec<Problem> {
        vec![Problem::new("issuer", "unsound", "mend it")]
    }
}

#[test]
fn an_issuer_beside_a_provider_may_use_the_same_names() {
    assert_eq!(site().build().unwrap().cautions().len(), 1);
    let told_apart = IdentityHeaders::default().header("x-from", Says::Issuer);
    assert_eq!(site().identity_headers(told_apart).build().unwrap().cautions().len(), 0);
}

#[test]
fn what_is_wrong_with_an_issuer_is_said_at_construction() {
    let fields = |builder: Builder| -> Vec<_> {
        builder.build().unwrap_err().problems.into_iter().map(|problem| problem.field).collect()
    };
    assert_eq!(fields(builder().provider(Plain::new("plain")).bearer(Unsound)), ["issuer"]);
    assert_eq!(fields(builder().provider(Plain::new("plain")).bearer_or_session()), ["bearer_or_session"]);
    assert_eq!(fields(site().bearer(Issuer("ci"))), ["bearer"], "a rule that names one would let both in");
    assert_eq!(fields(site().bearer(Issuer("plain"))), ["bearer"], "a provider is called that");
}

/// A host on which the issuer of tokens never answers, and everybody else does.
struct Deaf(Threads);

#[async_trait]
impl Host for Deaf {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn seed(&self) -> Seed {
        self.0.seed()
    }

    async fn exchange(&self, request: HttpRequest, timeout: Duration) -> Result<HttpResponse, HttpFailure> {
        if request.uri().host() == Some("keys.example") {
            return std::future::pending().await;
        }
        self.0.exchange(request, timeout).await
    }

    async fn wait(&self, time: Duration) {
        self.0.wait(time).await;
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.0.spawn(task);
    }
}

#[test]
fn nd_11_an_issuer_of_tokens_that_hangs_keeps_nobody_from_signing_in() {
    let driver = Driver::new(site().build().unwrap(), Deaf(Threads::default()), AdmitAll);
    let head = bearer("ci.7");
    let begin = || Box::pin(answer(&driver, &head));
    let mut waiting: Vec<_> = (0..SIGN_INS_UNDER_WAY_MAX).map(|_| begin()).collect();
    for run in &mut waiting {
        assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(refused(&send(&driver, &bearer("ci.7"))), (503, "too_many_sign_ins".into()));
    let (head, _) = callback(&driver, "c");
    assert_eq!(send(&driver, &head).status, 303);
    waiting.pop();
    assert!(
        begin().as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(),
        "there is room again"
    );
}
