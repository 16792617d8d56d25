//! A command line, variables and a file, and which of them counts.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::{fs, path::PathBuf};

use tempfile::TempDir;
use vestibule::config::ConfigError;
use vestibule_settings::{Listen, Reader, Settings};

/// A file as somebody had it for oauth2-proxy.
const FILE: &str = r#"
provider = "oidc"
oidc_issuer_url = "https://op.example"
client_id = "client"
client_secret = "canary-client-secret"
cookie_secret = "c2VlbiBvbiBsb29wYmFjayBvbmx5LCAzMiBieXRlcyE="
redirect_url = "https://app.example/oauth2/callback"
email_domains = ["a.example", "b.example"]
http_address = "127.0.0.1:4001"
ping_path = "/file"
cookie_secure = true
scope = "openid email"
"#;

/// A file of options in a folder of its own.
fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vestibule.toml");
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn read(text: &str, flags: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let (_folder, path) = file(text);
    let reader = flags.iter().fold(Reader::gateway().with_file(&path), |reader, (name, value)| {
        reader.with_flag(*name, [(*value).to_owned()])
    });
    reader.from_env_map(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

#[test]
fn flags_win_over_variables_and_variables_over_the_file() {
    let variables = [("OAUTH2_PROXY_HTTP_ADDRESS", "127.0.0.1:4002"), ("VESTIBULE_PING_PATH", "/variable")];
    let flags = [("--http-address", "127.0.0.1:4003")];
    for (flags, variables, port, ping) in [
        (&[][..], &[][..], 4001, "/file"),
        (&[], &variables, 4002, "/variable"),
        (&flags, &[], 4003, "/file"),
        (&flags, &variables, 4003, "/variable"),
    ] {
        let server = read(FILE, flags, variables).unwrap().server;
        assert_eq!((server.listen, &*server.ping_path), (Listen::Tcp(([127, 0, 0, 1], port).into()), ping));
    }
}

#[test]
fn health_is_told_nowhere_where_a_proxy_asks_or_a_browser_signs_in() {
    for (path, prefix, is_free) in [
        ("/healthz", "/oauth2", true),
        ("/oauth2x", "/oauth2", true),
        ("/start", "/oauth2", true),
        ("/oauth2/auth", "/oauth2", false),
        ("/oauth2/auth/", "/oauth2", false),
        ("/oauth2/auth/ping", "/oauth2", false),
        ("/oauth2/start/x", "/oauth2", false),
        ("/oauth2/ping", "/oauth2", false),
        ("/oauth2", "/oauth2", false),
        ("/robots.txt", "/oauth2", false),
        ("/ping", "/", true),
        ("/auth/ping", "/", false),
        ("/callback/x", "/", false),
    ] {
        let redirect = format!("https://app.example{}/callback", prefix.trim_end_matches('/'));
        for (option, field) in [("--ping-path", "--ping-path"), ("--ready-path", "--ready-path")] {
            let other = if option == "--ping-path" { ("--ready-path", "/r") } else { ("--ping-path", "/p") };
            let flags = [(option, path), other, ("--proxy-prefix", prefix), ("--redirect-url", &*redirect)];
            let found: Vec<_> = match read(FILE, &flags, &[]) {
                Ok(_) => Vec::new(),
                Err(error) => error.problems.iter().map(|problem| problem.field).collect(),
            };
            assert_eq!(found, if is_free { vec![] } else { vec![field] }, "{option} {path} {prefix}");
        }
    }
}

#[test]
fn problems_have_the_name_by_which_an_option_was_set() {
    for (flags, variables, name) in [
        (&[][..], &[][..], "cookie_expire"),
        (&[], &[("VESTIBULE_COOKIE_EXPIRE", "7d")], "VESTIBULE_COOKIE_EXPIRE"),
        (&[("--cookie-expire", "7d")], &[], "--cookie-expire"),
    ] {
        let error = read(&format!("{FILE}cookie_expire = \"7d\""), flags, variables).unwrap_err();
        let fields: Vec<_> = error.problems.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, [name], "{error}");
    }
    let error = read(&FILE.replace("client_id", "#"), &[], &[]).unwrap_err();
    assert_eq!(error.problems[0].field, "client_id", "{error}");
}

#[test]
fn what_does_not_exist_is_named_where_it_stands_with_what_to_use_instead() {
    let error = read(&format!("{FILE}email_domain = \"x\"\nhtpasswd_file = \"x\""), &[], &[]).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("file: there is no option email_domain; use email_domains"), "{text}");
    assert!(text.contains("no passwords here"), "{text}");
    let flags = [("--htpasswd-file", "x"), ("--cookie-refresh", "1h")];
    let error = read(FILE, &flags, &[]).unwrap_err();
    assert_eq!((error.problems[0].field, error.problems[1].field), ("command line", "--cookie-refresh"));
}

