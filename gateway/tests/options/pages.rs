//! What pages look like.

use anyhow::Result;

use crate::support::{header, setup, started, two_providers};

#[tokio::test]
async fn pages_look_as_options_say() -> Result<()> {
    let tables = ["id = \"one\"".to_owned(), "id = \"two\"".to_owned()];
    let (_provider, setup) = two_providers(tables).await?;
    setup.file("logo.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>")?;
    let gateway = setup
        .set("SITE_NAME", "The House & Garden")
        .set("CUSTOM_SIGN_IN_LOGO", "logo.svg")
        .set("BANNER", "Closed on <Sunday>")
        .set("FOOTER", "Ask at the door")
        .set("SIGN_IN_TITLE", "Who are you?")
        .set("SIGN_IN_TEXT", "Choose one of two.")
        .start()
        .await?;
    let answer = gateway.visitor()?.navigate(&gateway.url("/oauth2/sign_in")).await?;
    assert!(header(answer.headers(), "content-security-policy").unwrap().contains("img-src data:"));
    let page = answer.text().await?;
    for text in [
        "The House &amp; Garden",
        "data:image/svg+xml;base64,",
        "Closed on &lt;Sunday&gt;",
        "Ask at the door",
        "Who are you?",
        "Choose one of two.",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    // As oauth2-proxy's users say that they want nothing there.
    let (_provider, gateway) = started(&[("BANNER", "-"), ("FOOTER", "-")]).await?;
    let page = gateway.visitor()?.follow(&gateway.url("/oauth2/callback")).await?.text;
    assert!(!page.contains(">-<") && !page.contains("<img"), "{page}");
    Ok(())
}

#[tokio::test]
async fn a_page_with_one_button_is_shown_where_options_say_so() -> Result<()> {
    for (options, status) in [
        (&[][..], 303),
        (&[("SKIP_PROVIDER_BUTTON", "true")], 303),
        (&[("SKIP_PROVIDER_BUTTON", "false")], 200),
    ] {
        let (_provider, gateway) = started(options).await?;
        let answer = gateway.visitor()?.navigate(&gateway.url("/oauth2/sign_in")).await?;
        assert_eq!(answer.status(), status, "{options:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_template_draws_every_page() -> Result<()> {
    let (_provider, setup) = setup().await?;
    let guide = include_str!("../../../docs/pages.md");
    let example = guide.split("```html\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    setup.file("page.html", example)?;
    setup.file("broken.html", "<p>\n{% if %}")?;
    let gateway = setup.set("PAGE_TEMPLATE", "page.html").set("BANNER", "<b>bold</b>").start().await?;
    let answer = gateway.visitor()?.navigate(&gateway.url("/oauth2/callback?error=x")).await?;
    let policy = header(answer.headers(), "content-security-policy").unwrap().to_owned();
    let page = answer.text().await?;
    assert!(page.contains("body { font: 1rem/1.5 sans-serif }") && page.contains("<small>"), "{page}");
    assert!(page.contains("&lt;b&gt;bold") && !page.contains("<b>"), "{page}");
    assert!(policy.contains("style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    let setup = gateway.setup.set("PAGE_TEMPLATE", "broken.html");
    assert!(setup.refused()?.contains("VESTIBULE_PAGE_TEMPLATE: line 2"));
    for block in [
        "{% autoescape false %}{{ banner }}{% endautoescape %}",
        "{%-\nautoescape 'none' %}{% endautoescape %}",
    ] {
        setup.file("broken.html", block)?;
        assert!(
            setup.refused()?.contains("VESTIBULE_PAGE_TEMPLATE: it has an `autoescape` block"),
            "{block}"
        );
    }
    Ok(())
}
