//! The provider as it is meant to be: every step of the code flow, and what it refuses.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod support;

use aws_lc_rs::signature;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use support::*;
use vestibule_dev_provider::{Alg, Endpoint, Person, Secret};

/// Verifies an RS256 token by the key that the key set shows under its id.
fn verifies(token: &str, keys: &Value) -> bool {
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decode(input.split('.').next().unwrap())).unwrap();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let member = |name: &str| decode(key[name].as_str().unwrap());
    let key = signature::RsaPublicKeyComponents { n: member("n"), e: member("e") };
    key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, input.as_bytes(), &decode(signature)).is_ok()
}

#[tokio::test]
async fn a_whole_sign_in() {
    let provider = provider().await;
    let metadata = get(&provider, Endpoint::Metadata).await;
    assert_eq!(metadata["issuer"], provider.issuer());
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);

    let parameters = authorize(&provider, "demo", &[("login_hint", "alice")]).await;
    assert_eq!(value(&parameters, "state"), Some("the state"));
    assert_eq!(value(&parameters, "iss"), Some(provider.issuer()));
    let code = value(&parameters, "code").unwrap();

    let response = redeem(&provider, code).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let tokens: Value = response.json().await.unwrap();
    assert_eq!(tokens["token_type"], "Bearer");

    let claims = claims(&tokens);
    assert_eq!(claims["iss"], provider.issuer());
    assert_eq!(claims["sub"], "1001");
    assert_eq!(claims["aud"], "demo");
    assert_eq!(claims["nonce"], "the nonce");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    assert!(claims["auth_time"].is_i64() && claims["sid"].is_string() && claims["at_hash"].is_string());
    assert!(claims.get("azp").is_none(), "one audience needs no azp");
    assert!(verifies(tokens["id_token"].as_str().unwrap(), &get(&provider, Endpoint::Keys).await));

    let person: Value = userinfo(&provider, &tokens).await.json().await.unwrap();
    assert_eq!(
        person,
        json!({
            "sub": "1001",
            "name": "Alice Ashworth",
            "preferred_username": "alice",
            "email": "alice@example.com",
            "email_verified": true,
            "groups": ["staff", "admins"]
        })
    );
}

#[tokio::test]
async fn the_journal_shows_where_a_code_went() {
    let provider = provider().await;
    let code = code(&provider).await;
    redeem(&provider, &code).await;
    get(&provider, Endpoint::Keys).await;
    let mentioned: Vec<String> =
        provider.requests().into_iter().filter(|request| request.mentions(&code)).map(|r| r.path).collect();
    assert_eq!(mentioned, ["/token"]);

    let requests = provider.requests_to(Endpoint::Token);
    assert_eq!(requests[0].form("code"), Some(code.as_str()));
    assert_eq!(requests[0].method, "POST");
    assert!(provider.issued().iter().any(|issued| issued.kind == Secret::Code && issued.value == code));
    provider.forget_requests();
    assert!(provider.requests().is_empty());
}

#[tokio::test]
async fn pkce_is_asked_for_and_checked() {
    let provider = provider().await;
    for (name, wrong) in
        [("code_challenge", ""), ("code_challenge_method", "plain"), ("code_challenge", "short")]
    {
        let parameters = authorize(&provider, "demo", &[("login_hint", "alice"), (name, wrong)]).await;
        assert_eq!(value(&parameters, "error"), Some("invalid_request"), "{name}={wrong}");
        assert_eq!(value(&parameters, "iss"), Some(provider.issuer()));
        assert_eq!(value(&parameters, "state"), Some("the state"));
    }
    for wrong in ["", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"] {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code(&provider).await),
            ("redirect_uri", CALLBACK),
            ("code_verifier", wrong),
        ];
        assert_eq!(error_of(exchange(&provider, &form).await).await, (400, "invalid_grant".into()));
    }
}

#[tokio::test]
async fn a_code_is_redeemed_for_the_address_that_it_was_sent_to() {
    let provider = provider().await;
    for wrong in ["", "http://127.0.0.1:4180/oauth2/callback/"] {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code(&provider).await),
            ("redirect_uri", wrong),
            ("code_verifier", VERIFIER),
        ];
        assert_eq!(error_of(exchange(&provider, &form).await).await, (400, "invalid_grant".into()));
    }
}

