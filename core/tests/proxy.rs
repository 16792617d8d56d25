//! The catalogue of attacks through and around the proxy that asks `auth`: headers that are believed by nobody, and
//! return targets from every place that one can come in by.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use url::Url;
use vestibule::{request::PlainHead, response::Response};
use world::{Asked, Browser, ORIGIN, World, refused};

/// Headers by which somebody could say that the site is another, or asked for by other means.
const SPOOFED: [(&str, &str); 14] = [
    ("host", "evil.example"),
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-proto", "http"),
    ("x-forwarded-port", "8443"),
    ("x-forwarded-prefix", "//evil.example"),
    ("x-forwarded-uri", "/public/"),
    ("x-forwarded-method", "OPTIONS"),
    ("forwarded", "host=evil.example;proto=http"),
    ("x-original-uri", "/public/"),
    ("x-original-url", "https://evil.example/public/"),
    ("x-original-method", "OPTIONS"),
    ("x-rewrite-url", "/public/"),
    ("x-http-method-override", "OPTIONS"),
    ("referer", "https://evil.example/"),
];

fn spoofed(mut head: PlainHead) -> PlainHead {
    for (name, value) in SPOOFED {
        head = head.with(name, value);
    }
    head
}

#[test]
fn gw_07_no_header_says_what_this_site_is() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let honest = Asked::of(&browser.visit(&mut world, "/oauth2/sign_in?rd=/deep"));
    let asked =
        Asked::of(&browser.send(&mut world, spoofed(PlainHead::navigation("/oauth2/sign_in?rd=/deep"))));
    assert_eq!(asked.parameter("redirect_uri"), honest.parameter("redirect_uri"));
    let finished = browser.send(&mut world, spoofed(PlainHead::navigation(&asked.callback("code=a"))));
    assert_eq!(finished.get("location"), Some("https://app.example/deep"));
    let out = browser.send(&mut world, spoofed(PlainHead::navigation("/oauth2/sign_out")));
    assert!(out.get("location").unwrap().starts_with(ORIGIN));
    let turned = world
        .vestibule
        .turn_back(&spoofed(PlainHead::navigation("/deep")), vestibule::refusal::Refusal::SignInRequired)
        .response;
    assert!(turned.get("location").unwrap().starts_with(ORIGIN));
}

#[test]
fn gw_02_gw_11_no_header_lets_anybody_through() {
    let mut world = World::new();
    for agent in ["kube-probe/1.30", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "Envoy/HC", ""] {
        for method in ["GET", "HEAD", "OPTIONS", "get", "FOO", "TRACE"] {
            let head = spoofed(PlainHead::new(method, "/oauth2/auth")).with("user-agent", agent);
            let head = head.with("authorization", "Basic YTph").with("x-auth-request-user", "admin");
            let response = world.handle(head).response;
            assert_eq!(response.status, 401, "{method} {agent}");
            assert!(response.get("x-auth-request-user").is_none());
        }
    }
}

#[test]
fn gw_08_a_program_gets_401_and_nothing_that_begins_a_sign_in() {
    let mut world = World::new();
    let programs = |target: &str| {
        let plain = |accept: &str| PlainHead::new("GET", target).with("accept", accept);
        let heads = [
            PlainHead::fetch(target),
            plain("application/json"),
            plain("text/html").with("x-requested-with", "XMLHttpRequest"),
        ];
        heads.map(|head| head.with("x-auth-request-redirect", "/data"))
    };
    let mut responses: Vec<_> =
        programs("/oauth2/auth").into_iter().map(|head| world.handle(head).response).collect();
    let turned =
        |head| world.vestibule.turn_back(&head, vestibule::refusal::Refusal::SignInRequired).response;
    responses.extend(programs("/data").map(turned));
    for response in responses {
        assert_eq!(refused(&response), (401, "sign_in_required".into()));
        assert_eq!(response.get("content-type"), Some("application/problem+json"));
        assert!(response.get("www-authenticate").is_some() && response.get("location").is_none());
        assert_eq!(response.set_cookies().count(), 0);
    }
}

#[test]
fn gw_10_a_socket_without_a_session_gets_401() {
    let mut world = World::new();
    for upgrade in ["websocket", "h2c"] {
        let head = PlainHead::navigation("/oauth2/auth")
            .with("sec-websocket-key", "x")
            .with("connection", "upgrade");
        assert_eq!(world.handle(head.with("upgrade", upgrade)).response.status, 401);
    }
}

#[test]
fn gw_14_a_form_that_met_the_sign_in_is_not_sent_again() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let post =
        PlainHead::new("POST", "/form").with("sec-fetch-mode", "navigate").with("sec-fetch-dest", "document");
    let turned = world.vestibule.turn_back(&post, vestibule::refusal::Refusal::SignInRequired).response;
    assert_eq!((turned.status, turned.body.len()), (303, 0));
    let sign_in = turned.get("location").unwrap().strip_prefix(ORIGIN).unwrap();
    let asked = Asked::of(&browser.visit(&mut world, sign_in));
    assert_eq!(browser.come_back(&mut world, &asked).get("location"), Some("https://app.example/"));
}

