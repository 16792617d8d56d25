//! What each flavour of proxy is answered: somebody, a browser without a session, a program without one, and somebody
//! who may not enter.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use vestibule::{config::Flavour, request::PlainHead, response::Response};
use world::{Browser, Plain, World, builder, code, refused};

const PROXY: &str = "10.0.0.1";

fn world(flavour: Flavour) -> World {
    let builder = builder().provider(Plain::new("plain")).trusted_proxies([PROXY]);
    World::of(builder.allow_return_to("https://other.example").flavour(flavour))
}

/// As each flavour asks about a page of the own site.
fn asks(flavour: Flavour, head: PlainHead, method: &str, path: &str) -> PlainHead {
    let head = head.from_peer(PROXY.parse().unwrap());
    match flavour {
        Flavour::OAuth2Proxy | Flavour::Nginx => head
            .with("x-original-url", format!("https://app.example{path}"))
            .with("x-original-method", method),
        Flavour::ForwardAuth => head
            .with("x-forwarded-method", method)
            .with("x-forwarded-proto", "https")
            .with("x-forwarded-host", "app.example")
            .with("x-forwarded-uri", path),
        _ => head.with("host", "app.example"),
    }
}

/// The address of the question itself.
fn auth(flavour: Flavour, path: &str) -> String {
    if flavour == Flavour::ExtAuthz { format!("/oauth2/auth{path}") } else { "/oauth2/auth".to_owned() }
}

fn visit(flavour: Flavour, path: &str) -> PlainHead {
    asks(flavour, PlainHead::navigation(&auth(flavour, path)), "GET", path)
}

const ALL: [Flavour; 4] = [Flavour::OAuth2Proxy, Flavour::Nginx, Flavour::ForwardAuth, Flavour::ExtAuthz];

#[test]
fn gw_01_somebody_is_let_through_with_the_status_that_the_proxy_takes_for_a_yes() {
    for (flavour, status) in ALL.into_iter().zip([202, 200, 200, 200]) {
        let mut world = world(flavour);
        let mut browser = Browser::default();
        browser.sign_in(&mut world, "/");
        let response = browser.send(&mut world, visit(flavour, "/deep?x=1"));
        assert_eq!((response.status, response.get("x-auth-request-user")), (status, Some("ada")));
        assert_eq!((response.set_cookies().count(), response.get("location")), (0, None), "{flavour:?}");
    }
}

#[test]
fn gw_01_a_browser_without_a_session_is_shown_the_way_as_far_as_the_proxy_hands_it_on() {
    let way = Some("https://app.example/oauth2/sign_in?rd=%2Fdeep%3Fx%3D1");
    for (flavour, status, location, cookies) in [
        (Flavour::OAuth2Proxy, 401, None, 1),
        (Flavour::Nginx, 401, way, 1),
        (Flavour::ForwardAuth, 303, way, 0),
        (Flavour::ExtAuthz, 303, way, 0),
    ] {
        let mut world = world(flavour);
        let mut browser = Browser::default();
        let response = browser.send(&mut world, visit(flavour, "/deep?x=1"));
        assert_eq!((response.status, response.get("location")), (status, location), "{flavour:?}");
        assert_eq!(response.set_cookies().count(), cookies, "{flavour:?}");
        // Whether by the address or by what was remembered: the sign-in leads back.
        let sign_in =
            location.map_or("/oauth2/sign_in", |to| to.strip_prefix("https://app.example").unwrap());
        let asked = world::Asked::of(&browser.visit(&mut world, sign_in));
        let back = browser.come_back(&mut world, &asked);
        assert_eq!(back.get("location"), Some("https://app.example/deep?x=1"), "{flavour:?}");
    }
}

#[test]
fn gw_08_a_program_without_a_session_gets_401_from_every_flavour() {
    for flavour in ALL {
        for head in [
            PlainHead::fetch(&auth(flavour, "/api")),
            PlainHead::navigation(&auth(flavour, "/ws")).with("sec-websocket-key", "x"),
            PlainHead::new("GET", &auth(flavour, "/api")).with("accept", "application/json"),
        ] {
            let response = world(flavour).handle(asks(flavour, head, "GET", "/api")).response;
            assert_eq!(refused(&response), (401, "sign_in_required".into()), "{flavour:?}");
            assert_eq!((response.get("location"), response.set_cookies().count()), (None, 0), "{flavour:?}");
        }
    }
}

#[test]
fn whoever_may_not_enter_gets_403_and_reads_why_where_the_proxy_hands_that_on() {
    for flavour in ALL {
        let mut world = world(flavour);
        let mut browser = Browser::default();
        browser.sign_in(&mut world, "/");
        let stricter = builder().provider(Plain::new("plain")).trusted_proxies([PROXY]).flavour(flavour);
        world.vestibule = World::of(stricter.email_domains(["b.example"])).vestibule;
        let person = browser.send(&mut world, visit(flavour, "/deep"));
        assert_eq!(refused(&person), (403, "email_not_allowed".into()), "{flavour:?}");
        let page = String::from_utf8(person.body).unwrap();
        let shows_pages = matches!(flavour, Flavour::ForwardAuth | Flavour::ExtAuthz);
        let link = "href=\"https://app.example/oauth2/sign_in?rd=%2Fdeep&amp;switch=1\"";
        assert_eq!(page.contains(link), shows_pages, "{flavour:?}: {page}");
        let program = asks(flavour, PlainHead::fetch(&auth(flavour, "/api")), "GET", "/api");
        let program = browser.send(&mut world, program);
        assert_eq!(program.get("content-type"), Some("application/problem+json"), "{flavour:?}");
        assert_eq!(refused(&program), (403, "email_not_allowed".into()), "{flavour:?}");
    }
}