#[tokio::test]
async fn a_code_that_comes_twice_takes_its_tokens_along() {
    let provider = provider().await;
    let code = code(&provider).await;
    let tokens: Value = redeem(&provider, &code).await.json().await.unwrap();
    assert_eq!(userinfo(&provider, &tokens).await.status(), 200);
    assert_eq!(error_of(redeem(&provider, &code).await).await, (400, "invalid_grant".into()));
    assert_eq!(userinfo(&provider, &tokens).await.status(), 401);
    let refreshed = refresh(&provider, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(error_of(refreshed).await, (400, "invalid_grant".into()));
}

#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let provider = provider().await;
    let code = code(&provider).await;
    provider.shift_clock(61);
    assert_eq!(error_of(redeem(&provider, &code).await).await, (400, "invalid_grant".into()));
}

#[tokio::test]
async fn refresh_tokens_rotate_and_reuse_ends_the_family() {
    let provider = provider().await;
    let first = tokens(&provider).await;
    let second: Value =
        refresh(&provider, first["refresh_token"].as_str().unwrap()).await.json().await.unwrap();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let (before, after) = (claims(&first), claims(&second));
    for same in ["iss", "sub", "aud", "auth_time", "sid"] {
        assert_eq!(before[same], after[same], "{same}");
    }
    assert!(after.get("nonce").is_none());

    let reused = refresh(&provider, first["refresh_token"].as_str().unwrap()).await;
    assert_eq!(error_of(reused).await, (400, "invalid_grant".into()));
    let newest = refresh(&provider, second["refresh_token"].as_str().unwrap()).await;
    assert_eq!(error_of(newest).await, (400, "invalid_grant".into()));
    assert_eq!(userinfo(&provider, &second).await.status(), 401);
}

#[tokio::test]
async fn refresh_tokens_come_with_offline_access_or_on_request() {
    let provider = provider().await;
    let hint = [("login_hint", "alice"), ("scope", "openid")];
    let parameters = authorize(&provider, "demo", &hint).await;
    let tokens: Value = redeem(&provider, value(&parameters, "code").unwrap()).await.json().await.unwrap();
    assert!(tokens.get("refresh_token").is_none());

    let provider = builder().always_refresh_token().start().await.unwrap();
    let parameters = authorize(&provider, "demo", &hint).await;
    let tokens: Value = redeem(&provider, value(&parameters, "code").unwrap()).await.json().await.unwrap();
    assert!(tokens["refresh_token"].is_string());
}

#[tokio::test]
async fn clients_authenticate_in_three_ways_and_in_one_at_a_time() {
    let provider = provider().await;
    let url = provider.url(Endpoint::Token);
    let form = |code: &str, more: &[(&'static str, &'static str)]| {
        let mut form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", CALLBACK.to_owned()),
            ("code_verifier", VERIFIER.to_owned()),
        ];
        form.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        form
    };
    let post = form(&code(&provider).await, &[("client_id", "demo"), ("client_secret", "secret")]);
    assert_eq!(http().post(&url).form(&post).send().await.unwrap().status(), 200);

    let parameters = authorize(&provider, "public", &[("login_hint", "bob")]).await;
    let public = form(value(&parameters, "code").unwrap(), &[("client_id", "public")]);
    assert_eq!(http().post(&url).form(&public).send().await.unwrap().status(), 200);

    let code = code(&provider).await;
    for wrong in [&[("client_id", "demo")][..], &[("client_id", "demo"), ("client_secret", "x")], &[]] {
        let response = http().post(&url).form(&form(&code, wrong)).send().await.unwrap();
        assert!(response.headers().contains_key("www-authenticate"));
        assert_eq!(error_of(response).await, (401, "invalid_client".into()), "{wrong:?}");
    }
    let both = form(&code, &[("client_secret", "secret")]);
    let both = http().post(&url).basic_auth("demo", Some("secret")).form(&both).send().await.unwrap();
    assert_eq!(error_of(both).await, (400, "invalid_request".into()));
    assert_eq!(redeem(&provider, &code).await.status(), 200, "no failure above spent the code");
}

