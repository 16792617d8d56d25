//! `vestibule check`: what it finds before anybody goes round in circles.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod support;

use anyhow::Result;
use support::{Setup, provider, setup};
use vestibule_dev_provider::{Behaviour, Endpoint};
use vestibule_outside::ports;

/// Runs `check` with these arguments, and gives whether it found nothing and what it said.
fn check(setup: &Setup, arguments: &[&str]) -> Result<(bool, String)> {
    let output = setup.command().arg("check").args(arguments).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!said.contains(vestibule_outside::client::SECRET), "{said}");
    assert!(!said.is_empty(), "{output:?}");
    Ok((output.status.success(), said))
}

/// Runs `check` where it must find something, and that only.
fn finds(setup: &Setup, arguments: &[&str], needle: &str) -> Result<()> {
    let (is_sound, said) = check(setup, arguments)?;
    assert!(!is_sound && said.contains(needle), "{needle}:\n{said}");
    assert!(!said.contains("the configuration is sound"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_configuration_is_called_sound_before_and_while_it_runs() -> Result<()> {
    let (_provider, setup) = setup().await?;
    let (is_sound, said) = check(&setup, &[])?;
    assert!(is_sound && said.contains("not checked: the site"), "{said}");
    let gateway = setup.start().await?;
    let (is_sound, said) = check(&gateway.setup, &[])?;
    assert!(is_sound && said == "the configuration is sound\n", "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_is_named_at_once_with_its_remedy() -> Result<()> {
    let (_provider, setup) = setup().await?;
    let setup = setup.set("COOKIE_EXPIRE", "7d").set("COOKIE_REFRESH", "1h").argument("--htpasswd-file=x");
    let setup = setup.set("UPSTREAMS", "http://app:8501").set("NONSENSE", "1");
    let (is_sound, said) = check(&setup, &[])?;
    assert!(!is_sound);
    for needle in [
        "VESTIBULE_COOKIE_EXPIRE",
        "set SESSION_STORE_TYPE",
        "--htpasswd-file",
        "VESTIBULE_NONSENSE",
        "proxy_pass http://app:8501",
    ] {
        assert!(said.contains(needle), "{needle}:\n{said}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_cannot_be_signed_in_with_is_found() -> Result<()> {
    let (port, closed) = (ports::reserve()?, ports::reserve()?);
    let setup = Setup::at(port)?.set("OIDC_ISSUER_URL", format!("http://127.0.0.1:{closed}"));
    finds(&setup, &[], "the provider `oidc`: metadata: no connection could be made")?;

    let provider = provider(port).await?;
    let setup = setup.set("OIDC_ISSUER_URL", provider.issuer());
    assert!(check(&setup, &[])?.0);
    provider.fail_next(Endpoint::Authorize, Behaviour::Status(500));
    finds(&setup, &[], "answers a sign-in with status 500")?;
    let setup = setup.set("CLIENT_ID", "somebody-else");
    finds(&setup, &[], "is registered there")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn first_loop_a_secure_cookie_over_http() -> Result<()> {
    let (_provider, setup) = setup().await?;
    let said = setup.set("COOKIE_SECURE", "true");
    finds(&said, &[], "VESTIBULE_COOKIE_SECURE: it is true, but VESTIBULE_REDIRECT_URL is http")?;
    let mut https = said.set("REDIRECT_URL", "https://app.example/oauth2/callback");
    https.variables.remove("VESTIBULE_COOKIE_SECURE");
    finds(&https, &["--site", "http://app.example"], "is for https only")?;
    let (_, said) = check(&https, &["--site", "https://app.example"])?;
    assert!(!said.contains("again and again"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn second_loop_a_foreign_cookie_domain() -> Result<()> {
    let (_provider, setup) = setup().await?;
    let setup = setup.set("REDIRECT_URL", "https://auth.example.com/oauth2/callback");
    let foreign = setup.set("COOKIE_DOMAINS", "example.org");
    finds(&foreign, &[], "VESTIBULE_COOKIE_DOMAINS: `example.org`")?;
    let own = foreign.set("COOKIE_DOMAINS", "example.com");
    finds(
        &own,
        &["--site", "https://app.example.org"],
        "whoever opens https://app.example.org signs in again",
    )?;
    let (_, said) = check(&own, &["--site", "https://app.example.com"])?;
    assert!(!said.contains("again and again"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn third_loop_a_redirect_url_on_another_host() -> Result<()> {
    let (_provider, setup) = setup().await?;
    let setup = setup.set("REDIRECT_URL", "https://auth.example.com/oauth2/callback");
    finds(
        &setup,
        &["--site", "https://app.example.com"],
        "whoever opens https://app.example.com signs in again",
    )?;
    let other = setup.set("WHITELIST_DOMAINS", "app.example.com");
    finds(&other, &[], "whoever opens https://app.example.com signs in again")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn fourth_loop_a_prefix_that_the_proxy_rewrites() -> Result<()> {
    // As the gateway sees it behind a proxy that takes `/app` away.
    let (_provider, setup) = setup().await?;
    let mut gateway = setup.start().await?;
    let port = gateway.setup.port;
    gateway.setup = std::mem::replace(&mut gateway.setup, Setup::at(port)?)
        .set("PROXY_PREFIX", "/app/oauth2")
        .set("REDIRECT_URL", format!("http://127.0.0.1:{port}/app/oauth2/callback"));
    finds(&gateway.setup, &[], "`location /app/oauth2/ { proxy_pass")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn fifth_loop_a_session_too_large_for_a_cookie() -> Result<()> {
    let (_provider, setup) = setup().await?;
    let groups: Vec<_> =
        (0..300).map(|number| format!("a group with a long name, number {number}")).collect();
    let groups = groups.iter().map(|group| group.replace(',', "")).collect::<Vec<_>>().join(",");
    let rule = |asked: String| -> Result<()> {
        let path = setup.file("rules.toml", format!("[[rule]]\n{asked}"))?;
        finds(&setup, &["--config", path.to_str().unwrap()], "too large for a cookie")
    };
    rule(format!("groups = [\"{}\"]", groups.replace(',', "\", \"")))?;
    rule(format!("claims = [\"department=x\", \"department={}\"]", "long".repeat(2000)))?;
    finds(&setup.set("KEEP_GROUPS", groups), &[], "too large for a cookie")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_is_printed_in_our_terms_and_means_the_same() -> Result<()> {
    let (provider, setup) = setup().await?;
    let mut setup = setup
        .set("SKIP_AUTH_ROUTES", "GET=^/health$,POST!=^/admin")
        .set("SKIP_AUTH_PREFLIGHT", "1")
        .set("TRUSTED_PROXY_IPS", "127.0.0.1")
        .set("SKIP_PROVIDER_BUTTON", "1")
        .set("PASS_USER_HEADERS", "true")
        .set("COOKIE_EXPIRE", "12h");
    let output = setup.command().args(["check", "--print"]).output()?;
    let printed = String::from_utf8(output.stdout)?;
    assert!(output.status.success(), "{printed}");
    for line in [
        "cookie_expire = \"12h\"",
        "trusted_proxy_ips = [\"127.0.0.1\"]",
        "skip_provider_button = true",
        "# pass_user_headers has no effect here",
        "# client_secret is set and not shown; write it into a file, and name that by client_secret_file",
        "methods = [\"OPTIONS\"]",
        "except_paths = [\"^/admin\"]",
    ] {
        assert!(printed.lines().any(|own| own == line), "{line}:\n{printed}");
    }
    assert!(
        !printed.contains(support::COOKIE_SECRET) && !printed.contains(vestibule_outside::client::SECRET)
    );
    // What was printed, with the secrets beside it, is a configuration that prints the same rules.
    let path = setup.file("printed.toml", &printed)?;
    setup.variables.retain(|name, _| name.ends_with("_SECRET"));
    let again = setup.command().args(["check", "--print", "--config"]).arg(path).output()?;
    assert_eq!(String::from_utf8(again.stdout)?.replace("\n\n", "\n"), {
        // Its comments about options that are not there any more are gone.
        let lines: Vec<_> = printed.lines().filter(|line| !line.contains("no effect")).collect();
        format!("{}\n", lines.join("\n")).replace("\n\n", "\n")
    });
    drop(provider);
    Ok(())
}
