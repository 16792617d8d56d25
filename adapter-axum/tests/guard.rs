//! Extractors and layers: who gets through, and what the others read.

mod support;

use axum::{
    Extension, Router,
    extract::State,
    http::{Request, request::Parts},
    routing::{any, get},
};
use support::{Browser, LeadsTo as _, builder, gate, gate_of, navigation};
use vestibule::{identity::Tokens, seal::KeyRing, session::Session};
use vestibule_axum::{
    Gate, SignedIn,
    testing::{Person, SignedInAs as _},
};

async fn required(SignedIn(session): SignedIn) -> String {
    session.identity.username.unwrap_or_default()
}

async fn optional(who: Option<SignedIn>) -> String {
    who.map_or_else(|| "nobody".to_owned(), |who| who.identity.username.clone().unwrap_or_default())
}

fn app(gate: &Gate) -> Router {
    Router::new()
        .route("/required", any(required))
        .route("/optional", get(optional))
        .layer(gate.layer())
        .merge(gate.routes())
}

async fn signed_in(app: &Router) -> Browser {
    let mut browser = Browser::new(app);
    browser.sign_in("/oauth2/sign_in", "/oauth2/callback").await;
    browser
}

#[tokio::test]
async fn extractors_give_the_person_or_turn_back_or_say_nobody() {
    let app = app(&gate());
    let mut stranger = Browser::new(&app);
    assert_eq!(stranger.visit("/required?x=1").await.leads_to(), "/oauth2/sign_in?rd=%2Frequired%3Fx%3D1");
    let problem = stranger.fetch("/required").await;
    assert_eq!((problem.status.as_u16(), problem.header("content-type")), (401, "application/problem+json"));
    assert_eq!(stranger.fetch("/optional").await.body, "nobody");

    let mut ada = signed_in(&app).await;
    assert_eq!(ada.fetch("/required").await.body, "ada");
    assert_eq!(ada.visit("/optional").await.body, "ada");
}

#[tokio::test]
async fn a_form_is_not_posted_again_after_sign_in() {
    let app = app(&gate());
    let post = Request::post("/required").header("sec-fetch-mode", "navigate");
    assert_eq!(Browser::new(&app).send(post).await.leads_to(), "/oauth2/sign_in");
}

#[tokio::test]
async fn somebody_who_may_not_enter_is_told_so_and_is_nobody_where_that_is_optional() {
    // The rules are stricter than when the session began, as after a restart.
    let open = app(&gate());
    let closed = app(&gate_of(builder("/oauth2").email_domains(["a.example"])));
    let cookies = signed_in(&open).await.cookies.clone();
    let mut ada = Browser::new(&closed);
    ada.cookies = cookies;
    assert_eq!(ada.visit("/required").await.status, 403);
    assert_eq!(ada.fetch("/required").await.status, 403);
    assert_eq!(ada.fetch("/optional").await.body, "nobody");
}

#[tokio::test]
async fn a_handler_without_a_layer_is_an_error_for_the_log_and_never_lets_anybody_in() {
    let gate = gate();
    let pages = || Router::new().route("/required", get(required)).route("/optional", get(optional));
    // A layer is put around the routes that are there already.
    let too_early = Router::new().route("/other", get("other")).layer(gate.layer()).merge(pages());
    for app in [pages(), pages().merge(gate.routes()), too_early] {
        for path in ["/required", "/optional"] {
            let answer = Browser::new(&app).fetch(path).await;
            assert_eq!(answer.status, 500);
            assert!(!answer.body.contains("layer"), "the remedy is for the log: {answer:?}");
        }
    }
    let session = Router::new().route("/", get(async |_: Extension<Session>| "somebody"));
    assert_eq!(Browser::new(&session).fetch("/").await.status, 500);
    let remedy = vestibule_axum::Rejection::NotWired.to_string();
    assert!(remedy.contains("gate.layer()") && remedy.contains("gate.require()"), "{remedy}");
}

#[tokio::test]
async fn the_layer_around_the_endpoints_is_an_error_and_no_loop() {
    let gate = gate();
    let app = Router::new().route("/required", get(required)).merge(gate.routes()).layer(gate.require());
    for path in ["/oauth2/sign_in", "/oauth2/callback?code=c", "/logout"] {
        let answer = Browser::new(&app).visit(path).await;
        assert_eq!(answer.status, 500, "{path}");
        assert!(answer.body.contains("endpoint_guarded"), "{answer:?}");
    }
}

#[tokio::test]
async fn the_layer_keeps_a_whole_router_to_people_who_are_signed_in() {
    let gate = gate();
    let extension = |Extension(session): Extension<Session>| async move { session.identity.subject };
    let inside = Router::new().route("/a", get(required)).route("/b", get(extension)).layer(gate.require());
    let app = Router::new().nest("/inside", inside).route("/outside", get("open")).merge(gate.routes());
    let mut stranger = Browser::new(&app);
    assert_eq!(stranger.visit("/inside/a?x").await.leads_to(), "/oauth2/sign_in?rd=%2Finside%2Fa%3Fx");
    assert_eq!(stranger.fetch("/inside/b").await.status, 401);
    assert_eq!(stranger.fetch("/outside").await.body, "open");
    let socket = navigation("/inside/a").header("sec-websocket-key", "x").header("accept", "text/html");
    assert_eq!(stranger.send(socket).await.status, 401);

    let mut ada = signed_in(&app).await;
    assert_eq!(ada.fetch("/inside/a").await.body, "ada");
    assert_eq!(ada.fetch("/inside/b").await.body, "7");
}

