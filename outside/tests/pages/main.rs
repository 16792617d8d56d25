//! The pages that the core draws, in a real browser: they can be read on a desk and on a phone, by day and by night, they
//! load and run nothing, and no other site can frame them. Pictures of them lie in `target/debug/outside-pages`.

mod house;

use std::path::PathBuf;

use anyhow::{Context, Result};
use house::House;
use vestibule::refusal::Refusal;
use vestibule_outside::{Browser, Screen, tools};

/// Every page that has a shape of its own, and how a person comes to it.
async fn each_page(
    house: &House,
    browser: &Browser,
    mut look: impl AsyncFnMut(&str, &str) -> Result<()>,
) -> Result<()> {
    browser.goto(&house.at("/oauth2/sign_in?rd=/reports")).await?;
    look("provider-choice", "Sign in").await?;
    browser.goto(&house.at("/oauth2/sign_out")).await?;
    look("signed-out", "Signed out").await?;
    for (name, path, heading) in [
        ("400-attempt-missing", "/oauth2/callback/oidc?code=a&state=b", "This sign-in cannot go on"),
        ("404-unknown-provider", "/oauth2/start/nobody", "Nothing here"),
        ("403-email-not-allowed", "/refusal/email_not_allowed", "You may not enter"),
        ("431-cookies-too-large", "/refusal/cookies_too_large", "This sign-in cannot go on"),
        ("503-provider-unreachable", "/refusal/provider_unreachable", "Sign-in is not possible right now"),
        ("session-cookie-lost", "/refusal/session_cookie_lost", "This sign-in cannot go on"),
    ] {
        browser.goto(&house.at(path)).await?;
        look(name, heading).await?;
    }
    // From another site, signing out asks first.
    sign_in(house, browser).await?;
    browser.goto(&house.other_site(&house.at("/oauth2/sign_out"))).await?;
    browser.console().await?;
    browser.click("a").await?;
    browser.wait_for_url(&house.at("/oauth2/sign_out")).await?;
    look("sign-out-question", "Sign out?").await
}

async fn sign_in(house: &House, browser: &Browser) -> Result<()> {
    browser.goto(&house.at("/oauth2/start/oidc?rd=/plain")).await?;
    browser.wait_for_url(&house.at("/plain")).await
}

fn picture(name: &str) -> Result<PathBuf> {
    let failures = tools::failures()?;
    let folder =
        failures.parent().context("the folder of failures lies in the profile's")?.join("outside-pages");
    std::fs::create_dir_all(&folder)?;
    Ok(folder.join(format!("{name}.png")))
}

