//! People who begin to sign in and never come back, from outside: the example on each framework holds what it held, and
//! Redis keeps nothing of them. `core/tests/unfinished.rs` has a hundred thousand of them, without a network.

use anyhow::{Context as _, Result, ensure};
use vestibule_outside::{App, AppBuilder, COOKIE_SECRET, Framework, Idp, Wire, redis::Redis};

/// So many at once.
const CONNECTIONS: u64 = 8;
/// What whatever is kept once is there after.
const WARM_UP: u64 = 3_000;
const UNFINISHED: u64 = 10_000;
/// Two hundred bytes kept of each would be 2 MiB.
const GROWTH_MAX: u64 = 1 << 20;

/// The example, and the provider that it leads to.
struct Running {
    app: App,
    _idp: Idp,
}

async fn start(framework: Framework, redis: Option<&Redis>) -> Result<Running> {
    let origin = "http://localhost:8000";
    let idp = Idp::dev(origin).await?;
    let mut app = AppBuilder::new(framework.example())
        .option("REDIRECT_URL", format!("{origin}/app/oauth2/callback"))
        .option("COOKIE_SECRET", COOKIE_SECRET)
        .option("COOKIE_SECURE", "false")
        .option("EMAIL_DOMAINS", "*")
        // A line of the log for each would be kept here.
        .variable("RUST_LOG", "error");
    if let Some(redis) = redis {
        app = app.option("SESSION_STORE_TYPE", "redis").option("REDIS_CONNECTION_URL", redis.url());
    }
    Ok(Running { app: idp.configure(app).start().await?, _idp: idp })
}

/// So many people begin and never come back; and as many come back from nowhere.
async fn leave_unfinished(port: u16, connection: u64, count: u64) -> Result<()> {
    let mut wire = Wire::to(port).await?;
    for number in 0..count {
        let begins = format!("/app/oauth2/start?rd=%2Fapp%2Fpage%2F{number}");
        let stray = format!("/app/oauth2/callback?code=c&state=of-nobody-{connection}-{number:030}");
        for (target, status) in [(begins, 303), (stray, 400)] {
            wire.say(format!(
                "GET {target} HTTP/1.1\r\nHost: localhost:8000\r\nSec-Fetch-Mode: navigate\r\nAccept: text/html\r\n\r\n"
            ))
            .await;
            let reply = wire.reply().await?.context("the application hung up")?;
            ensure!(reply.status == status, "{target}: {}{}", reply.head, reply.text());
        }
    }
    Ok(())
}

async fn all(port: u16, count: u64) -> Result<()> {
    let people = (0..CONNECTIONS).map(|connection| leave_unfinished(port, connection, count / CONNECTIONS));
    futures_util::future::try_join_all(people).await.map(drop)
}

async fn memory_stays_flat(framework: Framework, redis: Option<&Redis>) -> Result<()> {
    let running = start(framework, redis).await?;
    all(running.app.port(), WARM_UP).await?;
    let before = running.app.memory_peak()?;
    all(running.app.port(), UNFINISHED).await?;
    let growth = (running.app.memory_peak()? - before) * 1_024;
    ensure!(growth < GROWTH_MAX, "{growth} bytes more are held after {UNFINISHED} unfinished sign-ins");
    if let Some(redis) = redis {
        ensure!(
            redis.says(&["DBSIZE"])?.trim() == "0",
            "Redis keeps something of those who have not come back"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_of_unfinished_sign_ins_on_axum() -> Result<()> {
    memory_stays_flat(Framework::Axum, None).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_of_unfinished_sign_ins_on_actix() -> Result<()> {
    memory_stays_flat(Framework::Actix, None).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_of_unfinished_sign_ins_on_axum_with_redis() -> Result<()> {
    memory_stays_flat(Framework::Axum, Some(&Redis::start(&[]).await?)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_of_unfinished_sign_ins_on_actix_with_redis() -> Result<()> {
    memory_stays_flat(Framework::Actix, Some(&Redis::start(&[]).await?)).await
}
