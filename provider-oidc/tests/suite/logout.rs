//! Logout tokens: the certification plan's list for back-channel logout, and the catalogue of hostile tokens.

use std::sync::Arc;

use serde_json::{Value, json};
use vestibule::{
    exchange::HttpFailure,
    provider::{LogoutNotice, Provider as _, ProviderError},
    secret::Secret,
    testkit,
};
use vestibule_oidc::{Algorithm, Oidc};

use crate::{
    mint::{CLIENT, ISSUER, Mint, NOW, SECRET, SUBJECT, keyring, sign_raw},
    op::{Answer, Op, builder, client},
};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A logout token as the certification suite sends it.
fn sound() -> Mint {
    Mint::thin()
        .without("nonce")
        .header("typ", "logout+jwt")
        .claim("exp", NOW + 120)
        .claim("jti", "a-name")
        .claim("sid", "a-session")
        .claim("events", json!({EVENT: {}}))
        .claim("ignored_claim", "ignored")
}

fn prove(op: &Op, oidc: Oidc, token: &str) -> Result<LogoutNotice, ProviderError> {
    let (oidc, token) = (Arc::new(oidc), Secret::new(token));
    testkit::converse(
        op.now(),
        async move |http: vestibule::conversation::Http| oidc.logout_token(&http, &token).await,
        |asked| op.answer(asked),
    )
}

#[track_caller]
fn accepted(mint: &Mint) -> LogoutNotice {
    prove(&Op::honest(), client(), &mint.sign()).unwrap()
}

/// It is refused, and nobody is asked about it.
#[track_caller]
fn refused_unasked(token: &str, case: impl std::fmt::Debug) {
    let op = Op::honest();
    match prove(&op, client(), token) {
        Err(ProviderError::LogoutToken(_)) => assert!(op.asked().is_empty(), "{case:?}"),
        other => panic!("{case:?}: {other:?}"),
    }
}

#[track_caller]
fn refused(token: &str, case: impl std::fmt::Debug) {
    let proven = prove(&Op::honest(), client(), token);
    assert!(matches!(proven, Err(ProviderError::LogoutToken(_))), "{case:?}: {proven:?}");
}

#[test]
fn a_sound_token_says_who_has_left() {
    let notice = accepted(&sound());
    assert_eq!((notice.issuer.as_str(), notice.id.as_str()), (ISSUER, "a-name"));
    assert_eq!(notice.subject.as_deref(), Some(SUBJECT));
    assert_eq!(notice.idp_session.as_deref(), Some("a-session"));
    assert_eq!((notice.issued.unix(), notice.ends.unix()), (NOW - 5, NOW + 120));
    assert_eq!(accepted(&sound().without("sub")).subject, None);
    assert_eq!(accepted(&sound().without("sid")).idp_session, None);
    refused_unasked(&sound().without("sub").without("sid").sign(), "about nobody");
    refused_unasked(&sound().without("jti").sign(), "no jti");
}

#[test]
fn lo_07_the_certification_plan_s_list() {
    for events in
        [json!(null), json!({}), json!([EVENT]), json!(EVENT), json!({EVENT: null}), json!({EVENT: "x"})]
    {
        refused_unasked(&sound().claim("events", events.clone()).sign(), events);
    }
    let wrong = json!({"http://schemas.openid.net/event/foobar": {}});
    refused_unasked(&sound().claim("events", wrong).sign(), "wrong event");
    refused_unasked(&sound().without("events").sign(), "no event");
    for nonce in [json!("n"), json!(""), json!(null)] {
        refused_unasked(&sound().claim("nonce", nonce.clone()).sign(), nonce);
    }
    refused_unasked(&sound().claim("aud", format!("{CLIENT}INVALID")).sign(), "wrong aud");
    refused_unasked(&sound().claim("iss", format!("{ISSUER}INVALID")).sign(), "wrong iss");
    let unsigned = sound().header("alg", "none");
    refused_unasked(&unsigned.sign(), "alg none, signed");
    refused_unasked(&format!("{}.", unsigned.signing_input()), "alg none");
    // The key is in the set, but that algorithm was not agreed on.
    let op = Op::honest().keys([keyring().rsa.jwk("k1"), keyring().p256.jwk("k2")]);
    let token = sound().header("alg", "ES256").header("kid", "k2").sign_with(&keyring().p256);
    assert!(matches!(prove(&op, client(), &token), Err(ProviderError::LogoutToken(_))));
    let pinned = builder().algorithms([Algorithm::Es256]).build().unwrap();
    assert!(prove(&op, pinned, &token).is_ok(), "it is the pin alone that refused it");
}

#[test]
fn lo_11_times_are_there_and_of_now() {
    for name in ["iat", "exp"] {
        refused_unasked(&sound().without(name).sign(), name);
    }
    for name in ["iat", "exp", "nbf"] {
        for time in [json!("1700000000"), json!(null), json!(true), json!([NOW]), json!(-1), json!(1e300)] {
            refused_unasked(&sound().claim(name, time.clone()).sign(), (name, time));
        }
    }
    for (name, time) in
        [("iat", NOW - 600), ("iat", NOW - 181), ("iat", NOW + 61), ("exp", NOW - 60), ("nbf", NOW + 61)]
    {
        refused_unasked(&sound().claim(name, time).sign(), (name, time));
    }
    for (name, time) in [("iat", NOW - 180), ("iat", NOW + 60), ("exp", NOW - 59), ("nbf", NOW + 60)] {
        accepted(&sound().claim(name, time));
    }
}

