//! Rules about who may have what, and what a proxy asks in its question: through `auth`, with sessions.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use serde_json::json;
use vestibule::{
    access::{AccessRule, PathPattern, Requirement},
    config::{Builder, Flavour, Keep},
    request::PlainHead,
    response::{Event, Response},
};
use world::{Browser, Plain, World, builder, refused};

const PROXY: &str = "10.0.0.1";
const AUTH: &str = "/oauth2/auth";
const IDENTITY: [&str; 5] = [
    "gap-auth",
    "x-auth-request-user",
    "x-auth-request-email",
    "x-auth-request-preferred-username",
    "x-auth-request-groups",
];

fn site() -> Builder {
    builder().provider(Plain::new("plain")).trusted_proxies([PROXY]).flavour(Flavour::ForwardAuth)
}

fn with(rules: impl IntoIterator<Item = AccessRule>) -> World {
    World::of(rules.into_iter().fold(site(), Builder::rule))
}

fn below(prefix: &str) -> [PathPattern; 1] {
    [PathPattern::prefix(prefix)]
}

fn asks(method: &str, path: &str) -> PlainHead {
    PlainHead::fetch(AUTH)
        .from_peer(PROXY.parse().unwrap())
        .with("x-forwarded-method", method)
        .with("x-forwarded-proto", "https")
        .with("x-forwarded-host", "app.example")
        .with("x-forwarded-uri", path)
}

fn forged(mut head: PlainHead) -> PlainHead {
    for name in IDENTITY.into_iter().chain(["x_auth_request_user", "x.auth.request.user", "remote-user"]) {
        head = head.with(name, "admin");
    }
    head.with("connection", "close, X-Auth-Request-User")
        .with("te", "trailers")
        .with("trailer", "x-auth-request-user")
}

fn identity(response: &Response) -> [Option<&str>; 5] {
    for name in IDENTITY {
        assert!(response.headers.iter().filter(|(own, _)| *own == name).count() <= 1, "{name} stands twice");
    }
    IDENTITY.map(|name| response.get(name))
}

const NOBODYS: [Option<&str>; 5] = [Some(""); 5];
const ADA: [Option<&str>; 5] =
    [Some("ada@a.example"), Some("ada"), Some("ada@a.example"), Some("ada"), Some("")];

#[test]
fn gw_h12_what_is_public_is_let_through_with_every_identity_header_empty_where_nobody_is_signed_in() {
    let mut world = with([AccessRule::public().paths(below("/public/"))]);
    let mut browser = Browser::default();
    let nobody = browser.send(&mut world, forged(asks("GET", "/public/x")));
    assert_eq!((nobody.status, identity(&nobody)), (200, NOBODYS));
    assert_eq!(nobody.set_cookies().count(), 0);
    let elsewhere = browser.send(&mut world, forged(asks("GET", "/x")));
    assert_eq!((refused(&elsewhere), identity(&elsewhere)), ((401, "sign_in_required".into()), [None; 5]));

    browser.sign_in(&mut world, "/");
    let ada = browser.send(&mut world, forged(asks("GET", "/public/x")));
    assert_eq!((ada.status, identity(&ada)), (200, ADA));
    let stricter = site().rule(AccessRule::public().paths(below("/public/"))).email_domains(["b.example"]);
    world.vestibule = World::of(stricter).vestibule;
    let may_not_enter = browser.send(&mut world, forged(asks("GET", "/public/x")));
    assert_eq!((may_not_enter.status, identity(&may_not_enter)), (200, NOBODYS));
    let broken = forged(asks("GET", "/public/x")).with("cookie", "__Host-vestibule=x");
    assert_eq!(identity(&world.handle(broken).response), NOBODYS);
}

#[test]
fn gw_h01_to_h06_what_a_client_says_about_itself_changes_nothing() {
    let mut world = with([]);
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    let honest = browser.send(&mut world, asks("GET", "/"));
    let odd = browser.send(&mut world, forged(forged(asks("GET", "/"))));
    assert_eq!((identity(&odd), identity(&honest)), (ADA, ADA));
    assert_eq!(odd, honest, "no header of the client's, hop-by-hop or not, comes back in any form");
}

