//! The catalogue of path confusion: requests that a rule could take for something public, and an application for
//! something else. Each is asked about in every flavour, against rules that open a part of a site, and against rules
//! that close one.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use std::{cell::Cell, sync::OnceLock};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use url::Url;
use vestibule::{
    access::{AccessRule, PathPattern},
    config::{Builder, Flavour},
    request::PlainHead,
};
use world::{Plain, World, builder};

const PROXY: &str = "10.0.0.1";

const FLAVOURS: [Flavour; 4] =
    [Flavour::OAuth2Proxy, Flavour::Nginx, Flavour::ForwardAuth, Flavour::ExtAuthz];

/// As this flavour asks about a request with this method and target.
fn asks(flavour: Flavour, method: &str, target: &[u8]) -> PlainHead {
    let text = String::from_utf8_lossy(target);
    let auth =
        if flavour == Flavour::ExtAuthz { format!("/oauth2/auth{text}") } else { "/oauth2/auth".into() };
    let sent_as = if flavour == Flavour::ExtAuthz { method } else { "GET" };
    let head = PlainHead::new(sent_as, &auth).from_peer(PROXY.parse().unwrap());
    match flavour {
        Flavour::ForwardAuth => head
            .with("x-forwarded-method", method)
            .with("x-forwarded-proto", "https")
            .with("x-forwarded-host", "app.example")
            .with("x-forwarded-uri", target),
        Flavour::ExtAuthz => head.with("host", "app.example"),
        _ => head
            .with("x-original-url", [b"https://app.example", target].concat())
            .with("x-original-method", method),
    }
}

fn site(flavour: Flavour) -> Builder {
    builder().provider(Plain::new("plain")).trusted_proxies([PROXY]).flavour(flavour)
}

/// A site of which a part is open, one for each flavour.
fn mostly_closed(flavour: Flavour) -> World {
    let ro = AccessRule::public().methods(["GET"]).paths([PathPattern::regex("^/ro$")]);
    let open = [PathPattern::prefix("/public/"), PathPattern::regex("^/assets/")];
    World::of(site(flavour).rule(AccessRule::public().paths(open)).rule(ro))
}

/// A site of which a part is closed.
fn mostly_open(flavour: Flavour) -> World {
    let closed = AccessRule::nobody().paths([PathPattern::prefix("/admin")]);
    World::of(site(flavour).rule(closed).rule(AccessRule::public()))
}

fn lets_through(world: &mut World, flavour: Flavour, method: &str, target: &[u8]) -> bool {
    (200..300).contains(&world.handle(asks(flavour, method, target)).response.status)
}

/// Ways to `/admin` that look as if they were public.
const TO_ADMIN: [&[u8]; 49] = [
    b"/public/../admin",
    b"/public/%2e%2e/admin",
    b"/public/%2E%2E/admin",
    b"/public/%2e%2e%2fadmin",
    b"/public/..%2fadmin",
    b"/public/..%2Fadmin",
    b"/public/..%5cadmin",
    b"/public/..\\admin",
    b"/public\\..\\admin",
    b"/public/..;/admin",
    b"/public/..;x=y/admin",
    b"/public/..%3b/admin",
    b"/public/.%2e/admin",
    b"/public/%2e./admin",
    b"/public/%252e%252e/admin",
    b"/public/%25252e%25252e/admin",
    b"/public%2f..%2fadmin",
    b"/public%2f../admin",
    b"/public/./../admin",
    b"/public//../admin",
    b"/public/x/../../admin",
    b"/assets/../admin",
    b"/assets/%2e%2e/admin",
    b"/assets/..%2fadmin",
    b"//admin",
    b"/./admin",
    b"/%2e/admin",
    b"/%2fadmin",
    b"/%5cadmin",
    b"/\\admin",
    b"/admin?x=/public/",
    b"/admin?/assets/",
    b"/admin#/public/",
    b"/admin%23/public/",
    b"/admin%3f/public/",
    b"/admin;x=/public/",
    b"/admin;/public/",
    b"/admin/%0a/public/",
    b"/admin/%0d%0a/public/",
    b"/PUBLIC/../admin",
    b"/public/%00/../admin",
    b"/public/..%00/admin",
    b"/public/%c0%ae%c0%ae/admin",
    b"/public/%u002e%u002e/admin",
    b"http://app.example/public/../admin",
    b"https://app.example/admin",
    b"/public/..\xff/admin",
    b"/public/\n../admin",
    b"/public/%20../admin",
];

