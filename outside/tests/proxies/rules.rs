//! Rules by path, method and host, through every proxy: who may have what, and the ways around that do not work.

use std::net::IpAddr;

use anyhow::{Context, Result};
use vestibule_outside::{Kind, Site, Visitor, lines_named};

use super::forged::{FORGED, is_doubtful};

super::behind_every_proxy! {
    a_rule_lets_its_group_in_and_tells_others_no
    gw_h12_a_public_page_gets_no_identity_from_a_client
    pc_no_spelling_opens_what_is_closed
    gw_18_a_rule_for_a_host_holds_in_every_spelling
    gw_06_a_client_is_where_it_comes_from
}

/// Signed in and not allowed is a 403: a proxy that took it for a 401 would go round in circles.
async fn a_rule_lets_its_group_in_and_tells_others_no(kind: Kind) -> Result<()> {
    let site = Site::start(kind).await?;
    let mut nobody = Visitor::new(&site.origin)?;
    assert_eq!(nobody.fetch(&site.at("/admin/users")).await?.status(), 401);
    assert_eq!(nobody.navigate(&site.at("/admin")).await?.status(), 303);

    let mut bob = site.signed_in("bob").await?;
    for path in ["/admin", "/admin/", "/admin/users?all"] {
        for answer in [bob.navigate(&site.at(path)).await?, bob.fetch(&site.at(path)).await?] {
            assert_eq!(answer.status(), 403, "{path}");
            assert!(!answer.headers().contains_key("location"), "{path}: {:?}", answer.headers());
        }
    }
    assert_eq!(site.echo.take(), Vec::<String>::new());
    assert_eq!(bob.fetch(&site.at("/administration")).await?.status(), 200);

    let mut alice = site.signed_in("alice").await?;
    assert_eq!(alice.fetch(&site.at("/admin/users?all")).await?.status(), 200);
    Ok(())
}

/// What is public is so with a session and without, and never says that somebody is here who is not.
async fn gw_h12_a_public_page_gets_no_identity_from_a_client(kind: Kind) -> Result<()> {
    let site = Site::start(kind).await?;
    for (what, lines) in FORGED {
        let close =
            if lines.to_ascii_lowercase().contains("connection:") { "" } else { "Connection: close\r\n" };
        let request = format!("GET /public/page HTTP/1.1\r\nHost: {{host}}\r\n{lines}{close}\r\n");
        let answer = site.say(&request).await?.with_context(|| format!("{what}: no answer"))?;
        assert_eq!(answer.status, 200, "{what}: {}", answer.head);
        let [came] = &site.echo.take()[..] else { anyhow::bail!("{what}: one request was sent") };
        for name in ["user", "email", "preferred-username", "groups"] {
            let name = format!("x-auth-request-{name}");
            assert!(lines_named(came, &name).all(str::is_empty), "{what}: {name} in\n{came}");
        }
        assert!(!came.lines().any(is_doubtful), "{what}:\n{came}");
    }

    let mut alice = site.signed_in("alice").await?;
    assert!(alice.fetch(&site.at("/public/page")).await?.text().await?.contains("alice@example.com"));
    Ok(())
}

/// What everybody may have beside `/public/`, and what a path must be taken for if a spelling is to open a way.
const OPEN: &str = "^/assets/,GET=^/ro$,^/[a-z]+\\.css$";

/// Ways that have led around rules like these, in one product or another.
const AROUND: [&str; 42] = [
    "GET /public/../admin",
    "GET /public/%2e%2e/admin",
    "GET /public/%2E%2E/admin",
    "GET /public/%2e%2e%2fadmin",
    "GET /public/..%2fadmin",
    "GET /public/..%5cadmin",
    "GET /public/..\\admin",
    "GET /public/..;/admin",
    "GET /public/.%2e/admin",
    "GET /public/%252e%252e/admin",
    "GET /public/%252e%252e%252fadmin",
    "GET /public%2f..%2fadmin",
    "GET /public/../../admin",
    "GET /public/..",
    "GET //admin",
    "GET /./admin",
    "GET /%2fadmin",
    "GET /%61dmin",
    "GET /admin?x=/public/",
    "GET /admin?/assets/",
    "GET /admin#/public/",
    "GET /admin%23/public/",
    "GET /admin%3f/public/",
    "GET /admin;x=/public/",
    "GET /admin/%0a/public/",
    "GET /PUBLIC/../admin",
    "GET /PUBLIC/page",
    "GET /publicity",
    "GET /public",
    "GET /public/%00/../admin",
    "GET /public/%00",
    "GET /public/%c0%ae%c0%ae/admin",
    "GET /public/%u002e%u002e/admin",
    "GET http://{host}/public/../admin",
    "GET http://elsewhere.example/admin",
    "GET /admin/.css",
    "GET /admin/x.css",
    "GET /%0aassets/",
    "GET /x/assets/",
    "get /ro",
    "POST /ro",
    "DELETE /public/page",
];

/// What a client may add to a request for `/admin`.
const BESIDE: [&str; 6] = [
    "X-Forwarded-Uri: /public/page\r\n",
    "X-Forwarded-Uri: /public/page\r\nX-Forwarded-Uri: /public/other\r\n",
    "X-Original-URL: http://{host}/public/page\r\nX-Original-Method: GET\r\n",
    "X-Original-URI: /public/page\r\nX-Rewrite-URL: /public/page\r\n",
    "X-HTTP-Method-Override: GET\r\nX-Forwarded-Method: GET\r\n",
    "Forwarded: path=/public/page\r\n",
];