#[test]
fn gw_h09_a_claim_that_is_named_like_a_header_is_none() {
    let mut world = World::of(site().keep_claims(Keep::All).keep_groups(Keep::All));
    world.profile = json!({
        "id": 7, "login": "eve", "email": null, "groups": ["a,admin", "b"], "x-auth-request-email": "admin@a.example",
        "authorization": "Bearer x", "__proto__": {"email": "admin@a.example"},
    });
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    let eve = browser.send(&mut world, asks("GET", "/"));
    assert_eq!(identity(&eve), [Some("eve"), Some("eve"), Some(""), Some("eve"), Some("b")]);
    assert_eq!(eve.headers.len(), IDENTITY.len() + 1, "and cache-control");
}

#[test]
fn gw_17_a_preflight_passes_as_nobodys_even_with_somebodys_cookie() {
    let mut world = with([AccessRule::public().methods(["OPTIONS"])]);
    let mut browser = Browser::default();
    let preflight = || forged(asks("OPTIONS", "/api")).with("origin", "https://evil.example");
    for _ in 0..2 {
        let response = browser.send(&mut world, preflight());
        assert_eq!((response.status, identity(&response)), (200, NOBODYS));
        browser.sign_in(&mut world, "/");
    }
    let mut nobody = Browser::default();
    for head in [
        asks("GET", "/api"),
        asks("options", "/api"),
        asks("GET", "/api").with("x-forwarded-method", "OPTIONS"),
        asks("GET", "/api").with("x-http-method-override", "OPTIONS"),
        asks("GET", "/api").with("access-control-request-method", "GET"),
        asks("OPTIONS", "/api").from_peer("9.9.9.9".parse().unwrap()),
    ] {
        assert_eq!(nobody.send(&mut world, head.clone()).status, 401, "{head:?}");
    }
}

/// What somebody gets of a page that asks this of them, with this profile.
fn meets(requirement: Requirement, profile: serde_json::Value) -> (u16, String) {
    let rule = AccessRule::signed_in(requirement).paths(below("/page"));
    let mut world = World::of(site().rule(rule).provider(Plain::new("other")));
    world.profile = profile;
    let mut browser = Browser::default();
    let asked = world::Asked::of(&browser.visit(&mut world, "/oauth2/start/plain"));
    browser.come_back(&mut world, &asked);
    assert_eq!(
        browser.send(&mut world, asks("GET", "/elsewhere")).status,
        200,
        "elsewhere it does not count"
    );
    refused(&browser.send(&mut world, asks("GET", "/page/x")))
}

#[test]
fn whoever_is_signed_in_has_what_they_meet_the_requirement_of_and_403_otherwise() {
    let asks = Requirement::new;
    let ada =
        || json!({"id": 7, "login": "ada", "email": "ada@a.example", "verified": true, "groups": ["staff"]});
    for (requirement, code) in [
        (asks(), ""),
        (asks().groups(["x", "staff"]), ""),
        (asks().groups(["Staff"]), "group_not_allowed"),
        (asks().emails(["ADA@a.example"]), ""),
        (asks().emails(["eve@a.example"]), "email_not_allowed"),
        (asks().emails(["eve@a.example"]).email_domains(["a.example"]), ""),
        (asks().email_domains(["b.example"]), "email_not_allowed"),
        (asks().email_domains(["a.example"]).groups(["x"]), "group_not_allowed"),
        (asks().claim("plan", ["silver", "gold"]), ""),
        (asks().claim("plan", ["Gold"]), "claim_not_allowed"),
        (asks().claim("role", ["gold"]), "claim_not_allowed"),
        (asks().claim("plan", ["gold"]).claim("role", ["x"]), "claim_not_allowed"),
        (asks().providers(["plain", "other"]), ""),
        (asks().providers(["other"]), "provider_not_allowed"),
    ] {
        let shown = format!("{requirement:?}");
        let expected = if code.is_empty() { (200, String::new()) } else { (403, code.to_owned()) };
        assert_eq!(meets(requirement, ada()), expected, "{shown}");
    }
    let unverified = json!({"id": 7, "email": "ada@a.example"});
    assert_eq!(meets(asks().emails(["ada@a.example"]), unverified), (403, "email_unverified".into()));
    assert_eq!(meets(asks().emails(["ada@a.example"]), json!({"id": 7})), (403, "email_missing".into()));
}

