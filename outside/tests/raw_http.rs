//! Requests that no browser and no HTTP client sends, by hand, to the program itself: what a proxy with bad manners, or
//! somebody beside the proxy, could put on the wire. On each framework and the gateway, for each reads HTTP by itself.

use anyhow::{Context, Result};
use vestibule_dev_provider::Endpoint;
use vestibule_outside::{Framework, Idp, Reply, Seed1, Visitor, Wire};

const AUTH: &str = "/app/oauth2/auth";

macro_rules! told {
    ($($test:ident $framework:ident: $($story:ident)*;)*) => {
        $(mod $test {
            use super::{Framework, Result};

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() -> Result<()> {
                super::$story(Framework::$framework).await
            })*
        })*
    };
}

told! {
    axum Axum:
        gw_03_auth_answers_without_the_body_that_was_announced
        gw_16_what_could_be_read_as_two_requests_is_refused_or_is_the_last_one
        gw_02_odd_requests_let_nobody_through_and_lead_nobody_elsewhere
        gw_02_no_header_that_is_odd_or_missing_lets_anybody_through
        nd_16_a_form_of_ten_megabytes_is_refused_and_not_kept
        se_26_head_and_prefetch_begin_nothing_and_end_nothing
        lk_03_no_page_and_no_problem_repeats_what_was_sent;
    actix Actix:
        gw_03_auth_answers_without_the_body_that_was_announced
        gw_16_what_could_be_read_as_two_requests_is_refused_or_is_the_last_one
        gw_02_odd_requests_let_nobody_through_and_lead_nobody_elsewhere
        gw_02_no_header_that_is_odd_or_missing_lets_anybody_through
        nd_16_a_form_of_ten_megabytes_is_refused_and_not_kept
        se_26_head_and_prefetch_begin_nothing_and_end_nothing
        lk_03_no_page_and_no_problem_repeats_what_was_sent;
    gateway Gateway:
        gw_03_auth_answers_without_the_body_that_was_announced
        gw_16_what_could_be_read_as_two_requests_is_refused_or_is_the_last_one
        gw_02_odd_requests_let_nobody_through_and_lead_nobody_elsewhere
        gw_02_no_header_that_is_odd_or_missing_lets_anybody_through
        nd_16_a_form_of_ten_megabytes_is_refused_and_not_kept
        se_26_head_and_prefetch_begin_nothing_and_end_nothing
        lk_03_no_page_and_no_problem_repeats_what_was_sent;
}

/// The first system with somebody signed in, whose cookies are given.
async fn system(framework: Framework) -> Result<(Seed1, String)> {
    let system = Seed1::start_on(framework, Idp::dev).await?;
    system.dev()?.sign_in_as(Some("alice"));
    let mut alice = Visitor::new(&system.origin)?;
    assert_eq!(alice.follow(&system.at("/")).await?.status, 200);
    Ok((system, format!("Cookie: {}\r\n", alice.cookie_header())))
}

/// A request with a host, these further header lines, and these bytes after the head.
fn request(line: &str, headers: &str, body: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}")
}

