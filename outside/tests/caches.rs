//! A cache between the browsers and everything: nothing of one person's may ever be served to another.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;
use vestibule_outside::{Idp, Seed1, Visitor};

/// The first system's nginx, told to cache all that it may, and everything by its address alone.
fn cached(servers: &str, more: &str) -> String {
    let caching = format!(
        "server_tokens off;\nproxy_cache everything;\nproxy_cache_valid any 10m;\n\
         add_header X-Cache $upstream_cache_status always;\n{more}"
    );
    format!(
        "proxy_cache_path cache keys_zone=everything:1m;\n{}",
        servers.replace("server_tokens off;", &caching)
    )
}

const PAGES: [&str; 9] = [
    "/",
    "/reports/2026?year=2026",
    "/assets/index.js",
    "/app/api/first_seen",
    "/app/oauth2/auth",
    "/app/oauth2/userinfo",
    "/app/oauth2/sign_in",
    "/app/oauth2/start",
    "/app/oauth2/callback?code=a&state=b",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lk_15_behind_a_cache_nobody_gets_anything_of_somebody_else() -> Result<()> {
    let system = Seed1::start_changed(Idp::dev, |app| app, |servers| cached(&servers, "")).await?;
    let mut people = two_people(&system).await?;

    // The cache does its work, or all of this shows nothing.
    let public = system.at("/app/api/no_auth");
    let mut stranger = Visitor::new(&system.origin)?;
    stranger.fetch(&public).await?;
    assert_eq!(cache_status(&stranger.fetch(&public).await?), "HIT");

    for _ in 0..2 {
        for (email, visitor) in &mut people {
            assert_eq!(shown(&system, visitor, "/app/api/userinfo", "/session/email").await?, *email);
            assert_eq!(shown(&system, visitor, "/app/oauth2/userinfo", "/email").await?, *email);
            let auth = visitor.fetch(&system.at("/app/oauth2/auth")).await?;
            let said = auth.headers().get("x-auth-request-email").context("auth says who it is")?;
            assert_eq!(said.to_str()?, *email);
        }
        // Whoever is signed in has been everywhere by now; a stranger gets nothing of it.
        let mut stranger = Visitor::new(&system.origin)?;
        for path in PAGES {
            for (_, visitor) in &mut people {
                let answer = visitor.navigate(&system.at(path)).await?;
                assert_ne!(cache_status(&answer), "HIT", "{path}");
            }
            let answer = stranger.navigate(&system.at(path)).await?;
            assert_ne!(cache_status(&answer), "HIT", "{path}");
            assert!(!answer.status().is_success(), "{path} is served to a stranger");
        }
    }

    // Signed out, the first person is nobody, whatever the cache has seen.
    let (_, alice) = &mut people[0];
    alice.navigate(&system.at("/app/oauth2/sign_out")).await?;
    assert_eq!(alice.fetch(&system.at("/app/api/userinfo")).await?.status(), 302);
    assert_eq!(alice.fetch(&system.at("/app/oauth2/auth")).await?.status(), 401);
    Ok(())
}

/// The same where nginx is told to cache against our word: then it does leak, so the test above can see leaks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lk_15_it_is_our_headers_that_keep_the_cache_from_leaking() -> Result<()> {
    let against = "proxy_ignore_headers Cache-Control Set-Cookie;\n";
    let system = Seed1::start_changed(Idp::dev, |app| app, |servers| cached(&servers, against)).await?;
    let mut stranger = Visitor::new(&system.origin)?;
    let address = system.at("/app/oauth2/sign_in");
    let first = stranger.navigate(&address).await?;
    let second = Visitor::new(&system.origin)?.navigate(&address).await?;
    assert_eq!(cache_status(&second), "HIT");
    assert_eq!(
        first.headers().get("location"),
        second.headers().get("location"),
        "one state for two browsers"
    );
    Ok(())
}

/// Two people, each signed in and back where they wanted to go, one in the middle of the other's sign-in.
async fn two_people(system: &Seed1) -> Result<Vec<(&'static str, Visitor)>> {
    let provider = system.dev()?;
    let callback = system.at("/app/oauth2/callback");
    let mut begun = BTreeMap::new();
    for (name, email) in [("alice", "alice@example.com"), ("chloe", "chloe@example.org")] {
        provider.sign_in_as(Some(name));
        let mut visitor = Visitor::new(&system.origin)?;
        let address = visitor.follow_until(&system.at("/reports/2026?year=2026"), &callback).await?;
        begun.insert(email, (visitor, address));
    }
    let mut people = Vec::new();
    for (email, (mut visitor, address)) in begun {
        let visited = visitor.follow(address.as_str()).await?;
        assert_eq!(visited.url.as_str(), system.at("/reports/2026?year=2026"));
        assert_eq!(visited.status, 200);
        people.push((email, visitor));
    }
    Ok(people)
}

async fn shown(system: &Seed1, visitor: &mut Visitor, path: &str, pointer: &str) -> Result<String> {
    let answer = visitor.fetch(&system.at(path)).await?;
    assert_ne!(cache_status(&answer), "HIT", "{path}");
    let text = answer.text().await?;
    let data: Value = serde_json::from_str(&text).with_context(|| format!("{path} is not JSON: {text}"))?;
    Ok(data.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned())
}

fn cache_status(answer: &reqwest::Response) -> &str {
    answer.headers().get("x-cache").and_then(|value| value.to_str().ok()).unwrap_or_default()
}