#[test]
fn what_a_rule_is_about_needs_a_proxy_that_is_trusted_to_say_it() {
    let rules = || {
        [
            AccessRule::public().methods(["GET"]),
            AccessRule::public().hosts(["app.example"]),
            AccessRule::public().paths(below("/a")),
            AccessRule::public().except_paths(below("/a")),
            AccessRule::public().clients(["10.0.0.0/8"]),
        ]
    };
    let without = |flavour| builder().provider(Plain::new("plain")).flavour(flavour);
    let problems = |builder: Builder| builder.build().err().map(|error| error.problems).unwrap_or_default();
    for rule in rules() {
        for flavour in [Flavour::OAuth2Proxy, Flavour::Nginx] {
            let found = problems(without(flavour).rule(rule.clone()));
            assert_eq!(found.len(), 1, "{rule:?}: {found:?}");
            assert!(found[0].field == "trusted_proxies" && found[0].remedy.contains("trusted_proxies = ["));
            assert_eq!(problems(without(flavour).trusted_proxies(["unix"]).rule(rule.clone())), []);
        }
    }
    let of_envoy: Vec<_> =
        rules().into_iter().map(|rule| problems(without(Flavour::ExtAuthz).rule(rule)).len()).collect();
    assert_eq!(of_envoy, [0, 0, 0, 0, 1], "its question is the request itself");
    let for_all = AccessRule::signed_in(Requirement::new().groups(["staff"]));
    assert_eq!(problems(without(Flavour::OAuth2Proxy).rule(for_all)), []);
    let wrong = problems(site().rule(AccessRule::public().methods(["get"])));
    assert!(wrong[0].field == "rule" && wrong[0].fault.starts_with("rule 1: "), "{wrong:?}");
}

#[test]
fn gw_04_what_a_stranger_says_opens_nothing_and_closes_what_depends_on_it() {
    let stranger = |path: &str| asks("GET", path).from_peer("9.9.9.9".parse().unwrap());
    let mut opens = with([AccessRule::public().paths(below("/public/"))]);
    assert_eq!(opens.handle(stranger("/public/")).response.status, 401);
    let mut closes = with([AccessRule::nobody().paths(below("/admin")), AccessRule::public()]);
    assert_eq!(closes.handle(asks("GET", "/")).response.status, 200);
    let outcome = closes.handle(stranger("/"));
    assert_eq!(refused(&outcome.response), (403, "asked_unclear".into()));
    assert!(matches!(outcome.event, Some(Event::Refused { detail: Some(part), .. }) if part == "its path"));
    assert_eq!(refused(&closes.handle(asks("GET", "/admin")).response), (403, "closed_to_everybody".into()));
}

#[test]
fn gw_06_clients_are_known_by_what_trusted_proxies_say() {
    let mut world = with([AccessRule::public().clients(["192.168.0.0/16"])]);
    for (peer, forwarded, status) in [
        (PROXY, Some("192.168.1.1"), 200),
        (PROXY, Some("8.8.8.8, 192.168.1.1"), 200),
        (PROXY, Some("192.168.1.1, 8.8.8.8"), 401),
        (PROXY, Some("192.168.1.1, garbage"), 401),
        (PROXY, None, 401),
        ("192.168.1.1", None, 401),
        ("8.8.8.8", Some("192.168.1.1"), 401),
    ] {
        let mut head = asks("GET", "/").from_peer(peer.parse().unwrap());
        if let Some(forwarded) = forwarded {
            head = head.with("x-forwarded-for", forwarded);
        }
        assert_eq!(world.handle(head).response.status, status, "{peer} {forwarded:?}");
    }
    // A proxy that is not listed asks Envoy's questions too, from an address of its own.
    let of_envoy = site().flavour(Flavour::ExtAuthz).rule(AccessRule::public().clients(["192.168.0.0/16"]));
    let mut of_envoy = World::of(of_envoy);
    let stranger = PlainHead::fetch("/oauth2/auth/").from_peer("192.168.1.1".parse().unwrap());
    assert_eq!(of_envoy.handle(stranger).response.status, 401);
    let mut banned = with([AccessRule::nobody().clients(["8.8.8.0/24"]), AccessRule::public()]);
    let from = |client: &str| asks("GET", "/").with("x-forwarded-for", client);
    assert_eq!(banned.handle(from("8.8.8.8")).response.status, 403);
    assert_eq!(banned.handle(from("8.8.9.8")).response.status, 200);
    assert_eq!(refused(&banned.handle(asks("GET", "/")).response), (403, "asked_unclear".into()));
}

