//! The endpoints, merged and nested.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::net::SocketAddr;

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use support::{Browser, LeadsTo as _, builder, gate, gate_of, navigation};
use vestibule::{
    config::Flavour,
    limits::BODY_BYTES_MAX,
    paths::Endpoint,
    paths::Paths,
    testkit::{MemoryProvider, Person},
};

#[tokio::test]
async fn merged_routes_sign_a_person_in_and_out() {
    let app = Router::new().merge(gate().routes());
    let mut browser = Browser::new(&app);
    assert_eq!(browser.fetch("/oauth2/auth").await.status, 401);

    let back = browser.sign_in("/oauth2/sign_in?rd=/page?x=1", "/oauth2/callback").await;
    assert_eq!(back.leads_to(), "/page?x=1");
    assert_eq!(browser.fetch("/oauth2/auth").await.status, 202);
    let userinfo = browser.fetch("/oauth2/userinfo").await;
    assert!(userinfo.status == 200 && userinfo.body.contains("ada"), "{userinfo:?}");

    assert_eq!(browser.visit("/oauth2/sign_out").await.status, 303);
    assert_eq!(browser.fetch("/oauth2/auth").await.status, 401);
}

#[tokio::test]
async fn a_nested_scope_sees_the_whole_path() {
    let gate = gate_of(builder("/app/oauth2"));
    let prefix = gate.driver().vestibule().paths().prefix().to_owned();
    let inner = Router::new().nest("/oauth2", gate.scope());
    for app in [Router::new().nest(&prefix, gate.scope()), Router::new().nest("/app", inner)] {
        let mut browser = Browser::new(&app);
        let back = browser.sign_in("/app/oauth2/sign_in?rd=/page", "/app/oauth2/callback").await;
        assert_eq!(back.leads_to(), "/page");
        assert_eq!(browser.fetch("/app/oauth2/auth").await.status, 202);
    }
}

#[tokio::test]
async fn a_scope_at_another_place_says_what_to_do() {
    let app = Router::new().nest("/login", gate().scope());
    let answer = Browser::new(&app).fetch("/login/auth").await;
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("mounted_elsewhere"), "{answer:?}");
}

#[tokio::test]
async fn renamed_paths_and_aliases_and_a_provider_s_own_paths_are_all_routed() {
    let paths = Paths::below("/oauth2").rename(Endpoint::SignIn, "/login").sign_out_alias("/app/logout");
    let two = builder("/oauth2").paths(paths).provider(MemoryProvider::new("other"));
    let app = Router::new().merge(gate_of(two).routes());
    let mut browser = Browser::new(&app);
    let choice = browser.visit("/login").await;
    assert!(choice.status == 200 && choice.body.contains("/oauth2/start/other"), "{choice:?}");
    let back = browser.sign_in("/oauth2/start/other", "/oauth2/callback/other").await;
    assert_eq!(back.leads_to(), "/");
    assert_eq!(browser.fetch("/oauth2/auth").await.status, 202);
    assert_eq!(browser.visit("/app/logout").await.status, 303);
    assert_eq!(browser.fetch("/oauth2/auth").await.status, 401);
}

