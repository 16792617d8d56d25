//! Tokens that API clients bring. What is wrong with a token as such, the other files show for both: [`refused`]
//! offers each to both.
//!
//! [`refused`]: crate::op::refused

use serde_json::{Value, json};
use vestibule::{
    exchange::{HttpFailure, Purpose},
    identity::Identity,
    provider::ProviderError,
};
use vestibule_oidc::{Algorithm, OidcBearer};

use crate::{
    mint::{CLIENT, ISSUER, Mint, NOW, SECRET, SUBJECT, keyring},
    op::{Answer, Op, builder},
};

fn issuer() -> OidcBearer {
    builder().id("ci").build_bearer().unwrap()
}

/// An access token as RFC 9068 describes it.
fn access_token() -> Mint {
    Mint::sound().without("nonce").header("typ", "at+jwt").claim("client_id", "robot")
}

#[track_caller]
fn proven(mint: &Mint) -> Identity {
    Op::honest().prove(issuer(), &mint.sign()).unwrap().unwrap()
}

#[track_caller]
fn fault(mint: &Mint) -> &'static str {
    let op = Op::honest();
    match op.prove(issuer(), &mint.sign()) {
        Err(ProviderError::BearerToken(fault)) => {
            assert!(op.asked().is_empty(), "it is refused before anybody is asked");
            fault
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_proves_whom_it_names() {
    for mint in [access_token(), Mint::sound(), Mint::sound().without_header("typ")] {
        let identity = proven(&mint.claim("groups", json!(["staff"])).claim("tier", "gold"));
        assert_eq!((identity.issuer.as_str(), identity.subject.as_str()), (ISSUER, SUBJECT));
        assert_eq!(identity.email.as_deref(), Some("ada@example.com"));
        assert!(identity.email_verified);
        assert_eq!(identity.groups, ["staff"]);
        assert_eq!(identity.claims["tier"], "gold");
    }
    let bare = proven(&Mint::thin());
    assert_eq!((bare.email, bare.email_verified), (None, false), "userinfo is not asked");
}

#[test]
fn jt_13_a_token_for_an_api_may_be_meant_for_others_too_but_must_be_meant_for_us() {
    let meant_for = |audience: Value| access_token().claim("aud", audience);
    for audience in [json!(CLIENT), json!([CLIENT]), json!(["other", CLIENT])] {
        proven(&meant_for(audience));
    }
    for audience in
        [json!("other"), json!(["other"]), json!(format!("{CLIENT}1")), json!([[CLIENT]]), json!(null)]
    {
        assert_eq!(fault(&meant_for(audience.clone())), "it is meant for somebody else", "{audience}");
    }
    let trusting = || builder().trusted_audience("other").build_bearer().unwrap();
    let prove = |audience: Value| Op::honest().prove(trusting(), &meant_for(audience).sign());
    assert!(prove(json!("other")).is_ok_and(|identity| identity.is_some()));
    assert!(prove(json!("third")).is_err());
}

#[test]
fn a_token_that_is_bound_to_a_key_of_its_sender_is_not_taken_from_somebody_who_shows_none() {
    let bound = access_token().claim("cnf", json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}));
    assert_eq!(fault(&bound), "it is bound to a key that nobody shows here");
}

#[test]
fn a_logout_token_lets_nobody_in() {
    let event = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    for events in [event, json!({}), json!(null)] {
        let logout = Mint::sound().without("nonce").without_header("typ").claim("events", events);
        assert_eq!(fault(&logout), "it tells of an event and is nobody's to bring");
    }
}

#[test]
fn jt_10_a_token_of_an_api_client_may_be_old_but_has_an_end() {
    proven(&access_token().claim("iat", NOW - 90 * 86_400));
    proven(&access_token().without("iat"));
    assert_eq!(fault(&access_token().without("exp")), "it does not say when it ends");
    assert!(fault(&access_token().claim("exp", NOW - 61)).contains("ended"));
}

#[test]
fn jt_12_nobody_is_asked_about_a_token_of_somebody_else() {
    for other in [json!("https://other.example"), json!(format!("{ISSUER}/")), json!([ISSUER]), json!(null)] {
        let op = Op::honest();
        let proven = op.prove(issuer(), &access_token().claim("iss", other.clone()).sign());
        assert!(matches!(proven, Ok(None)), "{other}: {proven:?}");
        assert!(op.asked().is_empty(), "{other}");
    }
    let op = Op::honest();
    assert!(matches!(op.prove(issuer(), &access_token().without("iss").sign()), Ok(None)));
    assert!(op.prove(issuer(), "an-opaque-token").is_err());
    assert!(op.asked().is_empty());
}