#[test]
fn whoever_needs_a_certain_provider_is_sent_straight_there() {
    let rule = AccessRule::signed_in(Requirement::new().providers(["other"])).paths(below("/page"));
    let mut world = World::of(site().provider(Plain::new("other")).rule(rule));
    let visit = |path: &str| {
        asks("GET", path)
            .without("sec-fetch-mode")
            .with("sec-fetch-mode", "navigate")
            .with("accept", "text/html")
    };
    let leads =
        |world: &mut World, path: &str| world.handle(visit(path)).response.get("location").map(str::to_owned);
    assert_eq!(
        leads(&mut world, "/page").as_deref(),
        Some("https://app.example/oauth2/start/other?rd=%2Fpage")
    );
    assert_eq!(leads(&mut world, "/x").as_deref(), Some("https://app.example/oauth2/sign_in?rd=%2Fx"));
}

/// What Ada, who is in `staff` and `dev`, gets where the proxy's question has this query.
fn asked_with(builder: Builder, query: &str) -> (u16, String) {
    let mut world = World::of(builder);
    world.profile["groups"] = json!(["staff", "dev"]);
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    let response = browser.send(&mut world, PlainHead::fetch(&format!("{AUTH}?{query}")));
    assert!(browser.is_signed_in(&world), "the session is not ended by it");
    refused(&response)
}

#[test]
fn a_proxy_s_question_may_ask_for_groups_and_addresses() {
    let kept = || builder().provider(Plain::new("plain")).keep_groups(Keep::All);
    for (query, code) in [
        ("", ""),
        ("other=x", ""),
        ("allowed_groups=staff", ""),
        ("allowed_groups=x,staff", ""),
        ("allowed_groups=x&allowed_groups=y,dev", ""),
        ("allowed_groups=x%2Cstaff", ""),
        ("allowed_groups=x,Staff", "group_not_allowed"),
        ("allowed_groups=", "group_not_allowed"),
        ("allowed_groups=,", "group_not_allowed"),
        ("allowed_emails=eve@a.example,Ada@A.example", ""),
        ("allowed_emails=eve@a.example", "email_not_allowed"),
        ("allowed_emails=", "email_not_allowed"),
        ("allowed_email_domains=b.example,a.example", ""),
        ("allowed_email_domains=*.example", ""),
        ("allowed_email_domains=.example", ""),
        ("allowed_email_domains=example", "email_not_allowed"),
        ("allowed_emails=ada@a.example&allowed_email_domains=b.example", "email_not_allowed"),
        ("allowed_groups=staff&allowed_email_domains=a.example&allowed_emails=ada@a.example", ""),
        ("allowed_groups=x&allowed_email_domains=a.example", "group_not_allowed"),
        ("allowed_group=staff", "constraint_unknown"),
        ("Allowed_Groups=staff", "constraint_unknown"),
        ("allowed_roles=x&allowed_groups=staff", "constraint_unknown"),
    ] {
        let expected = if code.is_empty() { (202, String::new()) } else { (403, code.to_owned()) };
        assert_eq!(asked_with(kept(), query), expected, "{query}");
    }
}

