//! Every program that others wrote starts, answers, and leaves nothing behind.

use anyhow::Result;
use serde_json::Value;
use vestibule_outside::{
    Addresses, Browser, Emulate, Kind, Nginx, OidcProvider, Proxy, Streamlit, client, ports,
};

const ORIGIN: &str = "http://localhost:1";

#[tokio::test]
async fn nginx_serves_and_tells_its_log() -> Result<()> {
    let port = ports::reserve()?;
    let servers =
        format!("server {{ listen 127.0.0.1:{port}; location / {{ return 200 'it is {port}'; }} }}");
    let mut nginx = Nginx::start(&servers, port).await?;
    let body = reqwest::get(format!("http://127.0.0.1:{}/here", nginx.port())).await?.text().await?;
    assert_eq!(body, format!("it is {port}"));
    assert!(nginx.log_line_with("GET /here").await?.contains(" 200 "));
    drop(nginx);
    assert!(!ports::is_open(port));
    Ok(())
}

#[tokio::test]
async fn nginx_takes_the_first_systems_file() -> Result<()> {
    // Nobody listens where the application should be, which nginx finds out only when asked.
    let nginx = Nginx::seed1(ports::reserve()?, ports::reserve()?).await?;
    let answer = reqwest::get(format!("http://127.0.0.1:{}/", nginx.port())).await?;
    assert_eq!(answer.status(), 500, "auth_request answers 500 for an application that is away");
    Ok(())
}

#[tokio::test]
async fn nginx_refuses_a_broken_file_with_its_own_words() -> Result<()> {
    let error = Nginx::start("no such directive;", ports::reserve()?).await.unwrap_err();
    assert!(format!("{error:#}").contains("unknown directive"), "{error:#}");
    Ok(())
}

/// Nobody listens where `vestibule` should be, so each answers that it cannot ask, and asks nobody else.
#[tokio::test]
async fn every_proxy_takes_its_example_and_leaves_nothing_behind() -> Result<()> {
    for kind in Kind::ALL {
        let to = Addresses { port: ports::reserve()?, app: ports::reserve()?, gateway: ports::reserve()? };
        let proxy = Proxy::start(kind, to).await?;
        let answer = reqwest::get(format!("http://127.0.0.1:{}/", to.port)).await?;
        assert!(answer.status().is_server_error(), "{kind:?}: {}", answer.status());
        drop(proxy);
        assert!(!ports::is_open(to.port), "{kind:?}");
    }
    Ok(())
}

#[tokio::test]
async fn every_proxy_refuses_a_broken_file_with_its_own_words() -> Result<()> {
    for kind in Kind::ALL {
        let to = Addresses { port: ports::reserve()?, app: 1, gateway: 2 };
        let broken =
            Proxy::start_changed(kind, to, |_| "no_such_directive {\n\tno_such_directive\n}\n".to_owned())
                .await;
        let error = format!("{:#}", broken.unwrap_err());
        assert!(error.contains("ended (exit status: 1)"), "{kind:?}: {error}");
        let words = ["no_such_directive", "unable to parse", "yaml"];
        assert!(words.iter().any(|word| error.to_lowercase().contains(word)), "{kind:?}: {error}");
    }
    Ok(())
}

#[tokio::test]
async fn streamlit_shows_its_page_and_takes_its_web_socket() -> Result<()> {
    let streamlit = Streamlit::start().await?;
    let browser = Browser::start().await?;
    browser.goto(&format!("http://127.0.0.1:{}/", streamlit.port())).await?;
    browser.wait_for_text("The application itself has no idea of that.").await?;
    let port = streamlit.port();
    drop(streamlit);
    assert!(!ports::is_open(port));
    Ok(())
}

#[tokio::test]
async fn oidc_provider_publishes_what_we_rely_on() -> Result<()> {
    let provider = OidcProvider::start(ORIGIN).await?;
    let address = format!("{}/.well-known/openid-configuration", provider.issuer());
    let metadata: Value = serde_json::from_str(&reqwest::get(&address).await?.text().await?)?;
    assert_eq!(metadata["issuer"], provider.issuer());
    assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    Ok(())
}

#[tokio::test]
async fn oidc_provider_comes_back_on_its_port() -> Result<()> {
    let provider = OidcProvider::start(ORIGIN).await?;
    let port = provider.port();
    provider.stop().await?;
    assert!(!ports::is_open(port));
    let again = OidcProvider::start_on(port, ORIGIN).await?;
    assert_eq!(again.port(), port);
    assert!(ports::is_open(port));
    Ok(())
}

