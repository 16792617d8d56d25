//! Each option that works, seen from outside: what the program does with it and does not do without it.
//!
//! The table below says which test that is. `every_option_that_works_has_a_test` fails where a row has none.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod authorize;
mod cookies;
mod entry;
mod github;
mod headers;
mod pages;
mod questions;
mod server;
mod sessions;
mod trust;

#[path = "../support/mod.rs"]
mod support;

use vestibule_settings::{row::Kind, rows::ROWS};

/// Options by the last part of their variables, and the test in which each changes something.
const TESTED: &[(&str, &[&str])] = &[
    (
        "the_authorization_request_is_what_options_say",
        &[
            "CLIENT_ID",
            "REDIRECT_URL",
            "SCOPE",
            "PROMPT",
            "ACR_VALUES",
            "OIDC_ISSUER_URL",
            "AUTH_REQUEST_RESPONSE_MODE",
        ],
    ),
    ("the_client_s_secret_decides_whether_anybody_signs_in", &["CLIENT_SECRET", "CLIENT_SECRET_FILE"]),
    ("what_an_id_token_must_be_is_what_options_say", &["OIDC_EXTRA_AUDIENCES", "OIDC_ENABLED_SIGNING_ALGS"]),
    ("a_provider_is_called_what_options_say", &["PROVIDER_DISPLAY_NAME"]),
    (
        "any_oauth2_provider_is_described_by_options",
        &[
            "PROVIDER",
            "LOGIN_URL",
            "REDEEM_URL",
            "PROFILE_URL",
            "OAUTH2_SUBJECT_CLAIM",
            "OAUTH2_USERNAME_CLAIM",
            "OAUTH2_NAME_CLAIM",
            "OAUTH2_EMAIL_CLAIM",
            "OAUTH2_EMAIL_VERIFIED_CLAIM",
            "OAUTH2_GROUPS_CLAIM",
            "OAUTH2_CLIENT_AUTHENTICATION",
        ],
    ),
    ("github_lets_members_in", &["GITHUB_ORG", "GITHUB_TEAM", "VALIDATE_URL"]),
    (
        "who_may_enter_is_what_options_say",
        &[
            "EMAIL_DOMAINS",
            "AUTHENTICATED_EMAILS_FILE",
            "ALLOWED_GROUPS",
            "OIDC_GROUPS_CLAIM",
            "INSECURE_OIDC_ALLOW_UNVERIFIED_EMAIL",
        ],
    ),
    ("a_sign_in_leads_to_hosts_that_are_listed", &["WHITELIST_DOMAINS"]),
    ("the_session_keeps_what_options_say", &["KEEP_GROUPS"]),
    (
        "some_requests_need_no_session",
        &[
            "SKIP_AUTH_ROUTES",
            "SKIP_AUTH_REGEX",
            "SKIP_AUTH_PREFLIGHT",
            "TRUSTED_IPS",
            "TRUSTED_PROXY_IPS",
            "REAL_CLIENT_IP_HEADER",
        ],
    ),
    (
        "tokens_let_api_clients_in",
        &["SKIP_JWT_BEARER_TOKENS", "EXTRA_JWT_ISSUERS", "BEARER_TOKEN_LOGIN_FALLBACK"],
    ),
    ("each_flavour_answers_in_its_own_way", &["FLAVOUR"]),
    (
        "cookies_are_sealed_with_the_secret",
        &["COOKIE_SECRET", "COOKIE_SECRET_FILE", "COOKIE_SECRETS_PREVIOUS"],
    ),
    ("cookies_look_as_options_say", &["COOKIE_NAME", "COOKIE_DOMAINS", "COOKIE_EXPIRE", "COOKIE_SECURE"]),
    (
        "sessions_are_kept_where_options_say",
        &["SESSION_STORE_TYPE", "REDIS_CONNECTION_URL", "REDIS_USERNAME", "REDIS_PASSWORD", "REDIS_CA_PATH"],
    ),
    (
        "sessions_are_kept_by_several_servers_where_options_say",
        &[
            "REDIS_USE_SENTINEL",
            "REDIS_SENTINEL_MASTER_NAME",
            "REDIS_SENTINEL_CONNECTION_URLS",
            "REDIS_SENTINEL_PASSWORD",
            "REDIS_USE_CLUSTER",
            "REDIS_CLUSTER_CONNECTION_URLS",
        ],
    ),
    ("the_provider_is_asked_anew_as_options_say", &["COOKIE_REFRESH"]),
    ("that_a_session_is_used_is_written_down_where_options_say_so", &["IDLE_LIMIT"]),
    ("signing_out_leads_to_the_provider_where_options_say_so", &["SIGN_OUT_AT_PROVIDER"]),
    ("a_provider_ends_sessions_where_options_say_so", &["BACKCHANNEL_LOGOUT", "FRONTCHANNEL_LOGOUT"]),
    ("headers_say_who_somebody_is", &["SET_XAUTHREQUEST", "IDENTITY_HEADERS", "PREFER_EMAIL_TO_USER"]),
    (
        "headers_hand_tokens_on",
        &[
            "PASS_ACCESS_TOKEN",
            "SET_AUTHORIZATION_HEADER",
            "SET_BASIC_AUTH",
            "BASIC_AUTH_PASSWORD",
            "SESSION_COOKIE_MINIMAL",
        ],
    ),
    (
        "everything_is_where_options_say",
        &["HTTP_ADDRESS", "METRICS_ADDRESS", "PROXY_PREFIX", "PING_PATH", "READY_PATH"],
    ),
    (
        "lines_of_the_log_are_what_options_say",
        &[
            "LOG_FORMAT",
            "REQUEST_LOGGING",
            "EXCLUDE_LOGGING_PATHS",
            "SILENCE_PING_LOGGING",
            "REQUEST_ID_HEADER",
        ],
    ),
    ("connections_last_as_long_as_options_say", &["CONNECTION_SILENCE", "SHUTDOWN_GRACE"]),
    (
        "pages_look_as_options_say",
        &["SITE_NAME", "CUSTOM_SIGN_IN_LOGO", "BANNER", "FOOTER", "SIGN_IN_TITLE", "SIGN_IN_TEXT"],
    ),
    ("a_page_with_one_button_is_shown_where_options_say_so", &["SKIP_PROVIDER_BUTTON"]),
    ("a_link_may_ask_of_the_provider_what_options_say", &["START_PARAMETERS"]),
    ("a_template_draws_every_page", &["PAGE_TEMPLATE"]),
    ("an_upstream_is_answered_with_the_lines_to_use", &["UPSTREAMS"]),
    ("certificates_are_trusted_as_options_say", &["PROVIDER_CA_FILES", "USE_SYSTEM_TRUST_STORE"]),
    ("the_provider_is_asked_through_a_proxy", &["PROVIDER_PROXY"]),
];

