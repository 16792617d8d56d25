//! What browsers do at both programs, step by step.

use std::time::Duration;

use vestibule_dev_provider::{Behaviour, Endpoint, Lie};

use crate::program::Environment;

/// Something that a browser does, or that happens to it. Every answer of the application is compared.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A person goes to a page.
    Visit(&'static str),
    /// A page's script asks.
    Fetch(&'static str),
    /// A page's form is sent.
    Post(&'static str, &'static str),
    /// The tab goes where the last answer leads; at the provider it goes on to where that leads.
    Follow,
    /// The tab loads where it would go next, and may do so again.
    Again,
    /// Another tab.
    Tab(u8),
    /// The provider takes everybody for this person from now on.
    Person(Option<&'static str>),
    /// The provider lies from now on.
    Lie(Lie),
    /// The provider's next answer here.
    Fail(Endpoint, Behaviour),
    /// The provider goes away, and comes back.
    Down,
    Up,
    /// The browser loses its cookies.
    Forget,
    /// The tab's next request is sent, and the connection closed while the provider is still being asked.
    Leave,
    /// The tab's next request is sent so many times at once.
    Copies(usize),
}

/// Steps with a name.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) name: &'static str,
    pub(crate) steps: Vec<Step>,
}

use Step::{Again, Copies, Down, Fail, Fetch, Follow, Forget, Leave, Person, Post, Tab, Up, Visit};

/// To the sign-in, to the provider, back from there, and on to the page.
const SIGN_IN: [Step; 4] = [Follow, Follow, Follow, Follow];
/// As far as the way back from the provider.
const AWAY: [Step; 2] = [Follow, Follow];

macro_rules! stories {
    ($($name:literal: $($steps:expr),+;)*) => {
        vec![$(Story { name: $name, steps: [$($steps.to_vec()),+].concat() },)*]
    };
}

/// The stories that are told in an environment.
pub(crate) fn of(environment: Environment) -> Vec<Story> {
    match environment {
        Environment::Plain => [whole(), failing(), hasty()].into_iter().flatten().collect(),
        Environment::Strict => strict(),
        Environment::FormPost => form_post(),
    }
}

/// Sign-ins that come to an end.
fn whole() -> Vec<Story> {
    let everything = [
        Fetch("/app/oauth2/auth"),
        Fetch("/app/oauth2/userinfo"),
        Fetch("/app/api/userinfo"),
        Fetch("/app/api/first_seen"),
        Visit("/app/oauth2/sign_in?rd=/again"),
        Visit("/assets/index.css"),
    ];
    stories! {
        "deep link": [Visit("/reports/2026?q=a%26b&next=https%3A%2F%2Felsewhere.example%2F")], SIGN_IN, everything;
        "by the front page": [Visit("/")], SIGN_IN, everything;
        "by the sign-in page": [Visit("/app/oauth2/sign_in?rd=%2Fhere")], AWAY[1..], [Follow, Follow], everything;
        "remembered by auth": [Visit("/app/oauth2/auth"), Visit("/app/oauth2/sign_in")], AWAY[1..], [Follow, Follow];
        "signing out": [Visit("/")], SIGN_IN, [
            Visit("/app/oauth2/sign_out"), Follow, Fetch("/app/oauth2/auth"), Visit("/app/oauth2/sign_out"),
        ];
        "signing out to a page": [Visit("/")], SIGN_IN, [
            Post("/app/oauth2/sign_out?rd=%2Fbye", "a=b"), Fetch("/app/oauth2/auth"), Follow,
        ];
        "signing out by the page's own address": [Visit("/app/oauth/logout")], SIGN_IN, [
            Visit("/app/oauth/logout"), Follow, Fetch("/app/api/userinfo"),
        ];
        "another account": [Visit("/")], SIGN_IN, [
            Person(Some("bob")), Visit("/app/oauth2/sign_in?switch=1&rd=/x"), Follow, Follow, Follow,
            Fetch("/app/oauth2/auth"),
        ];
        "signing in again": [Visit("/")], SIGN_IN, [
            Visit("/app/oauth2/sign_in?max_age=600&rd=/pay"), Visit("/app/oauth2/start/oidc?max_age=0&rd=/pay"),
        ], AWAY[1..], [Follow, Fetch("/app/oauth2/auth")];
        "signing in again as somebody else": [Visit("/")], SIGN_IN, [
            Person(Some("bob")), Visit("/app/oauth2/start?max_age=60&rd=/pay"),
        ], AWAY[1..], [Fetch("/app/oauth2/userinfo")];
        "signing in again where nobody asks": [Visit("/")], SIGN_IN, [
            Step::Lie(Lie::claim("auth_time", 1_000_000_000)), Visit("/app/oauth2/start?max_age=60&rd=/pay"),
        ], AWAY[1..], [Fetch("/app/oauth2/userinfo")];
        "five tabs, last first": tabs(&[4, 3, 2, 1, 0]);
        "five tabs, in disorder": tabs(&[2, 0, 4, 1, 3]);
        "five tabs, first first": tabs(&[0, 1, 2, 3, 4]);
        "ten tabs, of which the last comes back": ten_tabs();
        "onto a callback again": [Visit("/first")], AWAY, [Again, Again, Follow, Again];
        "onto a callback again with a session": [Visit("/first")], AWAY, [Again, Fetch("/app/oauth2/auth"), Again];
    }
}

/// Each tab is sent away for a page of its own; then they come back in this order, the last one as somebody else.
fn tabs(order: &[u8]) -> Vec<Step> {
    const PAGES: [&str; 5] =
        ["/tab/0?q=0%26", "/tab/1?q=1%26", "/tab/2?q=2%26", "/tab/3?q=3%26", "/tab/4?q=4%26"];
    let mut steps = Vec::new();
    for (number, page) in (0..).zip(PAGES) {
        steps.extend([Tab(number), Visit(page), Follow]);
    }
    for (place, number) in order.iter().enumerate() {
        let person = if place + 1 == order.len() { "chloe" } else { "alice" };
        steps.extend([Person(Some(person)), Tab(*number), Follow, Follow, Follow, Fetch("/app/oauth2/auth")]);
    }
    steps
}

/// More attempts than a browser may have under way. Which of those that began in one second are dropped is left to
/// chance; the last one is not.
fn ten_tabs() -> Vec<Step> {
    let mut steps = Vec::new();
    for number in 0..10 {
        steps.extend([Tab(number), Visit("/app/oauth2/sign_in?rd=/tab")]);
    }
    steps.extend([Follow, Follow, Follow]);
    steps
}

/// Sign-ins that come to no end, by the provider's fault or that of whoever is there.
fn failing() -> Vec<Story> {
    let refused = |error: &str| {
        let description = "<script>alert(1)</script>".to_owned();
        Step::Lie(Lie::Refuse { error: error.to_owned(), description })
    };
    let status = |endpoint, status| Fail(endpoint, Behaviour::Status(status));
    stories! {
        "cancelled": [refused("access_denied"), Visit("/x")], SIGN_IN[1..];
        "refused": [refused("invalid_scope"), Visit("/x")], SIGN_IN[1..];
        "unavailable": [refused("temporarily_unavailable"), Visit("/x")], SIGN_IN[1..];
        "token refused": [Visit("/x"), status(Endpoint::Token, 400)], SIGN_IN[1..];
        "token broken": [Visit("/x"), status(Endpoint::Token, 500)], SIGN_IN[1..];
        "token is no JSON": [Visit("/x"), Fail(Endpoint::Token, Behaviour::answer(200, "<html>"))], SIGN_IN[1..];
        "token reset": [Visit("/x"), Fail(Endpoint::Token, Behaviour::Reset)], SIGN_IN[1..];
        "token endless": [Visit("/x"), Fail(Endpoint::Token, Behaviour::Endless)], SIGN_IN[1..];
        "userinfo broken": [Visit("/x"), status(Endpoint::Userinfo, 500)], SIGN_IN[1..];
        "nonce differs": [Step::Lie(Lie::claim("nonce", "other")), Visit("/x")], SIGN_IN[1..];
        "issuer differs": [Step::Lie(Lie::callback("iss", ["https://evil.example"])), Visit("/x")], SIGN_IN[1..];
        "state differs": [Step::Lie(Lie::callback("state", ["other"])), Visit("/x")], SIGN_IN[1..];
        "code twice": [Step::Lie(Lie::callback("code", ["a", "b"])), Visit("/x")], SIGN_IN[1..];
        "userinfo of another": [Step::Lie(Lie::UserinfoOf("chloe".to_owned())), Visit("/x")], SIGN_IN[1..];
        "a failure, then once more": [Visit("/x"), status(Endpoint::Token, 500)], AWAY, [
            Again, Again, Visit("/x"),
        ], SIGN_IN, [Fetch("/app/oauth2/auth")];
        "without cookies": [
            Visit("/x"), Follow, Follow, Forget, Follow, Visit("/x"), Follow, Follow, Forget, Follow,
        ];
        "the provider is away": [Visit("/x")], SIGN_IN, [
            Down, Fetch("/app/oauth2/auth"), Visit("/app/oauth2/sign_in?switch=1"), Up, Fetch("/app/oauth2/auth"),
        ];
        "the provider goes while somebody is there": [Visit("/x")], AWAY, [Down, Again, Up, Again];
    }
}

/// Browsers that ask too often, or do not wait.
fn hasty() -> Vec<Story> {
    stories! {
        "twenty copies of a callback": [Visit("/x")], AWAY, [Copies(20), Fetch("/app/oauth2/auth")];
        "a browser that leaves": [Visit("/x")], AWAY, [
            Leave, Fetch("/app/oauth2/auth"), Again, Visit("/x"),
        ], SIGN_IN, [Fetch("/app/oauth2/auth")];
        "a browser that leaves, and another tab": [Tab(1), Visit("/one"), Follow, Tab(2), Visit("/two"), Follow, Follow], [
            Leave, Tab(1), Follow, Follow, Follow, Fetch("/app/oauth2/auth"),
        ];
        "a slow provider": [Visit("/x"), Fail(Endpoint::Token, Behaviour::Delay(Duration::from_millis(500)))], SIGN_IN;
    }
}

/// People who have proven who they are, and may not enter.
fn strict() -> Vec<Story> {
    stories! {
        "not allowed": [Visit("/reports")], SIGN_IN[1..], [Fetch("/app/oauth2/auth"), Visit("/reports")];
        "not verified": [Person(Some("bob")), Visit("/reports")], SIGN_IN[1..], [Fetch("/app/oauth2/auth")];
        "a browser that asks again": [Visit("/reports")], AWAY, [Again, Again];
    }
}

/// A provider that answers by a form.
fn form_post() -> Vec<Story> {
    let status = |endpoint, status| Fail(endpoint, Behaviour::Status(status));
    stories! {
        "deep link": [Visit("/reports/2026?q=a%26b")], SIGN_IN, [
            Fetch("/app/oauth2/auth"), Fetch("/app/oauth2/userinfo"), Visit("/app/oauth2/sign_out"), Follow,
        ];
        "two tabs": [Tab(1), Visit("/one"), Follow, Tab(2), Visit("/two")], SIGN_IN, [Tab(1), Follow, Follow, Follow];
        "token broken": [Visit("/x"), status(Endpoint::Token, 500)], SIGN_IN[1..];
        "cancelled": [
            Step::Lie(Lie::Refuse { error: "access_denied".to_owned(), description: "no".to_owned() }),
            Visit("/x"),
        ], SIGN_IN[1..];
        "twenty copies of a form": [Visit("/x")], AWAY, [Copies(20), Fetch("/app/oauth2/auth")];
        "a browser that leaves": [Visit("/x")], AWAY, [Leave, Fetch("/app/oauth2/auth")];
    }
}