#[test]
fn gw_15_cookies_stay_secure_whatever_the_proxy_says_about_the_scheme() {
    let mut world = World::new();
    for scheme in ["http", "HTTPS", "https,http", ""] {
        let head = PlainHead::navigation("/oauth2/sign_in").with("x-forwarded-proto", scheme);
        let response = world.handle(head).response;
        assert!(response.set_cookies().all(|line| line.contains("; Secure")), "{scheme}");
        assert!(Asked::of(&response).parameter("redirect_uri").starts_with("https://"));
    }
}

#[test]
fn gw_19_an_allowing_answer_says_who_it_is_and_nothing_else() {
    let mut world = World::new();
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    let response = browser.send(&mut world, PlainHead::navigation("/oauth2/auth"));
    let names: Vec<_> = response.headers.iter().map(|(name, _)| *name).collect();
    let expected = [
        "cache-control",
        "gap-auth",
        "x-auth-request-user",
        "x-auth-request-email",
        "x-auth-request-preferred-username",
        "x-auth-request-groups",
    ];
    assert_eq!((response.status, names.as_slice(), response.body.len()), (202, &expected[..], 0));
}

/// Every address in a response that a browser could follow.
fn addresses(response: &Response) -> Vec<String> {
    let html = String::from_utf8_lossy(&response.body).into_owned();
    let attributes = ["href=\"", "action=\"", "url="];
    let in_page = attributes.iter().flat_map(|attribute| {
        html.split(attribute)
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap_or_default().replace("&amp;", "&"))
    });
    response.get("location").map(str::to_owned).into_iter().chain(in_page).collect()
}

#[test]
fn rd_01_no_way_in_leads_a_browser_elsewhere() {
    let payloads = [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "/\t/evil.example",
        "https://app.example@evil.example",
        "https://app.example.evil.example",
        "javascript:alert(1)",
        "/%2f/evil.example",
        "/x\r\nlocation: https://evil.example",
        "///evil.example/%2e%2e",
        "\u{1}//evil.example",
    ];
    for payload in payloads {
        let once: String = url::form_urlencoded::byte_serialize(payload.as_bytes()).collect();
        let twice: String = url::form_urlencoded::byte_serialize(once.as_bytes()).collect();
        for text in [payload, &once, &twice] {
            let mut world = World::new();
            let mut signed_in = Browser::default();
            signed_in.sign_in(&mut world, "/");
            for head in [
                PlainHead::navigation(&format!("/oauth2/sign_in?rd={text}")),
                PlainHead::navigation(&format!("/oauth2/sign_in?rd=/&rd={text}")),
                PlainHead::navigation(&format!("/oauth2/start?rd={text}")),
                PlainHead::navigation(&format!("/oauth2/sign_out?rd={text}")),
                PlainHead::navigation(&format!(
                    "/oauth2/sign_out?post_logout_redirect_uri={text}&state={text}"
                )),
                PlainHead::navigation("/oauth2/sign_in").with("x-auth-request-redirect", text.as_bytes()),
                PlainHead::navigation("/oauth2/sign_in").with("x-forwarded-uri", text.as_bytes()),
                PlainHead::navigation("/oauth2/sign_in").with("referer", text.as_bytes()),
                PlainHead::navigation("/oauth2/sign_in").with("host", text.as_bytes()),
                PlainHead::navigation(&format!("/oauth2/callback?code=a&state={text}&iss={text}")),
            ] {
                for mut browser in [Browser::default(), signed_in.clone()] {
                    let mut response = browser.send(&mut world, head.clone());
                    if response.get("location").is_some_and(|to| to.starts_with("https://plain.example/")) {
                        response = browser.come_back(&mut world, &Asked::of(&response));
                    }
                    assert!(response.headers.iter().filter(|(name, _)| *name == "location").count() <= 1);
                    for address in addresses(&response) {
                        let origin = Url::parse(ORIGIN)
                            .unwrap()
                            .join(&address)
                            .unwrap()
                            .origin()
                            .ascii_serialization();
                        assert_eq!(origin, ORIGIN, "{head:?} leads to {address}");
                    }
                }
            }
        }
    }
}

#[test]
fn rd_03_a_target_is_parsed_again_when_the_browser_comes_back() {
    let wider =
        world::builder().provider(world::Plain::new("plain")).allow_return_to("https://other.example");
    let mut world = World::of(wider);
    let mut browser = Browser::default();
    let asked = browser.begin(&mut world, "https://other.example/deep");
    world.vestibule = World::new().vestibule;
    assert_eq!(browser.come_back(&mut world, &asked).get("location"), Some("https://app.example/"));
}
