//! GitHub, as far as options are about it: a likeness of its interface, in a few lines.

use anyhow::Result;
use axum::{
    Json, Router,
    extract::Query,
    http::StatusCode,
    response::Redirect,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use vestibule_outside::ports;

use crate::support::Setup;

/// Ada's GitHub: she is a member of `company` and of its team `core`.
async fn github() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let authorize = async |Query(asked): Query<std::collections::BTreeMap<String, String>>| {
        Redirect::to(&format!("{}?code=c&state={}", asked["redirect_uri"], asked["state"]))
    };
    let token = async || Json(json!({"access_token": "t", "token_type": "bearer", "scope": "user:email"}));
    let membership = async |axum::extract::Path(name): axum::extract::Path<String>| match name.as_str() {
        "company" => (StatusCode::OK, Json(json!({"state": "active", "organization": {"login": "company"}}))),
        _ => (StatusCode::NOT_FOUND, Json(Value::Null)),
    };
    let api = Router::new()
        .route("/user", get(async || Json(json!({"id": 7, "login": "ada", "name": null, "email": null}))))
        .route(
            "/user/emails",
            get(async || Json(json!([{"email": "ada@example.com", "primary": true, "verified": true}]))),
        )
        .route("/user/memberships/orgs/{name}", get(membership))
        .route(
            "/user/teams",
            get(async || Json(json!([{"slug": "core", "organization": {"login": "company"}}]))),
        );
    let app = Router::new().route("/login", get(authorize)).route("/token", post(token)).nest("/api/v3", api);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(origin)
}

#[tokio::test]
async fn github_lets_members_in() -> Result<()> {
    let github = github().await?;
    for (option, value, may_enter) in [
        ("GITHUB_ORG", "company", true),
        ("GITHUB_ORG", "another", false),
        ("GITHUB_TEAM", "company:core", true),
        ("GITHUB_TEAM", "company:press", false),
    ] {
        let gateway = Setup::at(ports::reserve()?)?
            .set("PROVIDER", "github")
            .set("LOGIN_URL", format!("{github}/login"))
            .set("REDEEM_URL", format!("{github}/token"))
            .set("VALIDATE_URL", format!("{github}/api/v3"))
            .set(option, value)
            .start()
            .await?;
        let signed_in = gateway.signed_in().await;
        assert_eq!(signed_in.is_ok(), may_enter, "{option}={value}: {signed_in:?}");
    }
    Ok(())
}
