//! Where sessions are kept, and what a store is used for.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::{Client, StatusCode};
use rustix::process::Signal;
use vestibule_dev_provider::{Client as ProviderClient, DevProvider, Endpoint, Running};
use vestibule_outside::{
    PATIENCE, client, ports,
    redis::{Cluster, Redis, Watched, says},
};

use crate::support::{Gateway, Setup, setup};

/// Where the redis of these tests writes a session down.
const SESSIONS: &str = "vestibule:session:*";

async fn with(options: &[(&str, &str)]) -> Result<(Running, Setup)> {
    let (provider, setup) = setup().await?;
    Ok((provider, options.iter().fold(setup, |setup, (name, value)| setup.set(name, *value))))
}

async fn ready(gateway: &Gateway) -> Result<StatusCode> {
    Ok(reqwest::get(gateway.url("/ready")).await?.status())
}

/// Somebody signs in, is known to a second gateway that has nothing in common but its options, and signs out.
async fn is_shared(options: &[(&str, &str)]) -> Result<()> {
    let (provider, setup) = with(options).await?;
    let port = ports::reserve()?;
    let gateway = setup.start().await?;
    let (_, other) = with(options).await?;
    let other = other
        .set("HTTP_ADDRESS", format!("127.0.0.1:{port}"))
        .set("REDIRECT_URL", gateway.url("/oauth2/callback"))
        .set("OIDC_ISSUER_URL", provider.issuer());
    let _other = other.start().await?;
    assert_eq!(ready(&gateway).await?, StatusCode::OK, "{options:?}: {}", gateway.child.output());
    let visitor = gateway.signed_in().await?;
    assert_eq!(
        asked(&format!("http://127.0.0.1:{port}"), &visitor.cookie_header()).await?,
        202,
        "{options:?}"
    );
    sign_out(&gateway.origin(), &visitor.cookie_header()).await?;
    assert_eq!(
        asked(&format!("http://127.0.0.1:{port}"), &visitor.cookie_header()).await?,
        401,
        "{options:?}"
    );
    Ok(())
}

async fn asked(origin: &str, cookies: &str) -> Result<u16> {
    let request = Client::new().get(format!("{origin}/oauth2/auth")).header("cookie", cookies);
    Ok(request.send().await?.status().as_u16())
}

async fn sign_out(origin: &str, cookies: &str) -> Result<()> {
    let request = Client::new()
        .post(format!("{origin}/oauth2/sign_out"))
        .header("cookie", cookies)
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-mode", "navigate")
        .header("origin", origin);
    anyhow::ensure!(request.send().await?.status().as_u16() < 400);
    Ok(())
}

