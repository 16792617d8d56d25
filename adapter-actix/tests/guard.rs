//! Extractors and the middleware: who gets through, and what the others read.

mod support;

use std::sync::atomic::Ordering;

use actix_web::{
    App, HttpRequest, Responder as _,
    middleware::DefaultHeaders,
    test::TestRequest,
    web::{self, Data, ReqData},
};
use support::{Browser, LeadsTo as _, Memory, Site, builder, gate, gate_at, gate_of, log, navigation, site};
use vestibule::{identity::Tokens, seal::KeyRing, session::Session};
use vestibule_actix::{
    Gate, MaybeSignedIn, Rejection, SignedIn,
    testing::{Person, SignedInAs as _},
};

fn name(session: Option<Session>) -> String {
    session.map_or_else(|| "nobody".to_owned(), |session| session.identity.username.unwrap_or_default())
}

async fn required(SignedIn(session): SignedIn) -> String {
    name(Some(session))
}

async fn optional(MaybeSignedIn(session): MaybeSignedIn) -> String {
    name(session)
}

async fn option(who: Option<SignedIn>) -> String {
    name(who.map(|SignedIn(session)| session))
}

async fn extension(session: ReqData<Session>) -> String {
    session.into_inner().identity.subject
}

fn pages(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/required").to(required))
        .service(web::resource("/optional").to(optional))
        .service(web::resource("/option").to(option));
}

async fn app(gate: &Gate) -> Site {
    site(App::new().configure(gate.routes()).configure(pages)).await
}

async fn signed_in(app: &Site) -> Browser {
    let mut browser = Browser::new(app);
    browser.sign_in("/oauth2/sign_in", "/oauth2/callback").await;
    browser
}

#[actix_web::test]
async fn extractors_give_the_person_or_turn_back_or_say_nobody() {
    let app = app(&gate()).await;
    let mut stranger = Browser::new(&app);
    assert_eq!(stranger.visit("/required?x=1").await.leads_to(), "/oauth2/sign_in?rd=%2Frequired%3Fx%3D1");
    let problem = stranger.fetch("/required").await;
    assert_eq!((problem.status.as_u16(), problem.header("content-type")), (401, "application/problem+json"));
    for path in ["/optional", "/option"] {
        assert_eq!(stranger.fetch(path).await.body, "nobody");
    }

    let mut ada = signed_in(&app).await;
    assert_eq!(ada.fetch("/required").await.body, "ada");
    for path in ["/optional", "/option"] {
        assert_eq!(ada.visit(path).await.body, "ada");
    }
}

#[actix_web::test]
async fn a_form_is_not_posted_again_after_sign_in() {
    let app = app(&gate()).await;
    let post = TestRequest::post().uri("/required").insert_header(("sec-fetch-mode", "navigate"));
    assert_eq!(Browser::new(&app).send(post).await.leads_to(), "/oauth2/sign_in");
}

#[actix_web::test]
async fn somebody_who_may_not_enter_is_told_so_and_is_nobody_where_that_is_optional() {
    // The rules are stricter than when the session began, as after a restart.
    let open = app(&gate()).await;
    let closed = app(&gate_of(builder("/oauth2").email_domains(["a.example"]))).await;
    let mut ada = signed_in(&open).await;
    let cookies = ada.cookies.clone();
    ada = Browser::new(&closed);
    ada.cookies = cookies;
    assert_eq!(ada.visit("/required").await.status, 403);
    assert_eq!(ada.fetch("/required").await.status, 403);
    for path in ["/optional", "/option"] {
        assert_eq!(ada.fetch(path).await.body, "nobody");
    }
}

#[actix_web::test]
async fn a_handler_without_a_gate_is_an_error_for_the_log_and_never_lets_anybody_in() {
    log::listen();
    // A scope of endpoints has the gate for itself, and `Data` is not where extractors look.
    let gate = gate();
    let none = site(App::new().configure(pages)).await;
    let scope = site(App::new().service(gate.scope()).configure(pages)).await;
    let data = site(App::new().app_data(Data::new(gate.clone())).configure(pages)).await;
    for app in [none, scope, data] {
        for path in ["/required", "/optional"] {
            let answer = Browser::new(&app).fetch(path).await;
            assert_eq!(answer.status, 500);
            assert!(!answer.body.contains("gate"), "the remedy is for the log: {answer:?}");
        }
        // Actix takes every error for nobody here; the log does not.
        assert_eq!(Browser::new(&app).fetch("/option").await.body, "nobody");
        let lines = log::lines();
        assert_eq!(lines.len(), 3, "{lines:?}");
        for line in lines {
            assert!(line.starts_with("ERROR ") && line.contains(&Rejection::NotWired.to_string()), "{line}");
        }
    }
    let session = site(App::new().route("/", web::get().to(extension))).await;
    assert_eq!(Browser::new(&session).fetch("/").await.status, 500);
    let remedy = Rejection::NotWired.to_string();
    for call in ["gate.routes()", "app_data(gate.clone())", "gate.require()"] {
        assert!(remedy.contains(call), "{remedy}");
    }
    let mended = site(App::new().service(gate.scope()).app_data(gate.clone()).configure(pages)).await;
    assert_eq!(signed_in(&mended).await.fetch("/required").await.body, "ada");
}