/// The text of every file with tests.
const SOURCES: [&str; 10] = [
    include_str!("authorize.rs"),
    include_str!("cookies.rs"),
    include_str!("entry.rs"),
    include_str!("github.rs"),
    include_str!("headers.rs"),
    include_str!("pages.rs"),
    include_str!("questions.rs"),
    include_str!("server.rs"),
    include_str!("sessions.rs"),
    include_str!("trust.rs"),
];

#[test]
fn every_option_that_works_has_a_test() {
    let works = || ROWS.iter().filter(|row| !matches!(row.kind, Kind::Always(_))).map(|row| row.suffix());
    for suffix in works() {
        let tests = TESTED.iter().filter(|(_, options)| options.contains(&suffix)).count();
        assert_eq!(tests, 1, "{suffix}: write a test in which it changes something, and add it to the table");
    }
    for (test, options) in TESTED {
        let head = format!("async fn {test}(");
        let source = SOURCES.iter().find(|source| source.contains(&head));
        let source = source.unwrap_or_else(|| panic!("there is no test {test}"));
        for option in *options {
            assert!(works().any(|suffix| suffix == *option), "no row {option} works");
            let (_, after) = source.split_once(&head).unwrap();
            // A line's end in a text is one here, so that what begins a line does.
            let body = after.split("\n}\n").next().unwrap().replace("\\n", "\n");
            // As a name in quotes, or at the beginning of a line of a file: a short name is in many a word.
            let key = format!("{} =", option.to_ascii_lowercase());
            let begins = |at: usize| !body[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let is_set =
                body.contains(&format!("\"{option}\"")) || body.match_indices(&key).any(|(at, _)| begins(at));
            assert!(is_set, "{test} never sets {option}");
        }
    }
}
