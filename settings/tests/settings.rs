//! Environments and what becomes of them.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::collections::BTreeMap;

use vestibule::{config::ConfigError, paths::Endpoint};
use vestibule_settings::{LogFormat, Reader, Settings, rows};

const SECRET: &str = "c2VlbiBvbiBsb29wYmFjayBvbmx5LCAzMiBieXRlcyE=";

/// An environment in which nothing is wrong, with these changes; an empty value takes a variable away.
fn environment(changes: &[(&str, &str)]) -> BTreeMap<String, String> {
    let sound = [
        ("OAUTH2_PROXY_PROVIDER", "oidc"),
        ("OAUTH2_PROXY_OIDC_ISSUER_URL", "https://op.example"),
        ("OAUTH2_PROXY_CLIENT_ID", "client"),
        ("OAUTH2_PROXY_CLIENT_SECRET", "canary-client-secret"),
        ("OAUTH2_PROXY_COOKIE_SECRET", SECRET),
        ("OAUTH2_PROXY_REDIRECT_URL", "https://app.example/oauth2/callback"),
        ("OAUTH2_PROXY_EMAIL_DOMAINS", "*"),
        ("PATH", "/usr/bin"),
    ];
    let mut environment: BTreeMap<_, _> =
        sound.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    environment.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    environment
}

const MEMORY: (&str, &str) = ("OAUTH2_PROXY_SESSION_STORE_TYPE", "memory");
const REDIS: (&str, &str) = ("OAUTH2_PROXY_SESSION_STORE_TYPE", "redis");
const REDIS_URL: (&str, &str) = ("OAUTH2_PROXY_REDIS_CONNECTION_URL", "redis://127.0.0.1:6379");

const GITHUB: [(&str, &str); 2] = [("OAUTH2_PROXY_PROVIDER", "github"), ("OAUTH2_PROXY_OIDC_ISSUER_URL", "")];

fn read(changes: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    Settings::from_env_map(environment(changes))
}

#[test]
fn a_sound_environment_becomes_a_vestibule_by_either_name() {
    let settings = read(&[]).unwrap();
    assert_eq!(settings.http_address.to_string(), "127.0.0.1:4180");
    assert_eq!((settings.log_format, settings.warnings()), (LogFormat::Text, &[][..]));
    assert_eq!(settings.paths.of(Endpoint::Callback), "/oauth2/callback");
    assert!(settings.builder().unwrap().build().is_ok() && settings.host().is_ok());

    let ours = environment(&[("OAUTH2_PROXY_HTTP_ADDRESS", "127.0.0.1:0")])
        .into_iter()
        .map(|(name, value)| (name.replace("OAUTH2_PROXY_", "VESTIBULE_"), value));
    assert_eq!(Settings::from_env_map(ours).unwrap().http_address.port(), 0);
}

#[test]
fn what_can_be_said_is_heeded() {
    for changes in [
        &[("VESTIBULE_LOG_FORMAT", "json"), ("OAUTH2_PROXY_COOKIE_EXPIRE", "12s")][..],
        // Both names, and the same thing.
        &[("VESTIBULE_CLIENT_ID", "client")],
        &[("OAUTH2_PROXY_COOKIE_SECURE", "true"), ("OAUTH2_PROXY_COOKIE_NAME", "_app")],
        &[
            ("OAUTH2_PROXY_REDIRECT_URL", "http://localhost:8000/oauth2/callback"),
            ("OAUTH2_PROXY_COOKIE_SECURE", "false"),
        ],
        &[("OAUTH2_PROXY_WHITELIST_DOMAINS", ".app.example,other.example:8443,localhost:3000")],
        &[("OAUTH2_PROXY_EMAIL_DOMAINS", ""), ("OAUTH2_PROXY_ALLOWED_GROUPS", "staff, admins")],
        &[("OAUTH2_PROXY_SCOPE", "openid email groups"), ("OAUTH2_PROXY_PROMPT", "login")],
        &[
            ("OAUTH2_PROXY_OIDC_GROUPS_CLAIM", "/realm_access/roles"),
            ("OAUTH2_PROXY_OIDC_ENABLED_SIGNING_ALGS", "ES256"),
        ],
        &[("OAUTH2_PROXY_CLIENT_SECRET", ""), ("OAUTH2_PROXY_PROVIDER_DISPLAY_NAME", "The Company")],
        &[REDIS, REDIS_URL, ("OAUTH2_PROXY_COOKIE_REFRESH", "1h"), ("VESTIBULE_IDLE_LIMIT", "8h")],
        &[MEMORY, ("OAUTH2_PROXY_COOKIE_REFRESH", "0")],
        &[MEMORY, ("VESTIBULE_BACKCHANNEL_LOGOUT", "true"), ("VESTIBULE_FRONTCHANNEL_LOGOUT", "true")],
        // What an environment for nginx says to oauth2-proxy, and what is always so here.
        &[
            ("OAUTH2_PROXY_REVERSE_PROXY", "true"),
            ("OAUTH2_PROXY_SET_XAUTHREQUEST", "1"),
            ("OAUTH2_PROXY_SKIP_PROVIDER_BUTTON", "true"),
            ("OAUTH2_PROXY_COOKIE_HTTPONLY", "true"),
            ("OAUTH2_PROXY_COOKIE_SAMESITE", "lax"),
            ("OAUTH2_PROXY_COOKIE_CSRF_PER_REQUEST", "true"),
            ("OAUTH2_PROXY_COOKIE_REFRESH", "0"),
            ("OAUTH2_PROXY_CODE_CHALLENGE_METHOD", "S256"),
            ("OAUTH2_PROXY_UPSTREAMS", ""),
        ],
    ] {
        let settings = read(changes).unwrap_or_else(|error| panic!("{changes:?}: {error}"));
        assert!(settings.builder().unwrap().build().is_ok(), "{changes:?}");
    }
}