#[tokio::test]
async fn oidc_provider_signs_a_person_in_through_its_pages() -> Result<()> {
    let provider = OidcProvider::start(ORIGIN).await?;
    let browser = Browser::start().await?;
    let mut authorize = url::Url::parse(&provider.issuer())?.join("/auth")?;
    authorize.query_pairs_mut().extend_pairs([
        ("client_id", client::ID),
        ("redirect_uri", &format!("{ORIGIN}/app/oauth2/callback")),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("state", "a state"),
        ("code_challenge_method", "S256"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ]);
    browser.goto(authorize.as_str()).await?;
    OidcProvider::answer_page(&browser, "ada").await?;
    browser.wait_for_url_where("the consent page", |now| now.path() != "/auth").await?;
    OidcProvider::answer_page(&browser, "ada").await?;
    // Nobody listens there; the address is what counts.
    browser.wait_for_url_where("the callback", |now| now.as_str().starts_with(ORIGIN)).await?;
    let callback = browser.url().await?;
    let names: Vec<String> = callback.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["code", "state", "iss"]);
    Ok(())
}

#[tokio::test]
async fn emulate_asks_who_one_is_as_github_does() -> Result<()> {
    let github = Emulate::github(ORIGIN).await?;
    let browser = Browser::start().await?;
    let mut authorize = url::Url::parse(&github.origin())?.join("/login/oauth/authorize")?;
    let callback = format!("{ORIGIN}/app/oauth2/callback");
    authorize.query_pairs_mut().extend_pairs([
        ("client_id", client::ID),
        ("redirect_uri", &callback),
        ("scope", "read:user user:email"),
        ("state", "a state"),
    ]);
    browser.goto(authorize.as_str()).await?;
    assert!(browser.text("body").await?.contains("Vue example"));
    Emulate::sign_in(&browser, "ada").await?;
    browser.wait_for_url_where("the callback", |now| now.as_str().starts_with(&callback)).await?;

    let answer = token(&github, "not a code").await?;
    assert_eq!(answer["error"], "bad_verification_code", "status 200 and an error, as GitHub does it");
    let code = browser
        .url()
        .await?
        .query_pairs()
        .find(|(name, _)| name == "code")
        .map(|(_, code)| code.into_owned());
    let answer = token(&github, &code.expect("the callback has a code")).await?;
    let emails = api(&github, "/user/emails", &answer["access_token"]).await?;
    assert_eq!(emails[0]["email"], "ada@example.com");
    assert_eq!((&emails[0]["primary"], &emails[0]["verified"]), (&Value::Bool(true), &Value::Bool(true)));
    assert_eq!(api(&github, "/user/orgs", &answer["access_token"]).await?[0]["login"], "analysts");
    Ok(())
}

#[tokio::test]
async fn chromium_opens_a_page_runs_scripts_and_keeps_cookies() -> Result<()> {
    let port = ports::reserve()?;
    let page = "<h1>A page</h1><button onclick=\"location.href = &quot;/next&quot;\">on</button>";
    let servers = format!(
        "server {{ listen 127.0.0.1:{port}; default_type text/html; add_header Set-Cookie 'seen=yes; HttpOnly';\n\
         location / {{ return 200 '{page}'; }} }}"
    );
    let _nginx = Nginx::start(&servers, port).await?;
    let browser = Browser::start().await?;
    let address = format!("http://localhost:{port}/");
    browser.goto(&address).await?;
    assert_eq!(browser.text("h1").await?, "A page");
    assert_eq!(browser.run("return (await fetch('/')).status").await?, 200);
    assert_eq!(browser.cookies().await?.len(), 1, "HttpOnly hides a cookie from scripts, not from us");

    let first = browser.tab().await?;
    browser.new_tab().await?;
    browser.goto(&format!("{address}second")).await?;
    browser.look_at(first).await?;
    browser.click("button").await?;
    browser.wait_for_url(&format!("{address}next")).await?;
    let picture = tempfile::NamedTempFile::new()?;
    browser.screenshot(picture.path()).await?;
    assert!(std::fs::read(picture.path())?.starts_with(b"\x89PNG"));
    Ok(())
}

#[tokio::test]
async fn chromium_reaches_loopback_only() -> Result<()> {
    let browser = Browser::start().await?;
    let error = browser.goto("http://vestibule.example/").await.unwrap_err();
    assert!(format!("{error:?}").contains("ERR_NAME_NOT_RESOLVED"), "{error:?}");
    Ok(())
}

async fn token(github: &Emulate, code: &str) -> Result<Value> {
    let form = format!("client_id={}&client_secret={}&code={code}", client::ID, client::SECRET);
    let answer = reqwest::Client::new()
        .post(format!("{}/login/oauth/access_token", github.origin()))
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await?;
    assert_eq!(answer.status(), 200);
    Ok(serde_json::from_str(&answer.text().await?)?)
}

async fn api(github: &Emulate, path: &str, token: &Value) -> Result<Value> {
    let answer = reqwest::Client::new()
        .get(format!("{}{path}", github.origin()))
        .bearer_auth(token.as_str().expect("a token is a string"))
        .send()
        .await?;
    Ok(serde_json::from_str(&answer.text().await?)?)
}
