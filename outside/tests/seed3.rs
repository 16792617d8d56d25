//! The third original system, as a person meets it: an application with the login mounted into it, a real browser, and an
//! X in which others judge what is signed; the application on each of two frameworks.

use anyhow::{Context, Result};
use vestibule_outside::{Browser, COOKIE_SECRET, Framework, Seed3, Visitor, X};

/// Every path as somebody else might want it.
const RENAMED: [(&str, &str); 5] = [
    ("LOGIN_PAGE", "/enter"),
    ("REQUEST_TOKEN", "/begin/here"),
    ("CALLBACK_URL", "/back"),
    ("SIGN_OUT", "/leave"),
    ("REDIRECT_ON_SUCCESS", "/home"),
];

macro_rules! told {
    ($($test:ident $framework:ident: $($story:ident)*;)*) => {
        $(mod $test {
            use super::{Framework, Result};

            $(#[tokio::test]
            async fn $story() -> Result<()> {
                super::$story(Framework::$framework).await
            })*
        })*
    };
}

told! {
    axum Axum:
        a_person_signs_in_is_greeted_and_signs_out
        whoever_cancels_reads_what_happened_and_can_begin_again
        every_path_and_the_landing_page_can_be_another;
    actix Actix:
        a_person_signs_in_is_greeted_and_signs_out
        whoever_cancels_reads_what_happened_and_can_begin_again
        every_path_and_the_landing_page_can_be_another;
}

async fn a_person_signs_in_is_greeted_and_signs_out(framework: Framework) -> Result<()> {
    let system = Seed3::start(framework).await?;
    let browser = Browser::start().await?;
    browser.goto(&system.at("/")).await?;
    browser.wait_for_url(&system.at("/login")).await?;
    assert_eq!(browser.text("body").await?, "login");
    system.sign_in(&browser, "ada").await?;
    browser.wait_for_url(&system.at("/")).await?;
    browser.wait_for_text("Hello ada").await?;
    let mut asked = system.x.asked().await?;
    asked.retain(|asked| !asked.contains("favicon"));
    assert_eq!(
        asked,
        [
            "POST /oauth/request_token 200",
            "GET /oauth/authenticate 200",
            "GET /oauth/authenticate 302",
            "POST /oauth/access_token 200",
            "GET /1.1/account/verify_credentials.json 200",
        ]
    );

    browser.click("a[href='/login/signOut']").await?;
    browser.wait_for_text("You are signed out of this site.").await?;
    // A deep link leads to the login as well, and from there to the page that everybody lands on.
    browser.goto(&system.at("/deep?x=1")).await?;
    browser.wait_for_url(&system.at("/login?rd=%2Fdeep%3Fx%3D1")).await?;
    system.sign_in(&browser, "bob").await?;
    browser.wait_for_url(&system.at("/")).await?;
    browser.wait_for_text("Hello bob").await?;
    assert_nothing_secret_is_logged(&system);
    Ok(())
}

async fn whoever_cancels_reads_what_happened_and_can_begin_again(framework: Framework) -> Result<()> {
    let system = Seed3::start(framework).await?;
    let browser = Browser::start().await?;
    browser.goto(&system.at("/login")).await?;
    system.sign_in(&browser, "nobody").await?;
    browser.wait_for_text("access_denied").await?;
    assert!(!system.x.asked().await?.iter().any(|asked| asked.contains("access_token")));
    browser.click(".act").await?;
    browser.wait_for_url_where("the login", |now| now.path() == "/login").await?;
    system.sign_in(&browser, "ada").await?;
    browser.wait_for_url(&system.at("/")).await?;
    browser.wait_for_text("Hello ada").await
}

async fn every_path_and_the_landing_page_can_be_another(framework: Framework) -> Result<()> {
    let system = Seed3::start_with(framework, "/back", &RENAMED).await?;
    let browser = Browser::start().await?;
    browser.goto(&system.at("/login")).await?;
    browser.wait_for_url(&system.at("/enter?rd=%2Flogin")).await?;
    system.sign_in(&browser, "ada").await?;
    browser.wait_for_url(&system.at("/home")).await?;
    browser.wait_for_text("Hello ada").await?;
    browser.click("a[href='/leave']").await?;
    browser.wait_for_text("You are signed out of this site.").await?;
    browser.goto(&system.at("/home")).await?;
    browser.wait_for_url(&system.at("/enter")).await
}

/// What a browser, and what a script, is answered at each path without a session, but for what is always another.
async fn answers(system: &Seed3) -> Result<Vec<String>> {
    let mut answers = Vec::new();
    for path in [
        "/",
        "/deep?x=1",
        "/login",
        "/login/requestToken",
        "/login/callbackUrl",
        "/login/signOut",
        "/login/x",
    ] {
        let mut visitor = Visitor::new(&system.origin)?;
        for answer in [visitor.navigate(&system.at(path)).await?, visitor.fetch(&system.at(path)).await?] {
            let header = |name: &str| match answer.headers().get(name) {
                Some(value) => format!("{name}: {}", value.to_str().unwrap_or_default()),
                None => String::new(),
            };
            let names = ["location", "content-type", "cache-control", "vary", "content-security-policy"];
            let mut said = vec![path.to_owned(), answer.status().to_string()];
            said.extend(names.map(header));
            said.push(answer.text().await?);
            let said = said.join("\n").replace(&system.origin, "SITE").replace(&system.x.address(), "X");
            // A request token is another each time.
            answers.push(said.split("oauth_token=").next().context("it begins somewhere")?.to_owned());
        }
    }
    Ok(answers)
}

#[tokio::test]
async fn both_programs_answer_alike() -> Result<()> {
    let (axum, actix) = (Seed3::start(Framework::Axum).await?, Seed3::start(Framework::Actix).await?);
    let (axum, actix) = (answers(&axum).await?, answers(&actix).await?);
    assert!(axum[0].starts_with("/\n303 See Other\nlocation: SITE/login\n"), "{}", axum[0]);
    assert!(axum[1].starts_with("/\n401 Unauthorized\n"), "{}", axum[1]);
    assert!(axum.iter().any(|answer| answer.contains("location: X/oauth/authenticate?")), "{axum:#?}");
    for (axum, actix) in axum.iter().zip(&actix) {
        assert_eq!(axum, actix);
    }
    Ok(())
}

fn assert_nothing_secret_is_logged(system: &Seed3) {
    let log = system.app.log();
    for secret in [X::CONSUMER_SECRET, COOKIE_SECRET, "oauth_verifier", "oauth_token="] {
        assert!(!log.contains(secret), "{log}");
    }
    assert!(log.contains("signed in"), "the log is that of a sign-in: {log}");
}
