//! The program at work: starting, ending, reading its configuration again, and what it tells about itself.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod support;

use anyhow::Result;
use reqwest::StatusCode;
use rustix::process::Signal;
use support::{Setup, header, provider, setup, started};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};
use vestibule_outside::{PATIENCE, Wire, ports};

#[tokio::test]
async fn somebody_signs_in_and_metrics_and_the_log_tell_it_without_a_secret() -> Result<()> {
    let (provider, setup) = setup().await?;
    let metrics_port = ports::reserve()?;
    let gateway = setup
        .set("METRICS_ADDRESS", format!("127.0.0.1:{metrics_port}"))
        .set("LOG_FORMAT", "json")
        .start()
        .await?;
    let nobody = gateway.check(&mut gateway.visitor()?).await?;
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
    let mut visitor = gateway.signed_in().await?;
    let somebody = gateway.check(&mut visitor).await?;
    assert_eq!(header(somebody.headers(), "x-auth-request-email"), Some("alice@example.com"));

    let page = reqwest::get(format!("http://127.0.0.1:{metrics_port}/metrics")).await?.text().await?;
    for line in [
        r#"vestibule_checks_total{verdict="allowed"} 2"#,
        r#"vestibule_checks_total{verdict="sign_in_required"} 1"#,
        r#"vestibule_sign_ins_total{outcome="signed_in",provider="oidc"} 1"#,
        r#"vestibule_provider_requests_total{host="127.0.0.1",purpose="token",outcome="200"} 1"#,
        "vestibule_requests_in_flight 0",
    ] {
        assert!(page.lines().any(|own| own == line), "{line} in:\n{page}");
    }
    assert!(page.contains(r#"vestibule_provider_request_duration_seconds_count{host="127.0.0.1"}"#));
    // Where metrics are, nobody signs in, and the other way round.
    let elsewhere = reqwest::get(format!("http://127.0.0.1:{metrics_port}/oauth2/auth")).await?;
    assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND);
    assert_eq!(reqwest::get(gateway.url("/metrics")).await?.status(), StatusCode::NOT_FOUND);

    let log = gateway.child.output();
    assert!(log.contains(r#""path":"/oauth2/callback""#), "{log}");
    // Whoever signs in is in the log under the id of the callback, although that run outlives its request.
    let id_of = |line: &str| {
        line.split(r#""id":""#).nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned)
    };
    let line_with = |needle: &str| log.lines().find(|line| line.contains(needle)).unwrap_or_default();
    let id = id_of(line_with(r#""path":"/oauth2/callback""#));
    assert!(id.is_some() && id == id_of(line_with("signed in")), "{log}");
    for secret in visitor.cookies_ever_set().iter().map(String::as_str) {
        assert!(!log.contains(secret), "a cookie is in the log:\n{log}");
    }
    for issued in provider.issued() {
        assert!(!log.contains(&issued.value), "a {:?} is in the log:\n{log}", issued.kind);
    }
    Ok(())
}

#[tokio::test]
async fn every_line_about_a_request_has_the_id_that_the_proxy_gave_it() -> Result<()> {
    let (_provider, mut gateway) = started(&[("REQUEST_ID_HEADER", "X-Trace")]).await?;
    let client = reqwest::Client::new();
    client
        .get(gateway.url("/oauth2/callback?code=hush&state=hush"))
        .header("x-trace", "abc-123")
        .send()
        .await?;
    let line = gateway.child.line_with("answered", PATIENCE).await?;
    assert!(line.contains("abc-123") && line.contains("/oauth2/callback"), "{line}");
    let line = gateway.child.line_with("refused", PATIENCE).await?;
    assert!(line.contains("abc-123"), "{line}");
    client.get(gateway.url("/ping")).header("x-trace", "two words").send().await?;
    let line = gateway.child.line_with("/ping", PATIENCE).await?;
    let log = gateway.child.output();
    assert!(!line.contains("two words") && line.contains("-000001"), "{line}");
    assert!(!log.contains("hush"), "{log}");
    Ok(())
}

#[tokio::test]
async fn it_starts_while_the_provider_is_down() -> Result<()> {
    let (port, issuer_port) = (ports::reserve()?, ports::reserve()?);
    let issuer = format!("http://127.0.0.1:{issuer_port}");
    let gateway = Setup::at(port)?.set("OIDC_ISSUER_URL", &issuer).start().await?;
    assert_eq!(reqwest::get(gateway.url("/ready")).await?.status(), StatusCode::OK);
    let answer = gateway.visitor()?.navigate(&gateway.url("/oauth2/start")).await?;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let provider = vestibule_dev_provider::DevProvider::builder()
        .bind(([127, 0, 0, 1], issuer_port))
        .client(
            vestibule_outside::client::ID,
            Some(vestibule_outside::client::SECRET),
            [gateway.url("/oauth2/callback")],
        )
        .start()
        .await?;
    provider.sign_in_as(Some("alice"));
    // After a failure the issuer may be left alone for a moment; this waits for the sign-in that succeeds.
    let end = std::time::Instant::now() + PATIENCE;
    while gateway.signed_in().await.is_err() {
        assert!(std::time::Instant::now() < end, "{}", gateway.child.output());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_new_configuration_takes_over_and_a_wrong_one_does_not() -> Result<()> {
    let (_provider, setup) = setup().await?;
    let path = setup.file("vestibule.toml", "email_domains = [\"example.com\"]\nping_path = \"/one\"")?;
    let mut setup = setup.argument(format!("--config={}", path.display()));
    setup.variables.remove("VESTIBULE_EMAIL_DOMAINS");
    let mut gateway = setup.start().await?;
    let mut visitor = gateway.signed_in().await?;
    let ping = async |path: &str| reqwest::get(gateway.url(path)).await.unwrap().status();
    assert_eq!((ping("/one").await, ping("/two").await), (StatusCode::OK, StatusCode::NOT_FOUND));

    std::fs::write(&path, "email_domains = [\"example.com\"]\nping_path = \"/two\"\nnonsense = 1")?;
    gateway.signal(Signal::HUP)?;
    let line = gateway.child.line_with("the one before stays", PATIENCE).await?;
    assert!(line.contains("ERROR"), "{line}");
    assert!(gateway.child.output().contains("there is no option nonsense"));
    assert_eq!(reqwest::get(gateway.url("/one")).await?.status(), StatusCode::OK);

    let only_at_the_start = "shutdown_grace = \"9s\"\nconnection_silence = \"70s\"\nlog_format = \"json\"";
    std::fs::write(
        &path,
        format!("email_domains = [\"elsewhere.example\"]\nping_path = \"/two\"\n{only_at_the_start}"),
    )?;
    gateway.signal(Signal::HUP)?;
    gateway.child.line_with("has taken over", PATIENCE).await?;
    let line = gateway.child.line_with("until a restart", PATIENCE).await?;
    assert!(line.contains("SHUTDOWN_GRACE, CONNECTION_SILENCE, LOG_FORMAT stay as they were"), "{line}");
    assert_eq!(reqwest::get(gateway.url("/two")).await?.status(), StatusCode::OK);
    // Rules hold for sessions that there are already.
    assert_eq!(gateway.check(&mut visitor).await?.status(), StatusCode::FORBIDDEN);
    Ok(())
}

#[tokio::test]
async fn secrets_are_read_again_and_nobody_is_signed_out_by_a_rotation() -> Result<()> {
    let (_provider, setup) = setup().await?;
    let secret = setup.file("secret", support::COOKIE_SECRET)?;
    let file = setup.file("vestibule.toml", "")?;
    let mut setup = setup.set("COOKIE_SECRET_FILE", secret.to_str().unwrap());
    setup.variables.remove("VESTIBULE_COOKIE_SECRET");
    let gateway = setup.argument(format!("--config={}", file.display())).start().await?;
    let mut visitor = gateway.signed_in().await?;
    let old = format!("cookie_secrets_previous = \"{}\"", support::COOKIE_SECRET);
    std::fs::write(&secret, "another secret of at least 32 bytes, new")?;
    for (text, status) in [(old.as_str(), StatusCode::ACCEPTED), ("", StatusCode::UNAUTHORIZED)] {
        std::fs::write(&file, text)?;
        let before = gateway.child.output().matches("has taken over").count();
        gateway.signal(Signal::HUP)?;
        let end = std::time::Instant::now() + PATIENCE;
        while gateway.child.output().matches("has taken over").count() == before {
            assert!(std::time::Instant::now() < end, "{}", gateway.child.output());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(gateway.check(&mut visitor).await?.status(), status, "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_log_of_warnings_alone_tells_which_request_each_is_about() -> Result<()> {
    let (port, closed) = (ports::reserve()?, ports::reserve()?);
    let mut setup = Setup::at(port)?.set("OIDC_ISSUER_URL", format!("http://127.0.0.1:{closed}"));
    setup.variables.insert("RUST_LOG".to_owned(), "warn".to_owned());
    let mut gateway = setup.start().await?;
    let request = reqwest::Client::new().get(gateway.url("/oauth2/start")).header("x-request-id", "abc-123");
    request.header("sec-fetch-mode", "navigate").send().await?;
    let line = gateway.child.line_with("provider did not answer", PATIENCE).await?;
    assert!(line.contains("abc-123"), "{line}");
    Ok(())
}

#[tokio::test]
async fn a_socket_in_the_file_system_has_its_mode_and_is_taken_over_from_the_dead_only() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let (_provider, setup) = setup().await?;
    let path = setup.file("dead.sock", "")?.with_file_name("gateway.sock");
    // What a program that was killed leaves behind.
    drop(std::os::unix::net::UnixListener::bind(&path)?);
    let setup = setup.set("HTTP_ADDRESS", format!("unix://{},mode=0660", path.display()));
    let mut gateway = setup.start().await?;
    assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o660);
    let mut stream = UnixStream::connect(&path).await?;
    stream.write_all(b"GET /oauth2/auth HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    let output = gateway.setup.command().output()?;
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be listened at"), "{output:?}");
    gateway.child.stop().await?;
    assert!(!path.exists());
    Ok(())
}

#[tokio::test]
async fn files_of_others_are_left_alone_where_a_socket_is_to_be() -> Result<()> {
    let (_provider, setup) = setup().await?;
    let path = setup.file("gateway.sock", "precious")?;
    let setup = setup.set("HTTP_ADDRESS", format!("unix://{}", path.display()));
    assert!(setup.refused()?.contains("cannot be listened at"));
    assert_eq!(std::fs::read_to_string(&path)?, "precious");

    // Whatever has been put in the socket's place meanwhile is somebody else's too.
    std::fs::remove_file(&path)?;
    let mut gateway = setup.start().await?;
    std::fs::remove_file(&path)?;
    std::fs::write(&path, "precious")?;
    gateway.child.stop().await?;
    assert_eq!(std::fs::read_to_string(&path)?, "precious");
    Ok(())
}

#[tokio::test]
async fn heads_are_limited_in_size_and_time() -> Result<()> {
    let (_provider, gateway) = started(&[("CONNECTION_SILENCE", "300ms")]).await?;
    let port = gateway.setup.port;
    let long = "x".repeat(65 * 1024);
    for head in [
        format!("GET /ping HTTP/1.1\r\nhost: x\r\ncookie: {long}\r\n\r\n"),
        format!("GET /ping HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(200)),
    ] {
        let mut wire = Wire::to(port).await?;
        wire.say(head).await;
        assert_eq!(wire.reply().await?.unwrap().status, 431);
    }
    // A head that never ends, and a connection on which nothing is said any more.
    for said in ["GET /ping HTTP/1.1\r\nhost:", "GET /ping HTTP/1.1\r\nhost: x\r\n\r\n"] {
        let mut wire = Wire::to(port).await?;
        wire.say(said).await;
        let _ = wire.rest().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_end() -> Result<()> {
    let (provider, gateway) = started(&[]).await?;
    let mut visitor = gateway.visitor()?;
    let callback =
        visitor.follow_until(&gateway.url("/oauth2/start"), &gateway.url("/oauth2/callback")).await?;
    let slow = vestibule_dev_provider::Behaviour::Delay(std::time::Duration::from_secs(1));
    provider.fail_next(vestibule_dev_provider::Endpoint::Token, slow);
    let answer = tokio::spawn(async move { visitor.navigate(callback.as_str()).await });
    while provider.requests_to(vestibule_dev_provider::Endpoint::Token).is_empty() {
        tokio::task::yield_now().await;
    }
    gateway.signal(Signal::TERM)?;
    let answer = answer.await??;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", gateway.child.output());
    let _ = provider;
    Ok(())
}

#[tokio::test]
async fn a_configuration_that_is_wrong_is_no_program() -> Result<()> {
    let port = ports::reserve()?;
    let _provider = provider(port).await?;
    let said = Setup::at(port)?.set("COOKIE_REFRESH", "1h").refused()?;
    assert!(said.contains("OIDC_ISSUER_URL: it is not set"), "{said}");
    assert!(said.contains("VESTIBULE_COOKIE_REFRESH"), "{said}");
    Ok(())
}