#[test]
fn a_file_that_cannot_be_read_is_said_without_its_secrets() {
    for (text, needle) in [
        ("client_secret = \"canary\ncookie_secret = \"x\"", "line 1"),
        ("client_id = \"a\"\nclient_id = \"canary\"", "line 2"),
        ("client_id = 2026-01-01", "neither a text"),
        ("email_domains = [[\"canary\"]]", "neither a text"),
    ] {
        let error = read(text, &[], &[]).unwrap_err().to_string();
        assert!(error.contains(needle) && !error.contains("canary"), "{text}: {error}");
    }
    let error = Reader::gateway().with_file("no/such/file.toml").from_env_map([]).unwrap_err();
    assert_eq!(error.problems[0].field, "file");
}

#[test]
fn what_only_the_gateway_heeds_is_refused_elsewhere() {
    let (_folder, path) = file(FILE);
    let error = Reader::default().with_file(path).from_env_map([]).unwrap_err();
    assert_eq!(error.problems.len(), 1, "{error}");
    assert!(error.to_string().contains("there is no option ping_path"), "{error}");
    let unix = FILE.replace("127.0.0.1:4001", "unix:///run/x.sock").replace("ping_path", "#");
    assert!(read(&unix, &[], &[]).is_ok());
    let (_folder, path) = file(&unix);
    let error = Reader::default().with_file(path).from_env_map([]).unwrap_err();
    assert_eq!(error.problems[0].field, "http_address", "{error}");
}

#[test]
fn paths_of_the_gateway_s_own_do_not_hide_endpoints() {
    for (ping, ready) in
        [("/oauth2/auth", "/ready"), ("/robots.txt", "/ready"), ("/same", "/same"), ("x", "/y")]
    {
        let flags = [("--ping-path", ping), ("--ready-path", ready)];
        assert_eq!(read(FILE, &flags, &[]).unwrap_err().problems.len(), 1, "{ping} {ready}");
    }
}

#[test]
fn nothing_that_may_be_a_secret_is_printed_or_told() {
    let tables = r#"
redirect_url = "http://ada:canary@app.example/oauth2/callback?canary=canary"
upstreams = ["http://ada:canary@app.example"]
skip_jwt_bearer_tokens = true
extra_jwt_issuers = ["https://ada:canary@id.example"]
whitelist_domains = ["ada:canary@elsewhere.example", "ada:canary@a b", "https://ada:canary@other.example"]
[[provider]]
id = "home"
kind = "oidc"
oidc_issuer_url = "https://ada:canary@op.example"
client_id = "shown-client"
client_secret = "canary"
[[provider]]
id = "house"
kind = "house"
client_id = "c"
client_secret = "s"
api_token = "canary"
[[bearer]]
issuer = "https://shown.example"
audiences = ["api"]
key = "canary"
[[rule]]
access = "nobody"
paths = ["/shown/*"]
token = "canary"
"#;
    let rest = "cookie_secret = \"canary\"\nemail_domains = \"*\"\ntrusted_proxy_ips = [\"unix\"]";
    let (_folder, path) = file(&format!("{rest}{tables}"));
    let reader = Reader::gateway().with_file(path).with_flag("--basic-auth-password", ["canary".to_owned()]);
    assert!(!format!("{reader:?}").contains("canary"), "{reader:?}");
    let (printed, problems) = reader.in_our_terms();
    for line in [
        "client_id = \"shown-client\"",
        "issuer = \"https://shown.example\"",
        "paths = [\"/shown/*\"]",
        "# whitelist_domains is set and not shown",
        "# redirect_url is set and not shown",
        "# oidc_issuer_url is set and not shown",
        "# api_token is set and not shown",
        "# key is set and not shown",
        "# token is set and not shown",
    ] {
        assert!(printed.lines().any(|own| own == line), "{line}:\n{printed}");
    }
    let told = ConfigError::check(problems).unwrap_err().to_string();
    assert!(!printed.contains("canary"), "{printed}");
    assert!(!told.contains("canary"), "{told}");
    assert!(told.contains("entry 2: it is no host"), "{told}");
}

#[test]
fn a_secret_on_a_command_line_is_warned_about() {
    let secretless: String =
        FILE.lines().filter(|line| !line.contains("_secret")).collect::<Vec<_>>().join("\n");
    let (secret, password) = ("c2VlbiBvbiBsb29wYmFjayBvbmx5LCAzMiBieXRlcyE=", "canary");
    let flags = [
        ("--client-secret", password),
        ("--cookie-secret", secret),
        ("--basic-auth-password", password),
        ("--client-id", "client"),
    ];
    let settings = read(&secretless, &flags, &[]).unwrap();
    let warnings: Vec<_> = settings.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    for (flag, remedy) in [
        ("--client-secret: ", "by --client-secret-file, or set VESTIBULE_CLIENT_SECRET"),
        ("--cookie-secret: ", "by --cookie-secret-file"),
        ("--basic-auth-password: ", "set VESTIBULE_BASIC_AUTH_PASSWORD instead"),
    ] {
        assert!(warnings.iter().any(|own| own.starts_with(flag) && own.contains(remedy)), "{warnings:?}");
    }
    assert!(!warnings.concat().contains(password), "{warnings:?}");
    assert!(read(FILE, &[], &[]).unwrap().warnings().is_empty());
}
