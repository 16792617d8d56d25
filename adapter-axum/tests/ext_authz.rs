//! Ways to a closed part of a site, as Envoy asks about them: in the request's own path, as the HTTP library reads it.

mod support;

use std::net::SocketAddr;

use axum::{
    Router,
    extract::ConnectInfo,
    http::{Request, StatusCode, Uri},
};
use support::{Browser, builder, gate_of};
use vestibule::{
    access::{AccessRule, PathPattern},
    config::Flavour,
};

const CONFUSING: [&str; 24] = [
    "/public/../admin",
    "/public/%2e%2e/admin",
    "/public/%2e%2e%2fadmin",
    "/public/..%5cadmin",
    "/public/..\\admin",
    "/public/..;/admin",
    "/public/.%2e/admin",
    "/public/%252e%252e/admin",
    "/public%2f..%2fadmin",
    "/public/./../admin",
    "/public//../admin",
    "//admin",
    "/./admin",
    "/%2fadmin",
    "/admin?x=/public/",
    "/admin#/public/",
    "/admin%23/public/",
    "/admin;x=/public/",
    "/admin/%0a/public/",
    "/PUBLIC/../admin",
    "/public/%00/../admin",
    "/public/%c0%ae%c0%ae/admin",
    "/public/..#/../public/",
    "/public/../admin#",
];

async fn status(app: &Router, target: &str) -> Option<StatusCode> {
    // What is no address to the library never comes this far.
    let uri: Uri = format!("/oauth2/auth{target}").parse().ok()?;
    let peer = ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 1)));
    let question = Request::get(uri).header("host", "app.example").extension(peer);
    Some(Browser::new(app).send(question).await.status)
}

#[tokio::test]
async fn pc_what_the_library_leaves_of_a_path_opens_nothing_either() {
    let site = || builder("/oauth2").flavour(Flavour::ExtAuthz).trusted_proxies(["10.0.0.1"]);
    let open = AccessRule::public().paths([PathPattern::prefix("/public/")]);
    let closed = AccessRule::nobody().paths([PathPattern::prefix("/admin")]);
    let mostly_closed = Router::new().merge(gate_of(site().rule(open)).routes());
    let mostly_open = Router::new().merge(gate_of(site().rule(closed).rule(AccessRule::public())).routes());
    for target in CONFUSING {
        for app in [&mostly_closed, &mostly_open] {
            let status = status(app, target).await;
            assert!(status.is_none_or(|status| !status.is_success()), "{target}: {status:?}");
        }
    }
    for app in [&mostly_closed, &mostly_open] {
        for target in ["/public/x?y", "/public/x#/../admin"] {
            assert_eq!(status(app, target).await, Some(StatusCode::OK), "{target}: a fragment is cut off");
        }
    }
}
