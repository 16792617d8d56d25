//! Rules, tokens of API clients, and the options of oauth2-proxy's that mean the same.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::fs;

use vestibule::{
    config::ConfigError,
    request::{PlainHead, RequestHead as _},
    time::Timestamp,
};
use vestibule_settings::{Reader, Settings};

const REST: &str = r#"
provider = "oidc"
oidc_issuer_url = "https://op.example"
client_id = "client"
client_secret = "canary"
cookie_secret = "c2VlbiBvbiBsb29wYmFjayBvbmx5LCAzMiBieXRlcyE="
redirect_url = "https://app.example/oauth2/callback"
"#;

/// Reads with these lines instead of those of the same names.
fn read_with(changes: &str, text: &str) -> Result<Settings, ConfigError> {
    let name = |line: &str| line.split(" =").next().unwrap_or_default().to_owned();
    let changed: Vec<_> = changes.lines().map(name).collect();
    let rest = REST.lines().filter(|line| !changed.contains(&name(line))).collect::<Vec<_>>().join("\n");
    read_text(&format!("{rest}\n{changes}\n{text}"))
}

fn read(text: &str) -> Result<Settings, ConfigError> {
    read_text(&format!("{REST}{text}"))
}

fn read_text(text: &str) -> Result<Settings, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("emails"),
        "# people\nada@example.com, b@example.com\nc@example.com # and C\n",
    )
    .unwrap();
    fs::write(folder.path().join("none"), "# nobody\n").unwrap();
    let path = folder.path().join("vestibule.toml");
    let text = text.replace("FOLDER", folder.path().to_str().unwrap());
    fs::write(&path, text).unwrap();
    Reader::gateway().with_file(path).from_env_map([])
}

const OPEN: &str = "email_domains = \"*\"\ntrusted_proxy_ips = [\"127.0.0.1\"]\n";

/// What a proxy is answered that asks about `method` and `path`, for a client at 10.1.1.1.
fn status(settings: &Settings, method: &str, path: &str) -> u16 {
    let vestibule = settings.builder().unwrap().build().unwrap();
    let head = PlainHead::new("GET", "/oauth2/auth")
        .from_peer([127, 0, 0, 1].into())
        .with("x-original-url", format!("https://app.example{path}"))
        .with("x-original-method", method)
        .with("x-forwarded-for", "10.1.1.1");
    assert_eq!(head.method(), "GET");
    vestibule.grant(&head, Timestamp::from_unix(0)).map_or(401, |outcome| outcome.response.status)
}

#[test]
fn oauth2_proxy_s_options_open_what_they_open_there() {
    for (options, open, closed) in [
        ("skip_auth_routes = [\"GET=^/api/health$\"]", ("GET", "/api/health"), ("POST", "/api/health")),
        ("skip_auth_routes = [\"^/public/\"]", ("POST", "/public/x"), ("POST", "/private/public/x")),
        ("skip_auth_routes = [\"PUT!=^/admin\"]", ("PUT", "/x"), ("PUT", "/admin/x")),
        ("skip_auth_routes = [\"!=^/admin\"]", ("PUT", "/x"), ("GET", "/admin/x")),
        ("skip_auth_routes = [\"^/a{1,2}$\"]", ("GET", "/aa"), ("GET", "/aaa")),
        ("skip_auth_regex = [\"^/public\"]", ("GET", "/public"), ("GET", "/x")),
        ("skip_auth_preflight = true", ("OPTIONS", "/x"), ("GET", "/x")),
    ] {
        let settings = read(&format!("{OPEN}{options}")).unwrap_or_else(|error| panic!("{options}: {error}"));
        assert_eq!(status(&settings, open.0, open.1), 202, "{options} {open:?}");
        assert_eq!(status(&settings, closed.0, closed.1), 401, "{options} {closed:?}");
    }
    let here = read(&format!("{OPEN}trusted_ips = [\"10.1.0.0/16\"]")).unwrap();
    assert_eq!(status(&here, "GET", "/x"), 202);
    let elsewhere = read(&format!("{OPEN}trusted_ips = [\"10.2.0.0/16\"]")).unwrap();
    assert_eq!(status(&elsewhere, "GET", "/x"), 401);
}