#[actix_web::test]
async fn the_middleware_around_the_endpoints_is_an_error_for_the_log_and_no_loop() {
    log::listen();
    let gate = gate_of(builder("/app/oauth2"));
    let around = site(App::new().wrap(gate.require()).configure(gate.routes())).await;
    let before = web::scope("/app").wrap(gate.require()).configure(pages);
    let before = site(App::new().service(before).configure(gate.routes())).await;
    for app in [around, before] {
        for path in ["/app/oauth2/sign_in", "/app/oauth2/callback?code=c", "/logout"] {
            let answer = Browser::new(&app).visit(path).await;
            let lines = log::lines();
            if path == "/logout" && answer.status != 500 {
                continue; // That one lies outside the scope.
            }
            assert_eq!(answer.status, 500, "{path}");
            assert!(lines.iter().any(|line| line.contains("endpoint_guarded")), "{lines:?}");
        }
    }
}

#[actix_web::test]
async fn the_middleware_keeps_a_whole_scope_to_people_who_are_signed_in() {
    let gate = gate();
    let inside = web::scope("/inside")
        .wrap(gate.require())
        .route("/a", web::get().to(required))
        .route("/b", web::get().to(extension))
        .service(web::resource("/c").app_data(gate.clone()).to(optional));
    let open = web::get().to(async || "open");
    let app = App::new().service(inside).route("/outside", open).service(gate.scope());
    let app = site(app).await;
    let mut stranger = Browser::new(&app);
    assert_eq!(stranger.visit("/inside/a?x").await.leads_to(), "/oauth2/sign_in?rd=%2Finside%2Fa%3Fx");
    assert_eq!(stranger.fetch("/inside/b").await.status, 401);
    assert_eq!(stranger.fetch("/inside/nothing").await.status, 401);
    assert_eq!(stranger.fetch("/outside").await.body, "open");
    let socket = navigation("/inside/a")
        .insert_header(("sec-websocket-key", "x"))
        .insert_header(("accept", "text/html"));
    assert_eq!(stranger.send(socket).await.status, 401);

    let mut ada = signed_in(&app).await;
    assert_eq!(ada.fetch("/inside/a").await.body, "ada");
    assert_eq!(ada.fetch("/inside/b").await.body, "7");
    assert_eq!(ada.fetch("/inside/c").await.body, "ada");
    assert_eq!(ada.fetch("/inside/nothing").await.status, 404);
}

#[actix_web::test]
async fn a_session_that_an_older_key_has_sealed_comes_anew_with_a_page_behind_the_middleware() {
    let keys = ["fedcba9876543210fedcba9876543210", "0123456789abcdef0123456789abcdef"];
    let rotated = |keys: &[&str]| gate_of(builder("/oauth2").keys(KeyRing::new(keys).unwrap()));
    let app = async |gate: Gate| {
        let leaves = async |gate: Gate, request: HttpRequest| gate.end(&request).await;
        let inside =
            web::scope("").wrap(gate.require()).configure(pages).route("/leave", web::get().to(leaves));
        site(App::new().service(inside)).await
    };
    let cookies = signed_in(&site(App::new().configure(gate().routes())).await).await.cookies.clone();
    let both = app(rotated(&keys)).await;
    let mut ada = Browser::new(&both);
    ada.cookies = cookies.clone();
    assert_eq!(ada.fetch("/required").await.header("set-cookie"), "");
    let page = ada.visit("/required").await;
    assert_eq!(
        (page.body.as_str(), page.header("set-cookie").starts_with("__Host-vestibule=")),
        ("ada", true)
    );
    assert_eq!(ada.visit("/required").await.header("set-cookie"), "");
    let one = app(rotated(&keys[..1])).await;
    let mut later = Browser::new(&one);
    later.cookies = ada.cookies.clone();
    assert_eq!(later.visit("/required").await.body, "ada");
    // Whoever signs out with the older cookie does not get it back.
    let mut leaving = Browser::new(&both);
    leaving.cookies = cookies;
    leaving.visit("/leave").await;
    assert_eq!(leaving.fetch("/required").await.status, 401);
}

#[actix_web::test]
async fn behind_the_middleware_a_cookie_is_opened_once() {
    let host = Memory::new();
    let gate = gate_at(builder("/oauth2"), &host);
    let all = async |_: SignedIn, _: MaybeSignedIn, _: Option<SignedIn>, _: ReqData<Session>| "all";
    let scope = web::scope("/inside").wrap(gate.require()).route("", web::get().to(all));
    let app = site(App::new().configure(gate.routes()).service(scope)).await;
    let mut ada = signed_in(&app).await;
    let before = host.told.load(Ordering::SeqCst);
    assert_eq!(ada.fetch("/inside").await.body, "all");
    assert_eq!(host.told.load(Ordering::SeqCst), before + 1);
}