fn forwarded(world: &mut World, method: &str, host: &str, uri: &str) -> Response {
    let head = PlainHead::navigation("/oauth2/auth")
        .from_peer(PROXY.parse().unwrap())
        .with("x-forwarded-method", method)
        .with("x-forwarded-proto", "https")
        .with("x-forwarded-host", host)
        .with("x-forwarded-uri", uri);
    world.handle(head).response
}

#[test]
fn a_browser_comes_back_to_another_host_only_if_that_is_allowed() {
    let mut world = world(Flavour::ForwardAuth);
    let sign_in = "https://app.example/oauth2/sign_in";
    for (method, host, uri, query) in [
        ("GET", "other.example", "/a?b", "?rd=https%3A%2F%2Fother.example%2Fa%3Fb"),
        ("HEAD", "app.example", "/a", "?rd=%2Fa"),
        ("POST", "app.example", "/a", ""),
        ("GET", "evil.example", "/a", ""),
        ("GET", "app.example", "//evil.example", ""),
        ("GET", "app.example", "/a\\..\\b", ""),
    ] {
        let response = forwarded(&mut world, method, host, uri);
        assert_eq!(response.status, 303);
        let expected = format!("{sign_in}{query}");
        assert_eq!(response.get("location"), Some(expected.as_str()), "{method} {host} {uri}");
    }
}

#[test]
fn gw_04_what_a_stranger_forwards_changes_neither_the_answer_nor_where_it_leads() {
    for flavour in [Flavour::OAuth2Proxy, Flavour::Nginx, Flavour::ForwardAuth] {
        let mut world = world(flavour);
        let asked = |peer: &str| {
            asks(flavour, PlainHead::navigation("/oauth2/auth"), "GET", "/deep")
                .from_peer(peer.parse().unwrap())
        };
        let plain = world.handle(PlainHead::navigation("/oauth2/auth")).response;
        let stranger = world.handle(asked("10.0.0.2")).response;
        assert_eq!((stranger.status, stranger.get("location")), (plain.status, plain.get("location")));
        assert_eq!(stranger.set_cookies().count(), 0, "{flavour:?}");
        let proxy = world.handle(asked(PROXY)).response;
        let leads = |response: &Response| {
            response.get("location").map(str::to_owned).or(response.set_cookies().next().map(str::to_owned))
        };
        assert_ne!(leads(&proxy), leads(&stranger), "{flavour:?}: the same from the proxy counts");
    }
}

#[test]
fn envoy_asks_below_the_endpoint_by_any_method_and_nobody_else_does() {
    let mut envoy = world(Flavour::ExtAuthz);
    let mut browser = Browser::default();
    browser.sign_in(&mut envoy, "/");
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"] {
        for path in ["", "/", "/a", "/oauth2/callback?code=a&state=b", "/a/b?c=/d", "//a", "/a%2fb"] {
            let head =
                asks(Flavour::ExtAuthz, PlainHead::new(method, &auth(Flavour::ExtAuthz, path)), method, path);
            assert!(!envoy.vestibule.wants_body(&head), "{method} {path}");
            assert_eq!(browser.send(&mut envoy, head).status, 200, "{method} {path}");
        }
    }
    for flavour in [Flavour::OAuth2Proxy, Flavour::Nginx, Flavour::ForwardAuth] {
        let mut world = world(flavour);
        browser.sign_in(&mut world, "/");
        let below = browser.send(&mut world, PlainHead::navigation("/oauth2/auth/a"));
        assert_eq!(refused(&below), (404, "not_found".into()), "{flavour:?}");
    }
    let beside = browser.send(&mut envoy, PlainHead::navigation("/oauth2/authx"));
    assert_eq!(refused(&beside), (404, "not_found".into()));
}

#[test]
fn a_proxy_that_asks_about_the_sign_in_itself_is_told_so_instead_of_going_round_in_circles() {
    for flavour in [Flavour::ForwardAuth, Flavour::ExtAuthz] {
        let response = world(flavour).handle(visit(flavour, "/oauth2/sign_in?rd=/")).response;
        assert_eq!(refused(&response), (500, "endpoint_guarded".into()), "{flavour:?}");
    }
    // Another host's page of that name is its own.
    let elsewhere = forwarded(&mut world(Flavour::ForwardAuth), "GET", "other.example", "/oauth2/sign_in");
    let back = "https://app.example/oauth2/sign_in?rd=https%3A%2F%2Fother.example%2Foauth2%2Fsign_in";
    assert_eq!((elsewhere.status, elsewhere.get("location")), (303, Some(back)));
}

#[test]
fn what_a_trusted_proxy_asked_about_is_where_a_visit_of_the_sign_in_leads_too() {
    let mut world = world(Flavour::OAuth2Proxy);
    let mut browser = Browser::default();
    let visit = asks(Flavour::OAuth2Proxy, PlainHead::navigation("/oauth2/sign_in"), "GET", "/deep");
    let asked = world::Asked::of(&browser.send(&mut world, visit));
    assert_eq!(browser.come_back(&mut world, &asked).get("location"), Some("https://app.example/deep"));
    assert_eq!(code(&world.handle(PlainHead::navigation("/oauth2/none")).response), Some("not_found".into()));
}
