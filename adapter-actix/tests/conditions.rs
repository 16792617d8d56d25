//! Guards that ask for more than a session, and what handlers begin, end and change. The same cases stand in the tests
//! of `vestibule-axum`.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::time::Duration;

use actix_web::{
    App, HttpRequest, HttpResponse, Responder,
    dev::{HttpServiceFactory, Payload},
    test::TestRequest,
    web::{self, Bytes, Data, Json},
};
use support::{Browser, LeadsTo as _, Memory, Site, builder, gate, gate_at, gate_of, log, site};
use url::Url;
use vestibule::{
    config::{Builder, Keep, Prompt, SignInWith},
    guarded::Condition,
    pages::{DrawPage, PageContent, PageStyle, escaped},
    session::ApplicationData,
};
use vestibule_actix::{Gate, Rejection, RequireSignIn, SignedIn};

const TEN_MINUTES: Duration = Duration::from_secs(600);

fn keeping() -> Builder {
    builder("/oauth2").keep_groups(Keep::named(["staff", "admins"])).keep_claims(Keep::named(["role"]))
}

fn behind(path: &str, guard: RequireSignIn) -> impl HttpServiceFactory + 'static {
    web::scope(path).wrap(guard).route("", web::get().to(async || "inside"))
}

async fn signed_in(app: &Site) -> Browser {
    let mut browser = Browser::new(app);
    browser.sign_in("/oauth2/sign_in", "/oauth2/callback").await;
    browser
}

#[actix_web::test]
async fn each_route_asks_for_what_its_guard_names_and_says_what_is_lacking() {
    let gate = gate_of(keeping());
    let either = Condition::new().any_group(["admins", "staff"]);
    let app = App::new()
        .configure(gate.routes())
        .service(behind("/staff", gate.require().group("staff")))
        .service(behind("/either", gate.require().that(either).claim("role", "admin")))
        .service(behind("/admins", gate.require().group("admins")))
        .service(behind("/both", gate.require().group("admins").group("staff")))
        .service(behind("/auditors", gate.require().claim("role", "auditor")));
    let app = site(app).await;
    let mut ada = signed_in(&app).await;
    for path in ["/staff", "/either"] {
        assert_eq!(ada.visit(path).await.body, "inside", "{path}");
        assert_eq!(Browser::new(&app).fetch(path).await.status, 401);
    }
    for (path, code) in
        [("/admins", "group_not_allowed"), ("/both", "group_not_allowed"), ("/auditors", "claim_not_allowed")]
    {
        for answer in [ada.visit(path).await, ada.fetch(path).await] {
            assert_eq!(answer.status, 403, "{path}");
            assert!(answer.body.contains(code), "{answer:?}");
        }
    }
}

#[actix_web::test]
async fn whoever_signed_in_too_long_ago_does_it_again_and_comes_back() {
    let host = Memory::new();
    let gate = gate_at(keeping(), &host);
    let guard = gate.require().group("staff").signed_in_within(TEN_MINUTES);
    let app = site(App::new().configure(gate.routes()).service(behind("/pay", guard))).await;
    let mut ada = signed_in(&app).await;
    host.wait(600);
    assert_eq!(ada.visit("/pay").await.body, "inside");
    host.wait(1);
    let problem = ada.fetch("/pay").await;
    assert_eq!(problem.status, 401);
    let challenge = problem.header("www-authenticate");
    assert!(challenge.contains("error=\"insufficient_user_authentication\", max_age=\"600\""), "{challenge}");

    let start = ada.visit("/pay?x=1").await.leads_to().to_owned();
    assert_eq!(start, "/oauth2/start/plain?rd=%2Fpay%3Fx%3D1&max_age=600");
    let asked = Url::parse(ada.visit(&start).await.header("location")).unwrap();
    assert!(asked.query_pairs().any(|pair| pair == ("prompt".into(), "login".into())), "{asked}");
    assert_eq!(ada.sign_in(&start, "/oauth2/callback").await.leads_to(), "/pay?x=1");
    assert_eq!(ada.visit("/pay?x=1").await.body, "inside");
}