#[test]
fn jt_07_a_logout_token_and_no_other_kind() {
    for kind in ["logout+jwt", "application/logout+jwt", "LOGOUT+JWT", "JWT"] {
        accepted(&sound().header("typ", kind));
    }
    accepted(&sound().without_header("typ"));
    for kind in [json!("at+jwt"), json!("dpop+jwt"), json!(""), json!(1), json!(null)] {
        refused_unasked(&sound().header("typ", kind.clone()).sign(), kind);
    }
    refused_unasked(&Mint::sound().sign(), "an ID token");
    let as_id_token = Op::honest().id_token(sound().without_header("typ").sign()).sign_in();
    assert!(as_id_token.is_err(), "and no sign-in comes of a logout token");
}

#[test]
fn jt_01_jt_02_jt_03_only_the_issuer_s_keys_sign() {
    for alg in
        [json!("None"), json!("NONE"), json!("nOnE"), json!(""), json!(null), json!(1), json!(["RS256"])]
    {
        refused_unasked(&sound().header("alg", alg.clone()).sign(), alg);
    }
    refused_unasked(&sound().without_header("alg").sign(), "no alg");
    for alg in ["HS256", "HS384", "HS512"] {
        let mint = sound().header("alg", alg);
        for secret in keyring().rsa.rsa_public_forms().into_iter().chain([SECRET.into(), Vec::new()]) {
            refused_unasked(&mint.sign_hmac(secret), alg);
        }
    }
    refused(&sound().sign_with(&keyring().other_rsa), "another's key");
    refused(&sound().with_signature([0; 256]), "no signature");
    let attacker = keyring().other_rsa.jwk("k1");
    refused(&sound().header("jwk", attacker).sign_with(&keyring().other_rsa), "its own key");
    let sent_elsewhere = sound().header("jku", "https://evil.example/keys").sign_with(&keyring().other_rsa);
    refused(&sent_elsewhere, "its own address");
}

#[test]
fn jt_05_jt_06_jt_08_what_a_header_may_not_say() {
    for (name, value) in [
        ("kid", json!(null)),
        ("kid", json!(["k1"])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("cty", json!("JWT")),
        ("zip", json!("DEF")),
    ] {
        refused_unasked(&sound().header(name, value.clone()).sign(), (name, value));
    }
    let claims = Value::from(sound().claims).to_string();
    let header = r#"{"alg":"RS256","alg":"RS256","kid":"k1"}"#;
    refused_unasked(&sign_raw(header.as_bytes(), claims.as_bytes()), header);
    let twice = format!(r#"{{"sub":"{SUBJECT}",{}"#, &claims[1..]);
    refused_unasked(&sign_raw(br#"{"alg":"RS256","kid":"k1"}"#, twice.as_bytes()), "sub twice");
}

#[test]
fn jt_12_jt_13_jt_15_names_are_texts_and_ours() {
    for iss in [json!(null), json!([ISSUER]), json!(format!("{ISSUER}/")), json!("https://op"), json!(1)] {
        refused_unasked(&sound().claim("iss", iss.clone()).sign(), iss);
    }
    for aud in
        [json!(null), json!([]), json!(["other"]), json!([CLIENT, "other"]), json!([[CLIENT]]), json!(1)]
    {
        refused_unasked(&sound().claim("aud", aud.clone()).sign(), aud);
    }
    accepted(&sound().claim("aud", json!([CLIENT])));
    for name in ["sub", "sid", "jti"] {
        let long = json!("x".repeat(300));
        for value in [json!(""), json!(null), json!(1), json!({}), json!("a\u{7}"), long] {
            refused_unasked(&sound().claim(name, value.clone()).sign(), (name, value));
        }
    }
}

#[test]
fn jt_23_jt_24_jt_27_what_is_no_token_is_not_looked_into() {
    let token = sound().sign();
    let dots = ".".repeat(60_000);
    let long = "x".repeat(1_024 * 1_024);
    for text in [
        "",
        ".",
        "..",
        "a.b",
        &dots,
        &long,
        &format!("{token}="),
        &format!("{token}.x"),
        &format!(" {token}"),
    ] {
        refused_unasked(text, text.len());
    }
}

#[test]
fn nd_09_a_stranger_s_token_has_no_keys_fetched_anew_and_an_outage_is_no_refusal() {
    let op = Op::honest();
    let forged = prove(&op, client(), &sound().without_header("kid").sign_with(&keyring().other_rsa));
    assert!(matches!(forged, Err(ProviderError::LogoutToken(_))));
    assert_eq!(op.asked().len(), 2, "its description and its keys, once");
    let mut rotated = Op::honest().keys([keyring().other_rsa.jwk("k0")]);
    rotated.fresh_keys = Some(json!({"keys": [keyring().rsa.jwk("k1")]}));
    assert!(prove(&rotated, client(), &sound().sign()).is_ok());
    let mut down = Op::honest();
    down.keys_answer = Some(Answer::Nothing(HttpFailure::Connect));
    let outage = prove(&down, client(), &sound().sign());
    assert!(matches!(outage, Err(ProviderError::Unreachable { .. })), "{outage:?}");
}

#[test]
fn lo_18_an_issuer_is_compared_as_it_stands() {
    assert!(client().speaks_for(ISSUER));
    for other in ["", "https://op", "https://op.example/", "https://OP.example"] {
        assert!(!client().speaks_for(other), "{other}");
    }
}
