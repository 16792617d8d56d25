//! The session's cookie.

use anyhow::Result;
use reqwest::{Client, StatusCode};
use vestibule_outside::ports;

use crate::support::{COOKIE_SECRET, setup, started};

#[tokio::test]
async fn cookies_are_sealed_with_the_secret() -> Result<()> {
    let (provider, gateway) = started(&[]).await?;
    let visitor = gateway.signed_in().await?;
    let other = "another secret of 32 bytes at least!";
    for (options, is_known) in [
        (&[("COOKIE_SECRET", COOKIE_SECRET)][..], true),
        (&[("COOKIE_SECRET", other)], false),
        (&[("COOKIE_SECRET", other), ("COOKIE_SECRETS_PREVIOUS", COOKIE_SECRET)], true),
        (&[("COOKIE_SECRET", ""), ("COOKIE_SECRET_FILE", "secret")], true),
    ] {
        // The same site, at another port.
        let port = ports::reserve()?;
        let (_, setup) = setup().await?;
        setup.file("secret", COOKIE_SECRET)?;
        let setup = setup
            .set("HTTP_ADDRESS", format!("127.0.0.1:{port}"))
            .set("REDIRECT_URL", gateway.url("/oauth2/callback"))
            .set("OIDC_ISSUER_URL", provider.issuer());
        let setup = options.iter().fold(setup, |setup, (name, value)| setup.set(name, *value));
        let _other = setup.start().await?;
        let asked = Client::new().get(format!("http://127.0.0.1:{port}/oauth2/auth"));
        let status = asked.header("cookie", visitor.cookie_header()).send().await?.status();
        assert_eq!(status == StatusCode::ACCEPTED, is_known, "{options:?}");
    }
    Ok(())
}

#[tokio::test]
async fn cookies_look_as_options_say() -> Result<()> {
    let https = ("REDIRECT_URL", "https://app.example.com/oauth2/callback");
    for (options, parts, absent) in [
        (&[https][..], &["__Host-vestibule", "; Secure"][..], "Domain="),
        (&[https, ("COOKIE_NAME", "house")], &["__Host-house"], "vestibule"),
        (&[https, ("COOKIE_SECURE", "true")], &["; Secure"], "Domain="),
        (&[("COOKIE_SECURE", "false")], &["vestibule"], "; Secure"),
    ] {
        let (_provider, gateway) = started(options).await?;
        let answer = gateway.visitor()?.navigate(&gateway.url("/oauth2/start")).await?;
        let cookie = answer.headers()["set-cookie"].to_str()?;
        assert!(parts.iter().all(|part| cookie.contains(part)), "{options:?}: {cookie}");
        assert!(!cookie.contains(absent), "{options:?}: {cookie}");
    }
    let (_provider, gateway) = started(&[("COOKIE_EXPIRE", "1h30m")]).await?;
    let mut visitor = gateway.visitor()?;
    let callback =
        visitor.follow_until(&gateway.url("/oauth2/start"), &gateway.url("/oauth2/callback")).await?;
    let answer = visitor.navigate(callback.as_str()).await?;
    let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
    assert!(cookies.iter().any(|cookie| cookie.to_str().unwrap().contains("Max-Age=5400")), "{cookies:?}");

    // A session that is shared goes to a domain. Signing out clears it there, which shows without a provider.
    let shared = [https, ("COOKIE_DOMAINS", "example.com"), ("WHITELIST_DOMAINS", ".example.com")];
    let (_provider, gateway) = started(&shared).await?;
    let answer = Client::new()
        .post(gateway.url("/oauth2/sign_out"))
        .header("cookie", "__Secure-vestibule=x; __Secure-vestibule_session=x")
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-mode", "navigate")
        .header("origin", "https://app.example.com")
        .send()
        .await?;
    let cleared: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
    assert!(
        cleared.iter().any(|cookie| cookie.to_str().unwrap().contains("Domain=example.com")),
        "{cleared:?}"
    );
    Ok(())
}
