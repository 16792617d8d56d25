//! The catalogue of attacks on cookies, as far as the units have it not: what a browser sends, and what it is sent.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use std::collections::HashSet;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use vestibule::{Vestibule, limits, request::PlainHead, seal::KeyRing};
use world::{Browser, Plain, SECRET, World, builder, refused};

const SESSION: &str = "__Host-vestibule";

fn auth_with(world: &mut World, cookies: &str) -> u16 {
    world.handle(PlainHead::fetch("/oauth2/auth").with("cookie", cookies)).response.status
}

#[test]
fn ck_03_cookies_are_not_shared_with_a_sibling_host() {
    let mut world = World::new();
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    assert!(browser.jar.keys().all(|name| name.starts_with("__Host-")));
    let sealed = browser.jar[SESSION].clone();
    for tossed in ["vestibule", "__Secure-vestibule", "__Host-vestibule_0"] {
        assert_eq!(auth_with(&mut world, &format!("{tossed}={sealed}")), 401, "{tossed}");
    }
}

#[test]
fn ck_08_a_session_is_one_cookie_and_pieces_are_nothing() {
    let mut world = World::new();
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    let (head, tail) = browser.jar[SESSION].split_at(100);
    for cookies in [
        format!("{SESSION}_0={head}; {SESSION}_1={tail}"),
        format!("{SESSION}={head}; {SESSION}_1={tail}"),
        format!("{SESSION}_1of10000000000={head}"),
        format!("{SESSION}=99999999; {SESSION}_0={head}; {SESSION}_1={tail}"),
    ] {
        assert_eq!(auth_with(&mut world, &cookies), 401);
    }
}

#[test]
fn ck_12_a_removed_key_ends_its_sessions_and_an_older_one_does_not() {
    let with_keys = |secrets: &[&str]| {
        let builder =
            Vestibule::builder(format!("{}/oauth2/callback", world::ORIGIN)).provider(Plain::new("plain"));
        World::of(builder.keys(KeyRing::new(secrets).unwrap()))
    };
    let new = "fedcba9876543210fedcba9876543210";
    let mut world = with_keys(&[SECRET]);
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    for (secrets, status) in [(&[new, SECRET][..], 202), (&[SECRET, new], 202), (&[new], 401)] {
        let mut rotated = with_keys(secrets);
        assert_eq!(browser.send(&mut rotated, PlainHead::fetch("/oauth2/auth")).status, status);
    }
}

#[test]
fn ck_12_what_an_older_key_has_sealed_is_sealed_anew_for_whoever_goes_to_a_page() {
    let new = "fedcba9876543210fedcba9876543210";
    let with_keys = |secrets: &[&str]| {
        let builder = Vestibule::builder(format!("{}/oauth2/callback", world::ORIGIN))
            .provider(Plain::new("plain"))
            .keep_tokens();
        World::of(builder.keys(KeyRing::new(secrets).unwrap()))
    };
    let mut browser = Browser::default();
    browser.sign_in(&mut with_keys(&[SECRET]), "/");
    let (mut both, mut later) = (with_keys(&[new, SECRET]), with_keys(&[new]));
    let page = || PlainHead::navigation("/oauth2/auth");
    let mut asks = |world: &mut World, head| {
        let response = browser.send(world, head);
        let ages =
            response.set_cookies().map(|line| line.split("; ").find(|part| part.starts_with("Max-Age")));
        (response.status, ages.map(|age| age.unwrap().to_owned()).collect::<Vec<_>>())
    };
    // A page's own requests come several at once, and one that loads ahead of time changes nothing.
    assert_eq!(asks(&mut both, PlainHead::fetch("/oauth2/auth")), (202, vec![]));
    assert_eq!(asks(&mut both, page().with("sec-purpose", "prefetch")), (202, vec![]));
    both.wait(100);
    // The session, then the tokens beside it: a proxy hands on one cookie at a time. Neither lives any longer for that.
    let left = format!("Max-Age={}", limits::SESSION_AGE_DEFAULT.as_secs() - 100);
    assert_eq!(
        asks(&mut both, page().without("sec-fetch-dest").with("sec-fetch-dest", "iframe")),
        (202, vec![])
    );
    assert_eq!(asks(&mut both, page()), (202, vec![left.clone()]));
    assert_eq!(asks(&mut both, page()), (202, vec![left]));
    assert_eq!(asks(&mut both, page()), (202, vec![]), "once is enough");
    assert_eq!(asks(&mut later, page()), (202, vec![]), "the older key can go");
    assert!(later.vestibule.tokens(&browser.with_cookies(page()), later.now).is_some());
}

