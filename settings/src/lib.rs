//! oauth2-proxy's options and vestibule's own, read from a command line, the environment and a file, in that order.
//!
//! Each option has two variables, `VESTIBULE_CLIENT_ID` and `OAUTH2_PROXY_CLIENT_ID`, a flag, `--client-id`, and a key
//! in a file, `client_id`: what was written for oauth2-proxy goes on working, as far as there is the same thing here.
//! [`rows::ROWS`] lists them all. A variable with one of the two prefixes that is no option is an error that says what
//! to use instead, and every error there is comes at once:
//!
//! ```
//! use vestibule_settings::Settings;
//!
//! let environment = [
//!     ("OAUTH2_PROXY_PROVIDER", "oidc"),
//!     ("OAUTH2_PROXY_OIDC_ISSUER_URL", "https://op.example"),
//!     ("OAUTH2_PROXY_CLIENT_ID", "client"),
//!     ("OAUTH2_PROXY_REDIRECT_URL", "https://app.example/oauth2/callback"),
//!     ("OAUTH2_PROXY_EMAIL_DOMAINS", "example.com"),
//!     ("OAUTH2_PROXY_COOKIE_SECRET", "tooshort"),
//!     ("OAUTH2_PROXY_HTPASSWD_FILE", "passwords"),
//! ];
//! let error = Settings::from_env_map(environment.map(|(name, value)| (name.into(), value.into()))).unwrap_err();
//! assert_eq!(error.problems.len(), 2, "{error}");
//! ```

mod access;
mod assemble;
mod bearer;
mod checks;
mod documentation;
mod elsewhere;
mod given;
mod options;
mod pages;
mod providers;
pub mod row;
pub mod rows;
mod secret;
mod server;
mod sessions;
mod settings;
mod terms;
mod value;

pub use documentation::documentation;
pub use elsewhere::oauth2_proxy_flags;
pub use providers::{ProviderOptions, Providers};
pub use server::Server;
pub use sessions::Store;
pub use settings::{LogFormat, Reader, Settings};
pub use value::Listen;
