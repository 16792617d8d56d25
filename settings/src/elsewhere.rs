//! oauth2-proxy's options that do not exist here, and what to use instead. Its names are those of release 7.15.

use crate::{row, rows::ROWS};

/// What oauth2-proxy 7.15 has, from its own list of flags, by what its variables' names end with.
pub(crate) const THEIRS: &str = include_str!("oauth2_proxy_7_15.txt");

/// The flags of oauth2-proxy's that are no options here, so that a command line can be read that has them.
pub fn oauth2_proxy_flags() -> impl Iterator<Item = String> {
    let is_ours = |name: &str| ROWS.iter().any(|row| row.suffix() == name);
    THEIRS.lines().filter(move |name| !is_ours(name)).map(row::flag)
}

/// What to do about an option of oauth2-proxy's that does not exist here; `None` where no such option is known.
pub(crate) fn instead(suffix: &str) -> Option<&'static str> {
    let is_meant = |name: &str| match name.strip_suffix('*') {
        Some(family) => suffix.starts_with(family),
        None => suffix == name,
    };
    ELSEWHERE.iter().find(|(names, _)| names.iter().any(|name| is_meant(name))).map(|(_, instead)| *instead)
}

/// Names without their prefix, `*` standing for any end, and what to use instead. The first that matches counts.
static ELSEWHERE: &[(&[&str], &str)] = &[
    (
        &["AZURE_*", "ENTRA_ID_*"],
        "set PROVIDER=oidc and OIDC_ISSUER_URL=https://login.microsoftonline.com/TENANT/v2.0 with your tenant's id",
    ),
    (
        &["GOOGLE_*"],
        "set PROVIDER=oidc and OIDC_ISSUER_URL=https://accounts.google.com; for groups use an issuer that puts them \
         into its ID token, and ALLOWED_GROUPS",
    ),
    (&["KEYCLOAK_*", "ALLOWED_ROLES"], "set OIDC_GROUPS_CLAIM=/realm_access/roles and ALLOWED_GROUPS"),
    (
        &["GITLAB_*"],
        "set PROVIDER=oidc, OIDC_ISSUER_URL=https://gitlab.com, OIDC_GROUPS_CLAIM and ALLOWED_GROUPS",
    ),
    (&["BITBUCKET_*"], "use a provider that speaks OpenID Connect"),
    (
        &["GITHUB_REPO", "GITHUB_TOKEN"],
        "use GITHUB_ORG or GITHUB_TEAM: who may push to a repository is not asked",
    ),
    (&["GITHUB_USERS"], "use GITHUB_TEAM, or decide by name in the application's `on_sign_in`"),
    (
        &["OIDC_JWKS_URL", "OIDC_PUBLIC_KEY_FILES"],
        "leave it out: keys come from where the issuer's own metadata says, and are kept while it is down",
    ),
    (&["USER_ID_CLAIM"], "leave it out: an account is known by issuer and subject, an address is only shown"),
    (
        &["SKIP_CLAIMS_FROM_PROFILE_URL"],
        "leave it out: userinfo is asked only where the ID token lacks something",
    ),
    (
        &["JWT_KEY*", "PUBJWK_URL"],
        "use CLIENT_SECRET: a client does not authenticate by a key of its own yet",
    ),
    (&["APPROVAL_PROMPT"], "use PROMPT"),
    (&["FORCE_CODE_CHALLENGE_METHOD"], "leave it out: PKCE is always on"),
    (&["RESOURCE"], "leave it out: tokens are for signing in only"),
    (
        &["BACKEND_LOGOUT_URL"],
        "use SIGN_OUT_AT_PROVIDER, which takes the address from the issuer's own metadata",
    ),
    (
        &["HTPASSWD_*", "DISPLAY_HTPASSWD_FORM"],
        "leave it out: there are no passwords here; people sign in through a provider, which can slow guessing down",
    ),
    (
        &["AUTHENTICATED_EMAILS_FILE"],
        "use EMAIL_DOMAINS or ALLOWED_GROUPS, or decide in the application's `on_sign_in`",
    ),
    (
        &["COOKIE_CSRF_*"],
        "leave it out: there are at most eight sign-in cookies, each for ten minutes, and Lax",
    ),
    (
        &["REDIS_CONNECTION_IDLE_TIMEOUT"],
        "leave it out: a connection that the server has closed is made again when it is needed",
    ),
    (&["RELATIVE_REDIRECT_URL"], "set REDIRECT_URL to the whole address that browsers see"),
    (
        &["HTTPS_ADDRESS", "TLS_*", "FORCE_HTTPS"],
        "let the proxy before this program speak TLS, and use HTTP_ADDRESS",
    ),
    (
        &["METRICS_SECURE_ADDRESS", "METRICS_TLS_*"],
        "let the proxy before this program speak TLS, and use the gateway's METRICS_ADDRESS",
    ),
    (&["METRICS_*"], "leave it out: only the gateway has metrics"),
    (
        &["TRUSTED_PROXY_IPS", "REAL_CLIENT_IP_HEADER"],
        "leave it out: nothing is believed that a proxy's headers say about the client",
    ),
    (&["TRUSTED_IPS", "SKIP_AUTH_*"], "decide it by route, in the application or in the proxy"),
    (
        &["API_ROUTES", "FORCE_JSON_ERRORS"],
        "leave it out: requests that are no visits of pages always get JSON",
    ),
    (
        &["SKIP_JWT_BEARER_TOKENS", "EXTRA_JWT_ISSUERS", "BEARER_TOKEN_LOGIN_FALLBACK"],
        "leave it out: only the gateway takes bearer tokens by configuration; an application says `Builder::bearer`",
    ),
    (
        &[
            "UPSTREAM*",
            "FLUSH_INTERVAL",
            "PROXY_WEBSOCKETS",
            "SSL_UPSTREAM_INSECURE_SKIP_VERIFY",
            "DISABLE_KEEP_ALIVES",
        ],
        "leave it out: this program answers by itself and forwards nothing",
    ),
    (
        &["CUSTOM_TEMPLATES_DIR"],
        "use PAGE_TEMPLATE: one template draws every page, in another language than Go's; see docs/pages.md",
    ),
    (&["SHOW_DEBUG_ON_ERROR"], "leave it out: each page has a code, under which the log says more"),
    (
        &[
            "STANDARD_LOGGING*",
            "AUTH_LOGGING*",
            "REQUEST_LOGGING*",
            "LOGGING_*",
            "EXCLUDE_LOGGING_PATHS",
            "SILENCE_PING_LOGGING",
            "ERRORS_TO_INFO_LOG",
            "REQUEST_ID_HEADER",
        ],
        "use LOG_FORMAT, and RUST_LOG for what is logged; it goes to standard error",
    ),
    (&["PING_USER_AGENT", "GCP_HEALTHCHECKS"], "ask PING_PATH or READY_PATH: who asks changes no answer"),
    (&["PING_*", "READY_PATH"], "ask any public path: a program that answers is well"),
    (
        &["ENCODE_STATE", "ALLOW_QUERY_SEMICOLONS", "SIGNATURE_KEY"],
        "leave it out: there is nothing that it would change",
    ),
    (&["CONFIG"], "give the gateway the file by `--config`, or set each option by its own variable"),
    (
        &["ALPHA_CONFIG"],
        "write a TOML file with `[[provider]]`, `[[rule]]` and `[[bearer]]` tables, or set each option by itself",
    ),
];

/// The option whose name is nearest to one that does not exist, if any is near enough to have been meant.
pub(crate) fn nearest<'n>(suffix: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    names
        .map(|name| (distance(suffix, name), name))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, name)| name)
}

/// How many letters must be put in, taken out or changed to make one text of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_of_oauth2_proxy_s_is_known_or_has_something_instead() {
        for name in THEIRS.lines() {
            let is_ours = ROWS.iter().any(|row| row.oauth2_proxy.is_some() && row.suffix() == name);
            assert!(is_ours || instead(name).is_some(), "{name}");
        }
        for row in ROWS.iter().filter(|row| row.oauth2_proxy.is_some()) {
            assert!(THEIRS.lines().any(|name| name == row.suffix()), "oauth2-proxy has no {}", row.suffix());
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_a_stranger_is_not() {
        let names = || ROWS.iter().map(|row| row.suffix());
        assert_eq!(nearest("CLIENT_SECERT", names()), Some("CLIENT_SECRET"));
        assert_eq!(nearest("EMAIL_DOMAIN", names()), Some("EMAIL_DOMAINS"));
        assert_eq!(nearest("WEATHER", names()), None);
    }
}