#[test]
fn se_36_a_proxy_s_question_about_addresses_is_about_verified_ones() {
    for (site, expected) in [
        (builder().provider(Plain::new("plain")), (403, "email_unverified")),
        (builder().provider(Plain::new("plain")).insecure_unverified_email(), (202, "")),
    ] {
        let mut world = World::of(site);
        world.profile["verified"] = json!(false);
        let mut browser = Browser::default();
        browser.sign_in(&mut world, "/");
        for query in ["allowed_emails=ada@a.example", "allowed_email_domains=a.example"] {
            let response = browser.send(&mut world, PlainHead::fetch(&format!("{AUTH}?{query}")));
            assert_eq!(refused(&response), (expected.0, expected.1.to_owned()), "{query}");
        }
    }
}

#[test]
fn a_question_about_groups_that_no_session_keeps_says_so_to_the_operator() {
    let plain = || builder().provider(Plain::new("plain"));
    assert_eq!(asked_with(plain().keep_groups(Keep::named(["dev"])), "allowed_groups=dev,staff").0, 202);
    let mut world = World::of(plain());
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    browser.send(&mut world, PlainHead::fetch(&format!("{AUTH}?allowed_groups=staff")));
    let Some(Event::Refused { detail: Some(detail), .. }) = browser.last_event else { panic!("no detail") };
    assert_eq!(detail, "the session keeps none of the groups that the proxy asks for");
}

#[test]
fn envoy_s_question_has_the_browser_s_own_query_which_asks_nothing() {
    let mut world = World::of(builder().provider(Plain::new("plain")).flavour(Flavour::ExtAuthz));
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    let head = PlainHead::fetch("/oauth2/auth/page?allowed_groups=x").with("host", "app.example");
    assert_eq!(browser.send(&mut world, head).status, 200);
}

#[test]
fn nobody_is_asked_for_anything_but_a_session_first() {
    let mut world = World::of(builder().provider(Plain::new("plain")));
    let response = world.handle(PlainHead::fetch(&format!("{AUTH}?allowed_groups=x"))).response;
    assert_eq!(refused(&response), (401, "sign_in_required".into()));
}

#[test]
fn only_listed_addresses_and_domains_enter() {
    for (emails, domains, code) in [
        (&["ada@a.example"][..], None, 303),
        (&["ADA@A.example", "x@y.example"], None, 303),
        (&["eve@a.example"], None, 403),
        (&["eve@x.example"], Some("a.example"), 303),
        (&["ada@a.example"], Some("b.example"), 303),
        (&["eve@x.example"], Some("b.example"), 403),
    ] {
        let listed = builder().provider(Plain::new("plain")).emails(emails.iter().copied());
        let listed = domains.into_iter().fold(listed, |builder, domain| builder.email_domains([domain]));
        let mut world = World::of(listed);
        let mut browser = Browser::default();
        assert_eq!(browser.sign_in(&mut world, "/").status, code, "{emails:?} {domains:?}");
        let auth = browser.send(&mut world, PlainHead::fetch(AUTH)).status;
        assert_eq!(auth, if code == 303 { 202 } else { 401 });
    }
}

#[test]
fn gw_13_every_question_is_decided_anew_for_whoever_asks() {
    let mut world = with([AccessRule::signed_in(Requirement::new().groups(["staff"])).paths(below("/a"))]);
    let (mut ada, mut eve) = (Browser::default(), Browser::default());
    ada.sign_in(&mut world, "/");
    world.profile = json!({"id": 8, "login": "eve", "groups": []});
    eve.sign_in(&mut world, "/");
    for _ in 0..3 {
        for (browser, path, status, user) in [
            (&ada, "/a/b", 200, Some("ada")),
            (&eve, "/a/b", 403, None),
            (&eve, "/ab", 200, Some("eve")),
            (&ada, "/ab", 200, Some("ada")),
        ] {
            let response = world.handle(browser.with_cookies(asks("GET", path))).response;
            assert_eq!((response.status, response.get("x-auth-request-user")), (status, user), "{path}");
        }
        let nobody = world.handle(asks("GET", "/a/b")).response;
        assert_eq!(nobody.status, 401);
    }
}