#[test]
fn ck_16_what_does_not_open_is_nothing_however_it_is_written() {
    let mut world = World::new();
    let claims = r#"{"provider":"plain","subject":"7","expires":9999999999}"#;
    for value in [
        claims.replace(';', ""),
        STANDARD.encode(claims),
        URL_SAFE_NO_PAD.encode(claims),
        format!("v1.{}", URL_SAFE_NO_PAD.encode(claims)),
        URL_SAFE_NO_PAD.encode([&[1_u8; 17][..], claims.as_bytes(), &[0; 16]].concat()),
        "null".into(),
        "plain|7|ada".into(),
    ] {
        assert_eq!(auth_with(&mut world, &format!("{SESSION}={value}")), 401, "{value}");
    }
}

#[test]
fn ck_18_no_name_of_a_cookie_smuggles_a_domain_in() {
    for name in ["vestibule; Domain=example", "v,Domain=x", "v Domain"] {
        assert!(builder().provider(Plain::new("plain")).cookie_name(name).build().is_err(), "{name}");
    }
}

#[test]
fn ck_20_lk_15_nothing_that_depends_on_a_session_may_be_cached() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let targets = [
        "/oauth2/auth",
        "/oauth2/userinfo",
        "/oauth2/sign_in",
        "/oauth2/sign_out?ended",
        "/oauth2/callback",
        "/x",
    ];
    for _ in 0..2 {
        for target in targets {
            let response = browser.visit(&mut world, target);
            assert_eq!(response.get("cache-control"), Some("no-store"), "{target}: {response:?}");
        }
        let finished = browser.sign_in(&mut world, "/");
        assert_eq!(finished.get("cache-control"), Some("no-store"));
    }
    let turned = world
        .vestibule
        .turn_back(&PlainHead::navigation("/"), vestibule::refusal::Refusal::SignInRequired)
        .response;
    assert_eq!(turned.get("cache-control"), Some("no-store"));
}

#[test]
fn ck_22_a_cookie_bomb_ends_on_a_page_that_clears_what_is_ours() {
    let mut world = World::new();
    let bomb = format!("{SESSION}=v; {}", vec![format!("x={}", "y".repeat(4_000)); 150].join("; "));
    let response =
        world.handle(PlainHead::navigation("/oauth2/sign_in").with("cookie", bomb.clone())).response;
    assert_eq!(refused(&response), (431, "cookies_too_large".into()));
    let cleared: Vec<_> = response.set_cookies().filter(|line| line.contains("Max-Age=0")).collect();
    assert!(cleared.iter().any(|line| line.starts_with("__Host-vestibule=;")), "{cleared:?}");
    assert_eq!(auth_with(&mut world, &bomb), 401);
}

#[test]
fn ck_24_equal_sessions_never_look_equal() {
    let mut world = World::new();
    let mut seen = HashSet::new();
    for _ in 0..2_000 {
        let mut browser = Browser::default();
        browser.sign_in(&mut world, "/");
        let raw = URL_SAFE_NO_PAD.decode(&browser.jar[SESSION]).unwrap();
        assert!(seen.insert(raw[5..17].to_vec()), "a nonce came twice");
    }
}

#[test]
fn ck_25_nothing_in_a_cookie_is_compressed() {
    let mut world = World::new();
    let mut sizes = HashSet::new();
    for name in ["a".repeat(500), (0..500).map(|n| char::from(b'a' + (n * 7 % 26) as u8)).collect()] {
        world.profile["name"] = name.into();
        let mut browser = Browser::default();
        browser.sign_in(&mut world, "/");
        sizes.insert(browser.jar[SESSION].len());
    }
    assert_eq!(sizes.len(), 1, "the size depends on more than the length of what is in it");
    assert!(sizes.iter().all(|size| *size < limits::SESSION_BYTES_MAX));
}

#[test]
fn ck_26_auth_sets_one_cookie_at_most() {
    let mut world = World::new();
    let mut browser = Browser::default();
    for _ in 0..3 {
        for head in [
            PlainHead::navigation("/oauth2/auth").with("x-auth-request-redirect", "/x"),
            PlainHead::fetch("/oauth2/auth"),
        ] {
            assert!(browser.send(&mut world, head).set_cookies().count() <= 1);
        }
        browser.sign_in(&mut world, "/");
        browser.jar.insert("__Host-vestibule_try_x".into(), "garbage".into());
    }
}

#[test]
fn ck_19_a_name_that_only_looks_like_an_attempts_never_stands_in_an_answer() {
    let mut world = World::new();
    let many: Vec<_> = (0..20).map(|number| format!("__Host-vestibule_try_\u{e9}{number}\"<=x")).collect();
    let head = PlainHead::navigation("/oauth2/sign_in").with("cookie", many.join("; "));
    let response = world.handle(head).response;
    assert_eq!((response.status, response.set_cookies().count()), (303, 1), "{response:?}");
}