#[test]
fn jt_12_a_tenants_token_is_of_a_tenant_that_may_enter() {
    const A: &str = "11111111-2222-3333-4444-555555555555";
    const B: &str = "aaaaaaaa-2222-3333-4444-555555555555";
    let issuer_of = |tenant: &str| format!("https://login.example/{tenant}/v2.0");
    let issuer = || {
        let builder = vestibule_oidc::Oidc::builder(issuer_of("{tenantid}"), CLIENT);
        builder.tenants([A]).build_bearer().unwrap()
    };
    let op = || {
        let mut op = Op::honest();
        op.metadata["issuer"] = json!(issuer_of("{tenantid}"));
        op
    };
    let token = |iss: &str, tid: &str| access_token().claim("iss", issuer_of(iss)).claim("tid", tid).sign();
    assert!(op().prove(issuer(), &token(A, A)).is_ok_and(|identity| identity.is_some()));
    for (iss, tid) in [(B, B), (B, A), (A, B)] {
        assert!(
            !op().prove(issuer(), &token(iss, tid)).is_ok_and(|identity| identity.is_some()),
            "{iss} {tid}"
        );
    }
}

#[test]
fn an_issuer_for_machines_needs_no_place_to_send_a_browser_to() {
    let mut op = Op::honest();
    op.metadata = json!({"issuer": ISSUER, "jwks_uri": "https://op.example/keys"});
    assert!(op.prove(issuer(), &access_token().sign()).is_ok_and(|identity| identity.is_some()));
    assert_eq!(op.asked(), [Purpose::Metadata, Purpose::Keys]);
    for (name, value) in [
        ("issuer", json!("https://other.example")),
        ("jwks_uri", json!("http://op.example/keys")),
        ("jwks_uri", json!(null)),
    ] {
        let mut op = Op::honest();
        op.metadata[name] = value;
        let error = op.prove(issuer(), &access_token().sign()).unwrap_err();
        assert!(matches!(error, ProviderError::Broken { purpose: Purpose::Metadata, .. }), "{error:?}");
    }
}

#[test]
fn nd_09_a_token_that_names_no_key_has_none_fetched_anew() {
    let mut op = Op::honest();
    op.keys = json!({"keys": [keyring().other_rsa.jwk("k0")]});
    op.fresh_keys = Some(json!({"keys": [keyring().rsa.jwk("k1")]}));
    let forged = op.prove(issuer(), &access_token().without_header("kid").sign());
    assert!(matches!(forged, Err(ProviderError::BearerToken(_))), "{forged:?}");
    assert_eq!(
        op.asked(),
        [Purpose::Metadata, Purpose::Keys],
        "anybody can make such tokens by the thousand"
    );
    let honest = Op::honest().prove(issuer(), &access_token().without_header("kid").sign());
    assert!(honest.is_ok_and(|identity| identity.is_some()));
}

#[test]
fn nd_07_a_key_that_is_new_is_fetched_once_and_an_outage_is_no_refusal() {
    let mut op = Op::honest();
    op.keys = json!({"keys": [keyring().other_rsa.jwk("k0")]});
    op.fresh_keys = Some(json!({"keys": [keyring().rsa.jwk("k1")]}));
    assert!(op.prove(issuer(), &access_token().sign()).is_ok_and(|identity| identity.is_some()));
    assert_eq!(op.came(Purpose::Keys).len(), 2);
    op.fresh_keys = None;
    let unknown = op.prove(issuer(), &access_token().sign());
    assert!(matches!(unknown, Err(ProviderError::BearerToken(_))), "{unknown:?}");
    op.keys_answer = Some(Answer::Nothing(HttpFailure::Connect));
    let outage = op.prove(issuer(), &access_token().sign());
    assert!(matches!(outage, Err(ProviderError::Unreachable { .. })), "{outage:?}");
}

#[test]
fn jt_33_how_and_when_the_person_signed_in_counts_for_tokens_too() {
    let strict = || {
        let builder = builder().acr_values(["phr"]).max_age(std::time::Duration::from_secs(60));
        builder.build_bearer().unwrap()
    };
    let prove = |mint: &Mint| Op::honest().prove(strict(), &mint.sign());
    let recent = access_token().claim("auth_time", NOW - 30);
    assert!(prove(&recent.clone().claim("acr", "phr")).is_ok());
    assert!(prove(&recent.claim("acr", "pwd")).is_err());
    assert!(prove(&access_token().claim("acr", "phr")).is_err(), "and does not say when");
    assert!(prove(&access_token().claim("acr", "phr").claim("auth_time", NOW - 3_600)).is_err());
}

#[test]
fn jt_03_a_token_is_never_made_by_whoever_knows_a_secret() {
    let problems = builder().algorithms([Algorithm::Hs256]).build_bearer().unwrap_err().problems;
    assert_eq!(problems.iter().map(|problem| problem.field).collect::<Vec<_>>(), ["algorithms"]);
    let token = access_token().header("alg", "HS256").sign_hmac(SECRET);
    assert!(Op::honest().prove(issuer(), &token).is_err());
}