/// Looks at the page that the browser is on in each way that people do.
async fn look_at(browser: &Browser, name: &str, heading: &str) -> Result<()> {
    for (screen, dark, kind) in [
        (Screen::Desk, false, "desk-light"),
        (Screen::Desk, true, "desk-dark"),
        (Screen::Phone, false, "phone-light"),
        (Screen::Phone, true, "phone-dark"),
    ] {
        browser.show_as(screen, dark).await?;
        assert_eq!(browser.text("h1").await?, heading, "{name}");
        browser.screenshot(&picture(&format!("{name}-{kind}"))?).await?;
        assert_is_legible(browser, &format!("{name} {kind}")).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_can_be_read_on_a_desk_and_on_a_phone_by_day_and_by_night() -> Result<()> {
    let house = House::open().await?;
    let browser = Browser::start().await?;
    each_page(&house, &browser, async |name, heading| look_at(&browser, name, heading).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_s_own_logo_and_lines_are_seen_on_a_desk_and_on_a_phone_by_day_and_by_night() -> Result<()> {
    let house = House::decorated().await?;
    let browser = Browser::start().await?;
    for (name, path, heading) in [
        ("own-provider-choice", "/oauth2/sign_in", "Welcome to your reports"),
        ("own-signed-out", "/oauth2/sign_out", "Signed out"),
        ("own-403-email-not-allowed", "/refusal/email_not_allowed", "You may not enter"),
    ] {
        browser.goto(&house.at(path)).await?;
        browser.console().await?;
        look_at(&browser, name, heading).await?;
        let logo = "const logo = document.querySelector('img.logo'); \
                    return logo.complete && logo.naturalWidth === 900 && logo.clientHeight >= 20 \
                        && logo.getBoundingClientRect().right <= innerWidth";
        assert_eq!(browser.run(logo).await?, true, "{name}: the logo is there, whole, and fits");
        assert!(browser.text(".banner").await?.starts_with("Test system"));
        assert!(browser.text("footer").await?.starts_with("Questions?"));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_has_a_page_that_fits_a_phone_and_says_what_to_do() -> Result<()> {
    let house = House::open().await?;
    let browser = Browser::start().await?;
    browser.show_as(Screen::Phone, false).await?;
    // Who is not signed in is sent to sign in: that is no page.
    for refusal in Refusal::ALL.iter().filter(|refusal| **refusal != Refusal::SignInRequired) {
        let code = refusal.code();
        browser.goto(&house.at(&format!("/refusal/{code}"))).await?;
        assert_eq!(browser.text("small code").await?, code);
        let text = browser.text("main").await?;
        assert!(text.contains(refusal.meaning()) && text.contains(refusal.remedy()), "{code}: {text}");
        assert_eq!(browser.has("a.act").await?, refusal.may_be_tried_again(), "{code}");
        assert_is_legible(&browser, code).await?;
    }
    Ok(())
}

/// Nothing is cut off or must be scrolled sideways, every text stands out from its ground, and what is to be pressed is
/// large enough for a thumb (WCAG 2.2: 1.4.3, 1.4.10, 2.5.8).
async fn assert_is_legible(browser: &Browser, what: &str) -> Result<()> {
    let faults = browser
        .run(
            "const faults = []; const root = document.documentElement; \
             if (root.scrollWidth > root.clientWidth) faults.push('it is ' + root.scrollWidth + ' wide'); \
             const parts = s => s.match(/[\\d.]+/g).map(Number); \
             const light = s => { const [r, g, b] = parts(s).map(c => { c /= 255; \
                 return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); \
                 return 0.2126 * r + 0.7152 * g + 0.0722 * b; }; \
             const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; \
                 if (!c.startsWith('rgba(0, 0, 0, 0')) return c; } return 'rgb(255, 255, 255)'; }; \
             for (const e of document.querySelectorAll('h1, p, .act, small, code, footer, .site')) { \
                 const [a, b] = [light(getComputedStyle(e).color), light(ground(e))]; \
                 const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); \
                 if (ratio < 4.5) faults.push(e.textContent + ' has contrast ' + ratio.toFixed(2)); \
                 if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth) faults.push(e.textContent + ' is cut off'); } \
             for (const e of document.querySelectorAll('.act')) { const box = e.getBoundingClientRect(); \
                 if (box.height < 40 || box.width < 40) faults.push(e.textContent + ' is small'); } \
             return faults.join('; ')",
        )
        .await?;
    assert_eq!(faults, "", "{what}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_loads_runs_or_submits_anything_that_is_not_ours() -> Result<()> {
    let house = House::open().await?;
    let browser = Browser::start().await?;
    browser.console().await?;
    each_page(&house, &browser, async |name, _| {
        assert_eq!(browser.run("return performance.getEntriesByType('resource').length").await?, 0, "{name}");
        let console = browser.console().await?;
        let console: Vec<_> = console.iter().filter(|line| !is_the_status_itself(line)).collect();
        assert!(console.is_empty(), "{name}: {console:?}");

        // What somebody got into the page all the same does nothing.
        let refused = browser
            .run(
                "const refused = new Set(); \
                 addEventListener('securitypolicyviolation', e => refused.add(e.effectiveDirective)); \
                 const add = (tag, set) => document.body.append(Object.assign(document.createElement(tag), set)); \
                 add('script', { textContent: 'window.ran = true' }); \
                 add('style', { textContent: 'h1 { display: none }' }); \
                 add('img', { src: '/plain' }); \
                 add('iframe', { src: '/plain' }); \
                 add('base', { href: 'https://evil.example/' }); \
                 add('form', { action: 'https://evil.example/', method: 'post' }); \
                 document.body.lastChild.submit(); \
                 try { await fetch('/plain') } catch {} \
                 for (let look = 0; look < 200 && refused.size < 7; look++) \
                     await new Promise(done => setTimeout(done, 50)); \
                 if (window.ran || getComputedStyle(document.querySelector('h1')).display === 'none') return 'it ran'; \
                 return [...refused].sort().join(' ')",
            )
            .await?;
        let expected = "base-uri connect-src form-action frame-src img-src script-src-elem style-src-elem";
        assert_eq!(refused, expected, "{name}");
        browser.console().await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_button_that_signs_out_leads_to_another_site_where_that_is_allowed() -> Result<()> {
    let house = House::open().await?;
    let browser = Browser::start().await?;
    sign_in(&house, &browser).await?;
    let address = house.at("/oauth2/sign_out?rd=https://elsewhere.example/");
    browser.goto(&house.other_site(&address)).await?;
    browser.click("a").await?;
    browser.wait_for_url(&address).await?;
    browser.click("button.act").await?;
    // Nobody answers there. Some browsers hold redirects after a form against `form-action`; that shows here.
    browser.wait_for_url("https://elsewhere.example/").await
}

/// Chromium notes a page's own status of 400 or more as if it were a failed load.
fn is_the_status_itself(line: &str) -> bool {
    line.contains("Failed to load resource: the server responded with a status of")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_can_be_framed_by_another_site() -> Result<()> {
    let house = House::open().await?;
    let browser = Browser::start().await?;
    let framed = async |address: &str| -> Result<String> {
        browser.goto(&house.other_site(address)).await?;
        browser.text_in_frame().await
    };
    assert_eq!(framed(&house.at("/plain")).await?, "Plain", "frames work, or this shows nothing");
    sign_in(&house, &browser).await?;
    for path in [
        "/oauth2/sign_in?switch=1",
        "/oauth2/sign_out",
        "/oauth2/sign_out?ended",
        "/oauth2/callback/oidc?code=a&state=b",
        "/oauth2/start/nobody",
        "/refusal/email_not_allowed",
        "/refusal/provider_unreachable",
    ] {
        browser.console().await?;
        assert_eq!(framed(&house.at(path)).await?, "", "{path}");
        let console = browser.console().await?.join("\n");
        assert!(console.contains("frame-ancestors 'none'"), "{path}: {console}");
    }
    Ok(())
}