#[tokio::test]
async fn nothing_is_sent_to_an_unregistered_address() {
    let provider = provider().await;
    for (name, wrong) in [
        ("redirect_uri", "http://127.0.0.1:4180/oauth2/callback/"),
        ("redirect_uri", "http://127.0.0.1:4180/oauth2/callback?x=1"),
        ("redirect_uri", ""),
        ("client_id", "nobody"),
    ] {
        let url = authorize_url(&provider, "demo", &[("login_hint", "alice"), (name, wrong)]);
        let response = http().get(url).send().await.unwrap();
        assert_eq!(response.status(), 400, "{name}={wrong}");
        assert!(!response.headers().contains_key("location"));
    }
}

#[tokio::test]
async fn the_page_offers_everybody_and_a_way_out() {
    let provider = builder().person(Person::new("1005", "<eve>")).start().await.unwrap();
    let response = http().get(authorize_url(&provider, "demo", &[])).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    let page = response.text().await.unwrap();
    for shown in ["alice", "bob", "chloe", "dmitri", "&lt;eve&gt;"] {
        assert!(page.contains(&format!("name=\"person\" value=\"{shown}\"")), "{shown}");
    }
    assert!(page.contains("name=\"cancel\"") && !page.contains("<eve>"));

    let url = authorize_url(&provider, "demo", &[]);
    let repeated: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let press = async |button: (&str, &str)| {
        let mut form = repeated.clone();
        form.push((button.0.to_owned(), button.1.to_owned()));
        let request = http().post(provider.url(Endpoint::Authorize)).form(&form);
        callback(&request.send().await.unwrap())
    };
    let chosen = press(("person", "dmitri")).await;
    let response = redeem(&provider, value(&chosen, "code").unwrap()).await;
    assert_eq!(claims(&response.json().await.unwrap())["sub"], "1004");

    let cancelled = press(("cancel", "1")).await;
    assert_eq!(value(&cancelled, "error"), Some("access_denied"));
    assert_eq!(value(&cancelled, "state"), Some("the state"));
}

#[tokio::test]
async fn a_form_can_carry_the_answer() {
    let provider = provider().await;
    let url = authorize_url(&provider, "demo", &[("login_hint", "alice"), ("response_mode", "form_post")]);
    let page = http().get(url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(&format!("<form method=\"post\" action=\"{CALLBACK}\">")));
    assert!(page.contains("name=\"code\"") && page.contains("name=\"state\" value=\"the state\""));
}

#[tokio::test]
async fn single_sign_on_passes_silently_and_only_when_switched_on() {
    let silent = [("prompt", "none")];
    let provider = provider().await;
    let parameters = authorize(&provider, "demo", &silent).await;
    assert_eq!(value(&parameters, "error"), Some("login_required"));

    let provider = builder().single_sign_on().start().await.unwrap();
    let url = authorize_url(&provider, "demo", &[("login_hint", "bob")]);
    let response = http().get(url).send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let visit = async |more: &[(&str, &str)]| {
        let request = http().get(authorize_url(&provider, "demo", more)).header("cookie", &cookie);
        request.send().await.unwrap()
    };
    for more in [&[][..], &silent] {
        let parameters = callback(&visit(more).await);
        let response = redeem(&provider, value(&parameters, "code").unwrap()).await;
        assert_eq!(claims(&response.json().await.unwrap())["sub"], "1002");
    }
    for more in [("prompt", "login"), ("prompt", "select_account"), ("max_age", "0")] {
        assert_eq!(visit(&[more]).await.status(), 200, "{more:?} asks again");
    }
    let parameters = callback(&visit(&[("prompt", "none"), ("login_hint", "alice")]).await);
    assert_eq!(value(&parameters, "error"), Some("login_required"), "somebody else is signed in");

    let request = http().get(provider.url(Endpoint::EndSession)).header("cookie", &cookie);
    request.send().await.unwrap();
    let parameters = callback(&visit(&silent).await);
    assert_eq!(value(&parameters, "error"), Some("login_required"));
}

