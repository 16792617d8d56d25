//! What is said about the provider.

use anyhow::Result;
use reqwest::StatusCode;
use vestibule_dev_provider::{Alg, DevProvider, Endpoint, Person};
use vestibule_outside::{client, ports};

use crate::support::{Setup, header, parameter, setup, started, two_providers};

#[tokio::test]
async fn the_authorization_request_is_what_options_say() -> Result<()> {
    let (provider, setup) = setup().await?;
    let gateway = setup
        .set("CLIENT_ID", "another-client")
        .set("REDIRECT_URL", "https://app.example/oauth2/callback")
        .set("SCOPE", "openid email offline_access")
        .set("PROMPT", "select_account")
        .set("ACR_VALUES", "gold silver")
        .set("AUTH_REQUEST_RESPONSE_MODE", "form_post")
        .set("OIDC_ISSUER_URL", provider.issuer())
        .start()
        .await?;
    let asked = gateway.authorization().await?;
    assert!(asked.as_str().starts_with(&provider.url(Endpoint::Authorize)), "{asked}");
    for (name, value) in [
        ("client_id", "another-client"),
        ("redirect_uri", "https://app.example/oauth2/callback"),
        ("scope", "openid email offline_access"),
        ("prompt", "select_account"),
        ("acr_values", "gold silver"),
        ("response_mode", "form_post"),
    ] {
        assert_eq!(parameter(&asked, name).as_deref(), Some(value), "{name} in {asked}");
    }
    let (_provider, gateway) = started(&[]).await?;
    let asked = gateway.authorization().await?;
    assert_eq!(parameter(&asked, "client_id").as_deref(), Some(client::ID));
    for name in ["prompt", "acr_values", "response_mode"] {
        assert_eq!(parameter(&asked, name), None, "{name} in {asked}");
    }
    Ok(())
}

#[tokio::test]
async fn a_link_may_ask_of_the_provider_what_options_say() -> Result<()> {
    for (options, hint, prompt) in [
        (&[][..], None, None),
        (&[("START_PARAMETERS", "login_hint")], Some("ada@example.com"), None),
        (&[("START_PARAMETERS", "login_hint,prompt")], Some("ada@example.com"), Some("login")),
    ] {
        let (_provider, gateway) = started(options).await?;
        let start = gateway.url("/oauth2/start?login_hint=ada%40example.com&prompt=login");
        let answer = gateway.visitor()?.navigate(&start).await?;
        let asked = vestibule_outside::location(&answer)?.parse()?;
        assert_eq!(parameter(&asked, "login_hint").as_deref(), hint, "{options:?}");
        assert_eq!(parameter(&asked, "prompt").as_deref(), prompt, "{options:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_client_s_secret_decides_whether_anybody_signs_in() -> Result<()> {
    let (_provider, gateway) = started(&[("CLIENT_SECRET", "not-the-client-s-secret")]).await?;
    assert!(gateway.signed_in().await.is_err());
    let (_provider, setup) = setup().await?;
    let path = setup.file("secret", format!("{}\n", client::SECRET))?;
    let mut setup = setup.set("CLIENT_SECRET_FILE", path.to_str().unwrap());
    setup.variables.remove("VESTIBULE_CLIENT_SECRET");
    setup.start().await?.signed_in().await?;
    Ok(())
}

#[tokio::test]
async fn what_an_id_token_must_be_is_what_options_say() -> Result<()> {
    for (make, option, value) in [
        (DevProvider::builder().more_audience("another-api"), "OIDC_EXTRA_AUDIENCES", "another-api"),
        (DevProvider::builder().id_token_alg(Alg::Es256), "OIDC_ENABLED_SIGNING_ALGS", "ES256"),
    ] {
        for is_set in [false, true] {
            let port = ports::reserve()?;
            let callback = format!("http://127.0.0.1:{port}/oauth2/callback");
            let provider = make.clone().client(client::ID, Some(client::SECRET), [callback]).start().await?;
            provider.sign_in_as(Some("alice"));
            let setup = Setup::at(port)?.set("OIDC_ISSUER_URL", provider.issuer());
            let setup = if is_set { setup.set(option, value) } else { setup };
            assert_eq!(setup.start().await?.signed_in().await.is_ok(), is_set, "{option}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_provider_is_called_what_options_say() -> Result<()> {
    let labels = ["The First House", "The Second House"];
    let tables = |[first, second]: [&str; 2]| {
        let table = |id: &str, label: &str| format!("id = \"{id}\"\nprovider_display_name = \"{label}\"");
        [table("one", first), table("two", second)]
    };
    let (_provider, setup) = two_providers(tables(labels)).await?;
    let gateway = setup.start().await?;
    let page = gateway.visitor()?.follow(&gateway.url("/oauth2/sign_in")).await?.text;
    assert!(page.contains("The First House") && page.contains("The Second House"), "{page}");
    // And each signs in, at an address of its own.
    let mut visitor = gateway.visitor()?;
    visitor.follow(&gateway.url("/oauth2/start/two")).await?;
    let userinfo = visitor.fetch(&gateway.url("/oauth2/userinfo")).await?.text().await?;
    assert!(userinfo.contains("\"provider\":\"two\""), "{userinfo}");
    Ok(())
}

#[tokio::test]
async fn any_oauth2_provider_is_described_by_options() -> Result<()> {
    let person = Person::new("1001", "ada").name("Ada").verified_email("ada@example.com").groups(["staff"]);
    let person = person.with("account", serde_json::json!({"number": 7, "handle": "countess", "sure": true}));
    for by in ["basic", "post"] {
        let port = ports::reserve()?;
        let callback = format!("http://127.0.0.1:{port}/oauth2/callback");
        let provider = DevProvider::builder()
            .only_people([person.clone()])
            .client(client::ID, Some(client::SECRET), [callback])
            .start()
            .await?;
        provider.sign_in_as(Some("ada"));
        let gateway = Setup::at(port)?
            .set("PROVIDER", "oauth2")
            .set("LOGIN_URL", provider.url(Endpoint::Authorize))
            .set("REDEEM_URL", provider.url(Endpoint::Token))
            .set("PROFILE_URL", provider.url(Endpoint::Userinfo))
            .set("SCOPE", "openid profile email")
            .set("OAUTH2_SUBJECT_CLAIM", "/account/number")
            .set("OAUTH2_USERNAME_CLAIM", "/account/handle")
            .set("OAUTH2_NAME_CLAIM", "preferred_username")
            .set("OAUTH2_EMAIL_CLAIM", "email")
            .set("OAUTH2_EMAIL_VERIFIED_CLAIM", "/account/sure")
            .set("OAUTH2_GROUPS_CLAIM", "groups")
            .set("OAUTH2_CLIENT_AUTHENTICATION", by)
            .set("EMAIL_DOMAINS", "example.com")
            .start()
            .await?;
        let mut visitor = gateway.signed_in().await?;
        let userinfo = visitor.fetch(&gateway.url("/oauth2/userinfo")).await?.text().await?;
        for text in ["\"7\"", "countess", "\"ada\"", "ada@example.com", "staff"] {
            assert!(userinfo.contains(text), "{text} in {userinfo}");
        }
        let asked = &provider.requests_to(Endpoint::Token)[0];
        assert_eq!(asked.header("authorization").is_some(), by == "basic");
        assert_eq!(asked.form("client_secret").is_some(), by == "post");
        let answer = gateway.check(&mut visitor).await?;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        assert_eq!(header(answer.headers(), "x-auth-request-user"), Some("countess"));
    }
    Ok(())
}
