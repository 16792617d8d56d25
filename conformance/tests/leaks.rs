//! What is secret stays where it belongs: in the log, on pages, in addresses and in headers there is none of it.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use vestibule::{request::PlainHead, response::Response};
use vestibule_conformance::{
    Answer, Behaviour, Edit, Endpoint, Lie, Log, Object, Outcome, Signing, Site, client,
};

/// Everything that was issued, and what our side must keep for itself.
fn secrets(site: &Site) -> Vec<String> {
    let issued = site.provider().issued().into_iter().map(|issued| issued.value);
    let tokens = site.provider().requests_to(Endpoint::Token);
    let verifiers = tokens.iter().filter_map(|request| request.form("code_verifier").map(str::to_owned));
    let asked = site.provider().requests_to(Endpoint::Authorize);
    let sent = asked
        .iter()
        .flat_map(|request| ["state", "nonce"].map(|name| request.query(name).unwrap().to_owned()));
    issued.chain(verifiers).chain(sent).chain([client::SECRET.to_owned()]).collect()
}

fn text(response: &Response) -> String {
    let headers: Vec<_> = response.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{}\n\n{}", headers.join("\n"), String::from_utf8_lossy(&response.body))
}

#[track_caller]
fn nothing_of(secrets: &[String], text: &str, place: &str) {
    assert!(secrets.len() > 5 && secrets.iter().all(|secret| secret.len() >= 20), "{secrets:?}");
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "{secret} in {place}: {text}");
    }
}

#[tokio::test]
async fn lk_01_end_to_end_no_log_line_of_any_crate_at_any_level_has_a_secret_in_it() {
    let log = Log::listen();
    let site = Site::builder().provider(|provider| provider.always_refresh_token()).start().await;
    let signed_in = site.sign_in().await;
    assert!(signed_in.is_signed_in());
    for lie in [
        Lie::from(Signing::OtherKey),
        Lie::claim("nonce", "canary-claim"),
        Lie::member(Object::TokenAnswer, "token_type", Edit::Set("canary-type".into())),
        Lie::At(
            Endpoint::Token,
            Behaviour::answer(400, r#"{"error":"invalid_grant","error_description":"canary-text"}"#),
        ),
        Lie::At(Endpoint::Userinfo, Behaviour::answer(401, "canary-body")),
        Lie::Refuse { error: "access_denied".into(), description: "canary-description".into() },
    ] {
        site.provider().honest().lie(lie);
        assert!(!site.sign_in().await.is_signed_in());
    }
    let log = log.text();
    assert!(log.contains("signed in") && log.contains("id_token_invalid"), "it was listened to: {log}");
    let mut secrets = secrets(&site);
    secrets
        .extend(signed_in.browser.cookies().map(|name| signed_in.browser.cookie(name).unwrap().to_owned()));
    nothing_of(&secrets, &log, "the log");
    assert!(!log.contains("canary"), "what the provider wrote is in the log: {log}");
    assert!(!log.contains("alice@example.com"), "who signed in is nobody's business who reads logs: {log}");
}

#[tokio::test]
async fn lk_03_lk_12_end_to_end_no_page_shows_what_the_provider_wrote() {
    let site = Site::start().await;
    let script = "<script>canary</script>\u{1b}[31m{{7*7}}\r\n";
    let error = serde_json::json!({"error": "invalid_grant", "error_description": script, "error_uri": "https://canary.example"});
    for lie in [
        Lie::Refuse { error: "access_denied".into(), description: script.into() },
        Lie::Refuse { error: "canary_error".into(), description: script.into() },
        Lie::At(Endpoint::Token, Behaviour::Answer(Answer::new(400).json(error.to_string()))),
        Lie::At(Endpoint::Token, Behaviour::answer(500, script)),
        Lie::At(Endpoint::Userinfo, Behaviour::answer(200, script)),
        Lie::claim("iss", script),
        Lie::RawKeys(script.into()),
    ] {
        site.provider().honest().lie(lie.clone());
        site.wait(8 * 86_400); // until keys are fetched anew
        let outcome = site.sign_in().await;
        outcome.refused(&outcome.code().unwrap(), &lie);
        let page = text(&outcome.response);
        assert!(
            !page.contains("canary") && !page.contains("7*7") && !page.contains('\u{1b}'),
            "{lie:?}: {page}"
        );
    }
}

#[tokio::test]
async fn lk_04_no_address_has_a_token_a_verifier_or_the_clients_secret_in_it() {
    let site = Site::builder().provider(|provider| provider.always_refresh_token()).start().await;
    let outcome = site.sign_in().await;
    assert!(outcome.is_signed_in());
    let secrets = secrets(&site);
    let location = outcome.response.get("location").unwrap();
    nothing_of(&secrets, location, "the address after the sign-in");
    assert_eq!(outcome.response.get("referrer-policy"), Some("no-referrer"));
    let asked = site.provider().requests();
    let server_to_server = asked.iter().filter(|request| !request.path.ends_with("/authorize"));
    for request in server_to_server {
        assert!(request.query.is_empty(), "{}: {:?}", request.path, request.query);
        nothing_of(&secrets, &request.path, "a path");
        assert!(request.header("referer").is_none());
    }
    // What the browser carries to the provider is made for that; the rest of the secrets is not among it.
    let authorize = site.provider().requests_to(Endpoint::Authorize).remove(0);
    let carried: Vec<_> =
        [authorize.query("state"), authorize.query("nonce")].map(|value| value.unwrap().to_owned()).into();
    let kept = secrets.iter().filter(|secret| !carried.contains(secret));
    for secret in kept {
        assert!(!authorize.mentions(secret), "{secret} in the authorization request");
    }
}

#[tokio::test]
async fn lk_06_lk_09_neither_userinfo_nor_identity_headers_have_a_token_in_them() {
    let site = Site::builder().provider(|provider| provider.always_refresh_token()).start().await;
    let Outcome { browser, me, .. } = site.sign_in().await;
    assert_eq!(me.status, 200);
    let secrets = secrets(&site);
    nothing_of(&secrets, &text(&me), "userinfo");
    let auth = browser.with_cookies(PlainHead::fetch("/oauth2/auth"));
    let auth = site.driver().grant(&auth).expect("`auth` needs nothing");
    assert_eq!(auth.status, 202);
    nothing_of(&secrets, &text(&auth), "identity headers");
    assert!(!text(&auth).contains(browser.cookie("__Host-vestibule").unwrap()));
}
