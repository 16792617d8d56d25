//! What ends nothing: lies about logout tokens, forms that are none, frames that name nobody.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use url::Url;
use vestibule_dev_provider::{
    Alg, Client as Registered, DevProvider, Edit, HmacKey, Lie, Object, Running, Signing,
};
use vestibule_outside::{App, AppBuilder, Framework, Visitor, client, ports};

use crate::pair::{PAGE, PREFIX, Pair, origin, sign_out_at};

/// The subject of the one who is signed in here.
const ALICE: &str = "1001";

async fn started(
    framework: Framework,
    options: impl Fn(AppBuilder) -> AppBuilder,
) -> Result<(Running, Pair)> {
    let port = ports::reserve()?;
    let origin = origin(port);
    let told = Registered::new(client::ID)
        .secret(client::SECRET)
        .redirect_uri(format!("{origin}{PREFIX}/callback"))
        .post_logout_redirect_uri(format!("{origin}{PREFIX}/sign_out"))
        .backchannel_logout_uri(format!("http://127.0.0.1:{port}{PREFIX}/backchannel_logout"));
    let provider = DevProvider::builder().register(told).start().await?;
    let pair = Pair::start(framework, port, provider.issuer(), options).await?;
    Ok((provider, pair))
}

/// Alice signs in once more.
async fn signed_in(provider: &Running, pair: &Pair) -> Result<String> {
    provider.sign_in_as(Some("alice"));
    let mut visitor = Visitor::new(&pair.origin)?;
    let landed = visitor.follow(&pair.at(&format!("{PREFIX}/sign_in?rd={PAGE}"))).await?;
    ensure!(landed.status == 200, "{landed:?}\n{}", pair.first.log());
    pair.assert_known(&visitor.cookie_header(), true).await?;
    Ok(visitor.cookie_header())
}

/// The provider ends what Alice has there, and sends so many tokens; all are answered with this status.
async fn ended(provider: &Running, count: usize, status: u16) -> Result<()> {
    let notified = provider.end_sessions(ALICE).await;
    let answers: Vec<_> = notified.iter().map(|notified| notified.status).collect();
    ensure!(answers == vec![Some(status); count], "{answers:?} instead of {count} times {status}");
    Ok(())
}

fn claim(name: &str, edit: Edit) -> Lie {
    Lie::member(Object::LogoutClaims, name, edit)
}

fn set(name: &str, value: Value) -> Vec<Lie> {
    vec![claim(name, Edit::Set(value))]
}