#[test]
fn rules_of_the_file_come_first_and_in_their_order() {
    let rules = r#"
skip_auth_routes = ["^/"]
[[rule]]
access = "public"
paths = ["/exact", "/below/*", "^/number/[0-9]+$"]
methods = ["GET"]
[[rule]]
access = "nobody"
hosts = ["other.example"]
[[rule]]
hosts = ["app.example"]
groups = ["staff"]
email_domains = ["example.com"]
claims = ["department=sales", "department=press"]
"#;
    let settings = read(&format!("{OPEN}{rules}")).unwrap();
    for (method, path, expected) in [
        ("GET", "/exact", 202),
        ("GET", "/exact/x", 401),
        ("GET", "/below/x", 202),
        ("GET", "/below", 401),
        ("GET", "/number/12", 202),
        ("GET", "/number/12x", 401),
        ("POST", "/exact", 401),
    ] {
        assert_eq!(status(&settings, method, path), expected, "{method} {path}");
    }
}

#[test]
fn a_path_opens_no_more_and_closes_no_less_than_it_says() {
    let rules = r#"
[[rule]]
access = "nobody"
paths = ["/admin", "/keys/*", "/slash/"]
except_paths = ["/admin/help", "/keys/public/*"]
[[rule]]
paths = ["/staff/*", "^/desk$"]
except_paths = ["/staff/door", "/staff/hall/*"]
groups = ["staff"]
[[rule]]
access = "public"
paths = ["/admin/help", "/files/*", "/staff/*", "/keys/*", "/desk"]
except_paths = ["/files/inner", "/files/cellar/*"]
[[rule]]
access = "nobody"
paths = ["/*"]
except_paths = ["/last", "/staff", "/desk", "/administration"]
"#;
    let settings = read(&format!("{OPEN}{rules}")).unwrap();
    for (path, expected) in [
        ("/admin", 403),
        ("/admin/users", 403),
        ("/administration", 401),
        ("/admin/help", 202),
        ("/admin/help/inner", 403),
        ("/keys", 403),
        ("/keys/x", 403),
        ("/keys/public", 403),
        ("/keys/public/x", 202),
        ("/slash", 403),
        ("/slash/x", 403),
        ("/staff", 401),
        ("/staff/x", 401),
        ("/staff/door", 202),
        ("/staff/door/x", 401),
        ("/staff/hall", 401),
        ("/staff/hall/x", 202),
        ("/desk", 401),
        ("/files", 403),
        ("/files/x", 202),
        ("/files/inner", 403),
        ("/files/inner/x", 403),
        ("/files/cellar", 403),
        ("/files/cellar/x", 403),
        ("/", 403),
        ("/last", 401),
        ("/last/x", 403),
    ] {
        assert_eq!(status(&settings, "GET", path), expected, "{path}");
    }
}

#[test]
fn a_path_that_can_be_read_in_two_ways_is_a_problem() {
    for (rule, fault, remedy) in [
        (
            "paths = [\"/admin\"]",
            "`/admin` does not say whether",
            "`/admin/*` for it and all below it, or `^/admin$`",
        ),
        ("paths = [\"/admin/\"]", "`/admin/` does not say whether", "write `/admin/*`"),
        ("paths = [\"/\"]", "`/` does not say whether", "`/*` for it and all below it, or `^/$`"),
        ("access = \"public\"\npaths = [\"/a*\"]", "`/a*` has a `*`", "regular expression"),
        ("access = \"public\"\npaths = [\"/*/a/*\"]", "`/*/a/*` has a `*`", "regular expression"),
        ("access = \"nobody\"\npaths = [\"/a/**\"]", "`/a/**` has a `*`", "regular expression"),
        ("access = \"nobody\"\nexcept_paths = [\"*\"]", "`*` has a `*`", "regular expression"),
        ("paths = [\"/*.js\"]", "`/*.js` has a `*`", "regular expression"),
    ] {
        let error = read(&format!("{OPEN}[[rule]]\n{rule}")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("rule 1: ") && text.contains(fault) && text.contains(remedy), "{rule}: {text}");
        assert_eq!(error.problems.len(), 1, "{rule}: {text}");
    }
}

