//! Where the program is, and what it says.

use std::time::Duration;

use anyhow::Result;
use reqwest::{Client, StatusCode};
use rustix::process::Signal;
use vestibule_dev_provider::{Behaviour, Endpoint};
use vestibule_outside::{PATIENCE, Wire, ports};

use crate::support::{setup, started};

#[tokio::test]
async fn everything_is_where_options_say() -> Result<()> {
    let (port, metrics) = (ports::reserve()?, ports::reserve()?);
    let at = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let (_provider, setup) = setup().await?;
    let _gateway = setup
        .set("HTTP_ADDRESS", format!("localhost:{port}"))
        .set("METRICS_ADDRESS", format!("http://127.0.0.1:{metrics}"))
        .set("PROXY_PREFIX", "/login")
        .set("REDIRECT_URL", at("/login/callback"))
        .set("PING_PATH", "/healthz")
        .set("READY_PATH", "/readyz")
        .start()
        .await?;
    let status = async |url: String| reqwest::get(url).await.unwrap().status();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(status(at(path)).await, StatusCode::OK, "{path}");
    }
    assert_eq!(status(at("/login/auth")).await, StatusCode::UNAUTHORIZED);
    for path in ["/ping", "/ready", "/oauth2/auth"] {
        assert_eq!(status(at(path)).await, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(status(format!("http://127.0.0.1:{metrics}/metrics")).await, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn gw_11_no_user_agent_turns_a_check_into_a_health_check() -> Result<()> {
    let (_provider, gateway) = started(&[]).await?;
    for agent in ["kube-probe/1.29", "GoogleHC/1.0", "ELB-HealthChecker/2.0"] {
        let asked = Client::new().get(gateway.url("/oauth2/auth")).header("user-agent", agent);
        assert_eq!(asked.send().await?.status(), StatusCode::UNAUTHORIZED, "{agent}");
    }
    Ok(())
}

#[tokio::test]
async fn lines_of_the_log_are_what_options_say() -> Result<()> {
    for (options, ping, auth, needle) in [
        (&[][..], true, true, "INFO"),
        (&[("LOG_FORMAT", "json")], true, true, "\"level\":\"INFO\""),
        (&[("REQUEST_LOGGING", "false")], false, false, ""),
        (&[("EXCLUDE_LOGGING_PATHS", "/oauth2/auth,/elsewhere")], true, false, ""),
        (&[("SILENCE_PING_LOGGING", "true")], false, true, ""),
        (&[("REQUEST_ID_HEADER", "X-Trace")], true, true, "trace-7"),
    ] {
        let (_provider, mut gateway) = started(options).await?;
        for path in ["/ping", "/oauth2/auth", "/oauth2/nothing"] {
            Client::new().get(gateway.url(path)).header("x-trace", "trace-7").send().await?;
        }
        // What comes last has been written when its successor has.
        gateway.signal(Signal::HUP)?;
        gateway.child.line_with("has taken over", PATIENCE).await?;
        let log = gateway.child.output();
        let has = |path: &str| log.lines().any(|line| line.contains("answered") && line.contains(path));
        assert_eq!((has("/ping"), has("/oauth2/auth")), (ping, auth), "{options:?}\n{log}");
        let lines = log.lines().filter(|line| line.contains("answered"));
        assert!(needle.is_empty() || lines.clone().all(|line| line.contains(needle)), "{options:?}\n{log}");
        assert!(needle == "trace-7" || !log.contains("trace-7"), "{options:?}\n{log}");
    }
    Ok(())
}

#[tokio::test]
async fn connections_last_as_long_as_options_say() -> Result<()> {
    // A silent connection is closed; this waits for that, however long it takes.
    let (_provider, gateway) = started(&[("CONNECTION_SILENCE", "50ms")]).await?;
    let mut wire = Wire::to(gateway.setup.port).await?;
    assert_eq!(wire.rest().await?, b"");

    // With no grace at all a request under way is lost at the end; `running.rs` shows the other side.
    let (provider, mut gateway) = started(&[("SHUTDOWN_GRACE", "0s")]).await?;
    let mut visitor = gateway.visitor()?;
    let callback =
        visitor.follow_until(&gateway.url("/oauth2/start"), &gateway.url("/oauth2/callback")).await?;
    provider.fail_next(Endpoint::Token, Behaviour::Delay(Duration::from_secs(20)));
    let answer = tokio::spawn(async move { visitor.navigate(callback.as_str()).await });
    while provider.requests_to(Endpoint::Token).is_empty() {
        tokio::task::yield_now().await;
    }
    gateway.signal(Signal::TERM)?;
    gateway.child.line_with("some requests were not answered in time", PATIENCE).await?;
    assert!(answer.await?.is_err());
    Ok(())
}

#[tokio::test]
async fn an_upstream_is_answered_with_the_lines_to_use() -> Result<()> {
    let (_provider, gateway) = started(&[("UPSTREAMS", "static://202")]).await?;
    drop(gateway);
    let (_provider, setup) = setup().await?;
    let said = setup.set("UPSTREAMS", "http://127.0.0.1:8501/").refused()?;
    assert!(
        said.contains("auth_request /oauth2/auth") && said.contains("proxy_pass http://127.0.0.1:8501/"),
        "{said}"
    );
    Ok(())
}