/// The first answer to these bytes, and whether the connection ended after it without another.
async fn ask(port: u16, bytes: impl AsRef<[u8]>) -> Result<Option<(Reply, bool)>> {
    let mut wire = Wire::to(port).await?;
    wire.say(bytes).await;
    let Some(mut reply) = wire.reply().await? else { return Ok(None) };
    while reply.status == 100 {
        reply = wire.reply().await?.context("more than that is said to who waits for leave to go on")?;
    }
    // Whoever keeps the connection answers this; whoever has closed it does not.
    wire.say("GET /app/api/no_auth HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    let closed = wire.rest().await?.is_empty();
    Ok(Some((reply, closed)))
}

async fn is_alive(system: &Seed1) -> Result<()> {
    let answer = ask(system.app.port(), request(&format!("GET {AUTH}"), "", "")).await?;
    assert_eq!(answer.context("the application has died")?.0.status, 401);
    Ok(())
}

async fn gw_03_auth_answers_without_the_body_that_was_announced(framework: Framework) -> Result<()> {
    let (system, cookie) = system(framework).await?;
    for (who, expected) in [("", 401), (cookie.as_str(), 202)] {
        for (announced, sent) in [
            ("Content-Length: 1000000\r\n", ""),
            ("Content-Length: 1000000\r\n", "only the beginning"),
            ("Transfer-Encoding: chunked\r\n", "5\r\nhel"),
            ("Content-Length: 1000000\r\nExpect: 100-continue\r\n", ""),
        ] {
            let headers = format!("{who}{announced}");
            let answer = ask(system.app.port(), request(&format!("POST {AUTH}"), &headers, sent)).await?;
            let (reply, closed) = answer.with_context(|| format!("no answer to {announced:?}"))?;
            assert_eq!(reply.status, expected, "{announced:?}");
            assert!(closed, "{announced:?}: what follows is a body, and must not be read as a request");
        }
    }

    // The same by way of nginx, which asks `auth` with the form's own Content-Length.
    let answer = request("POST /", "Content-Length: 1000000\r\nConnection: close\r\n", "");
    let mut wire = Wire::to(system.nginx.port()).await?;
    wire.say(answer).await;
    assert_eq!(wire.reply().await?.context("nginx answers")?.status, 302);
    is_alive(&system).await
}

async fn gw_16_what_could_be_read_as_two_requests_is_refused_or_is_the_last_one(
    framework: Framework,
) -> Result<()> {
    let (system, cookie) = system(framework).await?;
    let smuggled = "0\r\n\r\nGET /app/api/userinfo HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (headers, body) in [
        ("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"),
        ("Content-Length: 5, 5\r\n", "hello"),
        ("Content-Length: +5\r\n", "hello"),
        ("Content-Length: 5 \r\nContent-Length: 0x5\r\n", "hello"),
        ("Transfer-Encoding: \u{b}chunked\r\n", smuggled),
        ("Transfer-Encoding: xchunked\r\n", smuggled),
        ("Transfer-Encoding: chunked, identity\r\n", smuggled),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", smuggled),
        ("Transfer-Encoding : chunked\r\n", smuggled),
        ("Transfer-Encoding\t: chunked\r\n", smuggled),
        ("Transfer-Encoding:\r\n chunked\r\n", smuggled),
        ("X-Anything: a\r\n folded\r\n", ""),
        ("X-Anything: a\rb\r\n", ""),
        ("X-Anything: a\0b\r\n", ""),
        ("X-Auth-Request-User : admin\r\n", ""),
    ] {
        // Whoever is signed in could be given a 202; that must not happen to such a request.
        let headers = format!("{cookie}{headers}");
        let answer = ask(system.app.port(), request(&format!("POST {AUTH}"), &headers, body)).await?;
        if let Some((reply, closed)) = answer {
            assert_eq!(reply.status, 400, "{headers:?}");
            assert!(closed, "{headers:?}");
        }
    }

    // RFC 9112 §6.3 lets a server go by the encoding, if the connection ends there: no later request can be smuggled.
    for headers in [
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    ] {
        for (who, expected) in [("", 401), (cookie.as_str(), 202)] {
            let headers = format!("{who}{headers}");
            let answer = ask(system.app.port(), request(&format!("POST {AUTH}"), &headers, smuggled)).await?;
            let (reply, closed) = answer.with_context(|| format!("no answer to {headers:?}"))?;
            assert!(reply.status == expected || reply.status == 400, "{headers:?}: {}", reply.status);
            assert!(closed, "{headers:?}");
        }
    }
    is_alive(&system).await
}

async fn gw_02_odd_requests_let_nobody_through_and_lead_nobody_elsewhere(framework: Framework) -> Result<()> {
    let (system, cookie) = system(framework).await?;
    let long = format!("GET {AUTH}/{}", "a".repeat(64 * 1024));
    let rather_long = format!("GET {AUTH}?rd=/{}", "a".repeat(64_000));
    for line in [
        "GET http://evil.example/app/oauth2/auth",
        "GET http://evil.example/app/oauth2/sign_in",
        "GET http://evil.example:4180/",
        "GET evil.example:443",
        "CONNECT evil.example:443",
        "CONNECT /app/oauth2/auth",
        "OPTIONS *",
        "get /app/oauth2/auth",
        "FOO /app/oauth2/auth",
        "G(T /app/oauth2/auth",
        "GET /app/oauth2/auth extra",
        "GET\t/app/oauth2/auth\t",
        "GET //evil.example/app/oauth2/sign_in",
        "GET /\\evil.example/app/oauth2/sign_in",
        "GET /app/oauth2/%61uth",
        "GET /app/oauth2/auth%",
        "GET /app/oauth2/../api/userinfo",
        "GET /app/oauth2/äuth",
        "GET app/oauth2/auth",
        "GET",
        "",
        &long,
        &rather_long,
    ] {
        let short = &line[..line.len().min(60)];
        for accept in ["Accept: text/html\r\n", "Accept: */*\r\n"] {
            let answer = ask(system.app.port(), request(line, accept, "")).await?;
            if let Some((reply, _)) = answer {
                assert!(!(200..300).contains(&reply.status), "{short}: {}", reply.head);
                leads_nowhere_else(&system, &reply, short)?;
            }
        }
        let answer =
            ask(system.app.port(), request(line, &format!("{cookie}Accept: text/html\r\n"), "")).await?;
        if let Some((reply, _)) = answer {
            leads_nowhere_else(&system, &reply, short)?;
            assert!(!line.starts_with("CONNECT evil") || reply.status >= 400, "no tunnel: {}", reply.head);
        }
    }
    is_alive(&system).await
}

