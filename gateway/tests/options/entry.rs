//! Who may enter, and what the session keeps of them.

use anyhow::Result;
use reqwest::StatusCode;
use vestibule_dev_provider::Person;

use crate::support::{header, setup, started};

#[tokio::test]
async fn who_may_enter_is_what_options_say() -> Result<()> {
    for (person, options, may_enter) in [
        ("alice", &[("EMAIL_DOMAINS", "example.com")][..], true),
        ("chloe", &[("EMAIL_DOMAINS", "example.com")], false),
        ("alice", &[("ALLOWED_GROUPS", "admins")], true),
        ("alice", &[("ALLOWED_GROUPS", "press")], false),
        ("erin", &[("ALLOWED_GROUPS", "press"), ("OIDC_GROUPS_CLAIM", "/realm_access/roles")], true),
        ("erin", &[("ALLOWED_GROUPS", "press")], false),
        ("bob", &[("EMAIL_DOMAINS", "example.com")], false),
        ("bob", &[("EMAIL_DOMAINS", "example.com"), ("INSECURE_OIDC_ALLOW_UNVERIFIED_EMAIL", "true")], true),
        ("chloe", &[("EMAIL_DOMAINS", ""), ("AUTHENTICATED_EMAILS_FILE", "people")], true),
        ("alice", &[("EMAIL_DOMAINS", ""), ("AUTHENTICATED_EMAILS_FILE", "people")], false),
    ] {
        let (provider, setup) = setup().await?;
        provider.person(
            Person::new("1005", "erin").with("realm_access", serde_json::json!({"roles": ["press"]})),
        );
        provider.sign_in_as(Some(person));
        setup.file("people", "chloe@example.org\n")?;
        let setup = options.iter().fold(setup, |setup, (name, value)| setup.set(name, *value));
        let gateway = setup.start().await?;
        assert_eq!(gateway.signed_in().await.is_ok(), may_enter, "{person} {options:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_sign_in_leads_to_hosts_that_are_listed() -> Result<()> {
    let elsewhere = "https://wiki.example/page";
    for (options, expected) in
        [(&[("WHITELIST_DOMAINS", "wiki.example")][..], "https://wiki.example/page"), (&[], "")]
    {
        let (_provider, gateway) = started(options).await?;
        let mut visitor = gateway.visitor()?;
        let start = gateway.url(&format!("/oauth2/start?rd={elsewhere}"));
        let callback = visitor.follow_until(&start, &gateway.url("/oauth2/callback")).await?;
        let answer = visitor.navigate(callback.as_str()).await?;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let location = header(answer.headers(), "location").unwrap_or_default();
        let root = gateway.url("/");
        let expected = if expected.is_empty() { &root } else { expected };
        assert!(location == expected || location == "/" && expected == root, "{location} is not {expected}");
    }
    Ok(())
}

#[tokio::test]
async fn the_session_keeps_what_options_say() -> Result<()> {
    for (options, groups) in [(&[][..], "staff,admins"), (&[("KEEP_GROUPS", "admins")], "admins")] {
        let (_provider, gateway) = started(options).await?;
        let answer = gateway.check(&mut gateway.signed_in().await?).await?;
        assert_eq!(header(answer.headers(), "x-auth-request-groups"), Some(groups), "{options:?}");
    }
    Ok(())
}
