//! The page about options, drawn from the rows.

use std::fmt::Write as _;

use crate::{
    elsewhere::{self, THEIRS},
    row::{self, Heeded, Kind, Row},
    rows::ROWS,
};

/// `docs/oauth2-proxy-options.md`.
pub fn documentation() -> String {
    let mut page = String::from(HEAD);
    page.push_str(
        "\n## oauth2-proxy's options\n\n| flag | variables end with | here | |\n|---|---|---|---|\n",
    );
    for name in THEIRS.lines() {
        let row = ROWS.iter().find(|row| row.suffix() == name && row.oauth2_proxy.is_some());
        let (here, text) = match row {
            Some(row) => (standing(row), meaning(row)),
            None => ("refused".to_owned(), elsewhere::instead(name).unwrap_or_default().to_owned()),
        };
        line(&mut page, &row::flag(name), name, &here, &text);
    }
    page.push_str("\n## Vestibule's own\n\n| flag | variables end with | here | |\n|---|---|---|---|\n");
    for row in ROWS.iter().filter(|row| row.oauth2_proxy.is_none()) {
        line(&mut page, row.flag(), row.suffix(), &standing(row), &meaning(row));
    }
    page.push_str(TAIL);
    page
}

/// What becomes of an option that is set.
fn standing(row: &Row) -> String {
    match (row.kind, row.heeded) {
        (Kind::Always(["true", "false"]), _) => "no effect".to_owned(),
        (Kind::Always(values), _) => format!("always `{}`", values[0]),
        (_, Heeded::Everywhere) => "works".to_owned(),
        (_, Heeded::ByTheGateway) => "works in the gateway".to_owned(),
    }
}

fn meaning(row: &Row) -> String {
    match row.kind {
        Kind::Always(_) => row.meaning.to_owned(),
        Kind::Choice(choices) => {
            format!("{} One of `{}`; `{}` by default.", row.meaning, choices.join("`, `"), row.default)
        }
        _ if row.default.is_empty() => row.meaning.to_owned(),
        _ => format!("{} `{}` by default.", row.meaning, row.default),
    }
}

fn line(page: &mut String, flag: &str, name: &str, here: &str, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(page, "| `{flag}` | `{name}` | {here} | {} |", text.replace('|', "\\|"));
}

const HEAD: &str = "\
# Options

This page is drawn from the options themselves (`settings/src/rows.rs`); change it there, and run
`UPDATE_DOCS=1 cargo test -p vestibule-settings --test documentation`.

Each option can be set in three ways, here for `client_id`. The first that sets it counts:

1. a flag of the gateway's, `--client-id=x`; a list by repeating it, or with commas between;
2. a variable, `VESTIBULE_CLIENT_ID=x` or `OAUTH2_PROXY_CLIENT_ID=x`; a list with commas between;
3. a key of the file that `--config` names, `client_id = \"x\"`; a list as `[\"a\", \"b\"]`.

An option that does not exist, or whose value would not be heeded, is an error at the start that says what to use
instead. `vestibule check` names everything at once. In the tables, *works* means that applications that read settings
heed it too, and *refused* that setting it is an error.
";

const TAIL: &str = r#"
## Tables of the file

Several providers, each with the options about a provider. The redirect URL of each is the callback's and `/` and its
`id`. Sign-in then begins on a page that lets people choose.

```toml
[[provider]]
id = "corp"
kind = "oidc"
label = "The Company"
oidc_issuer_url = "https://id.example.com"
client_id = "app"
client_secret_file = "/run/secrets/corp"

[[provider]]
id = "code"
kind = "github"
client_id = "app"
client_secret_file = "/run/secrets/code"
github_org = "company"
```

Rules about who may have what. The first that fits decides; where none fits, whoever is signed in may enter. A rule never
opens more, and never closes less, than its paths say:

| in `paths` | of a public rule | for people who are signed in | for nobody |
|---|---|---|---|
| `/x/*` | what is below `/x` | `/x` and what is below | `/x` and what is below |
| `/x` | `/x` | a problem: say which of the two | `/x` and what is below |
| `^/x/[0-9]+$` | what the expression fits | the same | the same |

`except_paths` of a public rule are read as those for nobody, and all others as those of a public rule. Rules by host,
path, method or client need `trusted_proxy_ips`, since a proxy says what they are about.

```toml
[[rule]]
access = "public"          # or "signed_in", which is what is meant where it is left out, or "nobody"
methods = ["GET", "HEAD"]
paths = ["/health", "/assets/*"]

[[rule]]
hosts = ["app.example.com"]
paths = ["/admin/*"]
groups = ["admins"]        # also emails, email_domains, providers, and claims = ["department=sales"]
```

Issuers whose tokens let API clients in, beside the provider's own (`skip_jwt_bearer_tokens`).

```toml
[[bearer]]
id = "machines"
issuer = "https://id.example.com"
audiences = ["api"]
```

## Limits of the gateway

A request's head has at most 64 KiB and 128 headers (431); an answer takes at most 30 seconds (503). Each listener has at
most 4096 connections, and further ones wait until one ends: let the proxy keep its connections, and the system allow as
many open files.

## Where the two differ by design

| | oauth2-proxy | Vestibule |
|---|---|---|
| redirects | 302 | 303, so that a form is never sent on |
| who is signed in and may not enter | 401, and the session is gone: a loop | 403 with a page |
| forwarded headers | believed from everybody until `trusted-proxy-ip` is set | believed from nobody until it is set; whatever needs them is refused |
| this site's address | from `Host` and forwarded headers | from `redirect_url` alone, which must be set |
| identity headers without a value | left out, so that a client's own may pass | sent empty |
| `X-Forwarded-For` | its first entry, which the client writes | its last that is no trusted proxy |
| expressions of `skip_auth_routes` | fit anywhere in a path, as it was written | begin with `^`, and are compared with one canonical path |
| a method in `skip_auth_routes` | never known to `auth` | known from a trusted proxy |
| PKCE, nonce, `iss` | off, off, never | always |
| the state | compared after the code is redeemed | compared before anything is sent |
| sign-in in several tabs | one disturbs the other by default | each has a cookie of its own |
| secrets of 16 and 24 bytes | the same as 32 | work, with a warning |
| sessions | those of oauth2-proxy | people sign in once more after the change |
| sessions too large for a cookie | split over several | refused, with the name of what is too large |
| `sign_in` | signs out whoever opens it | leads on whoever is signed in |
| `sign_out` | by any link of any site | by a form, or by a visit from this site |
| `userinfo` | user, email, groups, preferredUsername | those and more |
| the provider is down at the start | the program ends | the program serves, and asks again |
| a new configuration | a restart | SIGHUP; one that is wrong changes nothing |
| `GET` of a health path by a monitor's user agent | answered on every path, once | exact paths only |
| passwords in an `htpasswd` file | without any limit on guesses | left out |
"#;