#[actix_web::test]
async fn a_guard_that_nobody_can_pass_is_an_error_when_it_is_made_and_no_403() {
    log::listen();
    let gate = gate_of(keeping());
    let impossible = gate.require().group("boss");
    let remedy = "Builder::keep_groups(Keep::named([\"boss\"]))";
    let lines = log::lines();
    assert!(lines.iter().any(|line| line.starts_with("ERROR ") && line.contains(remedy)), "{lines:?}");
    let error = impossible.clone().checked().unwrap_err().to_string();
    assert!(error.contains(remedy), "{error}");
    assert!(gate.require().group("staff").signed_in_within(TEN_MINUTES).checked().is_ok());
    assert_eq!(log::lines(), [""; 0], "what can be met is worth no line");
    let app = site(App::new().configure(gate.routes()).service(behind("/boss", impossible))).await;
    let answer = signed_in(&app).await.visit("/boss").await;
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("guard_impossible") && !answer.body.contains("keep_groups"), "{answer:?}");
    let lines = log::lines();
    assert!(
        lines.iter().any(|line| line.contains("guard_impossible") && line.contains("`boss`")),
        "{lines:?}"
    );
}

#[actix_web::test]
async fn a_handler_asks_for_more_itself() {
    async fn page(gate: Gate, request: HttpRequest) -> Result<String, Rejection> {
        let condition = Condition::new().group("admins").signed_in_within(TEN_MINUTES);
        Ok(gate.admit(&request, &condition).await?.identity.subject)
    }
    let gate = gate_of(keeping());
    let app = App::new().configure(gate.routes()).route("/page", web::get().to(page));
    let app = site(app).await;
    assert_eq!(Browser::new(&app).fetch("/page").await.status, 401);
    assert_eq!(signed_in(&app).await.fetch("/page").await.status, 403);
    // The middleware brings its gate along, and a gate further in is nearer.
    let open = gate_of(builder("/oauth2").keep_groups(Keep::named(["admins"])));
    let scope = web::scope("/in").wrap(open.require()).route("/page", web::get().to(page));
    let app = site(App::new().service(open.scope()).service(scope)).await;
    assert_eq!(signed_in(&app).await.fetch("/in/page").await.status, 403);
    let unwired = site(App::new().route("/page", web::get().to(page))).await;
    assert_eq!(Browser::new(&unwired).fetch("/page").await.status, 500);
}

#[actix_web::test]
async fn a_handler_begins_a_sign_in_with_wishes_of_its_own() {
    async fn page(gate: Gate, request: HttpRequest) -> HttpResponse {
        let with = SignInWith::new().prompt(Prompt::SelectAccount).login_hint("ada@a.example");
        gate.begin(&request, with.max_age(TEN_MINUTES).return_to("/pay")).await
    }
    let gate = gate();
    let app = site(App::new().configure(gate.routes()).route("/again", web::get().to(page))).await;
    let mut ada = Browser::new(&app);
    let asked = Url::parse(ada.visit("/again").await.header("location")).unwrap();
    for (name, value) in [("prompt", "select_account"), ("login_hint", "ada@a.example")] {
        assert!(asked.query_pairs().any(|pair| pair == (name.into(), value.into())), "{asked}");
    }
    assert_eq!(ada.sign_in("/again", "/oauth2/callback").await.leads_to(), "/pay");
    assert_eq!(ada.fetch("/again").await.status, 400);
}

