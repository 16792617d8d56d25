//! For provider authors and applications: run a provider against answers of the test's choosing, without a network.
//!
//! [`ProviderKit`] runs a whole provider through good and hostile days: its author hands over the provider and what the
//! real one answers, and the kit says in words what is missing. `docs/provider-test-kit.md` lists what is asked.
//!
//! ```
//! use vestibule::{exchange::Purpose, plugin::*, testkit::ProviderKit};
//!
//! struct Forge(OAuth2Spec);
//!
//! #[async_trait]
//! impl OAuth2 for Forge {
//!     fn spec(&self) -> &OAuth2Spec {
//!         &self.0
//!     }
//!
//!     async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
//!         let url = Url::parse("https://forge.example/api/user").expect("it is a constant");
//!         let user = http.get(Purpose::Profile, &url, tokens).await?;
//!         Ok(user.identity("id")?.username(user.text("login")).name(user.text("name")).email(user.text("email")))
//!     }
//! }
//!
//! let at = |path: &str| Url::parse("https://forge.example").unwrap().join(path).unwrap();
//! let secret = "the-client-secret";
//! let forge = Forge(OAuth2Spec::new("forge", "Forge", at("authorize"), at("token"), "client", Some(secret.into())));
//!
//! let token = r#"{"access_token":"the-access-token","token_type":"bearer","refresh_token":"the-refresh-token"}"#;
//! let user = r#"{"id":7,"login":"ada","name":"Ada Lovelace","email":"ada@example.com"}"#;
//! ProviderKit::new(forge)
//!     .client("client")
//!     .client_secret(secret)
//!     .reply(Purpose::Token, 200, "application/json", token)
//!     .reply(Purpose::Profile, 200, "application/json", user)
//!     .subject_at("/id")
//!     .check();
//! ```
//!
//! [`converse`] runs one conversation:
//!
//! ```
//! use vestibule::{exchange::{HttpResponse, Purpose}, identity::Tokens, testkit, time::Timestamp};
//!
//! # let url = url::Url::parse("https://example.com/user").unwrap();
//! let name = testkit::converse(
//!     Timestamp::from_unix(0),
//!     async move |http| http.get_json::<serde_json::Value>(Purpose::Profile, &url, &Tokens::new("t")).await,
//!     |asked| {
//!         assert_eq!(asked.purpose(), Purpose::Profile);
//!         asked.answer(200, "application/json", r#"{"id":7}"#)
//!     },
//! );
//! assert_eq!(name.unwrap()["id"], 7);
//! ```

mod converse;
mod jar;
mod memory;
mod memory_provider;
mod person;
mod provider_kit;
mod store_contract;

pub use converse::{Asked, Reaction, answered, converse};
pub use jar::{CookieJar, FETCH_HEADERS, VISIT_HEADERS, request_target};
pub use memory::{MemoryHost, Task};
pub use memory_provider::MemoryProvider;
pub use person::Person;
pub use provider_kit::{Line, OpenId, ProviderKit, Report, Verdict};
pub use store_contract::store_contract;
