//! The ways through a proxy: a page, a script, a WebSocket, a body; with a session, without, and when nobody answers.

use anyhow::{Context, Result};
use reqwest::header::SET_COOKIE;
use vestibule_dev_provider::Person;
use vestibule_outside::{Browser, Kind, Site, Visitor, lines_named, location};

/// Whatever needs percent-encoding or looks like another address must come back as it went.
const DEEP: &str = "/reports/2026/spring?year=2026&q=a%26b%20c&next=https%3A%2F%2Felsewhere.example%2F";

super::behind_every_proxy! {
    a_person_signs_in_and_is_back_at_the_page_asked_for
    nobody_gets_through_without_a_session
    a_script_gets_401_and_no_page
    gw_10_a_web_socket_opens_with_a_session_only
    a_body_arrives_with_a_session_and_stays_away_without
    nothing_gets_through_while_nobody_can_be_asked
    a_session_as_large_as_they_come_passes
}

async fn a_person_signs_in_and_is_back_at_the_page_asked_for(kind: Kind) -> Result<()> {
    let site = Site::start(kind).await?;
    let browser = Browser::start().await?;
    browser.goto(&site.at(DEEP)).await?;
    site.idp.wait_for_page(&browser).await?;
    site.idp.answer(&browser, &site.origin).await?;
    browser.wait_for_url(&site.at(DEEP)).await?;
    browser.wait_for_text(": alice@example.com").await?;
    browser.wait_for_text(": staff,admins").await?;

    browser.goto(&site.at("/oauth2/sign_out")).await?;
    browser.goto(&site.at("/again")).await?;
    site.idp.wait_for_page(&browser).await
}

/// An answer of `auth` that a proxy hands on has at most one cookie, and leads to this site only.
async fn nobody_gets_through_without_a_session(kind: Kind) -> Result<()> {
    let site = Site::start(kind).await?;
    for path in ["/", DEEP, "/oauth2", "/oauth2x/", "/OAUTH2/auth"] {
        let mut visitor = Visitor::new(&site.origin)?;
        let answer = visitor.navigate(&site.at(path)).await?;
        let status = answer.status().as_u16();
        assert!([301, 303, 401, 404].contains(&status), "{path}: {status}");
        assert!(answer.headers().get_all(SET_COOKIE).iter().count() <= 1, "{path}: {:?}", answer.headers());
        if answer.status().is_redirection() {
            let to = location(&answer)?;
            assert!(to.starts_with(&site.at("/oauth2/")), "{path} leads to {to}");
        }
    }
    assert_eq!(site.echo.take(), Vec::<String>::new());
    Ok(())
}

async fn a_script_gets_401_and_no_page(kind: Kind) -> Result<()> {
    let site = Site::start(kind).await?;
    let mut visitor = Visitor::new(&site.origin)?;
    let answer = visitor.fetch(&site.at("/api/data")).await?;
    assert_eq!(answer.status(), 401);
    assert!(!answer.headers().contains_key("location") && !answer.headers().contains_key(SET_COOKIE));
    if kind != Kind::Nginx {
        // nginx never looks at the body of what it asks.
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    let plain = site.say("GET /api/data HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").await?;
    assert_eq!(plain.context("an answer")?.status, 401);
    assert_eq!(site.echo.take(), Vec::<String>::new());

    let mut alice = site.signed_in("alice").await?;
    assert_eq!(alice.fetch(&site.at("/api/data")).await?.status(), 200);
    Ok(())
}

async fn gw_10_a_web_socket_opens_with_a_session_only(kind: Kind) -> Result<()> {
    let site = Site::start(kind).await?;
    let cookies = site.signed_in("alice").await?.cookie_header();
    let ask = async |cookies: &str| {
        site.say(&format!(
            "GET /socket HTTP/1.1\r\nHost: {{host}}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2l4dGVlbiBieXRlcyBvaw==\r\n\
             Sec-Fetch-Mode: websocket\r\nSec-Fetch-Dest: empty\r\n{cookies}\r\n"
        ))
        .await
    };
    assert_eq!(ask("").await?.context("an answer")?.status, 401);
    assert_eq!(ask("Cookie: vestibule=forged\r\n").await?.context("an answer")?.status, 401);
    assert_eq!(site.echo.take(), Vec::<String>::new());
    assert_eq!(ask(&format!("Cookie: {cookies}\r\n")).await?.context("an answer")?.status, 101);
    Ok(())
}

/// The question is asked without the body, and what is asked about goes on with it.
async fn a_body_arrives_with_a_session_and_stays_away_without(kind: Kind) -> Result<()> {
    let site = Site::start(kind).await?;
    let cookies = site.signed_in("alice").await?.cookie_header();
    let post = async |cookies: &str| {
        site.say(&format!(
            "POST /notes HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\nContent-Type: text/plain\r\n\
             {cookies}Content-Length: 11\r\n\r\na long note"
        ))
        .await
    };
    assert_eq!(post("").await?.context("an answer")?.status, 401);
    assert_eq!(site.echo.take(), Vec::<String>::new());
    assert_eq!(post(&format!("Cookie: {cookies}\r\n")).await?.context("an answer")?.status, 200);
    let [came] = &site.echo.take()[..] else { anyhow::bail!("one note was sent") };
    assert!(came.starts_with("POST /notes HTTP/1.1\r\n"), "{came}");
    assert!(came.contains("a long note"), "{came}");
    assert_eq!(lines_named(came, "x-auth-request-user").count(), 1, "{came}");
    Ok(())
}

async fn nothing_gets_through_while_nobody_can_be_asked(kind: Kind) -> Result<()> {
    let site = Site::start(kind).await?;
    let mut alice = site.signed_in("alice").await?;
    assert_eq!(alice.navigate(&site.at("/")).await?.status(), 200);
    site.echo.take();

    let Site { gateway, echo, origin, proxy: _proxy, .. } = site;
    drop(gateway);
    for path in ["/", "/public/", "/api"] {
        let status = alice.navigate(&format!("{origin}{path}")).await?.status();
        assert!(status.is_server_error(), "{path}: {status}");
    }
    assert_eq!(echo.take(), Vec::<String>::new());
    Ok(())
}

/// Whose groups fill a cookie nearly to what browsers keep: the callback's answer, the question and its answer are
/// larger than some servers' buffers are by default.
async fn a_session_as_large_as_they_come_passes(kind: Kind) -> Result<()> {
    let site = Site::start(kind).await?;
    let groups: Vec<String> = (0..124).map(|number| format!("engineering-{number:08}")).collect();
    site.provider()?.person(Person::new("1005", "erin").groups(&groups));
    let mut erin = site.signed_in("erin").await?;
    let session = erin.cookie_header().len();
    assert!((3500..4200).contains(&session), "{session} bytes are not what this is about");
    let page = erin.fetch(&site.at("/page")).await?;
    assert_eq!(page.status(), 200);
    let came = page.text().await?;
    assert_eq!(lines_named(&came, "x-auth-request-groups").collect::<Vec<_>>(), [groups.join(",")]);
    Ok(())
}
