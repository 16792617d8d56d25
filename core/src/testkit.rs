//! For provider authors and applications: run a provider's conversation against answers of the test's choosing.
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
mod store_contract;

pub use converse::{Asked, Reaction, answered, converse};
pub use jar::CookieJar;
pub use memory::{MemoryHost, Task};
pub use memory_provider::MemoryProvider;
pub use person::Person;
pub use store_contract::store_contract;
