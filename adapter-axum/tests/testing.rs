//! What an application's own tests have: people who are signed in, and who are refused as in life.

mod support;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request},
    routing::get,
};
use support::{Browser, LeadsTo as _, builder, gate_of};
use vestibule::{
    driver::{AdmitAll, Driver, Host as _},
    flow::Decision,
    identity::SignIn,
    store::MemoryStore,
};
use vestibule_axum::{
    Gate, SignedIn,
    testing::{self, Person, SignedInAs as _},
};

fn app(gate: &Gate) -> Router {
    let name = async |SignedIn(session): SignedIn| session.identity.username.unwrap_or_default();
    let cookies = async |headers: HeaderMap| {
        headers.get("cookie").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    Router::new()
        .route("/name", get(name))
        .layer(gate.require())
        .route("/cookies", get(cookies))
        .merge(gate.routes())
}

#[tokio::test]
async fn a_request_is_signed_in_in_one_line_while_it_is_built_and_when_it_is() {
    let gate = gate_of(builder("/oauth2").groups(["staff"]));
    let app = app(&gate);
    let ada = Person::new(7).username("ada").group("staff");
    assert_eq!(Browser::new(&app).send(Request::get("/name").signed_in(&gate, &ada)).await.body, "ada");
    let whole = Request::get("/name").body(Body::empty()).expect("it is a request").signed_in(&gate, ada);
    assert_eq!(testing::Browser::new(&app).send(whole).await.body, "ada");

    let guest = Request::get("/name").signed_in(&gate, Person::new(8).group("guests"));
    let problem = Browser::new(&app).send(guest).await;
    assert!(problem.status == 403 && problem.body.contains("group_not_allowed"), "{problem:?}");
    let guest = Request::get("/name").visiting().signed_in(&gate, Person::new(8).group("guests"));
    let page = Browser::new(&app).send(guest).await;
    assert!(page.status == 403 && page.header("content-type").starts_with("text/html"), "{page:?}");
    let nobody = Browser::new(&app).send(Request::get("/name").visiting()).await;
    assert_eq!(nobody.leads_to(), "/oauth2/sign_in?rd=%2Fname");
}

#[tokio::test]
async fn the_application_s_own_cookies_stay() {
    let gate = gate_of(builder("/oauth2"));
    let asked = Request::get("/cookies").header("cookie", "theme=dark").signed_in(&gate, Person::new(7));
    let seen = Browser::new(&app(&gate)).send(asked).await.body;
    assert!(seen.starts_with("theme=dark; __Host-vestibule="), "{seen}");
    assert_eq!(seen.matches('=').count(), 2, "{seen}");
}

#[tokio::test]
async fn time_passes_when_the_test_says_so() {
    let host = testing::host();
    let built = builder("/oauth2").session_age(Duration::from_secs(60)).build().expect("it is a site");
    let gate = Gate::new(Driver::new(built, host.clone(), AdmitAll));
    let mut browser = Browser::new(&app(&gate));
    browser.sign_in("/name", "/oauth2/callback").await;
    assert_eq!(browser.fetch("/name").await.body, "ada");
    host.pass(Duration::from_secs(60));
    assert_eq!(browser.fetch("/name").await.status, 401);
    assert_eq!(host.now().unix(), 1_800_000_060);
}

#[tokio::test]
async fn the_application_s_hook_runs_where_the_application_does() {
    let hook = |sign_in: SignIn| async move {
        // This needs tokio.
        let joined = tokio::spawn(async move { sign_in.identity.subject == "7" }).await?;
        Ok::<_, vestibule::driver::HookError>(if joined {
            Decision::allow()
        } else {
            Decision::deny("Not you.")
        })
    };
    let built = builder("/oauth2").build().expect("it is a site");
    let app = app(&Gate::new(Driver::new(built, testing::host(), hook)));
    let mut ada = testing::Browser::new(&app);
    assert_eq!(ada.sign_in("/name", Person::new(7)).await.leads_to(), "/name");
    let denied = testing::Browser::new(&app).sign_in("/name", Person::new(8)).await;
    assert!(denied.status == 403 && denied.body.contains("Not you."), "{denied:?}");
}

#[tokio::test]
async fn where_a_store_keeps_sessions_people_go_through_the_whole_sign_in() {
    let host = testing::host();
    let clock = host.clone();
    let store = Arc::new(MemoryStore::new(move || clock.now()));
    let built = builder("/oauth2").store(store.clone()).build().expect("it is a site");
    let mut browser = testing::Browser::new(&app(&Gate::new(Driver::new(built, host, AdmitAll))));
    browser.sign_in("/name", Person::new(7).username("ada")).await;
    assert_eq!(browser.fetch("/name").await.body, "ada");
    assert!(!store.is_empty());
}
