//! The whole sign-in against the development provider, as one browser sees it, without nginx, on each framework.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::collections::BTreeMap;

use reqwest::{
    Client, Response,
    header::{COOKIE, LOCATION, SET_COOKIE},
    redirect::Policy,
};
use serde_json::Value;
use url::Url;
use vestibule_dev_provider::Running;
use vue_nginx::{actix_app, axum_app, demo::Demo};

/// As much of a browser as is needed: headers, and the cookies of the application.
struct Browser {
    http: Client,
    address: Url,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new(address: &str) -> Self {
        let http = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { http, address: Url::parse(address).unwrap(), cookies: BTreeMap::new() }
    }

    async fn ask(&mut self, mode: &str, address: &str) -> Response {
        let address = self.address.join(address).unwrap();
        let is_ours = address.origin() == self.address.origin();
        let mut request = self.http.get(address).header("sec-fetch-mode", mode);
        if mode == "navigate" {
            request = request.header("sec-fetch-dest", "document").header("sec-fetch-site", "same-origin");
        }
        if is_ours {
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        let answer = request.send().await.unwrap();
        for line in answer.headers().get_all(SET_COOKIE).iter().filter(|_| is_ours) {
            let (cookie, attributes) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = cookie.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            }
        }
        answer
    }

    async fn fetch(&mut self, path: &str) -> (u16, String) {
        let answer = self.ask("cors", path).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Goes wherever each answer sends it, and says where that ends.
    async fn visit(&mut self, address: &str) -> (Url, u16) {
        let mut address = self.address.join(address).unwrap();
        for _ in 0..10 {
            let answer = self.ask("navigate", address.as_str()).await;
            match answer.headers().get(LOCATION) {
                Some(location) => address = address.join(location.to_str().unwrap()).unwrap(),
                None => return (address, answer.status().as_u16()),
            }
        }
        panic!("ten redirects lead nowhere, lately to {address}")
    }
}

/// A framework that the application is written in.
#[derive(Clone, Copy)]
enum On {
    Axum,
    Actix,
}

/// A demonstration whose provider asks nothing: whoever comes is alice.
async fn start(on: On) -> (Browser, Running) {
    let Demo { listener, driver, address, provider } = Demo::at(Some("127.0.0.1:0")).await.unwrap();
    provider.sign_in_as(Some("alice"));
    match on {
        On::Axum => drop(tokio::spawn(axum_app::serve(listener, driver))),
        On::Actix => drop(tokio::spawn(actix_app::serve(listener, driver))),
    }
    (Browser::new(&address), provider)
}

async fn a_person_signs_in_sees_themselves_and_signs_out(on: On) {
    let (mut browser, _provider) = start(on).await;
    assert_eq!(browser.fetch("/app/api/userinfo").await.0, 401);
    assert_eq!(browser.fetch("/app/api/no_auth").await, (200, "public, route!".to_owned()));

    let deep = "/reports?year=2026&next=https%3A%2F%2Felsewhere.example%2F";
    let (landed, status) = browser.visit(deep).await;
    assert_eq!((landed.as_str(), status), (browser.address.join(deep).unwrap().as_str(), 200));

    let (status, body) = browser.fetch("/app/api/userinfo").await;
    let data: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(data["session"]["username"], "alice");
    assert_eq!(data["session"]["name"], "Alice Ashworth");
    assert_eq!(data["session"]["email"], "alice@example.com");
    let now: jiff::Timestamp = data["now"].as_str().unwrap().parse().unwrap();
    let since: Value = serde_json::from_str(&browser.fetch("/app/api/first_seen").await.1).unwrap();
    assert!(since["first_seen"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap() <= now);
    assert_eq!(browser.fetch("/app/oauth2/auth").await.0, 202);

    browser.visit("/app/oauth2/sign_out").await;
    assert_eq!(browser.fetch("/app/api/userinfo").await.0, 401);
    assert_eq!(browser.fetch("/app/oauth2/auth").await.0, 401);
}

async fn the_page_s_own_address_for_signing_out_leads_to_the_front_page_once_the_session_has_ended(on: On) {
    let (mut browser, provider) = start(on).await;
    let (landed, status) = browser.visit("/app/oauth/logout").await;
    assert_eq!((landed.path(), status), ("/", 200));
    assert_eq!(browser.fetch("/app/api/userinfo").await.0, 200);

    provider.sign_in_as(None);
    browser.visit("/app/oauth/logout").await;
    assert_eq!(browser.fetch("/app/api/userinfo").await.0, 401);
}

async fn the_page_and_its_files_are_for_signed_in_people(on: On) {
    let (mut browser, _provider) = start(on).await;
    assert_eq!(browser.fetch("/assets/index.js").await.0, 401);
    assert_eq!(browser.fetch("/").await.0, 401);
    browser.visit("/").await;
    for (path, media_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/any/page/of/the/router", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/assets/index.js", "text/javascript; charset=utf-8"),
        ("/assets/index.css", "text/css; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
    ] {
        let answer = browser.ask("no-cors", path).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &media_type.parse().unwrap())
        );
    }
    for path in ["/assets/other.js", "/app/api/other", "/app/other"] {
        assert_eq!(browser.fetch(path).await.0, 404, "{path}");
    }
}

async fn people_keep_their_sessions_while_the_provider_is_down_and_others_are_told(on: On) {
    let (mut ada, provider) = start(on).await;
    ada.visit("/").await;
    provider.stop().await;
    assert_eq!(ada.fetch("/app/api/userinfo").await.0, 200);

    let (mut early, provider) = start(on).await;
    provider.stop().await;
    assert_eq!(early.visit("/").await.1, 503);
    provider.reopen().await.unwrap();
    tokio::time::sleep(vestibule::limits::DOCUMENT_FAILURE_PAUSE).await;
    assert_eq!(early.visit("/").await.1, 200);
}

/// Each story on each framework.
macro_rules! told_on {
    ($($framework:ident $on:ident: $($story:ident)*;)*) => {
        $(mod $framework {
            $(#[tokio::test]
            async fn $story() {
                super::$story(super::On::$on).await;
            })*
        })*
    };
}

told_on! {
    axum Axum:
        a_person_signs_in_sees_themselves_and_signs_out
        the_page_s_own_address_for_signing_out_leads_to_the_front_page_once_the_session_has_ended
        the_page_and_its_files_are_for_signed_in_people
        people_keep_their_sessions_while_the_provider_is_down_and_others_are_told;
    actix Actix:
        a_person_signs_in_sees_themselves_and_signs_out
        the_page_s_own_address_for_signing_out_leads_to_the_front_page_once_the_session_has_ended
        the_page_and_its_files_are_for_signed_in_people
        people_keep_their_sessions_while_the_provider_is_down_and_others_are_told;
}
