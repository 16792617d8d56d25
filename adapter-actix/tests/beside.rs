//! Beside actix-session: ours says who somebody is, theirs keeps what the application wants to keep.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use actix_session::{Session as Basket, SessionMiddleware, storage::CookieSessionStore};
use actix_web::{
    App, Error, HttpRequest, HttpResponse, Responder,
    body::MessageBody,
    cookie::Key,
    dev::{Payload, ServiceRequest, ServiceResponse},
    middleware::{Next, from_fn},
    test::TestRequest,
    web::{self, Bytes, ServiceConfig},
};
use support::{Browser, LeadsTo as _, Memory, Site, builder, gate, gate_at, site};
use vestibule_actix::{Gate, MaybeSignedIn};

// docs/beside-other-sessions.md
fn pages(gate: &Gate, key: &Key) -> impl FnOnce(&mut ServiceConfig) {
    let baskets = SessionMiddleware::builder(CookieSessionStore::default(), key.clone());
    let scope = web::scope("/shop")
        .wrap(from_fn(belongs)) // needs to know both, so that it is the innermost; the last to be wrapped comes first
        .wrap(baskets.cookie_name("basket".to_owned()).build())
        .route("/basket", web::get().to(show))
        .route("/basket", web::post().to(add))
        .route("/leave", web::post().to(leave));
    let routes = gate.routes(); // need no basket, and load none
    move |config| {
        config.configure(routes).service(scope);
    }
}

/// A basket belongs to whoever is signed in. Who signs in takes it along under an id that nobody knew before; for
/// anybody else, and once nobody is signed in, it starts anew.
async fn belongs(
    MaybeSignedIn(session): MaybeSignedIn,
    basket: Basket,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let now =
        session.map(|session| [session.identity.issuer, session.identity.subject, session.id.to_text()]);
    let before = basket.get::<[String; 3]>("owner")?;
    if now != before {
        let same = |[a, b, _]: &[String; 3], [c, d, _]: &[String; 3]| (a, b) == (c, d);
        if before.is_some_and(|before| !now.as_ref().is_some_and(|now| same(&before, now))) {
            basket.clear();
        }
        basket.renew();
        match now {
            Some(now) => basket.insert("owner", now)?,
            None => basket.purge(),
        }
    }
    next.call(request).await
}

/// Both end: the basket is thrown away, and the answer is that of `sign_out`.
async fn leave(gate: Gate, request: HttpRequest, basket: Basket) -> HttpResponse {
    basket.purge();
    gate.end(&request).await
}
// end

async fn show(MaybeSignedIn(who): MaybeSignedIn, basket: Basket) -> String {
    let books: Vec<String> = basket.get("books").unwrap().unwrap_or_default();
    format!("{}: {}", if who.is_some() { "somebody" } else { "nobody" }, books.join(", "))
}

async fn add(basket: Basket, book: Bytes) -> impl Responder {
    let mut books: Vec<String> = basket.get("books").unwrap().unwrap_or_default();
    books.push(String::from_utf8(book.into()).unwrap());
    basket.insert("books", books).unwrap();
    "added"
}

async fn app(gate: &Gate) -> Site {
    site(App::new().configure(pages(gate, &Key::generate()))).await
}

async fn put(browser: &mut Browser, book: &str) {
    let body = Payload::from(Bytes::from(book.to_owned()));
    assert_eq!(browser.send_body(TestRequest::post().uri("/shop/basket"), body).await.status, 200);
}

async fn sign_in(browser: &mut Browser) {
    browser.sign_in("/oauth2/sign_in", "/oauth2/callback").await;
}

fn own_post(path: &str) -> TestRequest {
    TestRequest::post()
        .uri(path)
        .insert_header(("sec-fetch-site", "same-origin"))
        .insert_header(("sec-fetch-mode", "navigate"))
}

#[actix_web::test]
async fn a_basket_comes_along_and_both_sessions_live_side_by_side() {
    let app = app(&gate()).await;
    let mut ada = Browser::new(&app);
    put(&mut ada, "Emma").await;
    let before = ada.cookies["basket"].clone();
    sign_in(&mut ada).await;
    assert_eq!(ada.cookies["basket"], before, "the sign-in has nothing to do with it");
    assert_eq!(ada.fetch("/shop/basket").await.body, "somebody: Emma");
    assert_ne!(ada.cookies["basket"], before);

    let session = ada.cookies["__Host-vestibule"].clone();
    put(&mut ada, "Persuasion").await;
    assert_eq!(ada.fetch("/shop/basket").await.body, "somebody: Emma, Persuasion");
    assert_eq!(ada.cookies["__Host-vestibule"], session);
    let others: Vec<_> = ada.cookies.keys().filter(|name| !name.starts_with("__Host-vestibule")).collect();
    assert_eq!(others, ["basket"]);
}

#[actix_web::test]
async fn both_end_together_and_ours_does_not_leave_the_other_behind() {
    let app = app(&gate()).await;
    for path in ["/shop/leave", "/oauth2/sign_out"] {
        let mut ada = Browser::new(&app);
        sign_in(&mut ada).await;
        put(&mut ada, "Emma").await;
        assert_eq!(ada.send(own_post(path)).await.leads_to(), "/oauth2/sign_out?ended");
        // At the endpoint no basket is at hand; the next page finds that it is nobody's any more.
        assert_eq!(ada.fetch("/shop/basket").await.body, "nobody: ", "{path}");
        assert!(!ada.cookies.keys().any(|name| name == "basket" || name == "__Host-vestibule"), "{path}");
    }
}

#[actix_web::test]
async fn whoever_signs_in_again_keeps_their_basket() {
    let host = Memory::new();
    let app = app(&gate_at(builder("/oauth2"), &host)).await;
    let mut ada = Browser::new(&app);
    sign_in(&mut ada).await;
    put(&mut ada, "Emma").await;
    let before = ada.cookies.clone();
    host.wait(3_600);
    ada.sign_in("/oauth2/start/plain?max_age=60", "/oauth2/callback").await;
    assert_eq!(ada.fetch("/shop/basket").await.body, "somebody: Emma");
    for name in ["basket", "__Host-vestibule"] {
        assert_ne!(ada.cookies[name], before[name], "{name}");
    }
}

#[test]
fn the_page_about_it_shows_what_is_tested_here() {
    let source = include_str!("beside.rs").split_once("// docs/beside-other-sessions.md\n").unwrap().1;
    let shown = source.split_once("// end\n").unwrap().0;
    assert!(include_str!("../../docs/beside-other-sessions.md").contains(shown), "copy it there");
}
