//! The token endpoint: a code is sent once, whatever comes back, and a reload of the callback sends none.

use serde_json::{Value, json};
use vestibule_conformance::{Answer, Behaviour, Edit, Endpoint, Lie, Object, Outcome, Site, code_of};

use crate::times;

/// One sign-in to a token endpoint that behaves so, and the same callback again.
async fn sign_in(site: &Site, behaviours: Vec<Behaviour>) -> Outcome {
    let before = times(site, Endpoint::Token);
    let round = site.begin().await;
    let callback = round.ask_provider().await;
    site.provider().fail_next_with(Endpoint::Token, behaviours.clone());
    let mut outcome = round.come_back(&callback).await;
    let again = outcome.browser.visit(site.driver(), &callback).await;
    if !outcome.is_signed_in() {
        assert_eq!(code_of(&again).as_deref(), Some("attempt_missing"), "{behaviours:?}");
    }
    assert_eq!(times(site, Endpoint::Token) - before, 1, "{behaviours:?}: a code is sent once");
    outcome
}

#[tokio::test]
async fn nd_10_whatever_the_token_endpoint_answers_a_code_is_sent_once() {
    let site = Site::start().await;
    let answer = |answer: Answer| vec![Behaviour::Answer(answer)];
    let error =
        |status: u16, error: &str| answer(Answer::new(status).json(json!({"error": error}).to_string()));
    let raw = |text: &str| vec![Behaviour::Raw(text.as_bytes().to_vec())];
    let rows = [
        (
            "provider_answer_invalid",
            vec![Behaviour::Redirect { status: 302, to: site.provider().url(Endpoint::Token) }],
        ),
        (
            "provider_answer_invalid",
            vec![Behaviour::Redirect { status: 307, to: site.provider().url(Endpoint::Token) }],
        ),
        ("token_refused", error(400, "invalid_grant")),
        ("token_refused", error(401, "invalid_client")),
        ("token_refused", answer(Answer::new(401).header("www-authenticate", "Basic realm=\"op\""))),
        ("token_refused", error(200, "bad_verification_code")),
        ("access_denied", error(200, "access_denied")),
        ("token_refused", answer(Answer::new(403).body("<html>"))),
        ("provider_unreachable", answer(Answer::new(429).header("retry-after", "1"))),
        ("provider_unreachable", vec![Behaviour::Status(500)]),
        ("provider_unreachable", vec![Behaviour::Status(503)]),
        (
            "provider_answer_invalid",
            answer(Answer::new(200).header("content-type", "text/html").body("<html>")),
        ),
        ("provider_answer_invalid", answer(Answer::new(200).json(""))),
        ("provider_answer_invalid", answer(Answer::new(200).json("[]"))),
        ("provider_answer_invalid", vec![Behaviour::Status(204)]),
        ("provider_answer_invalid", vec![Behaviour::Status(201)]),
        ("provider_answer_invalid", vec![Behaviour::Gzip]),
        ("provider_answer_invalid", vec![Behaviour::Padded(10 << 20)]),
        ("provider_answer_invalid", vec![Behaviour::Endless]),
        ("provider_unreachable", vec![Behaviour::Header("x-long".into(), "x".repeat(1 << 20))]),
        ("provider_unreachable", vec![Behaviour::AnotherHeader("set-cookie".into(), "a=b".into()); 101]),
        ("provider_unreachable", vec![Behaviour::Reset]),
        ("provider_unreachable", vec![Behaviour::LoseAnswer]),
        ("provider_unreachable", vec![Behaviour::CloseAfter(20)]),
        ("provider_unreachable", raw("")),
        ("provider_unreachable", raw("SSH-2.0-OpenSSH_9.2\r\n")),
        ("provider_unreachable", raw("HTTP/1.1 200 OK\r\nContent-Le")),
        ("provider_unreachable", raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}")),
        ("provider_unreachable", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a")),
    ];
    for (code, behaviours) in rows {
        let case: String = format!("{behaviours:?}").chars().take(80).collect();
        let outcome = sign_in(&site, behaviours).await;
        outcome.refused(code, &case);
        assert_eq!(outcome.asked_since_callback(), [Endpoint::Token], "{case}");
    }
    assert!(sign_in(&site, Vec::new()).await.is_signed_in());
}

#[tokio::test]
async fn nd_10_cookies_of_the_provider_are_taken_and_never_brought_back() {
    let site = Site::start().await;
    let cookie = Behaviour::AnotherHeader("set-cookie".into(), "canary=1; Path=/".into());
    assert!(sign_in(&site, vec![cookie; 80]).await.is_signed_in());
    assert!(site.sign_in().await.is_signed_in());
    assert!(site.provider().requests().iter().all(|request| request.header("cookie").is_none()));
}

/// RFC 6749 §5.1.
#[tokio::test]
async fn nd_10_a_token_answer_has_what_it_must_and_may_have_anything_else() {
    let site = Site::start().await;
    let member = |name: &str, edit: Edit| Lie::member(Object::TokenAnswer, name, edit);
    let set = |name: &str, value: Value| member(name, Edit::Set(value));
    for lie in [
        member("access_token", Edit::Remove),
        set("access_token", json!("")),
        set("access_token", json!(7)),
        set("access_token", json!("two words\n")),
        member("token_type", Edit::Remove),
        set("token_type", json!("mac")),
        set("token_type", json!(7)),
        set("expires_in", json!(-1)),
        member("expires_in", Edit::Text("1e30".into())),
        set("expires_in", json!("soon")),
        member("access_token", Edit::Double(json!("another"))),
        set("id_token", json!({"protected": "e30"})),
        set("id_token", json!(7)),
    ] {
        site.provider().honest().lie(lie.clone());
        let outcome = site.sign_in().await;
        outcome.refused("provider_answer_invalid", &lie);
        assert_eq!(outcome.asked_since_callback(), [Endpoint::Token], "{lie:?}");
    }
    for lie in [member("id_token", Edit::Remove), set("id_token", Value::Null)] {
        site.provider().honest().lie(lie.clone());
        site.sign_in().await.refused("id_token_invalid", lie);
    }
    for lie in [
        set("token_type", json!("bEaReR")),
        member("expires_in", Edit::Remove),
        set("expires_in", json!("3600")),
        member("scope", Edit::Remove),
        set("something_new", json!([[[{}]]])),
    ] {
        site.provider().honest().lie(lie.clone());
        let outcome = site.sign_in().await;
        assert!(outcome.is_signed_in(), "{lie:?}: {:?}", outcome.code());
    }
}

/// RFC 6749 §4.1.2: a code is whatever the provider says that it is.
#[tokio::test]
async fn a_code_of_any_spelling_comes_back_to_the_byte() {
    let site = Site::start().await;
    site.provider().lie(Lie::CodeSuffix(format!("%2B/=+~ &é;{}", "x".repeat(2_000))));
    assert!(site.sign_in().await.is_signed_in());
    site.provider().honest().lie(Lie::CodeSuffix("x".repeat(4_100)));
    let outcome = site.sign_in().await;
    assert_eq!(outcome.code().as_deref(), Some("callback_malformed"), "longer than 4,096 bytes");
    assert_eq!(outcome.asked_since_callback(), []);
}