/// The certification plan's list, and what else a token may not be.
fn lies() -> Vec<Vec<Lie>> {
    let signed = |signing| vec![Lie::SignedLogout(signing)];
    vec![
        set("aud", json!("another")),
        vec![claim("aud", Edit::Append("INVALID".into()))],
        vec![claim("iss", Edit::Append("INVALID".into()))],
        set("nonce", json!("n")),
        vec![claim("events", Edit::Remove)],
        set("events", json!({"http://schemas.openid.net/event/foobar": {}})),
        set("iat", json!(1_000_000_000)),
        set("exp", json!(1_000_000_000)),
        vec![claim("jti", Edit::Remove)],
        vec![claim("sub", Edit::Double(json!("1002")))],
        vec![claim("sub", Edit::Remove), claim("sid", Edit::Remove)],
        vec![Lie::member(Object::LogoutHeader, "typ", Edit::Set(json!("at+jwt")))],
        signed(Signing::Unsigned),
        signed(Signing::With(Alg::Es256)),
        signed(Signing::OtherKey),
        signed(Signing::EmbeddedKey),
        signed(Signing::Corrupted),
        signed(Signing::Hmac(Alg::Hs256, HmacKey::ClientSecret)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn lo_07_no_lie_about_a_logout_token_ends_anything_on_either_framework() -> Result<()> {
    for framework in [Framework::Axum, Framework::Actix] {
        let (provider, pair) = started(framework, |app| app).await?;
        for lies in lies() {
            let cookies = signed_in(&provider, &pair).await?;
            for lie in lies.clone() {
                provider.lie(lie);
            }
            let told = ended(&provider, 1, 400).await;
            provider.honest();
            told.with_context(|| format!("{framework:?}: {lies:?}"))?;
            pair.assert_known(&cookies, true).await.with_context(|| format!("{framework:?}: {lies:?}"))?;
        }
        let cookies = signed_in(&provider, &pair).await?;
        ended(&provider, 1, 200).await?;
        pair.assert_known(&cookies, false).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn lo_10_lo_16_a_session_an_account_and_a_copy() -> Result<()> {
    for framework in [Framework::Axum, Framework::Actix] {
        let (provider, pair) = started(framework, |app| app).await?;
        // A token about one session: each of the two is told of, and the order does not matter.
        provider.lie(claim("sub", Edit::Remove));
        let (one, two) = (signed_in(&provider, &pair).await?, signed_in(&provider, &pair).await?);
        ended(&provider, 2, 200).await?;
        pair.assert_known(&one, false).await?;
        pair.assert_known(&two, false).await?;
        // A token about the account, of one of its sessions only, ends them all.
        provider.honest().lie(claim("sid", Edit::Remove)).lie(claim("jti", Edit::Set(json!("one name"))));
        let (one, two) = (signed_in(&provider, &pair).await?, signed_in(&provider, &pair).await?);
        ended(&provider, 2, 200).await?;
        pair.assert_known(&one, false).await?;
        pair.assert_known(&two, false).await?;
        // Whoever signs in within the second in which an account has ended is taken for one who did before.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        // Another of the same name is a copy, and ends nothing that is newer.
        let newer = signed_in(&provider, &pair).await?;
        ended(&provider, 1, 200).await?;
        pair.assert_known(&newer, true).await?;
    }
    Ok(())
}

/// A token that is sound, about an account.
fn token(provider: &Running) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let claims = json!({
        "iss": provider.issuer(), "aud": client::ID, "sub": ALICE, "iat": now, "exp": now + 120,
        "jti": "a name of its own", "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    });
    Ok(provider.sign(client::ID, "logout+jwt", &claims, &Signing::With(Alg::Rs256)))
}

/// Sends a body of some kind to an instance's endpoint, and gives the status.
async fn sent(app: &App, method: &str, query: &str, kind: &str, body: String) -> Result<u16> {
    let address = format!("http://127.0.0.1:{}{PREFIX}/backchannel_logout{query}", app.port());
    let request = Client::new().request(Method::from_bytes(method.as_bytes())?, address);
    Ok(request.header("content-type", kind).body(body).send().await?.status().as_u16())
}

#[tokio::test(flavor = "multi_thread")]
async fn lo_14_a_logout_token_comes_as_one_form_on_either_framework() -> Result<()> {
    const FORM: &str = "application/x-www-form-urlencoded";
    let (provider, pair) = started(Framework::Axum, |app| app).await?;
    let cookies = signed_in(&provider, &pair).await?;
    let form = format!("logout_token={}", token(&provider)?);
    let (twice, padded) = (format!("{form}&{form}"), format!("{form}&x={}", "x".repeat(1024 * 1024)));
    let query = format!("?{form}");
    for app in [&pair.first, &pair.second] {
        for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            ensure!(sent(app, method, &query, FORM, String::new()).await? == 405, "{method}");
        }
        for (query, kind, body, status) in [
            ("", "application/json", form.as_str(), 400),
            ("", "text/plain", &form, 400),
            (&query, FORM, "", 400),
            (&query, FORM, &form, 400),
            ("", FORM, &twice, 400),
            ("", FORM, "", 400),
            ("", FORM, &padded, 413),
            ("/another", FORM, &form, 404),
        ] {
            let answer = sent(app, "POST", query, kind, body.to_owned()).await?;
            ensure!(answer == status, "{query:?} {kind}: {answer} instead of {status}");
        }
    }
    pair.assert_known(&cookies, true).await?;
    // It was the form alone; and the other instance is told, and not the one where they signed in.
    ensure!(sent(&pair.second, "POST", "", FORM, form).await? == 200);
    pair.assert_known(&cookies, false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn lo_18_a_frame_names_its_issuer_and_a_session_on_either_framework() -> Result<()> {
    let (provider, pair) = started(Framework::Actix, |app| app).await?;
    let issuer = provider.issuer();
    let cookies = signed_in(&provider, &pair).await?;
    let sid = provider.sessions(ALICE).pop().context("she is signed in")?;
    let framed = async |app: &App, query: &[(&str, &str)]| -> Result<reqwest::Response> {
        let address = format!("http://127.0.0.1:{}{PREFIX}/frontchannel_logout", app.port());
        let request = Client::new().get(Url::parse_with_params(&address, query)?);
        Ok(request.header("sec-fetch-dest", "iframe").header("sec-fetch-site", "cross-site").send().await?)
    };
    for app in [&pair.first, &pair.second] {
        for query in [
            &[("iss", issuer)][..],
            &[("sid", sid.as_str())],
            &[("iss", "https://evil.example"), ("sid", &sid)],
            &[("iss", issuer), ("sid", "")],
        ] {
            ensure!(framed(app, query).await?.status() == 400, "{query:?}");
        }
        ensure!(framed(app, &[("iss", issuer), ("sid", "another")]).await?.status() == 200);
    }
    pair.assert_known(&cookies, true).await?;
    let answer = framed(&pair.first, &[("iss", issuer), ("sid", &sid)]).await?;
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let policy = header("content-security-policy").context("the page has a policy")?;
    ensure!(policy.ends_with(&format!("frame-ancestors {issuer}")), "{policy}");
    ensure!(header("x-frame-options").is_none() && header("cache-control") == Some("no-store"));
    pair.assert_known(&cookies, false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn lo_03_a_hint_that_no_server_takes_is_left_out_and_the_way_back_is_found() -> Result<()> {
    let options = |app: AppBuilder| app.variable("VESTIBULE_SIGN_OUT_AT_PROVIDER", "true");
    let (provider, pair) = started(Framework::Actix, options).await?;
    for (padding, is_hinted) in [(0, true), (20_000, false)] {
        provider.honest().lie(Lie::claim("padding", "x".repeat(padding)));
        let cookies = signed_in(&provider, &pair).await?;
        let away = sign_out_at(&pair.second, &pair.origin, &cookies).await?;
        ensure!(away.len() < 8 * 1024, "{} bytes", away.len());
        let url = Url::parse(&away)?;
        let said = |name: &str| url.query_pairs().any(|(own, _)| own == name);
        ensure!(said("id_token_hint") == is_hinted && said("client_id"), "{padding}");
        pair.assert_known(&cookies, false).await?;
        // The provider knows who asks either way, and leads back.
        let landed = Visitor::new(&pair.origin)?.follow(&away).await?;
        ensure!(landed.url.as_str().starts_with(&pair.origin) && landed.text.contains("Signed out"));
    }
    Ok(())
}
