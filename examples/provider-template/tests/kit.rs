//! The plugin on good and hostile days: every row of `vestibule::testkit::ProviderKit`.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

use provider_template::Example;
use vestibule::{plugin::*, testkit::ProviderKit};

const JSON: &str = "application/json";
const TOKENS: &str = r#"{"access_token":"the-access-token","token_type":"Bearer","expires_in":3600,"refresh_token":"the-refresh-token"}"#;
const USER: &str = r#"{"id":7,"login":"ada","name":"Ada","email":"ada@example.com","email_verified":true}"#;

#[test]
fn the_provider_passes_the_kit() {
    let example =
        Example::new(&Url::parse("https://op.example").unwrap(), "the-client-id", "the-client-secret");
    let printed = format!("{example:?}");
    ProviderKit::new(example)
        .printed(printed)
        .client("the-client-id")
        .client_secret("the-client-secret")
        .reply(Purpose::Token, 200, JSON, TOKENS)
        .reply(Purpose::Profile, 200, JSON, USER)
        .subject_at("/id")
        .verified_at(Purpose::Profile, "/email_verified")
        .check();
}