#[tokio::test]
async fn a_session_that_an_older_key_has_sealed_comes_anew_with_a_page_behind_the_layer() {
    let keys = ["fedcba9876543210fedcba9876543210", "0123456789abcdef0123456789abcdef"];
    let rotated = |keys: &[&str]| gate_of(builder("/oauth2").keys(KeyRing::new(keys).unwrap()));
    let app = |gate: &Gate| {
        let leaves = |gate: Gate, parts: Parts| async move { gate.end(&parts).await };
        Router::new().route("/a", any(required)).route("/leave", any(leaves)).layer(gate.require())
    };
    let cookies = signed_in(&gate().routes()).await.cookies.clone();
    let mut ada = Browser::new(&app(&rotated(&keys)));
    ada.cookies = cookies.clone();
    assert_eq!(ada.fetch("/a").await.header("set-cookie"), "");
    let page = ada.visit("/a").await;
    assert_eq!(
        (page.body.as_str(), page.header("set-cookie").starts_with("__Host-vestibule=")),
        ("ada", true)
    );
    assert_eq!(ada.visit("/a").await.header("set-cookie"), "");
    let mut later = Browser::new(&app(&rotated(&keys[..1])));
    later.cookies = ada.cookies.clone();
    assert_eq!(later.visit("/a").await.body, "ada");
    // Whoever signs out with the older cookie does not get it back.
    let mut leaving = Browser::new(&app(&rotated(&keys)));
    leaving.cookies = cookies;
    leaving.visit("/leave").await;
    assert_eq!(leaving.fetch("/a").await.status, 401);
}

#[tokio::test]
async fn a_session_of_another_gate_is_none_here() {
    let (ours, theirs) = (gate(), gate_of(builder("/theirs").cookie_name("theirs")));
    let page = Router::new().route("/page", get(optional)).layer(theirs.layer()).layer(ours.require());
    let app = Router::new().merge(page).merge(ours.routes());
    assert_eq!(signed_in(&app).await.fetch("/page").await.body, "nobody");
}

#[tokio::test]
async fn an_application_with_a_state_of_its_own_asks_the_gate_in_it() {
    #[derive(Clone)]
    struct Application {
        gate: Gate,
    }
    async fn page(
        State(app): State<Application>,
        request: axum::extract::Request,
    ) -> axum::response::Response {
        let (parts, _) = request.into_parts();
        match app.gate.session(&parts).await {
            Ok(session) => axum::response::IntoResponse::into_response(session.identity.subject),
            Err(refusal) => app.gate.turn_back(&parts, refusal),
        }
    }
    let gate = gate();
    let app = Router::new()
        .route("/page", get(page))
        .route("/required", get(required))
        .layer(gate.layer())
        .merge(gate.routes())
        .with_state(Application { gate });
    assert_eq!(Browser::new(&app).fetch("/page").await.status, 401);
    let mut ada = signed_in(&app).await;
    assert_eq!(ada.fetch("/page").await.body, "7");
    assert_eq!(ada.fetch("/required").await.body, "ada");
}

#[tokio::test]
async fn ck_20_what_is_behind_the_guard_is_for_its_person_unless_the_application_says_otherwise() {
    let gate = gate();
    let app = Router::new()
        .route("/silent", get(async || "x"))
        .route("/public", get(async || ([("cache-control", "public, max-age=60")], "x")))
        .route("/varies", get(async || ([("vary", "accept, cookie")], "x")))
        .layer(gate.require())
        .merge(gate.routes());
    let mut ada = signed_in(&app).await;
    let silent = ada.fetch("/silent").await;
    assert_eq!((silent.header("cache-control"), silent.header("vary")), ("private", "Cookie"));
    assert_eq!(ada.fetch("/public").await.header("cache-control"), "public, max-age=60");
    let varies = ada.fetch("/varies").await;
    assert_eq!((varies.header("cache-control"), varies.header("vary")), ("private", "accept, cookie"));
    assert_eq!(Browser::new(&app).fetch("/silent").await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn an_application_gets_the_tokens_that_the_site_keeps_and_nobody_elses() {
    async fn page(State(gate): State<Gate>, request: axum::extract::Request) -> String {
        let (parts, _) = request.into_parts();
        let access = gate.tokens(&parts).await.ok().flatten().and_then(|tokens| tokens.access);
        access.map_or_else(|| "none".to_owned(), |token| token.expose().to_owned())
    }
    for (builder, expected) in [(builder("/oauth2").keep_tokens(), "canary"), (builder("/oauth2"), "none")] {
        let gate = gate_of(builder);
        let app = Router::new().route("/page", get(page)).with_state(gate.clone()).merge(gate.routes());
        let ada = Person::new(7).tokens(Tokens::new("canary"));
        let asked = Request::get("/page").signed_in(&gate, ada);
        assert_eq!(Browser::new(&app).send(asked).await.body, expected);
        assert_eq!(Browser::new(&app).fetch("/page").await.body, "none");
    }
}