/// A server that speaks TLS only, with a certificate of the authority that it writes down in `folder`.
async fn over_tls(folder: &Path) -> Result<Redis> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()])?.signed_by(&key, &authority)?;
    let path = |name: &str| folder.join(name).display().to_string();
    std::fs::write(path("ca.pem"), authority.pem())?;
    std::fs::write(path("own.pem"), certificate.pem())?;
    std::fs::write(path("key.pem"), key.serialize_pem())?;
    let port = ports::reserve()?;
    let text = port.to_string();
    let (ca, own, key) = (path("ca.pem"), path("own.pem"), path("key.pem"));
    let options = ["--port", "0", "--tls-port", &text, "--tls-cert-file", &own, "--tls-key-file", &key];
    let options: Vec<&str> =
        options.into_iter().chain(["--tls-ca-cert-file", &ca, "--tls-auth-clients", "no"]).collect();
    Redis::start_on(port, &options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_kept_where_options_say() -> Result<()> {
    let redis = ("SESSION_STORE_TYPE", "redis");
    let open = Redis::start(&[]).await?;
    is_shared(&[redis, ("REDIS_CONNECTION_URL", &open.url())]).await?;
    assert!(open.says(&["INFO", "commandstats"])?.contains("cmdstat_get"));

    let user = ["--user", "vestibule", "on", ">s3cret", "~vestibule:*", "+@all", "--user", "default", "off"];
    let closed = Redis::start(&user).await?;
    let url = closed.url();
    let named = [
        redis,
        ("REDIS_CONNECTION_URL", &url),
        ("REDIS_USERNAME", "vestibule"),
        ("REDIS_PASSWORD", "s3cret"),
    ];
    is_shared(&named).await?;
    for (wrong, option) in [("REDIS_USERNAME", "somebody"), ("REDIS_PASSWORD", "guessed")] {
        let (_provider, setup) = with(&named).await?;
        let gateway = setup.set(wrong, option).start().await?;
        assert_eq!(ready(&gateway).await?, StatusCode::SERVICE_UNAVAILABLE, "{wrong}");
    }

    let folder = tempfile::tempdir()?;
    let tls = over_tls(folder.path()).await?;
    let (url, ca) =
        (tls.url().replace("redis:", "rediss:"), folder.path().join("ca.pem").display().to_string());
    is_shared(&[redis, ("REDIS_CONNECTION_URL", &url), ("REDIS_CA_PATH", &ca)]).await
}

fn sentinel_port(url: &str) -> Result<u16> {
    url.rsplit(':').next().context("an address has a port")?.parse().context("a port is a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_kept_by_several_servers_where_options_say() -> Result<()> {
    let redis = ("SESSION_STORE_TYPE", "redis");
    let watched = Watched::start(&[]).await?;
    let url = watched.url();
    let sentinel = [
        redis,
        ("REDIS_USE_SENTINEL", "true"),
        ("REDIS_SENTINEL_MASTER_NAME", Watched::MASTER),
        ("REDIS_SENTINEL_CONNECTION_URLS", &url),
    ];
    is_shared(&sentinel).await?;
    let (_provider, setup) = with(&sentinel).await?;
    let gateway = setup.set("REDIS_SENTINEL_MASTER_NAME", "another").start().await?;
    assert_eq!(ready(&gateway).await?, StatusCode::SERVICE_UNAVAILABLE);
    // Whoever asks Sentinels that want a password has to know it.
    says(sentinel_port(&url)?, &["ACL", "SETUSER", "default", "resetpass", ">s3cret"])?;
    for (password, expected) in [("s3cret", StatusCode::OK), ("guessed", StatusCode::SERVICE_UNAVAILABLE)] {
        let (_provider, setup) = with(&sentinel).await?;
        let gateway = setup.set("REDIS_SENTINEL_PASSWORD", password).start().await?;
        assert_eq!(ready(&gateway).await?, expected, "{password}: {}", gateway.child.output());
    }

    let cluster = Cluster::start().await?;
    let urls = cluster.urls().join(",");
    is_shared(&[redis, ("REDIS_USE_CLUSTER", "true"), ("REDIS_CLUSTER_CONNECTION_URLS", &urls)]).await
}

#[tokio::test]
async fn a_copied_cookie_dies_with_its_session_where_there_is_a_store() -> Result<()> {
    for (kind, after) in [("cookie", 202), ("memory", 401)] {
        let (_provider, setup) = with(&[("SESSION_STORE_TYPE", kind)]).await?;
        let gateway = setup.start().await?;
        let copied = gateway.signed_in().await?.cookie_header();
        assert_eq!(asked(&gateway.origin(), &copied).await?, 202);
        // What is in memory outlives a new configuration.
        let mut gateway = gateway;
        gateway.signal(Signal::HUP)?;
        gateway.child.line_with("has taken over", PATIENCE).await?;
        assert_eq!(asked(&gateway.origin(), &copied).await?, 202, "{kind}");
        sign_out(&gateway.origin(), &copied).await?;
        assert_eq!(asked(&gateway.origin(), &copied).await?, after, "{kind}");
    }
    Ok(())
}

#[tokio::test]
async fn the_provider_is_asked_anew_as_options_say() -> Result<()> {
    // Nothing: before the access token ends, which here is soon. `0`: never.
    for (refresh, expected) in [("", 2), ("0", 1)] {
        let port = ports::reserve()?;
        let provider = DevProvider::builder()
            .client(client::ID, Some(client::SECRET), [format!("http://127.0.0.1:{port}/oauth2/callback")])
            .always_refresh_token()
            .access_token_life(Duration::from_secs(2))
            .start()
            .await?;
        provider.sign_in_as(Some("alice"));
        let setup =
            Setup::at(port)?.set("OIDC_ISSUER_URL", provider.issuer()).set("SESSION_STORE_TYPE", "memory");
        let gateway = setup.set("COOKIE_REFRESH", refresh).start().await?;
        let visitor = gateway.signed_in().await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(asked(&gateway.origin(), &visitor.cookie_header()).await?, 202);
        let calls = provider.requests_to(Endpoint::Token).len();
        assert_eq!(calls, expected, "{refresh:?}: {}", gateway.child.output());
    }
    Ok(())
}

#[tokio::test]
async fn that_a_session_is_used_is_written_down_where_options_say_so() -> Result<()> {
    let redis = Redis::start(&[]).await?;
    let url = redis.url();
    let written = || -> Result<String> {
        let key = redis.says(&["KEYS", SESSIONS])?;
        redis.says(&["GET", key.lines().next().context("there is a session")?])
    };
    for (limit, is_written) in [("1m", true), ("", false)] {
        redis.says(&["FLUSHALL"])?;
        let (_provider, setup) =
            with(&[("SESSION_STORE_TYPE", "redis"), ("REDIS_CONNECTION_URL", &url)]).await?;
        let gateway = setup.set("IDLE_LIMIT", limit).start().await?;
        let visitor = gateway.signed_in().await?;
        let before = written()?;
        // A tenth of the limit, and a second for the clock's fractions.
        tokio::time::sleep(Duration::from_secs(7)).await;
        assert_eq!(asked(&gateway.origin(), &visitor.cookie_header()).await?, 202);
        assert_eq!(written()? != before, is_written, "{limit:?}");
    }
    Ok(())
}

#[tokio::test]
async fn signing_out_leads_to_the_provider_where_options_say_so() -> Result<()> {
    for (is_wanted, leads) in [("true", true), ("false", false)] {
        let (provider, setup) = with(&[("SIGN_OUT_AT_PROVIDER", is_wanted)]).await?;
        let gateway = setup.start().await?;
        let visitor = gateway.signed_in().await?;
        let answer = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()?
            .post(gateway.url("/oauth2/sign_out"))
            .header("cookie", visitor.cookie_header())
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "navigate")
            .header("origin", gateway.origin())
            .send()
            .await?;
        let location = answer.headers().get("location").and_then(|location| location.to_str().ok());
        let is_there =
            location.is_some_and(|location| location.starts_with(&provider.url(Endpoint::EndSession)));
        assert_eq!(is_there, leads, "{location:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_ends_sessions_where_options_say_so() -> Result<()> {
    for (by_token, by_frame) in [("true", "false"), ("false", "true"), ("", "")] {
        let options = [
            ("SESSION_STORE_TYPE", "memory"),
            ("BACKCHANNEL_LOGOUT", by_token),
            ("FRONTCHANNEL_LOGOUT", by_frame),
        ];
        let (provider, setup) = with(&options).await?;
        let gateway = setup.start().await?;
        let client = ProviderClient::new(client::ID)
            .secret(client::SECRET)
            .redirect_uri(gateway.url("/oauth2/callback"))
            .backchannel_logout_uri(gateway.url("/oauth2/backchannel_logout"));
        provider.register(client).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
        let cookies = gateway.signed_in().await?.cookie_header();
        let (status, after) = if by_token == "true" { (200, 401) } else { (404, 202) };
        let notified = provider.end_sessions("1001").await;
        assert_eq!((notified.len(), notified[0].status), (1, Some(status)), "{options:?}");
        assert_eq!(asked(&gateway.origin(), &cookies).await?, after, "{options:?}");

        let cookies = gateway.signed_in().await?.cookie_header();
        let sid = provider.sessions("1001").pop().context("she is signed in")?;
        let (status, after) = if by_frame == "true" { (200, 401) } else { (404, 202) };
        let frame = gateway.url("/oauth2/frontchannel_logout");
        let query = [("iss", provider.issuer()), ("sid", sid.as_str())];
        let frame = Client::new().get(reqwest::Url::parse_with_params(&frame, query)?).send().await?;
        assert_eq!(frame.status().as_u16(), status, "{options:?}");
        assert_eq!(asked(&gateway.origin(), &cookies).await?, after, "{options:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_is_said_and_signs_nobody_out() -> Result<()> {
    let mut redis = Redis::start(&["--appendonly", "yes"]).await?;
    let secret = "another secret of at least 32 bytes, new";
    let (_provider, setup) =
        with(&[("SESSION_STORE_TYPE", "redis"), ("REDIS_CONNECTION_URL", &redis.url())]).await?;
    let file =
        setup.file("vestibule.toml", format!("cookie_secret = \"{}\"", crate::support::COOKIE_SECRET))?;
    let mut setup = setup.argument(format!("--config={}", file.display()));
    setup.variables.remove("VESTIBULE_COOKIE_SECRET");
    let mut gateway = setup.start().await?;
    let cookies = gateway.signed_in().await?.cookie_header();

    let connections = redis.counts("total_connections_received")?;
    let rotated = format!(
        "cookie_secret = \"{secret}\"\ncookie_secrets_previous = \"{}\"",
        crate::support::COOKIE_SECRET
    );
    std::fs::write(&file, rotated)?;
    gateway.signal(Signal::HUP)?;
    gateway.child.line_with("has taken over", PATIENCE).await?;
    assert_eq!(asked(&gateway.origin(), &cookies).await?, 202);
    // The one that counted is one more; the gateway has made none.
    assert_eq!(redis.counts("total_connections_received")?, connections + 1);

    redis.stop().await?;
    assert_eq!(ready(&gateway).await?, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reqwest::get(gateway.url("/ping")).await?.status(), StatusCode::OK);
    assert_eq!(asked(&gateway.origin(), &cookies).await?, 503);
    let said = gateway.setup.command().arg("check").output()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("problem: sessions cannot be kept"), "{said}");
    redis.start_again().await?;
    let end = std::time::Instant::now() + PATIENCE;
    while ready(&gateway).await? != StatusCode::OK {
        assert!(std::time::Instant::now() < end, "{}", gateway.child.output());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(asked(&gateway.origin(), &cookies).await?, 202);
    Ok(())
}
