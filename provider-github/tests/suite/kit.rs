//! GitHub's part in every row of `vestibule::testkit::ProviderKit`.

use serde_json::json;
use vestibule::{
    exchange::{HttpResponse, Purpose},
    testkit::{Asked, ProviderKit},
};
use vestibule_github::{Builder, GitHub};

use crate::hub::{emails, token, user};

const CLIENT: &str = "Iv1.client";
const SECRET: &str = "the secret of the application";

fn json(body: &serde_json::Value) -> HttpResponse {
    let response = http::Response::builder().header("content-type", "application/json; charset=utf-8");
    response.body(body.to_string().into_bytes()).unwrap()
}

/// Organisations are asked for one by one, teams as a list.
fn groups(asked: &Asked) -> HttpResponse {
    let organization = json!({"login": "rust-lang", "id": 1});
    if asked.url().contains("/memberships/") {
        json(&json!({"state": "active", "role": "member", "organization": organization}))
    } else {
        json(&json!([{"slug": "core", "id": 7, "name": "Core", "organization": organization}]))
    }
}

fn kit(builder: Builder) -> ProviderKit {
    let github = builder.build().unwrap();
    let printed = format!("{github:?}");
    let mut app = token();
    // As a GitHub App has it, whose tokens end.
    app["expires_in"] = json!(28_800);
    app["refresh_token"] = json!("ghr_the-refresh-token");
    ProviderKit::new(github)
        .printed(printed)
        .client(CLIENT)
        .client_secret(SECRET)
        .answer(Purpose::Token, move |_| json(&app))
        .answer(Purpose::Profile, |_| json(&user()))
        .answer(Purpose::Emails, |_| json(&emails()))
        .answer(Purpose::Groups, groups)
        .subject_at("/id")
        .verified_at(Purpose::Emails, "/1/verified")
}

fn github() -> Builder {
    GitHub::builder(CLIENT, SECRET)
}

#[test]
fn github_passes_the_kit() {
    kit(github()).check();
}

#[test]
fn so_does_it_where_somebody_must_be_a_member() {
    kit(github().organization("rust-lang").team("rust-lang/core")).check();
}

#[test]
fn and_so_does_an_enterprise_of_one_s_own() {
    kit(github().enterprise("https://git.corp.example/github").extra_parameter("allow_signup", "false"))
        .check();
}

#[test]
fn only_what_github_does_not_do_is_left_out() {
    let report = kit(github()).run();
    let left_out = report.not_applicable();
    let openid = |row: &&str| report.to_string().contains(&format!("{row}: not OpenID Connect"));
    let others: Vec<_> = left_out.into_iter().filter(|row| !openid(row)).collect();
    assert_eq!(
        others,
        [
            "nd_10_begin_refused",
            "nd_10_begin_unavailable",
            "nd_10_begin_silence",
            "rfc7009_token_in_the_body",
            "lo_06_revocation_refused",
            "lo_06_revocation_silence",
            "nd_03_end_session_address",
            "end_session_returns",
            "lk_04_end_session_without_secrets",
            "lo_03_huge_hint",
        ],
        "{report}"
    );
}
