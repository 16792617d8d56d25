//! GW-H: what a client says about who it is never reaches the application, in no spelling and through no proxy.

use anyhow::{Context, Result};
use vestibule_outside::{Kind, Site, lines_named};

super::behind_every_proxy! {
    gw_h01_to_h07_a_forged_identity_never_arrives
    gw_h10_a_name_with_a_space_is_no_way_in
    gw_04_what_a_client_says_about_its_request_changes_nothing
}

/// Ways to say that one is the administrator, as whole lines. Whatever a server behind the proxy might make of them,
/// `admin` must not be in what arrives under a name that could be taken for one of ours.
pub(crate) const FORGED: [(&str, &str); 13] = [
    ("h01 token", "X-Auth-Request-Access-Token: admin\r\nX_Auth_Request_Access_Token: admin\r\n"),
    ("h01", "X-Auth-Request-User: admin\r\nX-Auth-Request-Groups: admin\r\nX-Auth-Request-Email: admin\r\n"),
    ("h02 lower", "x-auth-request-user: admin\r\nx-auth-request-preferred-username: admin\r\n"),
    ("h02 upper", "X-AUTH-REQUEST-USER: admin\r\nX-AUTH-REQUEST-EMAIL: admin\r\n"),
    ("h02 mixed", "x-AuTh-ReQuEsT-uSeR: admin\r\n"),
    ("h03 all", "X_Auth_Request_User: admin\r\nx_auth_request_email: admin\r\n"),
    (
        "h03 some",
        "X-Auth_Request-User: admin\r\nX-Auth-Request_Email: admin\r\nX_Auth-Request-Groups: admin\r\n",
    ),
    ("h04", "X.Auth.Request.User: admin\r\nx.auth-request_email: admin\r\n"),
    ("h05 two", "X-Auth-Request-User: nobody\r\nX-Auth-Request-User: admin\r\n"),
    ("h05 list", "X-Auth-Request-User: nobody,admin\r\nX-Auth-Request-Email: a@example.com, admin\r\n"),
    ("h06", "Connection: close, X-Auth-Request-User\r\nX-Auth-Request-User: admin\r\n"),
    ("h06 lower", "connection: x-auth-request-user, x-auth-request-email, close\r\n"),
    ("h07", "TE: trailers\r\nTrailer: X-Auth-Request-User\r\n"),
];

/// Names that we give; what another name becomes when an application folds `_` and `.` to `-` counts too.
const OURS: [(&str, &str); 4] = [
    ("x-auth-request-user", "1001"),
    ("x-auth-request-email", "alice@example.com"),
    ("x-auth-request-preferred-username", "alice"),
    ("x-auth-request-groups", "staff,admins"),
];

async fn gw_h01_to_h07_a_forged_identity_never_arrives(kind: Kind) -> Result<()> {
    let site = Site::start(kind).await?;
    let alice = site.signed_in("alice").await?.cookie_header();
    // He has neither an address nor groups there: an empty header is no room for somebody else's.
    let dmitri = site.signed_in("dmitri").await?.cookie_header();
    let has = [("x-auth-request-user", "1004"), ("x-auth-request-preferred-username", "dmitri")];

    for (what, lines) in FORGED {
        for method in ["GET", "POST"] {
            assert_identity(&site, &request(method, &alice, lines), &OURS, what).await?;
        }
        assert_identity(&site, &request("GET", &dmitri, lines), &has, what).await?;

        let answer = site.say(&request("GET", "vestibule=none", lines)).await?;
        assert!(answer.is_none_or(|answer| [400, 401].contains(&answer.status)), "{kind:?} {what}");
        assert_eq!(site.echo.take(), Vec::<String>::new(), "{kind:?} {what}");
    }
    Ok(())
}

/// A body comes in chunks, and one more header after its end.
fn request(method: &str, cookies: &str, lines: &str) -> String {
    let close = if lines.to_ascii_lowercase().contains("connection:") { "" } else { "Connection: close\r\n" };
    let body = if method == "POST" {
        "Transfer-Encoding: chunked\r\n\r\n4\r\nnote\r\n0\r\nX-Auth-Request-User: admin\r\n\r\n"
    } else {
        "\r\n"
    };
    format!("{method} /page HTTP/1.1\r\nHost: {{host}}\r\nCookie: {cookies}\r\n{lines}{close}{body}")
}