#[actix_web::test]
async fn a_handler_ends_the_session() {
    let leave = async |gate: Gate, request: HttpRequest| gate.end(&request).await;
    let bye = async |gate: Data<Gate>, request: HttpRequest| gate.end_at(&request, "/bye").await;
    let gate = gate();
    let app = App::new()
        .configure(gate.routes())
        .app_data(Data::new(gate))
        .route("/leave", web::post().to(leave))
        .route("/to-bye", web::post().to(bye));
    let app = site(app).await;
    for (path, leads_to) in [("/leave", "/oauth2/sign_out?ended"), ("/to-bye", "/bye")] {
        let mut ada = signed_in(&app).await;
        let post = |site| TestRequest::post().uri(path).insert_header(("sec-fetch-site", site));
        assert_eq!(ada.send(post("cross-site")).await.status, 403);
        assert_eq!(ada.send(post("same-origin")).await.leads_to(), leads_to);
        assert!(!ada.cookies.keys().any(|name| name == "__Host-vestibule"), "{:?}", ada.cookies);
    }
}

async fn save(gate: Gate, request: HttpRequest, body: Bytes) -> Result<impl Responder, Rejection> {
    let data = ApplicationData::new(1, &String::from_utf8(body.into()).unwrap()).unwrap();
    match gate.keep(&request, data).await {
        Ok(kept) => Ok(kept.on("saved")),
        Err(error) => Err(gate.turn_back(&request, error.refusal())),
    }
}

#[actix_web::test]
async fn a_handler_changes_the_data_of_the_session() {
    let show = async |SignedIn(session): SignedIn| Json(session.data::<String>(1));
    let gate = gate();
    let inside = web::scope("/in")
        .wrap(gate.require())
        .route("/save", web::post().to(save))
        .route("/show", web::get().to(show));
    let app = App::new().configure(gate.routes()).service(inside).route("/save", web::post().to(save));
    let app = site(app).await;
    let mut ada = signed_in(&app).await;
    assert_eq!(ada.fetch("/in/show").await.body, "null");
    let post = |body: String| (TestRequest::post().uri("/in/save"), Payload::from(Bytes::from(body)));
    let (request, body) = post("two books".to_owned());
    let saved = ada.send_body(request, body).await;
    assert_eq!((saved.status.as_u16(), saved.body.as_str()), (200, "saved"));
    assert_eq!(ada.fetch("/in/show").await.body, "\"two books\"");
    let (request, body) = post("x".repeat(4_000));
    let too_large = ada.send_body(request, body).await;
    assert_eq!(too_large.status, 500);
    assert!(too_large.body.contains("session_too_large"), "{too_large:?}");
    assert_eq!(ada.fetch("/in/show").await.body, "\"two books\"");
    assert_eq!(Browser::new(&app).send(TestRequest::post().uri("/save")).await.status, 401);
}

/// A site's own pages. Whatever engine draws them, it escapes every text.
struct OwnPages;

impl DrawPage for OwnPages {
    fn draw(&self, page: &PageContent<'_>) -> String {
        let said: String = page.paragraphs.iter().map(|text| format!("<p>{}</p>", escaped(text))).collect();
        let act = |act: &vestibule::pages::PageAction<'_>| {
            format!("<a href=\"{}\">{}</a>", escaped(act.address), escaped(act.label))
        };
        let acts: String = page.actions.iter().map(act).collect();
        format!("<!doctype html><title>Shop</title><h1>{}</h1>{said}{acts}", escaped(page.title))
    }
}

#[actix_web::test]
async fn pages_are_drawn_by_the_application() {
    let gate = gate_of(keeping().pages(PageStyle::new().drawn_by(OwnPages)));
    let scope = behind("/admins", gate.require().group("admins"));
    let app = site(App::new().configure(gate.routes()).service(scope)).await;
    let page = signed_in(&app).await.visit("/admins").await;
    assert_eq!(page.status, 403);
    assert!(page.body.starts_with("<!doctype html><title>Shop</title>"), "{}", page.body);
    assert!(page.body.contains("in none of the groups") && page.body.contains("/oauth2/sign_in?switch=1"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
}
