//! What an application's own tests have: people who are signed in, and who are refused as in life.

mod support;

use std::{sync::Arc, time::Duration};

use actix_web::{App, HttpRequest, cookie::Cookie, rt, test::TestRequest, web};
use support::{Browser, LeadsTo as _, Site, builder, gate_of, site};
use vestibule::{
    driver::{AdmitAll, Driver, Host as _},
    flow::Decision,
    identity::SignIn,
    store::MemoryStore,
};
use vestibule_actix::{
    Gate, SignedIn,
    testing::{self, Person, SignedInAs as _},
};

async fn app(gate: &Gate) -> Site {
    let name = async |SignedIn(session): SignedIn| session.identity.username.unwrap_or_default();
    let cookies = async |request: HttpRequest| {
        let cookies = request.headers().get("cookie").and_then(|value| value.to_str().ok());
        cookies.unwrap_or_default().to_owned()
    };
    let app = App::new()
        .configure(gate.routes())
        .route("/cookies", web::get().to(cookies))
        .service(web::scope("").wrap(gate.require()).route("/name", web::get().to(name)));
    site(app).await
}

#[actix_web::test]
async fn a_request_is_signed_in_in_one_line() {
    let gate = gate_of(builder("/oauth2").groups(["staff"]));
    let app = app(&gate).await;
    let ada = Person::new(7).username("ada").group("staff");
    let asked = TestRequest::with_uri("/name").signed_in(&gate, &ada);
    assert_eq!(Browser::new(&app).send(asked).await.body, "ada");

    let guest = TestRequest::with_uri("/name").signed_in(&gate, Person::new(8).group("guests"));
    let problem = Browser::new(&app).send(guest).await;
    assert!(problem.status == 403 && problem.body.contains("group_not_allowed"), "{problem:?}");
    let guest = TestRequest::with_uri("/name").visiting().signed_in(&gate, Person::new(8).group("guests"));
    let page = Browser::new(&app).send(guest).await;
    assert!(page.status == 403 && page.header("content-type").starts_with("text/html"), "{page:?}");
    let nobody = Browser::new(&app).send(TestRequest::with_uri("/name").visiting()).await;
    assert_eq!(nobody.leads_to(), "/oauth2/sign_in?rd=%2Fname");
}

#[actix_web::test]
async fn the_application_s_own_cookies_stay() {
    let gate = gate_of(builder("/oauth2"));
    let asked = TestRequest::with_uri("/cookies").cookie(Cookie::new("theme", "dark"));
    let seen = Browser::new(&app(&gate).await).send(asked.signed_in(&gate, Person::new(7))).await.body;
    assert!(seen.contains("theme=dark") && seen.contains("__Host-vestibule="), "{seen}");
    assert_eq!(seen.matches('=').count(), 2, "{seen}");
}

#[actix_web::test]
async fn time_passes_when_the_test_says_so() {
    let host = testing::host();
    let built = builder("/oauth2").session_age(Duration::from_secs(60)).build().expect("it is a site");
    let gate = Gate::new(Driver::new(built, host.clone(), AdmitAll));
    let mut browser = Browser::new(&app(&gate).await);
    browser.sign_in("/name", "/oauth2/callback").await;
    assert_eq!(browser.fetch("/name").await.body, "ada");
    host.pass(Duration::from_secs(60));
    assert_eq!(browser.fetch("/name").await.status, 401);
    assert_eq!(host.now().unix(), 1_800_000_060);
}

#[actix_web::test]
async fn the_application_s_hook_runs_where_the_application_does() {
    let hook = |sign_in: SignIn| async move {
        // This needs tokio.
        let subject = rt::task::spawn_blocking(move || sign_in.identity.subject).await?;
        let decision = if subject == "7" { Decision::allow() } else { Decision::deny("Not you.") };
        Ok::<_, vestibule::driver::HookError>(decision)
    };
    let built = builder("/oauth2").build().expect("it is a site");
    let app = app(&Gate::new(Driver::new(built, testing::host(), hook))).await;
    let mut ada = testing::Browser::new(&app);
    assert_eq!(ada.sign_in("/name", Person::new(7)).await.leads_to(), "/name");
    let denied = testing::Browser::new(&app).sign_in("/name", Person::new(8)).await;
    assert!(denied.status == 403 && denied.body.contains("Not you."), "{denied:?}");
}

#[actix_web::test]
async fn where_a_store_keeps_sessions_people_go_through_the_whole_sign_in() {
    let host = testing::host();
    let clock = host.clone();
    let store = Arc::new(MemoryStore::new(move || clock.now()));
    let built = builder("/oauth2").store(store.clone()).build().expect("it is a site");
    let mut browser = testing::Browser::new(&app(&Gate::new(Driver::new(built, host, AdmitAll))).await);
    browser.sign_in("/name", Person::new(7).username("ada")).await;
    assert_eq!(browser.fetch("/name").await.body, "ada");
    assert!(!store.is_empty());
}
