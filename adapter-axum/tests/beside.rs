//! Beside tower-sessions: ours says who somebody is, theirs keeps what the application wants to keep.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, request::Parts},
    middleware::{Next, from_fn},
    response::Response,
    routing::{get, post},
};
use support::{Browser, LeadsTo as _, Memory, builder, gate, gate_at};
use tower_sessions::{MemoryStore, Session as Basket, SessionManagerLayer, cookie::SameSite};
use vestibule_axum::{Gate, SignedIn};

// docs/beside-other-sessions.md
fn app(gate: &Gate, store: MemoryStore) -> Router {
    // `Lax`: with `Strict`, which is theirs by default, the browser comes back from the provider without its basket.
    let baskets = SessionManagerLayer::new(store).with_name("basket").with_same_site(SameSite::Lax);
    Router::new()
        .route("/basket", get(show).post(add))
        .route("/leave", post(leave))
        .layer(from_fn(belongs)) // needs to know both, so that it is the innermost,
        .layer(gate.layer()) // or `gate.require()`
        .layer(baskets)
        .merge(gate.routes()) // needs no basket, and loads none
}

/// A basket belongs to whoever is signed in. Who signs in takes it along under an id that nobody knew before; for
/// anybody else, and once nobody is signed in, it starts anew.
async fn belongs(
    who: Option<SignedIn>,
    basket: Basket,
    request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let broken = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let now = who
        .map(|SignedIn(session)| [session.identity.issuer, session.identity.subject, session.id.to_text()]);
    let before = basket.get::<[String; 3]>("owner").await.map_err(broken)?;
    if now != before {
        let same = |[a, b, _]: &[String; 3], [c, d, _]: &[String; 3]| (a, b) == (c, d);
        match &before {
            Some(before) if !now.as_ref().is_some_and(|now| same(before, now)) => {
                basket.flush().await.map_err(broken)?;
            }
            _ => basket.cycle_id().await.map_err(broken)?,
        }
        if let Some(now) = now {
            basket.insert("owner", now).await.map_err(broken)?;
        }
    }
    Ok(next.run(request).await)
}

/// Both end: the basket is thrown away, and the answer is that of `sign_out`.
async fn leave(gate: Gate, parts: Parts, basket: Basket) -> Result<Response, StatusCode> {
    basket.flush().await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(gate.end(&parts).await)
}
// end

async fn show(who: Option<SignedIn>, basket: Basket) -> String {
    let books: Vec<String> = basket.get("books").await.unwrap().unwrap_or_default();
    format!("{}: {}", if who.is_some() { "somebody" } else { "nobody" }, books.join(", "))
}

async fn add(basket: Basket, book: String) {
    let mut books: Vec<String> = basket.get("books").await.unwrap().unwrap_or_default();
    books.push(book);
    basket.insert("books", books).await.unwrap();
}

async fn put(browser: &mut Browser, book: &str) {
    assert_eq!(browser.send_body(Request::post("/basket"), book.to_owned().into()).await.status, 200);
}

async fn sign_in(browser: &mut Browser) {
    browser.sign_in("/oauth2/sign_in", "/oauth2/callback").await;
}

fn own_post(path: &str) -> axum::http::request::Builder {
    Request::post(path).header("sec-fetch-site", "same-origin").header("sec-fetch-mode", "navigate")
}

#[tokio::test]
async fn a_basket_comes_along_under_a_new_id_and_both_sessions_live_side_by_side() {
    let app = app(&gate(), MemoryStore::default());
    let mut ada = Browser::new(&app);
    put(&mut ada, "Emma").await;
    // The one who planted the id knows it.
    let planted = ada.cookies["basket"].clone();
    sign_in(&mut ada).await;
    assert_eq!(ada.cookies["basket"], planted, "the sign-in has nothing to do with it");
    assert_eq!(ada.fetch("/basket").await.body, "somebody: Emma");
    assert_ne!(ada.cookies["basket"], planted);
    let mut attacker = Browser::new(&app);
    attacker.cookies.insert("basket".to_owned(), planted);
    assert_eq!(attacker.fetch("/basket").await.body, "nobody: ");

    // From here on it stays what it is, and so does our session.
    let both = ada.cookies.clone();
    put(&mut ada, "Persuasion").await;
    assert_eq!(ada.fetch("/basket").await.body, "somebody: Emma, Persuasion");
    assert_eq!(ada.cookies, both);
    assert_eq!(
        both.keys().filter(|name| !name.starts_with("__Host-vestibule")).collect::<Vec<_>>(),
        ["basket"]
    );
}

#[tokio::test]
async fn both_end_together_and_ours_does_not_leave_the_other_behind() {
    let app = app(&gate(), MemoryStore::default());
    for (path, lands) in
        [("/leave", "/oauth2/sign_out?ended"), ("/oauth2/sign_out", "/oauth2/sign_out?ended")]
    {
        let mut ada = Browser::new(&app);
        sign_in(&mut ada).await;
        put(&mut ada, "Emma").await;
        let before = ada.cookies.clone();
        assert_eq!(ada.send(own_post(path)).await.leads_to(), lands);
        // At the endpoint no basket is at hand; the next page finds that it is nobody's any more.
        assert_eq!(ada.fetch("/basket").await.body, "nobody: ", "{path}");
        assert!(!ada.cookies.keys().any(|name| name == "basket" || name == "__Host-vestibule"));
        let mut again = Browser::new(&app);
        again.cookies = before;
        again.cookies.remove("__Host-vestibule");
        assert_eq!(again.fetch("/basket").await.body, "nobody: ", "{path}: it is gone from the store too");
    }
}

#[tokio::test]
async fn whoever_signs_in_again_keeps_their_basket() {
    let host = Memory::new();
    let app = app(&gate_at(builder("/oauth2"), &host), MemoryStore::default());
    let mut ada = Browser::new(&app);
    sign_in(&mut ada).await;
    put(&mut ada, "Emma").await;
    let before = ada.cookies.clone();
    host.pass(std::time::Duration::from_secs(3_600));
    ada.sign_in("/oauth2/start/plain?max_age=60", "/oauth2/callback").await;
    assert_eq!(ada.fetch("/basket").await.body, "somebody: Emma");
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
