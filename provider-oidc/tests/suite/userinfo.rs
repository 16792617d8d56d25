//! What userinfo adds, and when it is asked.

use serde_json::{Value, json};
use vestibule::{
    exchange::{HttpFailure, Purpose},
    identity::SignIn,
    provider::ProviderError,
};
use vestibule_oidc::{Oidc, UserInfo};

use crate::{
    mint::{ACCESS_TOKEN, CLIENT, ISSUER, Mint, NOW, SUBJECT, keyring},
    op::{Answer, Op, builder, client, userinfo},
};

/// A sign-in whose ID token needs userinfo beside it.
fn sign_in(answer: Answer) -> Result<SignIn, ProviderError> {
    sign_in_to(client(), answer)
}

fn sign_in_to(oidc: Oidc, answer: Answer) -> Result<SignIn, ProviderError> {
    let mut op = Op::honest().minted(&Mint::thin());
    op.userinfo = answer;
    let result = op.sign_in_to(oidc);
    assert_eq!(op.came(Purpose::Profile).len(), 1, "userinfo is asked once");
    result
}

fn jwt(text: impl Into<Vec<u8>>) -> Answer {
    Answer::Body(200, "application/jwt", text.into())
}

/// Userinfo as a token, sound until something is changed.
fn userinfo_token() -> Mint {
    let mut mint = Mint::sound();
    mint.claims = userinfo().as_object().unwrap().clone();
    mint.claim("iss", ISSUER).claim("aud", CLIENT)
}

#[test]
fn userinfo_completes_a_thin_id_token() {
    let signed_in = sign_in(Answer::json(&userinfo())).unwrap();
    let identity = signed_in.identity;
    assert_eq!((identity.issuer.as_str(), identity.subject.as_str()), (ISSUER, SUBJECT));
    assert_eq!((identity.username.as_deref(), identity.name.as_deref()), (Some("ada"), Some("Ada Lovelace")));
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("ada@example.com"), true));
    assert_eq!(identity.groups, ["admins"]);
}

#[test]
fn userinfo_is_asked_only_where_something_is_missing_and_after_the_proof() {
    let op = Op::honest();
    op.sign_in().unwrap();
    assert_eq!(
        op.asked(),
        [Purpose::Metadata, Purpose::Token, Purpose::Keys],
        "the ID token says everything"
    );
    let op = Op::honest().minted(&Mint::thin());
    op.sign_in().unwrap();
    assert_eq!(op.asked(), [Purpose::Metadata, Purpose::Token, Purpose::Keys, Purpose::Profile]);
    let bare = || builder().scopes(["openid"]).build().unwrap();
    let op = Op::honest().minted(&Mint::thin());
    op.sign_in_to(bare()).unwrap();
    assert!(op.came(Purpose::Profile).is_empty(), "nothing was asked for, so nothing is missing");
    let op = Op::honest().minted(&Mint::thin()).metadata("claims_supported", json!(["sub", "iss"]));
    op.sign_in().unwrap();
    assert!(op.came(Purpose::Profile).is_empty(), "the issuer does not have what is missing");
    let op = Op::honest().minted(&Mint::thin()).without_metadata("userinfo_endpoint");
    assert!(op.sign_in().unwrap().identity.email.is_none(), "there is nobody to ask");
    let op = Op::honest().minted(&Mint::sound().without("email_verified"));
    op.sign_in().unwrap();
    assert_eq!(op.came(Purpose::Profile).len(), 1, "whether the address is verified was asked for too");
}

#[test]
fn groups_that_somebody_wants_are_asked_for() {
    for oidc in [builder().groups_claim("groups"), builder().scopes(["profile", "email", "groups"])] {
        let op = Op::honest();
        assert_eq!(op.sign_in_to(oidc.build().unwrap()).unwrap().identity.groups, ["admins"]);
    }
    let op = Op::honest().minted(&Mint::sound().claim("groups", json!(["from the token"])));
    let signed_in = op.sign_in_to(builder().groups_claim("groups").build().unwrap()).unwrap();
    assert_eq!(signed_in.identity.groups, ["from the token"]);
    assert!(op.came(Purpose::Profile).is_empty());
}

#[test]
fn userinfo_always_or_never() {
    let op = Op::honest();
    op.sign_in_to(builder().user_info(UserInfo::Always).build().unwrap()).unwrap();
    assert_eq!(op.came(Purpose::Profile).len(), 1);
    let op = Op::honest().minted(&Mint::thin());
    let signed_in = op.sign_in_to(builder().user_info(UserInfo::Never).build().unwrap()).unwrap();
    assert!(op.came(Purpose::Profile).is_empty() && signed_in.identity.email.is_none());
    let op = Op::honest().without_metadata("userinfo_endpoint");
    let error = op.sign_in_to(builder().user_info(UserInfo::Always).build().unwrap()).unwrap_err();
    assert!(matches!(error, ProviderError::Misconfigured { field: "user_info", .. }));
}

