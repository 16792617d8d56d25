//! Where a proxy is not to be had, the request that it sends: Traefik's ForwardAuth. And what Envoy takes for a yes.

use anyhow::Result;
use reqwest::{
    Client, Method, RequestBuilder, Response,
    header::{COOKIE, HeaderMap, SET_COOKIE},
    redirect::Policy,
};
use vestibule_outside::{AppBuilder, COOKIE_SECRET, Idp, Kind, Site, Visitor, location, tools};

/// Asks as Traefik does about a request: by GET, with the headers of the request, and five of its own that replace
/// whatever the client has said under these names.
fn ask(
    gateway: u16,
    method: &Method,
    uri: &str,
    of_client: &[(&'static str, &str)],
) -> Result<RequestBuilder> {
    let mut headers = HeaderMap::new();
    let own = [
        ("x-forwarded-method", method.as_str()),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "app.example"),
        ("x-forwarded-uri", uri),
        ("x-forwarded-for", "203.0.113.7"),
    ];
    for (name, value) in of_client.iter().chain(&own) {
        headers.insert(*name, value.parse()?);
    }
    let client = Client::builder().redirect(Policy::none()).no_proxy().build()?;
    Ok(client.get(format!("http://127.0.0.1:{gateway}/oauth2/auth")).headers(headers))
}

/// Traefik hands on any answer but 2xx as it is, and resolves a relative `Location` against the wrong server.
#[tokio::test]
async fn traefik_gets_answers_that_it_can_hand_on() -> Result<()> {
    let idp = Idp::dev("https://app.example").await?;
    let gateway = AppBuilder::new("vestibule")
        .config(tools::repository().join("examples/proxies/traefik/vestibule.toml"))
        .option("HTTP_ADDRESS", "127.0.0.1:0")
        .option("COOKIE_SECRET", COOKIE_SECRET);
    let gateway = idp.configure(gateway).start().await?;
    let page = [("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];

    let visit = ask(gateway.port(), &Method::GET, "/deep?a=b%26c", &page)?.send().await?;
    assert_eq!(visit.status(), 303);
    assert_eq!(location(&visit)?, "https://app.example/oauth2/sign_in?rd=%2Fdeep%3Fa%3Db%2526c");
    assert!(visit.headers().get_all(SET_COOKIE).iter().count() <= 1, "{:?}", visit.headers());

    // A form that somebody sends after the session's end is no page to come back to.
    let form = ask(gateway.port(), &Method::POST, "/deep", &page)?.send().await?;
    assert_ne!(form.status(), 200);
    let script = [("accept", "*/*"), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")];
    let script = ask(gateway.port(), &Method::GET, "/deep", &script)?.send().await?;
    assert_eq!(script.status(), 401);
    assert!(!script.headers().contains_key("location"));
    assert_eq!(script.headers()["content-type"], "application/problem+json");
    Ok(())
}

/// With a session: 200, every identity header, no cookie.
#[tokio::test]
async fn traefik_gets_every_identity_header() -> Result<()> {
    // Signed in through another proxy: what a session is, none of them knows.
    let site = Site::start(Kind::Caddy).await?;
    for (person, email) in [("alice", "alice@example.com"), ("dmitri", "")] {
        let cookies = site.signed_in(person).await?.cookie_header();
        let forged = [("cookie", &*cookies), ("x-auth-request-email", "admin@example.com")];
        let answer = ask(site.gateway.port(), &Method::GET, "/", &forged)?.send().await?;
        assert_eq!(answer.status(), 200);
        assert_eq!(one(&answer, "x-auth-request-email"), email);
        assert_eq!(one(&answer, "x-auth-request-preferred-username"), person);
        assert!(!one(&answer, "x-auth-request-user").is_empty());
        one(&answer, "x-auth-request-groups");
        assert!(!answer.headers().contains_key(SET_COOKIE), "{:?}", answer.headers());
    }
    Ok(())
}

/// Rules hold for what Traefik says that the client has asked for, whatever the client says.
#[tokio::test]
async fn traefik_is_told_no_where_a_rule_says_so() -> Result<()> {
    let site = Site::start(Kind::Caddy).await?;
    let bob = site.signed_in("bob").await?.cookie_header();
    let status = async |method: &Method, uri: &str, of_client: &[(&'static str, &str)]| {
        let asked = ask(site.gateway.port(), method, uri, of_client)?.send().await?;
        Ok::<_, anyhow::Error>(asked.status().as_u16())
    };
    let by_bob = [("cookie", &*bob)];
    assert_eq!(status(&Method::GET, "/page", &by_bob).await?, 200);
    assert_eq!(status(&Method::GET, "/admin/users", &by_bob).await?, 403);
    assert_eq!(status(&Method::GET, "/public/../admin", &by_bob).await?, 403);
    let forged =
        [("cookie", &*bob), ("x-forwarded-uri", "/page"), ("x-original-url", "https://app.example/page")];
    assert_eq!(status(&Method::GET, "/admin/users", &forged).await?, 403);

    let public = ask(site.gateway.port(), &Method::GET, "/public/page", &[])?.send().await?;
    assert_eq!(public.status(), 200);
    for name in ["user", "email", "preferred-username", "groups"] {
        assert_eq!(one(&public, &format!("x-auth-request-{name}")), "");
    }
    assert_eq!(status(&Method::POST, "/public/page", &[]).await?, 401);
    // What cannot be told for sure is nobody's, and signing in would not help.
    assert_eq!(status(&Method::GET, "/public/../admin", &[]).await?, 403);
    Ok(())
}

/// The value of a header that is there exactly once.
fn one(answer: &Response, name: &str) -> String {
    let values: Vec<_> = answer.headers().get_all(name).iter().collect();
    assert_eq!(values.len(), 1, "{name} in {:?}", answer.headers());
    values[0].to_str().unwrap_or("not text").to_owned()
}

/// Envoy lets nothing through for 202: an oauth2-proxy's answer would lock everybody out.
#[tokio::test]
async fn envoy_takes_exactly_200_for_a_yes() -> Result<()> {
    let site = Site::start(Kind::Envoy).await?;
    let cookies = site.signed_in("alice").await?.cookie_header();
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let address = format!("http://127.0.0.1:{}/oauth2/auth/any/path?q=1", site.gateway.port());
        let asked = Client::new().request(method.clone(), address).header(COOKIE, &cookies).send().await?;
        assert_eq!(asked.status(), 200, "{method}");
    }

    let other =
        Site::start_with(Kind::Envoy, |gateway| gateway.variable("VESTIBULE_FLAVOUR", "oauth2-proxy"))
            .await?;
    other.provider()?.sign_in_as(Some("alice"));
    let mut visitor = Visitor::new(&other.origin)?;
    let signed_in = visitor.follow(&other.at("/oauth2/sign_in")).await?;
    assert!(visitor.cookie_header().contains("vestibule="), "{signed_in:?}");
    let cookies = visitor.cookie_header();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {{host}}\r\nAccept: text/html\r\nCookie: {cookies}\r\nConnection: close\r\n\r\n"
    );
    let page = other.say(&request).await?;
    assert!(page.is_some_and(|answer| answer.status != 200));
    assert_eq!(other.echo.take(), Vec::<String>::new());
    Ok(())
}