/// Whatever was asked for in whatever form, the only places to be sent to are ours and the provider.
fn leads_nowhere_else(system: &Seed1, reply: &Reply, line: &str) -> Result<()> {
    let provider = system.dev()?.issuer();
    if let Some(location) = reply.header("location") {
        let ours = format!("{}/", system.origin);
        assert!(location.starts_with(&ours) || location.starts_with(provider), "{line} leads to {location}");
        let goes_on = location.replace("%2F", "/").replace("%3A", ":");
        assert!(!goes_on.contains("evil.example"), "{line} leads by way of {location}");
    }
    Ok(())
}

async fn gw_02_no_header_that_is_odd_or_missing_lets_anybody_through(framework: Framework) -> Result<()> {
    let (system, cookie) = system(framework).await?;
    let value = cookie.split("vestibule=").nth(1).and_then(|rest| rest.split([';', '\r']).next());
    let value = value.context("alice has a session")?;
    let long = format!("Host: localhost\r\nX-Anything: {}\r\n", "a".repeat(1_000_000));
    let many = format!("Host: localhost\r\n{}", "X-Anything: a\r\n".repeat(1_000));
    for headers in [
        "",
        "Host:\r\n",
        "Host: localhost\r\nHost: evil.example\r\n",
        "Host: a@b:c:d\r\n",
        "Host: localhost\r\nCookie: vestibule\r\n",
        "Host: localhost\r\nCookie: vestibule=\r\n",
        "Host: localhost\r\nAuthorization: Bearer x\r\nX-Forwarded-User: admin\r\n",
        &format!("Host: localhost\r\nCookie: vestibule=\"{value}\"\r\n"),
        &format!("Host: localhost\r\nCookie: vestibule={value}; vestibule={value}\r\n"),
        &format!("Host: localhost\r\nCookie: vestibule={value}A\r\n"),
        &format!("Host: localhost\r\nCookie: vestibule={}\r\n", &value[..value.len() - 1]),
        &format!("Host: localhost\r\nCookie: Vestibule={value}\r\n"),
        &format!("Host: localhost\r\nCookie: vestibule_to={value}\r\n"),
        &long,
        &many,
    ] {
        let answer = ask(system.app.port(), format!("GET {AUTH} HTTP/1.1\r\n{headers}\r\n")).await?;
        if let Some((reply, _)) = answer {
            let short = &headers[..headers.len().min(80)];
            assert!((400..500).contains(&reply.status), "{short}: {}", reply.head);
        }
    }
    is_alive(&system).await
}

