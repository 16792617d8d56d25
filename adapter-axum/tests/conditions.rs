//! Guards that ask for more than a session, and what handlers begin, end and change. The same cases stand in the tests
//! of `vestibule-actix`.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::time::Duration;

use axum::{
    Json, Router,
    extract::State,
    http::{Request, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use support::{Browser, LeadsTo as _, builder, gate, gate_at, gate_of};
use url::Url;
use vestibule::{
    config::{Builder, Keep, Prompt, SignInWith},
    guarded::Condition,
    pages::{DrawPage, PageContent, PageStyle, escaped},
    session::ApplicationData,
};
use vestibule_axum::{Gate, Rejection, RequireSignIn, SignedIn, testing};

const TEN_MINUTES: Duration = Duration::from_secs(600);

fn keeping() -> Builder {
    builder("/oauth2").keep_groups(Keep::named(["staff", "admins"])).keep_claims(Keep::named(["role"]))
}

fn behind(path: &str, guard: RequireSignIn) -> Router {
    Router::new().route(path, get(async || "inside")).layer(guard)
}

async fn signed_in(app: &Router) -> Browser {
    let mut browser = Browser::new(app);
    browser.sign_in("/oauth2/sign_in", "/oauth2/callback").await;
    browser
}

#[tokio::test]
async fn each_route_asks_for_what_its_guard_names_and_says_what_is_lacking() {
    let gate = gate_of(keeping());
    let either = Condition::new().any_group(["admins", "staff"]);
    let app = behind("/staff", gate.require().group("staff"))
        .merge(behind("/either", gate.require().that(either).claim("role", "admin")))
        .merge(behind("/admins", gate.require().group("admins")))
        .merge(behind("/both", gate.require().group("admins").group("staff")))
        .merge(behind("/auditors", gate.require().claim("role", "auditor")))
        .merge(gate.routes());
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

#[tokio::test]
async fn whoever_signed_in_too_long_ago_does_it_again_and_comes_back() {
    let host = testing::host();
    let gate = gate_at(keeping(), &host);
    let app =
        behind("/pay", gate.require().group("staff").signed_in_within(TEN_MINUTES)).merge(gate.routes());
    let mut ada = signed_in(&app).await;
    host.pass(Duration::from_secs(600));
    assert_eq!(ada.visit("/pay").await.body, "inside");
    host.pass(Duration::from_secs(1));
    let problem = ada.fetch("/pay").await;
    assert_eq!(problem.status, 401);
    assert!(
        problem
            .header("www-authenticate")
            .contains("error=\"insufficient_user_authentication\", max_age=\"600\"")
    );

    let start = ada.visit("/pay?x=1").await.leads_to().to_owned();
    assert_eq!(start, "/oauth2/start/plain?rd=%2Fpay%3Fx%3D1&max_age=600");
    let asked = Url::parse(ada.visit(&start).await.header("location")).unwrap();
    assert!(asked.query_pairs().any(|pair| pair == ("prompt".into(), "login".into())), "{asked}");
    assert_eq!(ada.sign_in(&start, "/oauth2/callback").await.leads_to(), "/pay?x=1");
    assert_eq!(ada.visit("/pay?x=1").await.body, "inside");
}

#[tokio::test]
async fn a_guard_that_nobody_can_pass_is_an_error_when_it_is_made_and_no_403() {
    let gate = gate_of(keeping());
    let impossible = || gate.require().group("boss");
    let error = impossible().checked().unwrap_err().to_string();
    assert!(error.contains("Builder::keep_groups(Keep::named([\"boss\"]))"), "{error}");
    assert!(gate.require().group("staff").signed_in_within(TEN_MINUTES).checked().is_ok());
    let app = behind("/boss", impossible()).merge(gate.routes());
    let answer = signed_in(&app).await.visit("/boss").await;
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("guard_impossible") && !answer.body.contains("keep_groups"), "{answer:?}");
}

#[tokio::test]
async fn a_handler_asks_for_more_itself() {
    async fn page(gate: Gate, parts: Parts) -> Result<String, Rejection> {
        let session =
            gate.admit(&parts, &Condition::new().group("admins").signed_in_within(TEN_MINUTES)).await?;
        Ok(session.identity.subject)
    }
    let gate = gate_of(keeping());
    let app = Router::new().route("/page", get(page)).layer(gate.layer()).merge(gate.routes());
    assert_eq!(Browser::new(&app).fetch("/page").await.status, 401);
    assert_eq!(signed_in(&app).await.fetch("/page").await.status, 403);
    let unwired = Router::new().route("/page", get(page));
    assert_eq!(Browser::new(&unwired).fetch("/page").await.status, 500);
}

#[tokio::test]
async fn a_handler_begins_a_sign_in_with_wishes_of_its_own() {
    async fn page(gate: Gate, parts: Parts) -> Response {
        let with = SignInWith::new().prompt(Prompt::SelectAccount).login_hint("ada@a.example");
        gate.begin(&parts, with.max_age(TEN_MINUTES).return_to("/pay")).await
    }
    let gate = gate();
    let app = Router::new().route("/again", get(page).post(page)).layer(gate.layer()).merge(gate.routes());
    let mut ada = Browser::new(&app);
    let asked = Url::parse(ada.visit("/again").await.header("location")).unwrap();
    for (name, value) in [("prompt", "select_account"), ("login_hint", "ada@a.example")] {
        assert!(asked.query_pairs().any(|pair| pair == (name.into(), value.into())), "{asked}");
    }
    assert_eq!(ada.sign_in("/again", "/oauth2/callback").await.leads_to(), "/pay");
    assert_eq!(ada.fetch("/again").await.status, 400);
}

#[tokio::test]
async fn a_handler_ends_the_session() {
    let leave = async |gate: Gate, parts: Parts| gate.end(&parts).await;
    let bye = async |State(gate): State<Gate>, parts: Parts| gate.end_at(&parts, "/bye").await;
    let gate = gate();
    let app = Router::new()
        .route("/leave", post(leave))
        .route("/to-bye", post(bye))
        .layer(gate.layer())
        .merge(gate.routes())
        .with_state(gate);
    for (path, leads_to) in [("/leave", "/oauth2/sign_out?ended"), ("/to-bye", "/bye")] {
        let mut ada = signed_in(&app).await;
        let cross = Request::post(path).header("sec-fetch-site", "cross-site");
        assert_eq!(ada.send(cross).await.status, 403);
        let own = Request::post(path).header("sec-fetch-site", "same-origin");
        assert_eq!(ada.send(own).await.leads_to(), leads_to);
        assert!(!ada.cookies.keys().any(|name| name == "__Host-vestibule"), "{:?}", ada.cookies);
    }
}

async fn save(gate: Gate, parts: Parts, body: String) -> Response {
    match gate.keep(&parts, ApplicationData::new(1, &body).unwrap()).await {
        Ok(kept) => (kept, "saved").into_response(),
        Err(error) => gate.turn_back(&parts, error.refusal()),
    }
}

#[tokio::test]
async fn a_handler_changes_the_data_of_the_session() {
    let show = async |SignedIn(session): SignedIn| Json(session.data::<String>(1));
    let gate = gate();
    let app = Router::new()
        .route("/save", post(save))
        .route("/show", get(show))
        .layer(gate.require())
        .merge(gate.routes());
    let mut ada = signed_in(&app).await;
    assert_eq!(ada.fetch("/show").await.body, "null");
    let saved = ada.send_body(Request::post("/save"), "two books".into()).await;
    assert_eq!((saved.status.as_u16(), saved.body.as_str()), (200, "saved"));
    assert_eq!(ada.fetch("/show").await.body, "\"two books\"");
    let too_large = ada.send_body(Request::post("/save"), "x".repeat(4_000).into()).await;
    assert_eq!(too_large.status, 500);
    assert!(too_large.body.contains("session_too_large"), "{too_large:?}");
    assert_eq!(ada.fetch("/show").await.body, "\"two books\"");
    let nobody = Router::new().route("/save", post(save)).layer(gate.layer());
    assert_eq!(Browser::new(&nobody).send(Request::post("/save")).await.status, 401);
}

/// A site's own pages. Whatever engine draws them, it escapes every text.
struct OwnPages;

impl DrawPage for OwnPages {
    fn draw(&self, page: &PageContent<'_>) -> String {
        let said: String = page.paragraphs.iter().map(|text| format!("<p>{}</p>", escaped(text))).collect();
        let acts = page
            .actions
            .iter()
            .map(|act| format!("<a href=\"{}\">{}</a>", escaped(act.address), escaped(act.label)));
        format!(
            "<!doctype html><title>Shop</title><h1>{}</h1>{said}{}",
            escaped(page.title),
            acts.collect::<String>()
        )
    }
}

#[tokio::test]
async fn pages_are_drawn_by_the_application() {
    let gate = gate_of(keeping().pages(PageStyle::new().drawn_by(OwnPages)));
    let app = behind("/admins", gate.require().group("admins")).merge(gate.routes());
    let page = signed_in(&app).await.visit("/admins").await;
    assert_eq!(page.status, 403);
    assert!(page.body.starts_with("<!doctype html><title>Shop</title>"), "{}", page.body);
    assert!(page.body.contains("in none of the groups") && page.body.contains("/oauth2/sign_in?switch=1"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
}
