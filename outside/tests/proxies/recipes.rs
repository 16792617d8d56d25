//! nginx as oauth2-proxy's users have it configured, and nothing of it changed for us.

use anyhow::{Context, Result};
use reqwest::header::SET_COOKIE;
use vestibule_outside::{
    AppBuilder, COOKIE_SECRET, Echo, Idp, Kind, Nginx, Site, Visitor, lines_named, location, ports,
};

/// The usual way: 202 or 401, the way back in `rd`, identity by variables, a cookie handed on where there is one.
const USUAL: &str = r"
server {
    listen 127.0.0.1:{port};

    location /oauth2/ {
        proxy_pass http://127.0.0.1:{gateway};
        proxy_set_header Host $http_host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Auth-Request-Redirect $request_uri;
    }
    location = /oauth2/auth {
        proxy_pass http://127.0.0.1:{gateway};
        proxy_set_header Host $http_host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-Uri $request_uri;
        proxy_set_header Content-Length '';
        proxy_pass_request_body off;
    }
    location / {
        auth_request /oauth2/auth;
        error_page 401 = @sign_in;
        auth_request_set $user $upstream_http_x_auth_request_user;
        auth_request_set $email $upstream_http_x_auth_request_email;
        auth_request_set $auth_cookie $upstream_http_set_cookie;
        proxy_set_header X-User $user;
        proxy_set_header X-Email $email;
        add_header Set-Cookie $auth_cookie;
        proxy_pass http://127.0.0.1:{app};
    }
    location @sign_in {
        return 302 /oauth2/sign_in?rd=$scheme://$http_host$request_uri;
    }
}
";

/// A page that survives being put into `rd` as it is.
const PAGE: &str = "/reports/2026?year=2026";

#[tokio::test]
async fn a_configuration_for_oauth2_proxy_works_as_it_is() -> Result<()> {
    let port = ports::reserve()?;
    let origin = format!("http://localhost:{port}");
    let idp = Idp::dev(&origin).await?;
    let gateway = AppBuilder::new("vestibule")
        .option("HTTP_ADDRESS", "127.0.0.1:0")
        .option("COOKIE_SECRET", COOKIE_SECRET)
        .option("COOKIE_SECURE", "false")
        .option("EMAIL_DOMAINS", "*")
        .option("REDIRECT_URL", format!("{origin}/oauth2/callback"))
        .option("REVERSE_PROXY", "true")
        .option("SET_XAUTHREQUEST", "true")
        .option("SKIP_PROVIDER_BUTTON", "true");
    let gateway = idp.configure(gateway).start().await?;
    let echo = Echo::start().await?;
    let numbers = [("{port}", port), ("{gateway}", gateway.port()), ("{app}", echo.port())];
    let servers =
        numbers.iter().fold(USUAL.to_owned(), |text, (name, port)| text.replace(name, &port.to_string()));
    let _nginx = Nginx::start(&servers, port).await?;
    let Idp::Dev(provider) = &idp else { anyhow::bail!("it is the development provider") };

    provider.sign_in_as(Some("alice"));
    let mut alice = Visitor::new(&origin)?;
    let refused = alice.navigate(&format!("{origin}{PAGE}")).await?;
    assert_eq!(refused.status(), 302);
    assert!(location(&refused)?.ends_with(&format!("/oauth2/sign_in?rd={origin}{PAGE}")), "{refused:?}");
    let landed = alice.follow(&format!("{origin}{PAGE}")).await?;
    assert_eq!((landed.status.as_u16(), landed.url.as_str()), (200, &*format!("{origin}{PAGE}")));
    assert_eq!(lines_named(&landed.text, "x-email").collect::<Vec<_>>(), ["alice@example.com"]);
    assert_eq!(lines_named(&landed.text, "x-user").collect::<Vec<_>>(), ["1001"]);
    let again = alice.navigate(&format!("{origin}{PAGE}")).await?;
    assert!(!again.headers().contains_key(SET_COOKIE), "{:?}", again.headers());
    Ok(())
}

/// One location for some, by what its question demands: 403 for others, never a second sign-in.
#[tokio::test]
async fn a_location_may_demand_a_group() -> Result<()> {
    let demanding = |text: String| {
        let (before, after) = text.split_once("    # Where browsers sign in and out.").unwrap_or_default();
        let question = before.rfind("http://vestibule;").unwrap_or_default();
        let (before, rest) = before.split_at(question);
        let rest =
            rest.replace("http://vestibule;", "http://vestibule/oauth2/auth?allowed_groups=boss,admins;");
        format!("{before}{rest}{after}")
    };
    let site = Site::start_changed(Kind::Nginx, |gateway| gateway, demanding).await?;
    let mut nobody = Visitor::new(&site.origin)?;
    assert_eq!(nobody.fetch(&site.at("/page")).await?.status(), 401);
    assert_eq!(nobody.navigate(&site.at("/page")).await?.status(), 303);

    site.provider()?.sign_in_as(Some("bob"));
    let mut bob = Visitor::new(&site.origin)?;
    assert_eq!(bob.follow(&site.at("/page")).await?.status, 403);
    assert_eq!(bob.navigate(&site.at("/page")).await?.status(), 403);
    assert_eq!(site.echo.take(), Vec::<String>::new());

    let mut alice = site.signed_in("alice").await.context("she is one of the admins")?;
    assert_eq!(alice.fetch(&site.at("/page")).await?.status(), 200);
    Ok(())
}