#[test]
fn each_mistake_is_named_with_its_variable_and_remedy() {
    for (changes, name, needle) in [
        (&[("OAUTH2_PROXY_PROVIDER", "")][..], "OAUTH2_PROXY_PROVIDER", "not set"),
        (&[("OAUTH2_PROXY_PROVIDER", "azure")], "OAUTH2_PROXY_PROVIDER", "entra-id"),
        (&[("OAUTH2_PROXY_PROVIDER", "nextcloud")], "OAUTH2_PROXY_PROVIDER", "`oauth2` reaches any"),
        (&[("OAUTH2_PROXY_OIDC_ISSUER_URL", "")], "OAUTH2_PROXY_OIDC_ISSUER_URL", "not set"),
        (&[("OAUTH2_PROXY_OIDC_ISSUER_URL", "http://op.example")], "OAUTH2_PROXY_OIDC_ISSUER_URL", "https"),
        (&[("OAUTH2_PROXY_CLIENT_ID", "")], "OAUTH2_PROXY_CLIENT_ID", "not set"),
        (&[("VESTIBULE_CLIENT_ID", "another")], "VESTIBULE_CLIENT_ID", "OAUTH2_PROXY_CLIENT_ID"),
        (&[("OAUTH2_PROXY_REDIRECT_URL", "")], "OAUTH2_PROXY_REDIRECT_URL", "not set"),
        (&[("OAUTH2_PROXY_REDIRECT_URL", "/callback")], "OAUTH2_PROXY_REDIRECT_URL", "absolute"),
        (
            &[("OAUTH2_PROXY_REDIRECT_URL", "https://app.example/other")],
            "OAUTH2_PROXY_REDIRECT_URL",
            "/oauth2/callback",
        ),
        (&[("OAUTH2_PROXY_PROXY_PREFIX", "oauth2")], "OAUTH2_PROXY_PROXY_PREFIX", "begin with `/`"),
        (&[("OAUTH2_PROXY_COOKIE_SECRET", "")], "OAUTH2_PROXY_COOKIE_SECRET", "openssl rand"),
        (&[("OAUTH2_PROXY_COOKIE_SECRET", "tooshort")], "OAUTH2_PROXY_COOKIE_SECRET", "fewer than 16"),
        (
            &[("OAUTH2_PROXY_COOKIE_SECRET", "OQINaROshtE9TcZkNAm-5Zs2Pv3xaWytBmc5W7sPX7w=")],
            "OAUTH2_PROXY_COOKIE_SECRET",
            "guessed",
        ),
        (
            &[("VESTIBULE_COOKIE_SECRETS_PREVIOUS", "short")],
            "VESTIBULE_COOKIE_SECRETS_PREVIOUS",
            "fewer than 16",
        ),
        (
            &[("OAUTH2_PROXY_COOKIE_SECRET_FILE", "no/file")],
            "OAUTH2_PROXY_COOKIE_SECRET_FILE",
            "only one of the two",
        ),
        (&[("OAUTH2_PROXY_COOKIE_NAME", "__Host-app")], "OAUTH2_PROXY_COOKIE_NAME", "leave `__Host-` away"),
        (
            &[("OAUTH2_PROXY_COOKIE_SECURE", "false")],
            "OAUTH2_PROXY_COOKIE_SECURE",
            "OAUTH2_PROXY_REDIRECT_URL",
        ),
        (&[("OAUTH2_PROXY_COOKIE_SECURE", "yes")], "OAUTH2_PROXY_COOKIE_SECURE", "`true` or `false`"),
        (&[("OAUTH2_PROXY_COOKIE_EXPIRE", "7d")], "OAUTH2_PROXY_COOKIE_EXPIRE", "168h"),
        (&[("OAUTH2_PROXY_COOKIE_EXPIRE", "0")], "OAUTH2_PROXY_COOKIE_EXPIRE", "400 days"),
        (&[("OAUTH2_PROXY_COOKIE_REFRESH", "1h")], "OAUTH2_PROXY_COOKIE_REFRESH", "set SESSION_STORE_TYPE"),
        (&[("VESTIBULE_IDLE_LIMIT", "1h")], "VESTIBULE_IDLE_LIMIT", "set SESSION_STORE_TYPE"),
        (&[MEMORY, ("VESTIBULE_IDLE_LIMIT", "5s")], "VESTIBULE_IDLE_LIMIT", "a minute or more"),
        (
            &[("VESTIBULE_BACKCHANNEL_LOGOUT", "true")],
            "VESTIBULE_BACKCHANNEL_LOGOUT",
            "set SESSION_STORE_TYPE",
        ),
        (
            &[("VESTIBULE_FRONTCHANNEL_LOGOUT", "true")],
            "VESTIBULE_FRONTCHANNEL_LOGOUT",
            "set SESSION_STORE_TYPE",
        ),
        (
            &[GITHUB[0], GITHUB[1], MEMORY, ("VESTIBULE_BACKCHANNEL_LOGOUT", "true")],
            "VESTIBULE_BACKCHANNEL_LOGOUT",
            "add an OpenID Connect provider",
        ),
        (
            &[GITHUB[0], GITHUB[1], MEMORY, ("VESTIBULE_FRONTCHANNEL_LOGOUT", "true")],
            "VESTIBULE_FRONTCHANNEL_LOGOUT",
            "add an OpenID Connect provider",
        ),
        (&[("OAUTH2_PROXY_SESSION_STORE_TYPE", "disk")], "OAUTH2_PROXY_SESSION_STORE_TYPE", "`redis`"),
        (&[REDIS], "OAUTH2_PROXY_REDIS_CONNECTION_URL", "not set"),
        (
            &[REDIS, ("OAUTH2_PROXY_REDIS_CONNECTION_URL", "canary")],
            "OAUTH2_PROXY_REDIS_CONNECTION_URL",
            "address",
        ),
        (
            &[REDIS, REDIS_URL, ("OAUTH2_PROXY_REDIS_CA_PATH", "no.pem")],
            "OAUTH2_PROXY_REDIS_CA_PATH",
            "rediss://",
        ),
        (
            &[REDIS, ("OAUTH2_PROXY_REDIS_USE_CLUSTER", "1")],
            "OAUTH2_PROXY_REDIS_CLUSTER_CONNECTION_URLS",
            "not set",
        ),
        (
            &[REDIS, REDIS_URL, ("OAUTH2_PROXY_REDIS_SENTINEL_MASTER_NAME", "x")],
            "OAUTH2_PROXY_REDIS_SENTINEL_MASTER_NAME",
            "OAUTH2_PROXY_REDIS_USE_SENTINEL",
        ),
        (
            &[REDIS, ("OAUTH2_PROXY_REDIS_USE_CLUSTER", "1"), ("OAUTH2_PROXY_REDIS_USE_SENTINEL", "1")],
            "OAUTH2_PROXY_REDIS_USE_CLUSTER",
            "only one of the two",
        ),
        (
            &[("OAUTH2_PROXY_REDIS_INSECURE_SKIP_TLS_VERIFY", "1")],
            "OAUTH2_PROXY_REDIS_INSECURE_SKIP_TLS_VERIFY",
            "always checked",
        ),
        (&[("OAUTH2_PROXY_CODE_CHALLENGE_METHOD", "plain")], "OAUTH2_PROXY_CODE_CHALLENGE_METHOD", "S256"),
        (&[("OAUTH2_PROXY_EMAIL_DOMAINS", "")], "OAUTH2_PROXY_EMAIL_DOMAINS", "who may enter"),
        (&[("OAUTH2_PROXY_EMAIL_DOMAINS", "a b")], "OAUTH2_PROXY_EMAIL_DOMAINS", "not a domain"),
        (
            &[("OAUTH2_PROXY_WHITELIST_DOMAINS", "app.example:*")],
            "OAUTH2_PROXY_WHITELIST_DOMAINS",
            "name the port",
        ),
        (&[("OAUTH2_PROXY_HTTP_ADDRESS", "4180")], "OAUTH2_PROXY_HTTP_ADDRESS", "127.0.0.1:4180"),
        (&[("OAUTH2_PROXY_GITHUB_ORG", "org")], "OAUTH2_PROXY_GITHUB_ORG", "PROVIDER=github"),
        (&[("OAUTH2_PROXY_LOGIN_URL", "https://x.example")], "OAUTH2_PROXY_LOGIN_URL", "metadata"),
        (
            &[("OAUTH2_PROXY_OIDC_ENABLED_SIGNING_ALGS", "none")],
            "OAUTH2_PROXY_OIDC_ENABLED_SIGNING_ALGS",
            "RS256",
        ),
        (
            &[("OAUTH2_PROXY_PROVIDER_CA_FILES", "no/such.pem")],
            "OAUTH2_PROXY_PROVIDER_CA_FILES",
            "no/such.pem",
        ),
        (
            &[("OAUTH2_PROXY_CLIENT_SECRET_FILE", "no/file")],
            "OAUTH2_PROXY_CLIENT_SECRET_FILE",
            "only one of the two",
        ),
        (&[("VESTIBULE_LOG_FORMAT", "xml")], "VESTIBULE_LOG_FORMAT", "`text` or `json`"),
        (&[REDIS_URL], "OAUTH2_PROXY_REDIS_CONNECTION_URL", "OAUTH2_PROXY_SESSION_STORE_TYPE to `redis`"),
        (&[("OAUTH2_PROXY_HTPASSWD_FILE", "x")], "environment", "OAUTH2_PROXY_HTPASSWD_FILE"),
        (&[("OAUTH2_PROXY_EMAIL_DOMAIN", "x")], "environment", "EMAIL_DOMAINS"),
        (&[("VESTIBULE_WEATHER", "x")], "environment", "VESTIBULE_WEATHER"),
        (&[("OAUTH2_PROXY_LOG_FORMAT", "json")], "environment", "OAUTH2_PROXY_LOG_FORMAT"),
    ] {
        let error = read(changes).expect_err(&format!("{changes:?}"));
        let text = error.to_string();
        assert_eq!(error.problems.len(), 1, "{changes:?}: {text}");
        assert_eq!(error.problems[0].field, name, "{changes:?}: {text}");
        assert!(text.contains(needle) && !text.contains("canary"), "{changes:?}: {text}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once_and_no_secret_is() {
    let error = read(&[
        ("OAUTH2_PROXY_CLIENT_ID", ""),
        ("OAUTH2_PROXY_REDIRECT_URL", "https://app.example/other"),
        ("OAUTH2_PROXY_COOKIE_SECRET", "canary"),
        ("OAUTH2_PROXY_COOKIE_EXPIRE", "0"),
        ("OAUTH2_PROXY_EMAIL_DOMAINS", "a b,c d"),
        ("OAUTH2_PROXY_HTTP_ADDRESS", "nowhere"),
        ("OAUTH2_PROXY_SHOW_DEBUG_ON_ERROR", "true"),
        ("VESTIBULE_NONSENSE", "1"),
    ])
    .unwrap_err();
    let fields: Vec<_> = error.problems.iter().map(|problem| problem.field).collect();
    for name in
        ["CLIENT_ID", "REDIRECT_URL", "COOKIE_SECRET", "COOKIE_EXPIRE", "EMAIL_DOMAINS", "HTTP_ADDRESS"]
    {
        assert!(fields.contains(&format!("OAUTH2_PROXY_{name}").as_str()), "{name} is missing: {error}");
    }
    assert_eq!(fields.iter().filter(|field| **field == "environment").count(), 2, "{error}");
    assert_eq!(fields.iter().filter(|field| field.ends_with("EMAIL_DOMAINS")).count(), 2, "{error}");
    assert!(!error.to_string().contains("canary"), "{error}");
    assert!(error.problems.iter().all(|problem| !problem.remedy.is_empty()));
}

#[test]
fn secrets_come_out_of_files_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (cookie, client) = (path("cookie", format!("{SECRET}\n").as_bytes()), path("client", b"canary\n"));
    let (empty, binary) = (path("empty", b"\n"), path("binary", &[0xfe; 31]));
    let files = |cookie: &str, client: &str| {
        read(&[
            ("OAUTH2_PROXY_COOKIE_SECRET", ""),
            ("OAUTH2_PROXY_COOKIE_SECRET_FILE", cookie),
            ("OAUTH2_PROXY_CLIENT_SECRET", ""),
            ("OAUTH2_PROXY_CLIENT_SECRET_FILE", client),
        ])
    };
    assert!(files(&cookie, &client).is_ok());
    let error = files("no/file", &empty).unwrap_err();
    let fields: Vec<_> = error.problems.iter().map(|problem| problem.field).collect();
    assert_eq!(fields, ["OAUTH2_PROXY_CLIENT_SECRET_FILE", "OAUTH2_PROXY_COOKIE_SECRET_FILE"], "{error}");
    assert!(files(&binary, &client).unwrap_err().to_string().contains("again and again"));
}

#[test]
fn a_short_cookie_secret_works_and_is_warned_of() {
    for secret in ["0123456789abcdef", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"] {
        let settings =
            read(&[("VESTIBULE_COOKIE_SECRET", secret), ("OAUTH2_PROXY_COOKIE_SECRET", "")]).unwrap();
        assert_eq!(settings.warnings()[0].field, "VESTIBULE_COOKIE_SECRET");
    }
    let rotated =
        read(&[("VESTIBULE_COOKIE_SECRETS_PREVIOUS", "0123456789abcdef,fedcba98!76543210fedcba9876543210")]);
    assert_eq!(rotated.unwrap().warnings().len(), 1);
}

#[test]
fn an_application_has_defaults_of_its_own() {
    let reader = || Reader::default().with_default(&rows::PROXY_PREFIX, "/app/oauth2");
    let at = |prefix: &str| format!("https://app.example{prefix}/callback");
    let settings =
        reader().from_env_map(environment(&[("OAUTH2_PROXY_REDIRECT_URL", &at("/app/oauth2"))])).unwrap();
    assert_eq!(settings.paths.prefix(), "/app/oauth2");
    let changed = [("OAUTH2_PROXY_REDIRECT_URL", &*at("/login")), ("OAUTH2_PROXY_PROXY_PREFIX", "/login")];
    assert_eq!(reader().from_env_map(environment(&changed)).unwrap().paths.prefix(), "/login");
}

#[test]
fn github_and_its_enterprise_servers_are_set_up_as_for_oauth2_proxy() {
    let with = |changes: &[(&str, &str)]| read(&[&GITHUB[..], changes].concat());
    assert!(with(&[]).is_ok(), "{:?}", with(&[]));
    let members = [("OAUTH2_PROXY_EMAIL_DOMAINS", ""), ("OAUTH2_PROXY_GITHUB_ORG", "company")];
    assert!(with(&members).is_ok(), "{:?}", with(&members));
    let enterprise = [
        ("OAUTH2_PROXY_LOGIN_URL", "https://github.example/login/oauth/authorize"),
        ("OAUTH2_PROXY_REDEEM_URL", "https://github.example/login/oauth/access_token"),
        ("OAUTH2_PROXY_VALIDATE_URL", "https://github.example/api/v3"),
    ];
    assert!(with(&enterprise).is_ok(), "{:?}", with(&enterprise));
    let teams = [("OAUTH2_PROXY_EMAIL_DOMAINS", ""), ("OAUTH2_PROXY_GITHUB_TEAM", "company:core,other/team")];
    assert!(with(&teams).is_ok(), "{:?}", with(&teams));
    for (changes, name) in [
        (&[("OAUTH2_PROXY_OIDC_GROUPS_CLAIM", "x")][..], "OIDC_GROUPS_CLAIM"),
        (&[("OAUTH2_PROXY_GITHUB_TEAM", "core")], "GITHUB_TEAM"),
        (&[("OAUTH2_PROXY_GITHUB_ORG", "a/b")], "GITHUB_ORG"),
        (&[("OAUTH2_PROXY_LOGIN_URL", "http://github.example")], "LOGIN_URL"),
        (&[("OAUTH2_PROXY_CLIENT_SECRET", "")], "CLIENT_SECRET"),
    ] {
        let error = with(changes).unwrap_err();
        let fields: Vec<_> = error.problems.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, [format!("OAUTH2_PROXY_{name}")], "{error}");
    }
}