#[test]
fn what_is_wrong_with_a_rule_is_said_with_its_number() {
    for (rule, needle) in [
        ("access = \"everybody\"", "rule 1: `everybody` is no access"),
        ("access = \"public\"\ngroups = [\"x\"]", "rule 1: it asks something of people"),
        ("path = \"/x\"", "rule 1: `path` is no part of a rule"),
        ("claims = [\"department\"]", "rule 1: `department` says no value"),
        ("paths = [\"^/(\"]", "rule 1: "),
        ("providers = [\"nobody\"]", "rule 1: "),
    ] {
        let error = read(&format!("{OPEN}[[rule]]\n{rule}")).unwrap_err();
        assert!(error.to_string().contains(needle), "{rule}: {error}");
        assert_eq!(error.problems.len(), 1, "{rule}: {error}");
    }
    for (options, field) in [
        ("skip_auth_routes = [\"GET=/health\"]", "skip_auth_routes"),
        ("skip_auth_regex = [\"GET=^/health\"]", "skip_auth_regex"),
        ("authenticated_emails_file = \"FOLDER/emails\"", "authenticated_emails_file"),
        ("extra_jwt_issuers = [\"https://x.example=y\"]", "extra_jwt_issuers"),
        ("skip_jwt_bearer_tokens = true\nextra_jwt_issuers = [\"https://x.example\"]", "extra_jwt_issuers"),
        ("[[bearer]]\nissuer = \"https://x.example\"", "bearer"),
        ("[[bearer]]\nissuer = \"http://x.example\"\naudiences = [\"y\"]", "bearer"),
    ] {
        let error = read(&format!("{OPEN}{options}")).unwrap_err();
        let fields: Vec<_> = error.problems.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, [field], "{options}: {error}");
    }
}

#[test]
fn gw_05_what_needs_a_trusted_proxy_is_refused_without_one_with_the_line_to_add() {
    for options in [
        "skip_auth_routes = [\"^/x\"]",
        "skip_auth_preflight = true",
        "trusted_ips = [\"10.0.0.0/8\"]",
        "flavour = \"forward-auth\"",
        "[[rule]]\nhosts = [\"app.example\"]",
    ] {
        let error = read(&format!("email_domains = \"*\"\n{options}")).unwrap_err();
        let text = error.to_string();
        assert_eq!((error.problems.len(), error.problems[0].field), (1, "trusted_proxy_ips"), "{text}");
        assert!(text.contains("trusted_proxy_ips = [\"127.0.0.1\"]"), "{text}");
    }
    assert!(read("email_domains = \"*\"\n[[rule]]\ngroups = [\"staff\"]").is_ok());
}

#[test]
fn tokens_of_api_clients_let_nobody_in_who_is_not_named() {
    let github = "provider = \"github\"\noidc_issuer_url = \"\"\ngithub_org = \"company\"";
    let table = "[[bearer]]\nissuer = \"https://op.example\"\naudiences = [\"api\"]";
    let entry = "email_domains = [\"example.com\"]";
    assert!(read_with(github, "").is_ok());
    assert!(read_with(github, &format!("{entry}\n{table}")).is_ok());
    let error = read_with(github, table).unwrap_err();
    assert_eq!((error.problems.len(), error.problems[0].field), (1, "email_domains"), "{error}");
    assert!(error.to_string().contains("by a token of an API client"), "{error}");
}

#[test]
fn the_provider_s_own_tokens_are_those_of_its_issuer_however_that_is_known() {
    let tokens = "email_domains = \"*\"\nskip_jwt_bearer_tokens = true";
    for (provider, field) in [
        ("provider = \"google\"\noidc_issuer_url = \"\"", None),
        ("provider = \"gitlab\"\noidc_issuer_url = \"\"", None),
        ("provider = \"oidc\"", None),
        ("provider = \"github\"\noidc_issuer_url = \"\"", Some("skip_jwt_bearer_tokens")),
    ] {
        let field_of = |error: ConfigError| error.problems[0].field;
        assert_eq!(read_with(provider, tokens).err().map(field_of), field, "{provider}");
    }
}

#[test]
fn addresses_of_a_file_may_enter() {
    for (options, fields) in [
        ("authenticated_emails_file = \"FOLDER/emails\"", &[][..]),
        ("email_domains = [\"x.example\"]\nauthenticated_emails_file = \"FOLDER/emails\"", &[]),
        ("authenticated_emails_file = \"FOLDER/none\"", &["authenticated_emails_file"]),
        ("authenticated_emails_file = \"FOLDER/absent\"", &["authenticated_emails_file"]),
    ] {
        let found: Vec<_> = match read(options) {
            Ok(_) => Vec::new(),
            Err(error) => error.problems.iter().map(|problem| problem.field).collect(),
        };
        assert_eq!(found, fields, "{options}");
    }
}
