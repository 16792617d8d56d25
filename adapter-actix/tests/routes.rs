//! The endpoints, configured and as a scope.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use actix_web::{
    App,
    dev::Payload,
    error::PayloadError,
    http::Method,
    test::TestRequest,
    web::{self, Bytes},
};
use futures_util::{Stream, stream};
use support::{Browser, LeadsTo as _, builder, gate, gate_of, log, navigation, site};
use vestibule::{
    config::Flavour, limits::BODY_BYTES_MAX, paths::Endpoint, paths::Paths, testkit::MemoryProvider,
};

#[actix_web::test]
async fn configured_routes_sign_a_person_in_and_out() {
    let app = site(App::new().configure(gate().routes())).await;
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

#[actix_web::test]
async fn a_scope_sees_the_whole_path() {
    let gate = gate_of(builder("/app/oauth2"));
    let alone = site(App::new().service(gate.scope())).await;
    let within = site(App::new().service(web::scope("").service(gate.scope()))).await;
    for app in [alone, within] {
        let mut browser = Browser::new(&app);
        let back = browser.sign_in("/app/oauth2/sign_in?rd=/page", "/app/oauth2/callback").await;
        assert_eq!(back.leads_to(), "/page");
        assert_eq!(browser.fetch("/app/oauth2/auth").await.status, 202);
        assert_eq!(browser.fetch("/app/oauth2/nothing").await.status, 404);
    }
}

#[actix_web::test]
async fn a_scope_at_another_place_says_what_to_do() {
    log::listen();
    let scope = site(App::new().service(web::scope("/login").service(gate().scope()))).await;
    let routes = site(App::new().service(web::scope("/login").configure(gate().routes()))).await;
    for app in [scope, routes] {
        let answer = Browser::new(&app).fetch("/login/oauth2/auth").await;
        assert_eq!(answer.status, 500);
        assert!(answer.body.contains("mounted_elsewhere"), "{answer:?}");
        let lines = log::lines();
        assert!(lines[0].starts_with("ERROR ") && lines[0].contains("mounted_elsewhere"), "{lines:?}");
    }
}

#[actix_web::test]
async fn renamed_paths_and_aliases_and_a_provider_s_own_paths_are_all_routed() {
    let paths = Paths::below("/oauth2").rename(Endpoint::SignIn, "/login").sign_out_alias("/app/logout");
    let two = builder("/oauth2").paths(paths).provider(MemoryProvider::new("other"));
    let app = site(App::new().configure(gate_of(two).routes())).await;
    let mut browser = Browser::new(&app);
    let choice = browser.visit("/login").await;
    assert!(choice.status == 200 && choice.body.contains("/oauth2/start/other"), "{choice:?}");
    let back = browser.sign_in("/oauth2/start/other", "/oauth2/callback/other").await;
    assert_eq!(back.leads_to(), "/");
    assert_eq!(browser.fetch("/oauth2/auth").await.status, 202);
    assert_eq!(browser.visit("/app/logout").await.status, 303);
    assert_eq!(browser.fetch("/oauth2/auth").await.status, 401);
}

#[actix_web::test]
async fn an_endpoint_written_in_another_way_is_none() {
    let app = site(App::new().configure(gate().routes())).await;
    for path in [
        "/oauth2/%61uth",
        "/%6Fauth2/start/plain",
        "/oauth2/auth/",
        "/oauth2//auth",
        "/OAuth2/auth",
        "/oauth2/start/",
        "/oauth2/start/plain/",
        "/oauth2/start/plain/more",
        "/oauth2/starts/plain",
    ] {
        let answer = Browser::new(&app).fetch(path).await;
        assert!(answer.status == 404 && answer.body.is_empty(), "the application answers {path}: {answer:?}");
    }
}

#[actix_web::test]
async fn what_providers_say_about_logouts_is_routed_configured_and_in_a_scope() {
    let by_routes = site(App::new().configure(gate().routes())).await;
    let by_scope = site(App::new().service(gate().scope())).await;
    for app in [&by_routes, &by_scope] {
        for path in
            ["backchannel_logout", "backchannel_logout/op", "frontchannel_logout", "frontchannel_logout/op"]
        {
            // This site does not listen to them, and says so in words of ours.
            for method in [Method::POST, Method::GET] {
                let request = TestRequest::with_uri(&format!("/oauth2/{path}")).method(method.clone());
                let answer = Browser::new(app).send(request).await;
                assert!(answer.status == 404 && answer.body.contains("not_found"), "{path}: {answer:?}");
            }
        }
    }
}

#[actix_web::test]
async fn every_cookie_line_survives() {
    let app = site(App::new().configure(gate().routes())).await;
    let answer = Browser::new(&app).sign_in("/oauth2/sign_in", "/oauth2/callback").await;
    assert!(answer.headers.get_all("set-cookie").count() >= 2, "{answer:?}");
}

#[actix_web::test]
async fn a_head_request_has_no_effect_and_any_method_is_answered() {
    let app = site(App::new().configure(gate().routes())).await;
    let mut browser = Browser::new(&app);
    for path in ["/oauth2/sign_in", "/oauth2/start", "/oauth2/sign_out"] {
        let answer = browser.send(navigation(path).method(Method::HEAD)).await;
        assert!(answer.body.is_empty() && !answer.headers.contains_key("set-cookie"), "{path}: {answer:?}");
    }
    for method in ["PUT", "DELETE", "OPTIONS", "PROPFIND"] {
        let method = Method::from_bytes(method.as_bytes()).expect("it is a token");
        let request = TestRequest::default().method(method.clone()).uri("/oauth2/auth");
        assert_eq!(browser.send(request).await.status, 401, "{method}");
    }
}

fn body(stream: impl Stream<Item = Result<Bytes, PayloadError>> + 'static) -> Payload {
    Payload::Stream { payload: Box::pin(stream) }
}

#[actix_web::test]
async fn a_body_is_read_to_the_limit_and_only_where_it_is_wanted() {
    let app = site(App::new().configure(gate().routes())).await;
    let mut browser = Browser::new(&app);
    let post = |path: &str| {
        TestRequest::post().uri(path).insert_header(("content-type", "application/x-www-form-urlencoded"))
    };
    let endless = || body(stream::repeat_with(|| Ok(Bytes::from_static(&[b'x'; 1024]))));
    let whole = || Ok(Bytes::from(vec![b'x'; BODY_BYTES_MAX]));

    let answer = browser.send_body(post("/oauth2/callback"), endless()).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    let enough = body(stream::iter([whole(), whole(), Err(PayloadError::Incomplete(None))]));
    assert_eq!(browser.send_body(post("/oauth2/callback"), enough).await.status, 413);
    let just = body(stream::iter([whole()]));
    assert_eq!(browser.send_body(post("/oauth2/callback"), just).await.status, 400);

    let form = || Ok(Bytes::from_static(b"code=c&state=s"));
    let answer = browser.send_body(post("/oauth2/callback"), body(stream::iter([form()]))).await;
    assert!(answer.body.contains("attempt_missing"), "it was read: {answer:?}");
    let broken_off = body(stream::iter([form(), Err(PayloadError::Incomplete(None))]));
    let answer = browser.send_body(post("/oauth2/callback"), broken_off).await;
    assert!(answer.body.contains("callback_malformed"), "nothing was read: {answer:?}");

    let unread = body(stream::poll_fn(|_| panic!("nobody wants this body")));
    let answer = browser.send_body(post("/oauth2/auth"), unread).await;
    assert_eq!(answer.status, 401);
}

#[actix_web::test]
async fn the_second_of_two_callbacks_is_no_second_sign_in() {
    let app = site(App::new().configure(gate().routes())).await;
    let mut browser = Browser::new(&app);
    let target = browser.go_and_come_back("/oauth2/sign_in", "/oauth2/callback").await;
    let before = browser.cookies.clone();
    assert_eq!(browser.visit(&target).await.status, 303);
    browser.cookies = before;
    let again = browser.visit(&target).await;
    assert_eq!(again.status, 400);
    assert!(again.body.contains("attempt_already_answered"), "{again:?}");
}

#[actix_web::test]
async fn envoy_s_questions_below_auth_are_all_routed() {
    let gate = || gate_of(builder("/oauth2").flavour(Flavour::ExtAuthz));
    let routes = site(App::new().configure(gate().routes())).await;
    let scope = site(App::new().service(gate().scope())).await;
    for app in [routes, scope] {
        for path in ["", "/", "/a", "/a/b?c=d", "//a", "/a%2f..%0a", "/oauth2/callback"] {
            let question = TestRequest::post().uri(&format!("/oauth2/auth{path}"));
            let answer = Browser::new(&app).send(question).await;
            assert!(answer.status == 401 && answer.body.contains("sign_in_required"), "{path}: {answer:?}");
        }
    }
    let others = site(App::new().configure(gate_of(builder("/oauth2")).routes())).await;
    assert_eq!(Browser::new(&others).fetch("/oauth2/auth/a").await.status, 404);
}

#[actix_web::test]
async fn a_proxy_is_known_by_its_address() {
    let gate = gate_of(builder("/oauth2").flavour(Flavour::ForwardAuth).trusted_proxies(["10.0.0.1"]));
    let app = site(App::new().configure(gate.routes())).await;
    for (peer, leads_to) in [
        (Some("10.0.0.1:1234"), "/oauth2/sign_in?rd=%2Fdeep"),
        (Some("10.0.0.2:1234"), "/oauth2/sign_in"),
        (None, "/oauth2/sign_in"),
    ] {
        let mut question = navigation("/oauth2/auth")
            .insert_header(("x-forwarded-method", "GET"))
            .insert_header(("x-forwarded-host", "app.example"))
            .insert_header(("x-forwarded-uri", "/deep"));
        if let Some(peer) = peer {
            question = question.peer_addr(peer.parse().unwrap());
        }
        let answer = Browser::new(&app).send(question).await;
        assert_eq!(answer.leads_to(), leads_to, "{peer:?}");
    }
}
