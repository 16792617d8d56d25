//! Every proxy with the configuration that `examples/proxies` shows, from a visitor to the application and back.

mod forged;
mod likeness;
mod recipes;
mod rules;
mod ways;

/// One test for each proxy that we can run, told by a function of that name.
macro_rules! behind_every_proxy {
    ($($(#[$attribute:meta])* $story:ident)*) => {
        mod nginx { $(#[tokio::test] $(#[$attribute])* async fn $story() -> anyhow::Result<()> {
            super::$story(vestibule_outside::Kind::Nginx).await
        })* }
        mod caddy { $(#[tokio::test] $(#[$attribute])* async fn $story() -> anyhow::Result<()> {
            super::$story(vestibule_outside::Kind::Caddy).await
        })* }
        mod haproxy { $(#[tokio::test] $(#[$attribute])* async fn $story() -> anyhow::Result<()> {
            super::$story(vestibule_outside::Kind::HAProxy).await
        })* }
        mod envoy { $(#[tokio::test] $(#[$attribute])* async fn $story() -> anyhow::Result<()> {
            super::$story(vestibule_outside::Kind::Envoy).await
        })* }
    };
}
pub(crate) use behind_every_proxy;