#[tokio::test]
async fn userinfo_takes_a_token_in_the_header_only() {
    let provider = provider().await;
    let tokens = tokens(&provider).await;
    let url = provider.url(Endpoint::Userinfo);
    let query = [("access_token", tokens["access_token"].as_str().unwrap())];
    let response = http().get(&url).query(&query).send().await.unwrap();
    assert_eq!(error_of(response).await, (400, "invalid_request".into()));
    let response = http().get(&url).bearer_auth("nothing").send().await.unwrap();
    assert_eq!(error_of(response).await, (401, "invalid_token".into()));
    provider.shift_clock(300);
    assert_eq!(userinfo(&provider, &tokens).await.status(), 401);
}

#[tokio::test]
async fn signing_out_leads_back_where_that_is_registered() {
    let provider = provider().await;
    let tokens = tokens(&provider).await;
    let leave = async |parameters: &[(&str, &str)]| {
        let request = http().get(provider.url(Endpoint::EndSession)).query(parameters);
        request.send().await.unwrap()
    };
    let hint = ("id_token_hint", tokens["id_token"].as_str().unwrap());
    let home = ("post_logout_redirect_uri", "http://127.0.0.1:4180/");
    let response = leave(&[hint, home, ("state", "a b")]).await;
    assert_eq!(response.headers()["location"], "http://127.0.0.1:4180/?state=a+b");
    assert_eq!(userinfo(&provider, &tokens).await.status(), 401, "the session's tokens are gone");

    assert_eq!(leave(&[("client_id", "demo"), home]).await.status(), 303);
    assert_eq!(leave(&[home]).await.status(), 400);
    assert_eq!(leave(&[hint, ("client_id", "public"), home]).await.status(), 400);
    assert_eq!(leave(&[hint, ("post_logout_redirect_uri", "http://127.0.0.1:4180/x")]).await.status(), 400);
    assert_eq!(leave(&[("id_token_hint", "e30.e30.e30"), home]).await.status(), 400);
    assert_eq!(leave(&[]).await.status(), 200);
}

#[tokio::test]
async fn keys_rotate_with_and_without_overlap() {
    let provider = provider().await;
    let kids = async || -> Vec<String> {
        let set = get(&provider, Endpoint::Keys).await;
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    };
    let old = kids().await;
    assert_eq!(old.len(), 4);
    provider.rotate_keys_with_overlap();
    let both = kids().await;
    assert!(both.len() == 8 && old.iter().all(|kid| both.contains(kid)));
    provider.rotate_keys();
    let new = kids().await;
    assert!(new.len() == 4 && new.iter().all(|kid| !both.contains(kid)));
}

#[tokio::test]
async fn the_builder_shapes_tokens() {
    let provider = builder()
        .issuer_path("/realms/demo/")
        .id_token_alg(Alg::EdDsa)
        .claims_in_id_token()
        .more_audience("api")
        .start()
        .await
        .unwrap();
    assert!(provider.issuer().ends_with("/realms/demo/"));
    let metadata = format!("{}.well-known/openid-configuration", provider.issuer());
    let metadata: Value = http().get(metadata).send().await.unwrap().json().await.unwrap();
    assert_eq!(metadata["issuer"], provider.issuer());
    assert_eq!(metadata["id_token_signing_alg_values_supported"], json!(["EdDSA"]));

    let tokens = tokens(&provider).await;
    assert_eq!(header(&tokens)["alg"], "EdDSA");
    let claims = claims(&tokens);
    assert_eq!(claims["aud"], json!(["demo", "api"]));
    assert_eq!(claims["azp"], "demo");
    assert_eq!(claims["email"], "alice@example.com");
}

#[tokio::test]
async fn people_change_and_are_chosen_without_a_page() {
    let provider = provider().await;
    provider.sign_in_as(Some("bob"));
    let parameters = authorize(&provider, "demo", &[]).await;
    let tokens: Value = redeem(&provider, value(&parameters, "code").unwrap()).await.json().await.unwrap();
    provider.person(Person::new("1002", "bob").verified_email("bob@example.net"));
    let person: Value = userinfo(&provider, &tokens).await.json().await.unwrap();
    assert_eq!(person["email"], "bob@example.net");
    provider.revoke("1002");
    assert_eq!(userinfo(&provider, &tokens).await.status(), 401);
}