/// Others that no rule of the first site opens.
const NOT_PUBLIC: [&[u8]; 14] = [
    b"/publicity",
    b"/public",
    b"/PUBLIC/x",
    b"/public%2fx",
    b"/publi%63%2f",
    b"/x/public/",
    b"/x/assets/",
    b"/admin/.css",
    b"/admin/x.css",
    b"/x%0a/assets/",
    b"/x\n/assets/",
    b"/%0a/assets/x",
    b"*",
    b"",
];

#[test]
fn pc_nothing_that_looks_public_is_let_through() {
    let long = [b"/public/".to_vec(), b"a".repeat(64 * 1024)].concat();
    for flavour in FLAVOURS {
        let mut world = mostly_closed(flavour);
        for target in TO_ADMIN.into_iter().chain(NOT_PUBLIC).chain([long.as_slice()]) {
            let shown: String = String::from_utf8_lossy(target).chars().take(50).collect();
            assert!(!lets_through(&mut world, flavour, "GET", target), "{flavour:?} {shown:?}");
        }
        for target in ["/public/", "/public/a%20b", "/assets/x.css?v=/../admin", "/publi%63/x", "/ro"] {
            assert!(lets_through(&mut world, flavour, "GET", target.as_bytes()), "{flavour:?} {target}");
        }
    }
}

#[test]
fn pc_no_way_to_what_is_closed_is_open() {
    for flavour in FLAVOURS {
        let mut world = mostly_open(flavour);
        for target in TO_ADMIN.into_iter().chain([&b"/admin"[..], b"/admin/", b"/%61dmin", b"/admin/x?y"]) {
            let shown = String::from_utf8_lossy(target);
            assert!(!lets_through(&mut world, flavour, "GET", target), "{flavour:?} {shown:?}");
        }
        for target in ["/", "/administrator", "/a/admin", "/public/?x=/admin"] {
            assert!(lets_through(&mut world, flavour, "GET", target.as_bytes()), "{flavour:?} {target}");
        }
    }
}

#[test]
fn pc_gw_09_a_rule_for_get_opens_nothing_to_other_methods() {
    for flavour in FLAVOURS {
        let mut world = mostly_closed(flavour);
        for method in
            ["get", "GeT", "POST", "HEAD", "OPTIONS", "TRACE", "CONNECT", "FOO", "GET, POST", "GET "]
        {
            assert!(!lets_through(&mut world, flavour, method, b"/ro"), "{flavour:?} {method}");
            let overridden = asks(flavour, method, b"/ro").with("x-http-method-override", "GET");
            assert!(world.handle(overridden).response.status >= 300, "{flavour:?} {method}");
        }
    }
}

#[test]
fn pc_an_address_that_is_said_twice_is_not_known() {
    for (first, second) in [("/public/", "/admin"), ("/admin", "/public/"), ("/public/", "/public/")] {
        let mut world = mostly_closed(Flavour::ForwardAuth);
        let twice = asks(Flavour::ForwardAuth, "GET", first.as_bytes()).with("x-forwarded-uri", second);
        assert_eq!(world.handle(twice).response.status, 401, "{first} {second}");
        let both = asks(Flavour::Nginx, "GET", first.as_bytes()).with("x-forwarded-uri", second);
        assert_eq!(mostly_closed(Flavour::Nginx).handle(both).response.status, 401, "{first} {second}");
    }
}

/// What nginx makes of a request's target before it chooses a location: a model of its `ngx_http_parse_complex_uri`.
/// `None` where it answers 400.
fn as_nginx_reads(target: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    let mut bytes = target.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'?' | b'#' => break,
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let value = digit()? * 16 + digit()?;
                decoded.push(u8::try_from(value).ok().filter(|byte| *byte != 0)?);
            }
            byte => decoded.push(byte),
        }
    }
    if decoded.first() != Some(&b'/') {
        return None;
    }
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut at_end = true;
    for segment in decoded.split(|byte| *byte == b'/').skip(1) {
        at_end = true;
        match segment {
            b"" | b"." => {}
            b".." => {
                segments.pop()?;
            }
            segment => {
                segments.push(segment);
                at_end = false;
            }
        }
    }
    let mut read: Vec<u8> = segments.iter().flat_map(|segment| [b"/", *segment].concat()).collect();
    if at_end {
        read.push(b'/');
    }
    Some(read)
}