#[tokio::test]
async fn what_providers_say_about_logouts_is_routed_merged_and_nested() {
    let by_routes = Router::new().merge(gate().routes());
    let by_scope = Router::new().nest("/oauth2", gate().scope());
    for (app, path) in [&by_routes, &by_scope].into_iter().flat_map(|app| {
        ["backchannel_logout", "backchannel_logout/op", "frontchannel_logout", "frontchannel_logout/op"]
            .map(|path| (app, format!("/oauth2/{path}")))
    }) {
        // This site does not listen to them, and says so in words of ours.
        for method in ["POST", "GET"] {
            let answer = Browser::new(app).send(Request::builder().method(method).uri(&path)).await;
            assert!(answer.status == 404 && answer.body.contains("not_found"), "{method} {path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn every_cookie_line_survives() {
    let app = Router::new().merge(gate().routes());
    let answer = Browser::new(&app).sign_in("/oauth2/sign_in", "/oauth2/callback").await;
    assert!(answer.headers.get_all("set-cookie").iter().count() >= 2, "{answer:?}");
}

#[tokio::test]
async fn a_head_request_has_no_effect_and_any_method_is_answered() {
    let app = Router::new().merge(gate().routes());
    let mut browser = Browser::new(&app);
    let head = |path| Request::head(path).header("sec-fetch-mode", "navigate");
    for path in ["/oauth2/sign_in", "/oauth2/start", "/oauth2/sign_out"] {
        let answer = browser.send(head(path)).await;
        assert!(answer.body.is_empty() && !answer.headers.contains_key("set-cookie"), "{path}: {answer:?}");
    }
    for method in ["PUT", "DELETE", "OPTIONS", "PROPFIND"] {
        let request = Request::builder().method(method).uri("/oauth2/auth");
        assert_eq!(browser.send(request).await.status, 401, "{method}");
    }
}

#[tokio::test]
async fn a_body_is_read_to_the_limit_and_only_where_it_is_wanted() {
    let app = Router::new().merge(gate().routes());
    let mut browser = Browser::new(&app);
    let post = |path: &str| Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    let endless =
        || Body::from_stream(futures_util::stream::repeat(Ok::<_, std::fmt::Error>("x".repeat(1024))));

    let answer = browser.send_body(post("/oauth2/callback"), endless()).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    let whole = Body::from("x".repeat(BODY_BYTES_MAX));
    assert_eq!(browser.send_body(post("/oauth2/callback"), whole).await.status, 400);
    assert_eq!(browser.send_body(post("/oauth2/auth"), endless()).await.status, 401);
}

#[tokio::test]
async fn the_second_of_two_callbacks_is_no_second_sign_in() {
    let app = Router::new().merge(gate().routes());
    let mut browser = Browser::new(&app);
    let target = browser.go_and_come_back("/oauth2/sign_in", Person::new(7)).await;
    let before = browser.cookies.clone();
    assert_eq!(browser.visit(&target).await.status, 303);
    browser.cookies = before;
    let again = browser.visit(&target).await;
    assert_eq!(again.status, 400);
    assert!(again.body.contains("attempt_already_answered"), "{again:?}");
}

#[tokio::test]
async fn envoy_s_questions_below_auth_are_all_routed_merged_and_nested() {
    let gate = || gate_of(builder("/oauth2").flavour(Flavour::ExtAuthz));
    for app in [Router::new().merge(gate().routes()), Router::new().nest("/oauth2", gate().scope())] {
        for path in ["", "/", "/a", "/a/b?c=d", "//a", "/a%2f..%0a", "/oauth2/callback"] {
            let question = Request::builder().method("POST").uri(format!("/oauth2/auth{path}"));
            let answer = Browser::new(&app).send(question).await;
            assert!(answer.status == 401 && answer.body.contains("sign_in_required"), "{path}: {answer:?}");
        }
    }
    let others = Router::new().merge(gate_of(builder("/oauth2")).routes());
    assert_eq!(Browser::new(&others).fetch("/oauth2/auth/a").await.status, 404);
}

#[tokio::test]
async fn a_proxy_is_known_by_its_address_as_far_as_axum_is_told_that() {
    let gate = gate_of(builder("/oauth2").flavour(Flavour::ForwardAuth).trusted_proxies(["10.0.0.1"]));
    let app = Router::new().merge(gate.routes());
    let asks = |peer: Option<&str>| {
        let mut question = navigation("/oauth2/auth")
            .header("x-forwarded-method", "GET")
            .header("x-forwarded-host", "app.example")
            .header("x-forwarded-uri", "/deep");
        if let Some(peer) = peer {
            question = question.extension(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        }
        question
    };
    for (peer, leads_to) in [
        (Some("10.0.0.1:1234"), "/oauth2/sign_in?rd=%2Fdeep"),
        (Some("[::ffff:10.0.0.1]:1234"), "/oauth2/sign_in?rd=%2Fdeep"),
        (Some("10.0.0.2:1234"), "/oauth2/sign_in"),
        (None, "/oauth2/sign_in"),
    ] {
        let answer = Browser::new(&app).send(asks(peer)).await;
        assert_eq!(answer.leads_to(), leads_to, "{peer:?}");
    }
}