#[test]
fn the_access_token_travels_in_the_header_and_nowhere_else() {
    let op = Op::honest().minted(&Mint::thin());
    op.sign_in().unwrap();
    let request = op.came(Purpose::Profile).remove(0).request.unwrap();
    assert_eq!(request.headers()["authorization"], format!("Bearer {ACCESS_TOKEN}"));
    assert_eq!(
        (request.method().as_str(), request.uri().to_string().as_str()),
        ("GET", "https://op.example/userinfo")
    );
    assert!(request.body().is_empty());
}

#[test]
fn userinfo_is_about_the_subject_of_the_id_token() {
    let with = |subject: Value| {
        let mut answer = userinfo();
        answer["sub"] = subject;
        sign_in(Answer::json(&answer)).unwrap_err()
    };
    for subject in [format!("{SUBJECT}invalid"), "victim".into(), format!("{SUBJECT} "), String::new()] {
        assert_eq!(with(json!(subject)), ProviderError::SubjectDiffers, "{subject}");
    }
    for subject in [json!(248_289_761_001_i64), json!(null), json!([SUBJECT]), json!({"sub": SUBJECT})] {
        assert!(
            matches!(with(subject.clone()), ProviderError::Broken { purpose: Purpose::Profile, .. }),
            "{subject}"
        );
    }
    let mut without = userinfo();
    without.as_object_mut().unwrap().remove("sub");
    assert!(sign_in(Answer::json(&without)).is_err());
    // Subjects differ by case and by nothing else: still two people.
    let mut op = Op::honest().minted(&Mint::thin().claim("sub", "Ada"));
    let mut answer = userinfo();
    answer["sub"] = json!("ada");
    op.userinfo = Answer::json(&answer);
    assert_eq!(op.sign_in().unwrap_err(), ProviderError::SubjectDiffers);
}

