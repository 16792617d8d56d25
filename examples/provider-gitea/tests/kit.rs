//! The plugin on good and hostile days: every row of `vestibule::testkit::ProviderKit`.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

use provider_gitea::Gitea;
use vestibule::{
    plugin::*,
    testkit::{Asked, ProviderKit},
};

const JSON: &str = "application/json;charset=utf-8";
const CLIENT: &str = "dd7c31b1-6d8a-4b6f-9b26-9a8a3e3b3a3e";
const SECRET: &str = "gto_the-secret-of-the-application";

/// Two pages of organisations.
fn organizations(asked: &Asked) -> http::Response<Vec<u8>> {
    let response = http::Response::builder().header("content-type", JSON);
    if asked.url().contains("page=2") {
        return response.body(include_str!("replies/orgs-2.json").into()).unwrap();
    }
    let next = format!("<{}?page=2>; rel=\"next\"", asked.url());
    response.header("link", next).body(include_str!("replies/orgs-1.json").into()).unwrap()
}

fn kit() -> ProviderKit {
    let gitea = Gitea::new(&Url::parse("https://git.example/forge").unwrap(), CLIENT, SECRET);
    let printed = format!("{gitea:?}");
    ProviderKit::new(gitea)
        .printed(printed)
        .client(CLIENT)
        .client_secret(SECRET)
        .reply(Purpose::Token, 200, JSON, include_str!("replies/token.json"))
        .reply(Purpose::Profile, 200, JSON, include_str!("replies/user.json"))
        .reply(Purpose::Emails, 200, JSON, include_str!("replies/emails.json"))
        .answer(Purpose::Groups, organizations)
        .subject_at("/id")
        .verified_at(Purpose::Emails, "/1/verified")
}

#[test]
fn gitea_passes_the_kit() {
    kit().check();
}
