//! What a proxy is told about whoever is signed in.

use anyhow::Result;

use crate::support::{header, setup, started};

#[tokio::test]
async fn headers_say_who_somebody_is() -> Result<()> {
    for (options, user, remote) in [
        (&[][..], Some("1001"), None),
        (&[("SET_XAUTHREQUEST", "false")], None, None),
        (&[("PREFER_EMAIL_TO_USER", "true")], Some("alice@example.com"), None),
        (&[("IDENTITY_HEADERS", "Remote-User=preferred_username")], Some("1001"), Some("alice")),
    ] {
        let (_provider, gateway) = started(options).await?;
        let answer = gateway.check(&mut gateway.signed_in().await?).await?;
        assert_eq!(header(answer.headers(), "x-auth-request-user"), user, "{options:?}");
        assert_eq!(header(answer.headers(), "remote-user"), remote, "{options:?}");
        assert_eq!(header(answer.headers(), "gap-auth"), Some("alice@example.com"), "{options:?}");
    }
    Ok(())
}

#[tokio::test]
async fn headers_hand_tokens_on() -> Result<()> {
    let (access_token, authorization) = ("x-auth-request-access-token", "authorization");
    let (_provider, gateway) = started(&[]).await?;
    let answer = gateway.check(&mut gateway.signed_in().await?).await?;
    assert_eq!(
        (header(answer.headers(), access_token), header(answer.headers(), authorization)),
        (None, None)
    );

    let (provider, gateway) = started(&[("PASS_ACCESS_TOKEN", "true")]).await?;
    let answer = gateway.check(&mut gateway.signed_in().await?).await?;
    let token = header(answer.headers(), access_token).unwrap();
    assert!(provider.issued().iter().any(|issued| issued.value == token), "{token}");

    let (_provider, gateway) = started(&[("SET_AUTHORIZATION_HEADER", "true")]).await?;
    let answer = gateway.check(&mut gateway.signed_in().await?).await?;
    let bearer = header(answer.headers(), authorization).unwrap();
    assert!(bearer.starts_with("Bearer ey") && bearer.matches('.').count() == 2, "{bearer}");

    let basic = [("SET_BASIC_AUTH", "true"), ("BASIC_AUTH_PASSWORD", "open sesame")];
    let (_provider, gateway) = started(&basic).await?;
    let answer = gateway.check(&mut gateway.signed_in().await?).await?;
    // "1001:open sesame"
    assert_eq!(header(answer.headers(), authorization), Some("Basic MTAwMTpvcGVuIHNlc2FtZQ=="));

    let (_provider, setup) = setup().await?;
    let contradiction = setup.set("SESSION_COOKIE_MINIMAL", "true").set("PASS_ACCESS_TOKEN", "true");
    assert!(contradiction.refused()?.contains("VESTIBULE_SESSION_COOKIE_MINIMAL: a header needs a token"));
    Ok(())
}
