//! What a proxy asks, and which of that needs no session.

use anyhow::Result;
use reqwest::{Client, StatusCode, header::HeaderMap};
use serde_json::json;
use vestibule_dev_provider::{Alg, Signing};

use crate::support::{Gateway, header, started};

/// What a proxy is answered that asks about a request in `X-Original-*`, for a client at 10.1.1.1.
async fn ask(gateway: &Gateway, method: &str, path: &str) -> Result<StatusCode> {
    let request = Client::new()
        .get(gateway.url("/oauth2/auth"))
        .header("x-original-url", gateway.url(path))
        .header("x-original-method", method)
        .header("x-forwarded-for", "10.2.2.2")
        .header("x-real-ip", "10.1.1.1");
    Ok(request.send().await?.status())
}

#[tokio::test]
async fn some_requests_need_no_session() -> Result<()> {
    let trusted = ("TRUSTED_PROXY_IPS", "127.0.0.1");
    for (options, open, closed) in [
        (
            &[trusted, ("SKIP_AUTH_ROUTES", "GET=^/health$")][..],
            ("GET", "/health"),
            Some(("POST", "/health")),
        ),
        (&[trusted, ("SKIP_AUTH_REGEX", "^/public/")], ("POST", "/public/x"), Some(("GET", "/x"))),
        (&[trusted, ("SKIP_AUTH_PREFLIGHT", "true")], ("OPTIONS", "/x"), Some(("GET", "/x"))),
        (
            &[trusted, ("TRUSTED_IPS", "10.1.1.0/24"), ("REAL_CLIENT_IP_HEADER", "X-Real-IP")],
            ("GET", "/x"),
            None,
        ),
        (&[trusted, ("TRUSTED_IPS", "10.2.2.2")], ("GET", "/x"), None),
    ] {
        let (_provider, gateway) = started(options).await?;
        assert_eq!(ask(&gateway, open.0, open.1).await?, StatusCode::ACCEPTED, "{options:?}");
        if let Some((method, path)) = closed {
            assert_eq!(ask(&gateway, method, path).await?, StatusCode::UNAUTHORIZED, "{options:?}");
        }
    }
    // Without the right header, or from somebody who is not trusted, the same client needs a session.
    for options in [
        &[trusted, ("TRUSTED_IPS", "10.1.1.0/24")][..],
        &[("TRUSTED_PROXY_IPS", "10.9.9.9"), ("SKIP_AUTH_REGEX", "^/x")],
        &[],
    ] {
        let (_provider, gateway) = started(options).await?;
        assert_eq!(ask(&gateway, "GET", "/x").await?, StatusCode::UNAUTHORIZED, "{options:?}");
    }
    Ok(())
}

#[tokio::test]
async fn tokens_let_api_clients_in() -> Result<()> {
    let (other, _other_gateway) = started(&[]).await?;
    let extra = format!("{}=api", other.issuer());
    for (options, own, extra, cookie_and_nonsense) in [
        (&[][..], 401, 401, 202),
        (&[("SKIP_JWT_BEARER_TOKENS", "true")], 202, 401, 202),
        (&[("SKIP_JWT_BEARER_TOKENS", "true"), ("BEARER_TOKEN_LOGIN_FALLBACK", "false")], 202, 401, 401),
        (&[("SKIP_JWT_BEARER_TOKENS", "true"), ("EXTRA_JWT_ISSUERS", &*extra)], 202, 202, 202),
    ] {
        let (provider, gateway) = started(options).await?;
        let token = |provider: &vestibule_dev_provider::Running, audience: &str| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            let claims = json!({
                "iss": provider.issuer(), "aud": audience, "sub": "machine", "iat": now, "exp": now + 60,
                "email": "machine@example.com", "email_verified": true,
            });
            let client = vestibule_outside::client::ID;
            provider.sign(client, "JWT", &claims, &Signing::With(Alg::Rs256))
        };
        let with = async |token: String, cookies: String| {
            let request = Client::new().get(gateway.url("/oauth2/auth")).bearer_auth(token);
            request.header("cookie", cookies).send().await.unwrap()
        };
        let answer = with(token(&provider, vestibule_outside::client::ID), String::new()).await;
        assert_eq!(answer.status(), own, "{options:?}\n{}", gateway.child.output());
        if own == 202 {
            assert_eq!(header(answer.headers(), "x-auth-request-email"), Some("machine@example.com"));
        }
        assert_eq!(with(token(&other, "api"), String::new()).await.status(), extra, "{options:?}");
        let visitor = gateway.signed_in().await?;
        let status = with("nonsense".to_owned(), visitor.cookie_header()).await.status();
        assert_eq!(status, cookie_and_nonsense, "{options:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_provider_s_own_tokens_must_say_what_its_id_tokens_must() -> Result<()> {
    let (provider, gateway) = started(&[("SKIP_JWT_BEARER_TOKENS", "true"), ("ACR_VALUES", "mfa")]).await?;
    for (acr, expected) in [(json!("mfa"), 202), (json!("pwd"), 401), (json!(null), 401)] {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
        let client = vestibule_outside::client::ID;
        let claims = json!({
            "iss": provider.issuer(), "aud": client, "sub": "machine", "iat": now, "exp": now + 60, "acr": acr,
            "email": "machine@example.com", "email_verified": true,
        });
        let token = provider.sign(client, "JWT", &claims, &Signing::With(Alg::Rs256));
        let answer = Client::new().get(gateway.url("/oauth2/auth")).bearer_auth(token).send().await?;
        assert_eq!(answer.status(), expected, "{acr}\n{}", gateway.child.output());
    }
    Ok(())
}

#[tokio::test]
async fn each_flavour_answers_in_its_own_way() -> Result<()> {
    for (flavour, path, granted, refused) in [
        ("oauth2-proxy", "/oauth2/auth", 202, 401),
        ("nginx", "/oauth2/auth", 200, 401),
        ("forward-auth", "/oauth2/auth", 200, 303),
        ("ext-authz", "/oauth2/auth/some/page", 200, 303),
    ] {
        let options = [("FLAVOUR", flavour), ("TRUSTED_PROXY_IPS", "127.0.0.1")];
        let (_provider, gateway) = started(&options).await?;
        let forwarded = |headers: &mut HeaderMap| {
            for (name, value) in [
                ("x-forwarded-proto", "http".to_owned()),
                ("x-forwarded-host", gateway.origin().replace("http://", "")),
                ("x-forwarded-uri", "/some/page".to_owned()),
                ("x-forwarded-method", "GET".to_owned()),
                ("accept", "text/html".to_owned()),
                ("sec-fetch-mode", "navigate".to_owned()),
                ("sec-fetch-dest", "document".to_owned()),
            ] {
                headers.insert(name, value.parse().unwrap());
            }
        };
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        let ask = async |cookies: &str| {
            let mut headers = HeaderMap::new();
            forwarded(&mut headers);
            headers.insert("cookie", cookies.parse().unwrap());
            client.get(gateway.url(path)).headers(headers).send().await.unwrap()
        };
        let anonymous = ask("").await;
        assert_eq!(anonymous.status(), refused, "{flavour}");
        assert_eq!(header(anonymous.headers(), "location").is_some(), flavour != "oauth2-proxy", "{flavour}");
        let mut visitor = gateway.visitor()?;
        visitor.follow(&gateway.url("/oauth2/start?rd=%2Foauth2%2Fuserinfo")).await?;
        assert_eq!(ask(&visitor.cookie_header()).await.status(), granted, "{flavour}");
    }
    Ok(())
}