/// The application has got exactly these identity headers with something in them, once each.
async fn assert_identity(site: &Site, request: &str, wanted: &[(&str, &str)], what: &str) -> Result<()> {
    let answer = site.say(request).await?.with_context(|| format!("{what}: no answer"))?;
    assert_eq!(answer.status, 200, "{what}: {}", answer.head);
    let [came] = &site.echo.take()[..] else { anyhow::bail!("{what}: one request was sent") };
    for (name, value) in OURS.map(|(name, _)| (name, wanted.iter().find(|own| own.0 == name))) {
        let values: Vec<&str> = lines_named(came, name).filter(|value| !value.is_empty()).collect();
        assert_eq!(values, value.map(|own| own.1).as_slice(), "{what}: {name} in\n{came}");
    }
    let head = came.split("\r\n\r\n").next().unwrap_or_default();
    let doubtful: Vec<&str> = head.lines().filter(|line| is_doubtful(line)).collect();
    assert!(doubtful.is_empty(), "{what}: {doubtful:?} in\n{came}");
    Ok(())
}

/// Whether a line is no header of ours, but one that an application might take for it.
pub(crate) fn is_doubtful(line: &str) -> bool {
    let Some((name, value)) = line.split_once(':') else { return false };
    let folded = name.trim().to_ascii_lowercase().replace(['_', '.'], "-");
    let is_ours = OURS.iter().any(|(own, _)| name.eq_ignore_ascii_case(own));
    folded.starts_with("x-auth-request") && !is_ours && !value.trim().is_empty()
}

/// Servers differ about a space before the colon, and about lines that go on with what the one before says. What counts
/// is that none makes a header of ours of it.
async fn gw_h10_a_name_with_a_space_is_no_way_in(kind: Kind) -> Result<()> {
    let site = Site::start(kind).await?;
    let alice = site.signed_in("alice").await?.cookie_header();
    for lines in [
        "X-Auth-Request-User : admin\r\n",
        "X-Auth-Request-User\t: admin\r\n",
        " X-Auth-Request-User: admin\r\n",
    ] {
        let answer = site.say(&request("GET", &alice, lines)).await?;
        let came = site.echo.take();
        match answer {
            Some(answer) if answer.status == 200 => {
                let users: Vec<&str> = came.iter().flat_map(|came| lines_named(came, OURS[0].0)).collect();
                assert_eq!(users, ["1001"], "{kind:?} {lines:?}: {came:?}");
                assert!(!came.iter().flat_map(|came| came.lines()).any(is_doubtful), "{lines:?}: {came:?}");
            }
            refused => assert!(came.is_empty(), "{kind:?} {lines:?}: {refused:?} and yet {came:?}"),
        }
    }
    Ok(())
}

/// What a client may say that a proxy alone has to say: another page, another site, another method.
const ELSEWHERE: [&str; 8] = [
    "X-Auth-Request-Redirect: /elsewhere\r\n",
    "X-Forwarded-Uri: /elsewhere\r\nX-Forwarded-Method: OPTIONS\r\n",
    "X-Forwarded-Host: elsewhere.example\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 1\r\n",
    "X-Original-URL: https://elsewhere.example/elsewhere\r\nX-Original-Method: OPTIONS\r\n",
    "X-Original-URI: /elsewhere\r\nX-Rewrite-URL: /elsewhere\r\nX-HTTP-Method-Override: OPTIONS\r\n",
    "Forwarded: for=127.0.0.1;host=elsewhere.example;proto=https\r\n",
    "X-Forwarded-For: 127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\n",
    "X_Forwarded_Uri: /elsewhere\r\nX.Forwarded.Host: elsewhere.example\r\n",
];

async fn gw_04_what_a_client_says_about_its_request_changes_nothing(kind: Kind) -> Result<()> {
    let site = Site::start(kind).await?;
    let visit = async |lines: &str| {
        let request = format!(
            "GET /page?a=b HTTP/1.1\r\nHost: {{host}}\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\n\
             Sec-Fetch-Dest: document\r\n{lines}Connection: close\r\n\r\n"
        );
        let answer = site.say(&request).await?.context("an answer")?;
        Ok::<_, anyhow::Error>((answer.status, answer.header("location").unwrap_or_default().to_owned()))
    };
    let usual = visit("").await?;
    assert_eq!(usual, (303, site.at("/oauth2/sign_in?rd=%2Fpage%3Fa%3Db")));
    for lines in ELSEWHERE {
        assert_eq!(visit(lines).await?, usual, "{kind:?}: {lines}");
    }
    assert_eq!(site.echo.take(), Vec::<String>::new());
    Ok(())
}