async fn nd_16_a_form_of_ten_megabytes_is_refused_and_not_kept(framework: Framework) -> Result<()> {
    const MEGABYTE: usize = 1024 * 1024;
    let (system, _) = system(framework).await?;
    let before = system.app.memory_peak()?;
    let form = "Accept: text/html\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let measured = format!("{form}Content-Length: {}\r\n", 10 * MEGABYTE);
    let chunked = format!("{form}Transfer-Encoding: chunked\r\n");
    let body = "a".repeat(10 * MEGABYTE);
    let posts: Vec<_> = (0..8)
        .map(|number| {
            let line = "POST /app/oauth2/callback";
            let is_measured = number % 2 == 0;
            let bytes = if is_measured {
                request(line, &measured, &body)
            } else {
                request(line, &chunked, &format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()))
            };
            (is_measured, tokio::spawn(ask(system.app.port(), bytes)))
        })
        .collect();
    for (is_measured, post) in posts {
        let (reply, closed) = post.await??.context("it is answered")?;
        // Actix reads on through chunks that nobody wants, keeps none of them, and finds the next request after them.
        let closes = is_measured || framework != Framework::Actix;
        assert_eq!((reply.status, closed), (413, closes), "{}", reply.head);
        assert!(reply.text().contains("request_too_large"));
    }
    let grown = system.app.memory_peak()? - before;
    assert!(grown < 10 * 1024, "eight forms of ten megabytes took {grown} KB");
    assert_eq!(system.dev()?.requests_to(Endpoint::Token).len(), 1, "only alice's own");
    is_alive(&system).await
}

async fn se_26_head_and_prefetch_begin_nothing_and_end_nothing(framework: Framework) -> Result<()> {
    let (system, cookie) = system(framework).await?;
    let provider = system.dev()?;
    let asked = provider.requests().len();
    // A page that is loaded ahead of time gets no answer that a browser could show later.
    for (method, more, expected) in [
        ("HEAD", "", 200),
        ("GET", "Sec-Purpose: prefetch\r\n", 503),
        ("GET", "Sec-Purpose: prefetch;prerender\r\n", 503),
        ("GET", "Purpose: prefetch\r\n", 503),
    ] {
        for path in ["sign_in", "start", "start/oidc", "callback?code=a&state=b", "sign_out"] {
            let headers = format!(
                "{cookie}Accept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\
                 Sec-Fetch-Site: same-origin\r\n{more}Connection: close\r\n"
            );
            let mut wire = Wire::to(system.app.port()).await?;
            wire.say(request(&format!("{method} /app/oauth2/{path}"), &headers, "")).await;
            let reply = wire.reply_to(method).await?.context("it is answered")?;
            assert_eq!(reply.status, expected, "{method} {path}");
            assert_eq!(reply.header("set-cookie"), None, "{method} {path}");
            assert_eq!(reply.header("location"), None, "{method} {path}");
            assert!(reply.body.is_empty() && wire.rest().await?.is_empty(), "{method} {path}");
        }
    }
    assert_eq!(provider.requests().len(), asked, "the provider has heard nothing");
    let answer = ask(system.app.port(), request(&format!("GET {AUTH}"), &cookie, "")).await?;
    assert_eq!(answer.context("it is answered")?.0.status, 202, "and the session lives");
    Ok(())
}

async fn lk_03_no_page_and_no_problem_repeats_what_was_sent(framework: Framework) -> Result<()> {
    let (system, cookie) = system(framework).await?;
    let session = cookie.trim().trim_start_matches("Cookie: ");
    let mut bodies = 0;
    for path in [
        "auth?q=canary",
        "userinfo?q=canary",
        "callback?code=canary&state=canary&iss=canary",
        "callback?error=canary&error_description=%3Cscript%3Ecanary&state=canary",
        "start/canary",
        "sign_out/canary",
        "sign_out?rd=//canary.example",
        "sign_in?rd=https://canary.example/&switch=canary",
        "canary",
    ] {
        for accept in ["text/html", "application/json"] {
            for who in ["", cookie.as_str()] {
                let headers = format!(
                    "{who}Accept: {accept}\r\nReferer: http://canary.example/\r\nX-Forwarded-Host: canary.example\r\n\
                     X-Auth-Request-Redirect: http://canary.example/\r\nAuthorization: Bearer canary\r\n\
                     User-Agent: canary\r\nX-Forwarded-User: canary\r\n"
                );
                for method in ["GET", "POST", "PUT"] {
                    let line = format!("{method} /app/oauth2/{path}");
                    let answer = ask(system.app.port(), request(&line, &headers, "")).await?;
                    let (reply, _) = answer.context("it is answered")?;
                    let text = format!("{}{}", reply.head, reply.text());
                    assert!(!text.contains("canary"), "{line} {accept}: {text}");
                    let set = |pair: &str| pair.len() > 30 && text.contains(pair);
                    assert!(!session.split("; ").any(set), "{line} gives the session away: {text}");
                    bodies += usize::from(!reply.body.is_empty());
                }
            }
        }
    }
    assert!(40 < bodies, "only {bodies} answers had something to read");
    Ok(())
}