/// A decoded path as a client would write it.
fn written(path: &[u8]) -> Vec<u8> {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'%' | b'?' | b'#');
    path.iter()
        .flat_map(|&byte| if plain(byte) { vec![byte] } else { format!("%{byte:02X}").into_bytes() })
        .collect()
}

#[test]
fn the_model_of_nginx_reads_as_nginx_does() {
    for (target, read) in [
        ("/a/../b", "/b"),
        ("/a/%2e%2e/b", "/b"),
        ("/a%2f..%2fb", "/b"),
        ("//a///b/", "/a/b/"),
        ("/a/.", "/a/"),
        ("/a/b/..", "/a/"),
        ("/%252e", "/%2e"),
        ("/a#b?c", "/a"),
        ("/a%23b?c", "/a#b"),
    ] {
        assert_eq!(as_nginx_reads(target.as_bytes()).as_deref(), Some(read.as_bytes()), "{target}");
    }
    for refused in ["/..", "/a/../../b", "/%00", "/%zz", "/%2", "a"] {
        assert_eq!(as_nginx_reads(refused.as_bytes()), None, "{refused}");
    }
}

/// The path that the WHATWG parser makes of it, which browsers have.
fn as_browsers_read(target: &[u8]) -> Option<Vec<u8>> {
    let url = Url::parse("https://app.example").unwrap().join(std::str::from_utf8(target).ok()?).ok()?;
    (url.host_str() == Some("app.example")).then(|| url.path().as_bytes().to_vec())
}

fn nasty() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        &b"/"[..],
        b"/public",
        b"/public/",
        b"/admin",
        b"/assets/",
        b"/ro",
        b".",
        b"..",
        b"%2e",
        b"%2E",
        b"%2f",
        b"%5c",
        b"%25",
        b"%00",
        b"%0a",
        b"%23",
        b"%3f",
        b"%3b",
        b"%20",
        b"%C3%BC",
        b"%c0%ae",
        b"%",
        b"\\",
        b";",
        b"?",
        b"#",
        b"a",
        b"A",
        b" ",
        b"\n",
        b"\xff",
        b"%61",
        b"%70ublic",
    ]);
    let first = prop::sample::select(vec![&b"/"[..], b"/public/", b"/assets/", b"/admin", b"/admin/"]);
    (first, prop::collection::vec(pieces, 0..7)).prop_map(|(first, rest)| [first, &rest.concat()].concat())
}

/// Whether the two sites let anybody through to this.
fn opened(target: &[u8]) -> [bool; 2] {
    // A world is used up by nothing here but its seeds, and building one for every case takes long.
    static SITES: OnceLock<[World; 2]> = OnceLock::new();
    let sites = SITES.get_or_init(|| [mostly_closed(Flavour::Nginx), mostly_open(Flavour::Nginx)]);
    [0, 1].map(|site: usize| {
        let head = asks(Flavour::Nginx, "GET", target);
        sites[site]
            .vestibule
            .grant(&head, sites[site].now)
            .is_some_and(|outcome| outcome.response.status < 300)
    })
}

#[test]
fn pc_what_is_let_through_is_let_through_as_nginx_and_browsers_read_it_too() {
    let open = [const { Cell::new(0) }; 2];
    let mut runner = TestRunner::new(Config { cases: 6_000, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&nasty(), |target| {
        let as_sent = opened(&target);
        // The application behind may be given what nginx has read, and read that once more.
        let once = as_nginx_reads(&target);
        let twice = once.as_deref().and_then(as_nginx_reads);
        let readings =
            [once.as_deref().map(written), twice.as_deref().map(written), as_browsers_read(&target)];
        for site in (0..2).filter(|site| as_sent[*site]) {
            open[site].set(open[site].get() + 1);
            for reading in readings.iter().flatten() {
                let shown = [&target, reading].map(|text| String::from_utf8_lossy(text));
                prop_assert!(opened(reading)[site], "{} read as {}", shown[0], shown[1]);
            }
        }
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
    assert!(open.iter().all(|count| count.get() > 100), "too little was open to show anything: {open:?}");
}