#[test]
fn nd_12_half_an_identity_is_none() {
    let html = |status| Answer::Body(status, "text/html", b"<html>".to_vec());
    let purpose = Purpose::Profile;
    for status in [429, 500, 503] {
        assert_eq!(sign_in(html(status)).unwrap_err(), ProviderError::Unavailable { purpose, status });
    }
    for status in [200, 201, 204, 301, 302, 307, 400, 401, 403, 404] {
        assert!(matches!(sign_in(html(status)).unwrap_err(), ProviderError::Broken { .. }), "{status}");
    }
    for failure in [HttpFailure::TimedOut, HttpFailure::TooLarge, HttpFailure::Broken, HttpFailure::Connect] {
        assert_eq!(
            sign_in(Answer::Nothing(failure)).unwrap_err(),
            ProviderError::Unreachable { purpose, failure }
        );
    }
    let body = |body: &str| Answer::Body(200, "application/json", body.as_bytes().to_vec());
    let doubled = format!(r#"{{"sub":"{SUBJECT}","email":"a@x","email":"b@x"}}"#);
    let deep = format!(r#"{{"sub":"{SUBJECT}","x":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    for broken in ["", "null", "{", "{}", &doubled, &deep] {
        assert!(matches!(sign_in(body(broken)).unwrap_err(), ProviderError::Broken { .. }), "{broken:.40}");
    }
}

#[test]
fn a_signed_userinfo_is_verified_and_taken() {
    let signed_in = sign_in(jwt(userinfo_token().sign())).unwrap();
    assert_eq!(signed_in.identity.email.as_deref(), Some("ada@example.com"));
    let with_parameters =
        Answer::Body(200, "Application/JWT; charset=utf-8", userinfo_token().sign().into_bytes());
    assert!(sign_in(with_parameters).is_ok());
    assert!(
        sign_in(jwt(userinfo_token().claim("aud", json!([CLIENT])).claim("exp", NOW + 60).sign())).is_ok()
    );
}

#[test]
fn jt_38_a_userinfo_token_that_is_not_the_issuer_s_for_us_says_nothing() {
    let sound = userinfo_token();
    let none =
        crate::mint::signing_input(r#"{"alg":"none"}"#, &Value::from(sound.claims.clone()).to_string());
    for (case, text) in [
        ("another key", sound.sign_with(&keyring().other_rsa)),
        ("no signature", format!("{none}.")),
        ("a signature under none", sound.clone().header("alg", "none").sign()),
        ("HMAC with a public key", sound.clone().header("alg", "HS256").sign_hmac(b"k1")),
        ("another algorithm", sound.clone().header("alg", "PS256").sign()),
        ("another issuer", sound.clone().claim("iss", format!("{ISSUER}1")).sign()),
        ("an issuer in a list", sound.clone().claim("iss", json!([ISSUER])).sign()),
        ("no issuer", sound.clone().without("iss").sign()),
        ("another client", sound.clone().claim("aud", format!("{CLIENT}1")).sign()),
        ("another client in a list", sound.clone().claim("aud", json!(["other"])).sign()),
        ("others too", sound.clone().claim("aud", json!([CLIENT, "other"])).claim("azp", CLIENT).sign()),
        ("no client", sound.clone().without("aud").sign()),
        ("made for another", sound.clone().claim("azp", "other").sign()),
        ("ended", sound.clone().claim("exp", NOW - 61).sign()),
        ("an end of the wrong type", sound.clone().claim("exp", "never").sign()),
        ("not begun", sound.clone().claim("nbf", NOW + 61).sign()),
        ("an access token", sound.clone().header("typ", "at+jwt").sign()),
        ("critical", sound.clone().header("crit", json!(["x"])).sign()),
    ] {
        let error = sign_in(jwt(text)).unwrap_err();
        assert!(
            matches!(error, ProviderError::Broken { purpose: Purpose::Profile, .. }),
            "{case}: {error:?}"
        );
    }
}

#[test]
fn jt_39_what_a_body_says_it_is_decides_how_it_is_read() {
    let error = sign_in(jwt(userinfo().to_string())).unwrap_err();
    assert!(matches!(error, ProviderError::Broken { .. }), "JSON that says it is a token");
    let error = sign_in(Answer::Body(200, "application/json", userinfo_token().sign().into())).unwrap_err();
    assert!(matches!(error, ProviderError::Broken { .. }), "a token that says it is JSON");
    let strict = || builder().signed_user_info().build().unwrap();
    assert!(sign_in_to(strict(), jwt(userinfo_token().sign())).is_ok());
    let error = sign_in_to(strict(), Answer::json(&userinfo())).unwrap_err();
    assert!(matches!(error, ProviderError::Broken { .. }), "JSON where only a signed token counts");
}

#[test]
fn jt_40_a_userinfo_token_is_about_the_same_subject() {
    let other = sign_in(jwt(userinfo_token().claim("sub", "victim").sign())).unwrap_err();
    assert_eq!(other, ProviderError::SubjectDiffers);
    assert!(sign_in(jwt(userinfo_token().without("sub").sign())).is_err());
    assert!(sign_in(jwt("")).is_err());
    assert!(sign_in(jwt([0xff, 0xfe])).is_err());
    for (status, body) in [(200, "[]"), (200, ""), (204, "")] {
        let answer = Answer::Body(status, "application/json", body.as_bytes().to_vec());
        assert!(matches!(sign_in(answer).unwrap_err(), ProviderError::Broken { .. }), "{status} {body}");
    }
}

#[test]
fn a_userinfo_token_by_a_new_key_fetches_the_keys_anew() {
    let mut op = Op::honest().minted(&Mint::thin());
    op.fresh_keys = Some(json!({"keys": [keyring().rsa.jwk("k1"), keyring().other_rsa.jwk("k2")]}));
    op.userinfo = jwt(userinfo_token().header("kid", "k2").sign_with(&keyring().other_rsa));
    assert!(op.sign_in().is_ok());
}

#[test]
fn the_id_token_s_word_stands_and_userinfo_s_protocol_claims_count_for_nothing() {
    let mint = Mint::sound()
        .without("email")
        .without("email_verified")
        .claim("sid", "s-1")
        .claim("auth_time", NOW - 9);
    let mut answer = userinfo();
    answer["name"] = json!("Somebody Else");
    answer["iss"] = json!("https://evil.example");
    answer["sid"] = json!("another");
    answer["auth_time"] = json!(NOW);
    let signed_in = Op::honest().minted(&mint).userinfo(&answer).sign_in().unwrap();
    assert_eq!(signed_in.identity.name.as_deref(), Some("Ada Lovelace"));
    assert_eq!((signed_in.identity.issuer.as_str(), signed_in.idp_session.as_deref()), (ISSUER, Some("s-1")));
    assert_eq!(signed_in.authenticated.map(vestibule::time::Timestamp::unix), Some(NOW - 9));
    assert!(!signed_in.identity.claims.contains_key("iss"));
}