async fn pc_no_spelling_opens_what_is_closed(kind: Kind) -> Result<()> {
    let site = Site::start_with(kind, |gateway| gateway.option("SKIP_AUTH_ROUTES", OPEN)).await?;
    // The rules do open something, or else nothing below would show anything.
    for open in [
        "GET /public/page",
        "HEAD /public/a/b",
        "GET /public/a?b=../c",
        "POST /assets/x",
        "GET /ro",
        "GET /x.css",
    ] {
        let answer = site.say(&request(open, "")).await?.with_context(|| format!("no answer to {open}"))?;
        assert_eq!(answer.status, 200, "{open}: {}", answer.head);
    }
    site.echo.take();

    let long = format!("GET /public/{}/../../admin", "a".repeat(64 * 1024));
    let around = AROUND.iter().map(|line| request(line, "")).chain([request(&long, "")]);
    let beside = BESIDE.iter().map(|lines| request("GET /admin", lines));
    let by_post = BESIDE.iter().map(|lines| request("POST /ro", lines));
    // He may have what no rule is about, and nothing that could be taken for what is not his.
    let bob = format!("Cookie: {}\r\n", site.signed_in("bob").await?.cookie_header());
    let by_bob = AROUND.iter().filter(|line| line.contains("dmin")).map(|line| request(line, &bob));
    for request in around.chain(beside).chain(by_post).chain(by_bob) {
        let answer = site.say(&request).await?;
        let shown: String = request.chars().take(200).collect();
        assert!(answer.is_none_or(|answer| 300 <= answer.status), "{kind:?} let through {shown}");
        assert_eq!(site.echo.take(), Vec::<String>::new(), "{kind:?} let through {shown}");
    }
    Ok(())
}

fn request(line: &str, headers: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: {{host}}\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n")
}

/// One host is open to everybody, and another to nobody, whoever asks.
async fn gw_18_a_rule_for_a_host_holds_in_every_spelling(kind: Kind) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("vestibule.toml");
    let rules = "[[rule]]\naccess = \"nobody\"\nhosts = [\"closed.localhost\"]\n\
                 [[rule]]\naccess = \"public\"\nhosts = [\"open.localhost\"]\n";
    let text = std::fs::read_to_string(kind.settings())?.replacen("[[rule]]", &format!("{rules}[[rule]]"), 1);
    std::fs::write(&file, text)?;
    let site = Site::start_with(kind, |gateway| gateway.config(&file)).await?;
    let cookies = site.signed_in("alice").await?.cookie_header();
    let ask = async |host: &str, cookies: &str| {
        let request =
            format!("GET / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\nConnection: close\r\n\r\n");
        Ok::<_, anyhow::Error>(site.say(&request).await?.map_or(0, |answer| answer.status))
    };
    for open in ["open.localhost", "OPEN.localhost", "open.localhost.", "open.localhost:80"] {
        let status = ask(open, "a=b").await?;
        // Another spelling may be refused, and is never another host.
        assert!(status == 200 || (open != "open.localhost" && 400 <= status), "{open}: {status}");
    }
    for closed in ["closed.localhost", "CLOSED.localhost", "closed.localhost.", "closed.localhost:80"] {
        site.echo.take();
        let status = ask(closed, &cookies).await?;
        assert!([0, 400, 403, 404].contains(&status), "{closed}: {status}");
        assert_eq!(site.echo.take(), Vec::<String>::new(), "{closed}");
    }
    for other in [
        "xopen.localhost",
        "open.localhost.elsewhere.example",
        "open.localhost@elsewhere.example",
        "elsewhere.example",
    ] {
        site.echo.take();
        let status = ask(other, "a=b").await?;
        // What no host can be called may be any host, so that it meets the rule that closes.
        assert!([0, 400, 401, 403].contains(&status), "{other}: {status}");
        assert_eq!(site.echo.take(), Vec::<String>::new(), "{other}");
    }
    Ok(())
}

/// Addresses of one machine, as others see them: whose clients need no session, and others'.
const INSIDE: &str = "127.0.0.2";
const OUTSIDE: &str = "127.0.0.3";

/// Some proxies add to what a client says about its own address, and others replace it.
async fn gw_06_a_client_is_where_it_comes_from(kind: Kind) -> Result<()> {
    let site = Site::start_with(kind, |gateway| gateway.option("TRUSTED_IPS", INSIDE)).await?;
    let address = site.at("/page").replace("localhost", "127.0.0.1");
    let ask = async |from: &str, lines: &[(&'static str, &str)]| {
        let client = reqwest::Client::builder().local_address(from.parse::<IpAddr>()?).no_proxy().build()?;
        let request =
            lines.iter().fold(client.get(&address), |request, (name, value)| request.header(*name, *value));
        Ok::<_, anyhow::Error>(request.send().await?.status().as_u16())
    };
    assert_eq!(ask(INSIDE, &[]).await?, 200);
    assert_eq!(ask(OUTSIDE, &[]).await?, 401);
    let list = format!("{INSIDE}, 127.0.0.1");
    for (name, value) in [
        ("x-forwarded-for", INSIDE),
        ("x-forwarded-for", &list),
        ("x-real-ip", INSIDE),
        ("x-client-ip", INSIDE),
        ("x-envoy-external-address", INSIDE),
        ("true-client-ip", INSIDE),
        ("forwarded", "for=127.0.0.2"),
    ] {
        assert_eq!(ask(OUTSIDE, &[(name, value)]).await?, 401, "{kind:?} believes {name}: {value}");
    }
    Ok(())
}
