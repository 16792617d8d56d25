//! Which headers tell a proxy who is signed in, as an operator chooses them.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use serde_json::json;
use vestibule::{
    access::AccessRule,
    config::{Builder, TokenHeaders},
    identity_headers::{IdentityHeaders, Says},
    request::PlainHead,
    response::Response,
};
use world::{Browser, Plain, World, builder};

const AUTH: &str = "/oauth2/auth";

fn site(headers: IdentityHeaders) -> Builder {
    builder().provider(Plain::new("plain")).identity_headers(headers)
}

/// Every header of the answer but `cache-control`.
fn said(response: &Response) -> Vec<(&str, &str)> {
    let headers = response.headers.iter().map(|(name, value)| (*name, value.as_str()));
    headers.filter(|(name, _)| *name != "cache-control").collect()
}

fn signed_in(builder: Builder, profile: serde_json::Value) -> Response {
    let mut world = World::of(builder);
    world.profile = profile;
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    let response = browser.send(&mut world, PlainHead::fetch(AUTH));
    assert_eq!(response.status, 202);
    response
}

fn ada() -> serde_json::Value {
    json!({"id": 7, "login": "ada", "name": "Ada L.", "email": "ada@a.example", "verified": true, "groups": ["staff"]})
}

#[test]
fn what_is_not_chosen_does_not_go_out_and_gap_auth_always_does() {
    let none = signed_in(site(IdentityHeaders::none()), ada());
    assert_eq!(said(&none), [("gap-auth", "ada@a.example")]);
}

#[test]
fn every_part_of_an_identity_has_a_header_if_somebody_wants_one() {
    let all = IdentityHeaders::none()
        .header("X-Forwarded-User", Says::User)
        .header("Remote-Email", Says::Email)
        .header("x-login", Says::PreferredUsername)
        .header("x-name", Says::Name)
        .header("x-groups", Says::Groups)
        .header("x-subject", Says::Subject)
        .header("x-issuer", Says::Issuer)
        .header("x-provider", Says::Provider)
        .header("x-plan", Says::Claim("plan".into()))
        .header("x-nothing", Says::Claim("nothing".into()));
    let response = signed_in(site(all).groups(["staff"]), ada());
    let expected = [
        ("gap-auth", "ada@a.example"),
        ("x-forwarded-user", "ada"),
        ("remote-email", "ada@a.example"),
        ("x-login", "ada"),
        ("x-name", "Ada L."),
        ("x-groups", "staff"),
        ("x-subject", "7"),
        ("x-issuer", "https://plain.example"),
        ("x-provider", "plain"),
        ("x-plan", "gold"),
        ("x-nothing", ""),
    ];
    assert_eq!(said(&response), expected);
}

#[test]
fn gw_20_every_chosen_header_goes_out_empty_where_there_is_nothing_to_say() {
    let chosen =
        || IdentityHeaders::default().header("x-name", Says::Name).header("x-plan", Says::Claim("x".into()));
    let nameless = signed_in(site(chosen()), json!({"id": 9}));
    let names: Vec<_> = said(&nameless).iter().map(|(name, _)| *name).collect();
    assert_eq!(
        said(&nameless).iter().filter(|(_, value)| value.is_empty()).count(),
        5,
        "all but two: {names:?}"
    );
    let mut world = World::of(site(chosen()).rule(AccessRule::public()));
    let nobody = world.handle(PlainHead::fetch(AUTH)).response;
    assert_eq!(said(&nobody), names.iter().map(|name| (*name, "")).collect::<Vec<_>>());
}

#[test]
fn the_user_may_be_the_verified_address() {
    let user = |builder: Builder, profile: serde_json::Value| {
        signed_in(builder, profile).get("x-auth-request-user").unwrap().to_owned()
    };
    let prefer = || site(IdentityHeaders::default().prefer_email_to_user());
    assert_eq!(user(prefer(), ada()), "ada@a.example");
    assert_eq!(user(prefer(), json!({"id": 7, "login": "ada"})), "ada");
    let unverified = json!({"id": 7, "login": "ada", "email": "boss@a.example"});
    assert_eq!(user(prefer(), unverified.clone()), "ada", "whoever can set an address would be anybody");
    assert_eq!(user(prefer().insecure_unverified_email(), unverified), "boss@a.example");
    let broken = json!({"id": 7, "login": "ada", "email": "a\r\nx: y@a.example", "verified": true});
    assert_eq!(user(prefer(), broken), "ada");
    assert_eq!(user(site(IdentityHeaders::default()), ada()), "ada");
}

#[test]
fn se_36_an_address_that_nobody_has_verified_stands_in_no_header() {
    let chosen = || site(IdentityHeaders::none().header("x-email", Says::Email));
    let unverified = json!({"id": 7, "login": "ada", "email": "boss@a.example"});
    let response = signed_in(chosen(), unverified.clone());
    assert_eq!(said(&response), [("gap-auth", "ada"), ("x-email", "")]);
    let whatever = signed_in(chosen().insecure_unverified_email(), unverified);
    assert_eq!(said(&whatever), [("gap-auth", "boss@a.example"), ("x-email", "boss@a.example")]);
}

#[test]
fn a_name_never_poses_as_an_address_where_addresses_are_what_counts() {
    let impostor = || json!({"id": 7, "login": "boss@a.example"});
    let said = |builder: Builder| {
        let response = signed_in(builder.token_headers(TokenHeaders::none().basic("secret")), impostor());
        ["x-auth-request-user", "gap-auth", "authorization"]
            .map(|name| response.get(name).unwrap().to_owned())
    };
    let prefer = IdentityHeaders::default().prefer_email_to_user();
    assert_eq!(said(site(prefer)), ["7", "7", "Basic NzpzZWNyZXQ="].map(str::to_owned), "7:secret");
    let [user, gap_auth, _] = said(site(IdentityHeaders::default()));
    assert_eq!((user.as_str(), gap_auth.as_str()), ("boss@a.example", "7"), "a name is what it is asked for");
}

#[test]
fn headers_that_mix_the_names_of_several_issuers_are_said_to() {
    let cautions = |builder: Builder| builder.build().unwrap().cautions();
    let two = |headers| site(headers).provider(Plain::new("other"));
    assert_eq!(cautions(site(IdentityHeaders::default())), Vec::<String>::new());
    let [caution] = &cautions(two(IdentityHeaders::default()))[..] else { panic!("no caution") };
    assert!(caution.starts_with("identity_headers: ") && caution.contains("provider"), "{caution}");
    for says in [Says::Issuer, Says::Provider] {
        let told_apart = IdentityHeaders::default().header("x-from", says);
        assert_eq!(cautions(two(told_apart)), Vec::<String>::new());
    }
}

#[test]
fn a_header_has_one_name_of_its_own_and_one_meaning() {
    let problems = |name: &str| {
        let headers = IdentityHeaders::default().header(name, Says::User);
        site(headers).build().err().map_or(0, |error| {
            assert!(error.problems.iter().all(|problem| problem.field == "identity_headers"));
            error.problems.len()
        })
    };
    for odd in [
        "",
        "x user",
        "x_user",
        "x-üser",
        "x-user:",
        "set-cookie",
        "location",
        "content-length",
        "connection",
        "authorization",
        "x-accel-redirect",
        "gap-auth",
        "X-Auth-Request-User",
    ] {
        assert_eq!(problems(odd), 1, "{odd}");
    }
    assert_eq!(problems("X-Forwarded-Preferred-Username"), 0);
}