#[actix_web::test]
async fn what_is_wrapped_around_the_middleware_sees_a_response_and_its_error() {
    let gate = gate();
    let app = App::new()
        .wrap(DefaultHeaders::new().add(("x-around", "yes")))
        .configure(gate.routes())
        .service(web::scope("/inside").wrap(gate.require()))
        .configure(pages);
    let app = site(app).await;
    for path in ["/inside", "/required"] {
        let response = app(TestRequest::get().uri(path).to_request()).await.expect("it is no bare error");
        assert!(response.headers().contains_key("x-around"));
        let error = response.response().error().and_then(|error| error.as_error::<Rejection>());
        let error = error.expect("it is this crate's");
        assert!(matches!(error, Rejection::TurnedBack(_)), "{error:?}");
        assert_eq!(actix_web::ResponseError::status_code(error), response.status());
    }
}

#[actix_web::test]
async fn a_session_of_another_gate_is_none_here() {
    let (ours, theirs) = (gate(), gate_of(builder("/theirs").cookie_name("theirs")));
    // What comes further in counts: here `app_data`,
    let page = web::scope("").app_data(theirs.clone()).configure(pages);
    let page = web::scope("/in").wrap(ours.require()).service(page);
    let app = site(App::new().configure(ours.routes()).service(page)).await;
    assert_eq!(signed_in(&app).await.fetch("/in/optional").await.body, "nobody");

    // and here the middleware.
    let page = web::scope("/in").wrap(ours.require()).configure(pages);
    let both = App::new().configure(ours.routes()).configure(theirs.routes());
    let app = site(both.service(page).configure(pages)).await;
    let mut ada = signed_in(&app).await;
    assert_eq!(ada.fetch("/in/optional").await.body, "ada");
    assert_eq!(ada.fetch("/optional").await.body, "nobody");

    let page = web::scope("/in").wrap(theirs.require()).configure(pages);
    let app = site(App::new().configure(ours.routes()).service(page)).await;
    assert_eq!(signed_in(&app).await.fetch("/in/optional").await.status, 401);
}

#[actix_web::test]
async fn an_application_with_a_state_of_its_own_asks_the_gate_in_it() {
    struct Application {
        gate: Gate,
    }
    async fn page(app: Data<Application>, request: HttpRequest) -> Result<String, Rejection> {
        let session = app.gate.session(&request).await;
        let session = session.map_err(|refusal| app.gate.turn_back(&request, refusal))?;
        Ok(session.identity.subject)
    }
    let gate = gate();
    let app = App::new()
        .configure(gate.routes())
        .configure(pages)
        .app_data(Data::new(Application { gate }))
        .route("/page", web::get().to(page));
    let app = site(app).await;
    assert_eq!(Browser::new(&app).fetch("/page").await.status, 401);
    let mut ada = signed_in(&app).await;
    assert_eq!(ada.fetch("/page").await.body, "7");
    assert_eq!(ada.fetch("/required").await.body, "ada");
}

#[actix_web::test]
async fn ck_20_what_is_behind_the_guard_is_for_its_person_unless_the_application_says_otherwise() {
    let gate = gate();
    let pages = web::scope("/in")
        .wrap(gate.require())
        .route("/silent", web::get().to(async || "x"))
        .route("/public", web::get().to(async || "x".customize().insert_header(("cache-control", "public"))))
        .route("/varies", web::get().to(async || "x".customize().insert_header(("vary", "accept, cookie"))));
    let app = site(App::new().configure(gate.routes()).service(pages)).await;
    let mut ada = signed_in(&app).await;
    let silent = ada.fetch("/in/silent").await;
    assert_eq!((silent.header("cache-control"), silent.header("vary")), ("private", "Cookie"));
    assert_eq!(ada.fetch("/in/public").await.header("cache-control"), "public");
    let varies = ada.fetch("/in/varies").await;
    assert_eq!((varies.header("cache-control"), varies.header("vary")), ("private", "accept, cookie"));
    assert_eq!(Browser::new(&app).fetch("/in/silent").await.header("cache-control"), "no-store");
}

#[actix_web::test]
async fn an_application_gets_the_tokens_that_the_site_keeps_and_nobody_elses() {
    async fn page(gate: Data<Gate>, request: HttpRequest) -> String {
        let access = gate.tokens(&request).await.ok().flatten().and_then(|tokens| tokens.access);
        access.map_or_else(|| "none".to_owned(), |token| token.expose().to_owned())
    }
    for (builder, expected) in [(builder("/oauth2").keep_tokens(), "canary"), (builder("/oauth2"), "none")] {
        let gate = gate_of(builder);
        let app = App::new()
            .configure(gate.routes())
            .app_data(Data::new(gate.clone()))
            .route("/page", web::get().to(page));
        let app = site(app).await;
        let ada = Person::new(7).tokens(Tokens::new("canary"));
        let asked = TestRequest::with_uri("/page").signed_in(&gate, ada);
        assert_eq!(Browser::new(&app).send(asked).await.body, expected);
        assert_eq!(Browser::new(&app).fetch("/page").await.body, "none");
    }
}
