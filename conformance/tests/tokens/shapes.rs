//! Tokens that are not what a token looks like.

use vestibule_conformance::{Endpoint, Lie, Site};

use crate::{accepts, accepts_the_truth, refuses};

const HONEST: &str = "{{header}}.{{payload}}.{{signature}}";

fn raw(text: impl Into<String>) -> Lie {
    Lie::RawIdToken(text.into())
}

#[tokio::test]
async fn jt_23_end_to_end_a_token_has_three_parts() {
    let site = Site::start().await;
    for text in [
        "",
        ".",
        "..",
        "{{header}}.{{payload}}",
        "{{header}}.{{payload}}.",
        ".{{payload}}.{{signature}}",
        "{{header}}..{{signature}}",
        "{{header}}.{{payload}}.{{signature}}.",
        "{{header}}.{{payload}}.{{signature}}.{{signature}}",
        "{{header}}.{{payload}}.{{payload}}.{{payload}}.{{signature}}",
    ] {
        refuses(&site, raw(text), text).await;
    }
    for dots in [60_000, 100_000] {
        refuses(&site, raw(".".repeat(dots)), dots).await;
    }
    accepts(&site, raw(HONEST), "three").await;
}

#[tokio::test]
async fn jt_24_jt_36_end_to_end_a_token_has_one_spelling_and_nothing_around_it() {
    let site = Site::start().await;
    for text in [
        "{{header}}=.{{payload}}.{{signature}}",
        "{{header}}.{{payload}}==.{{signature}}",
        "{{header}}.{{payload}}.{{signature}}==",
        "{{header}}\n.{{payload}}.{{signature}}",
        "{{header}}. {{payload}}.{{signature}}",
        "+{{header}}.{{payload}}.{{signature}}",
        "{{header}}.{{payload}}.{{signature}}/",
        "Bearer {{header}}.{{payload}}.{{signature}}",
        "\"{{header}}.{{payload}}.{{signature}}\"",
        " {{header}}.{{payload}}.{{signature}}",
        "{{header}}.{{payload}}.{{signature}}\n",
    ] {
        refuses(&site, raw(text), text).await;
    }
    accepts(&site, raw(HONEST), "nothing around it").await;
}

#[tokio::test]
async fn jt_25_end_to_end_header_and_payload_are_one_clean_object_each() {
    let site = Site::start().await;
    let claims = r#""iss":{{iss}},"sub":{{sub}},"aud":{{aud}},"exp":{{exp}},"iat":{{iat}},"nonce":{{nonce}}"#;
    accepts(&site, Lie::RawPayload(format!("{{{claims}}}")), "by hand").await;
    for payload in [
        "[]".to_owned(),
        r#""text""#.into(),
        "1".into(),
        "null".into(),
        "{}".into(),
        String::new(),
        format!("{{{claims}}} x"),
        format!("{{{claims}}}{{}}"),
        format!("{{{claims},}}"),
        format!("{{{claims} /* */}}"),
        format!("\u{feff}{{{claims}}}"),
        format!("{{{}}}", claims.replace('"', "'")),
    ] {
        refuses(&site, Lie::RawPayload(payload.clone()), payload).await;
    }
    refuses(&site, Lie::RawPayloadBytes(b"{\"sub\":\"\xff\"}".to_vec()), "no UTF-8").await;
    for header in ["[]", "1", r#"{"alg":{{alg}},"kid":{{kid}}}}"#, r#"{'alg':{{alg}},'kid':{{kid}}}"#] {
        refuses(&site, Lie::RawHeader(header.into()), header).await;
    }
}

#[tokio::test]
async fn jt_26_jt_27_end_to_end_a_token_has_limits() {
    let site = Site::start().await;
    let with = |more: &str| {
        let claims =
            r#""iss":{{iss}},"sub":{{sub}},"aud":{{aud}},"exp":{{exp}},"iat":{{iat}},"nonce":{{nonce}}"#;
        Lie::RawPayload(format!("{{{claims},{more}}}"))
    };
    let nested = |depth: usize| format!(r#""x":{}{}"#, "[".repeat(depth), "]".repeat(depth));
    accepts(&site, with(&nested(20)), "nested within reason").await;
    for depth in [40, 10_000] {
        refuses(&site, with(&nested(depth)), depth).await;
    }
    let text = |bytes: usize| format!(r#""x":"{}""#, "x".repeat(bytes));
    accepts(&site, with(&text(30_000)), "large, but allowed").await;
    refuses(&site, with(&text(70_000)), "larger than 64 KiB").await;
    refuses(&site, with(&format!(r#""x":[{}1]"#, "1,".repeat(30_000))), "a long list").await;
    refuses(&site, with(&format!(r#""exp":{}"#, "9".repeat(20_000))), "a number of many digits").await;
    // What is larger than any answer may be is not even read to its end.
    for bytes in [1 << 20, 10 << 20] {
        site.provider().honest().lie(with(&text(bytes)));
        let outcome = site.sign_in().await;
        outcome.refused("provider_answer_invalid", bytes);
        assert_eq!(outcome.asked_since_callback(), [Endpoint::Token], "{bytes}");
    }
    accepts_the_truth(&site).await;
}

#[tokio::test]
async fn jt_28_jt_29_jt_30_end_to_end_only_a_signed_token_in_the_compact_form_counts() {
    let site = Site::start().await;
    let base64url = |text: &str| {
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text.as_bytes())
    };
    for header in [
        r#"{"alg":"RSA-OAEP","enc":"A256GCM","cty":"JWT"}"#,
        r#"{"alg":"dir","enc":"A128GCM","zip":"DEF"}"#,
        r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":1000000000,"p2s":"c2FsdA"}"#,
    ] {
        let header = base64url(header);
        refuses(&site, raw(format!("{header}.a2V5.aXY.{{{{payload}}}}.dGFn")), &header).await;
        refuses(&site, raw(format!("{header}....")), &header).await;
    }
    for text in [
        r#"{"protected":"{{header}}","payload":"{{payload}}","signature":"{{signature}}"}"#,
        r#"{"payload":"{{payload}}","signatures":[{"protected":"{{header}}","signature":"{{signature}}"}]}"#,
    ] {
        refuses(&site, raw(text), text).await;
    }
    accepts_the_truth(&site).await;
}
