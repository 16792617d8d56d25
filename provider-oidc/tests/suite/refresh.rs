//! New tokens for an old sign-in: it stays the same person's.

use serde_json::json;
use vestibule::{
    exchange::{HttpFailure, Purpose},
    identity::SignIn,
    provider::{OAuthError, ProviderError},
};

use crate::{
    mint::{CLIENT, ISSUER, Mint, NOW, SUBJECT},
    op::{Answer, Op, builder, client},
};

fn signed_in() -> SignIn {
    let first = Mint::sound()
        .claim("groups", json!(["admins", "staff"]))
        .claim("auth_time", NOW - 60)
        .claim("sid", "s-1");
    Op::honest().minted(&first).sign_in().unwrap()
}

/// The claims that an issuer repeats: no nonce, no profile.
fn refreshed() -> Mint {
    Mint::sound().without("nonce")
}

fn refresh(mint: &Mint) -> Result<SignIn, ProviderError> {
    Op::honest().minted(mint).refresh(client(), signed_in())
}

#[test]
fn a_refreshed_id_token_is_checked_like_the_first() {
    assert!(refresh(&refreshed()).is_ok());
    assert!(refresh(&Mint::sound()).is_ok(), "a nonce may be repeated");
    for (case, mint) in [
        ("issuer", refreshed().claim("iss", format!("{ISSUER}1"))),
        ("subject", refreshed().claim("sub", format!("{SUBJECT}1"))),
        ("no subject", refreshed().without("sub")),
        ("audience", refreshed().claim("aud", format!("{CLIENT}1"))),
        ("others too", refreshed().claim("aud", json!([CLIENT, "other"])).claim("azp", CLIENT)),
        ("azp", refreshed().claim("azp", "other")),
        ("ended", refreshed().claim("exp", NOW - 61)),
        ("no end", refreshed().without("exp")),
        ("in the future", refreshed().claim("iat", NOW + 61)),
        ("another sign-in's time", refreshed().claim("auth_time", NOW)),
        ("a time of the wrong type", refreshed().claim("auth_time", "now")),
        ("at_hash", refreshed().claim("at_hash", "wrong")),
        ("unsigned", refreshed().header("alg", "none")),
        ("another kind", refreshed().header("typ", "logout+jwt")),
    ] {
        let op = Op::honest().minted(&mint);
        let result = op.refresh(client(), signed_in());
        assert!(matches!(result, Err(ProviderError::IdToken(_))), "{case}: {result:?}");
        assert!(!op.asked().contains(&Purpose::Profile), "{case}: userinfo was asked");
    }
    assert!(refresh(&refreshed().claim("auth_time", NOW - 60)).is_ok(), "the same sign-in's time");
}

#[test]
fn a_refreshed_id_token_without_its_signature_is_not_believed() {
    let other = refreshed().sign_with(&crate::mint::keyring().other_rsa);
    let result = Op::honest().id_token(other).refresh(client(), signed_in());
    assert!(matches!(result, Err(ProviderError::IdToken(_))), "{result:?}");
}

#[test]
fn groups_are_what_they_are_now() {
    let op = Op::honest().minted(&refreshed().claim("groups", json!(["staff"])));
    assert_eq!(op.refresh(client(), signed_in()).unwrap().identity.groups, ["staff"]);
    // The new ID token does not speak of groups, and there were some: userinfo is asked.
    let op = Op::honest().minted(&refreshed());
    assert_eq!(op.refresh(client(), signed_in()).unwrap().identity.groups, ["admins"]);
    assert_eq!(op.came(Purpose::Profile).len(), 1);
    // Nobody speaks of groups any more: there are none.
    let silent = json!({"sub": SUBJECT, "name": "Ada Lovelace"});
    let op = Op::honest().minted(&refreshed()).userinfo(&silent);
    assert!(op.refresh(client(), signed_in()).unwrap().identity.groups.is_empty());
    let op = Op::honest().minted(&refreshed()).without_metadata("userinfo_endpoint");
    assert!(op.refresh(client(), signed_in()).unwrap().identity.groups.is_empty());
}

#[test]
fn names_stay_where_they_are_not_repeated() {
    let thin = Mint::thin().without("nonce").claim("groups", json!(["staff"]));
    let op = Op::honest().minted(&thin).without_metadata("userinfo_endpoint");
    let new = op.refresh(client(), signed_in()).unwrap();
    let identity = new.identity;
    assert_eq!((identity.username.as_deref(), identity.name.as_deref()), (Some("ada"), Some("Ada Lovelace")));
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("ada@example.com"), true));
    assert_eq!(new.idp_session.as_deref(), Some("s-1"));
    assert_eq!(new.authenticated.map(vestibule::time::Timestamp::unix), Some(NOW - 60));
    let changed = refreshed().claim("email", "new@example.com").claim("email_verified", false);
    let identity = refresh(&changed).unwrap().identity;
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("new@example.com"), false));
}

fn without_id_token() -> Op {
    let mut op = Op::honest();
    op.token = Answer::json(&json!({"access_token": "new", "token_type": "bearer", "expires_in": 60}));
    op
}

#[test]
fn no_id_token_is_no_fault() {
    let op = without_id_token();
    let new = op.refresh(client(), signed_in()).unwrap();
    assert_eq!(new.tokens.access_token.expose(), "new");
    assert_eq!(
        new.tokens.refresh_token.as_ref().map(|token| token.expose()),
        Some("refresh-token"),
        "the old one goes on"
    );
    assert!(new.tokens.id_token.is_some(), "the hint for the sign-out stays");
    assert_eq!(new.tokens.expires.map(vestibule::time::Timestamp::unix), Some(NOW + 60));
    assert_eq!((new.identity.subject.as_str(), new.identity.issuer.as_str()), (SUBJECT, ISSUER));
    assert_eq!(new.identity.groups, ["admins"], "userinfo was asked again");
    let request = op.came(Purpose::Profile).remove(0).request.unwrap();
    assert_eq!(request.headers()["authorization"], "Bearer new", "with the new token");
    let other = without_id_token().userinfo(&json!({"sub": "victim"}));
    assert_eq!(other.refresh(client(), signed_in()).unwrap_err(), ProviderError::SubjectDiffers);
    let nobody_to_ask = without_id_token().without_metadata("userinfo_endpoint");
    assert_eq!(nobody_to_ask.refresh(client(), signed_in()).unwrap().identity, signed_in().identity);
}

#[test]
fn the_request_is_a_refresh_by_the_same_client() {
    let op = without_id_token();
    op.refresh(client(), signed_in()).unwrap();
    let request = op.came(Purpose::Refresh).remove(0).request.unwrap();
    let form: Vec<_> = url::form_urlencoded::parse(request.body()).into_owned().collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(form, [pair("grant_type", "refresh_token"), pair("refresh_token", "refresh-token")]);
    assert!(request.headers()["authorization"].to_str().unwrap().starts_with("Basic "));
    let mut rotated = Op::honest().minted(&refreshed());
    rotated.token = Answer::json(&json!({
        "access_token": "new", "token_type": "Bearer", "refresh_token": "rotated", "id_token": refreshed().sign(),
    }));
    let new = rotated.refresh(client(), signed_in()).unwrap();
    assert_eq!(new.tokens.refresh_token.as_ref().map(|token| token.expose()), Some("rotated"));
}

/// The old refresh token may be spent: an outage of userinfo must not lose the new one.
#[test]
fn userinfo_out_of_reach_does_not_cost_the_new_tokens() {
    let outages = [
        Answer::Body(503, "text/plain", Vec::new()),
        Answer::Body(429, "text/plain", Vec::new()),
        Answer::Nothing(HttpFailure::TimedOut),
        Answer::Nothing(HttpFailure::Connect),
    ];
    for outage in outages {
        let mut op = without_id_token();
        op.userinfo = outage.clone();
        let new = op.refresh(client(), signed_in()).unwrap();
        assert_eq!((new.tokens.access_token.expose(), &new.identity), ("new", &signed_in().identity));
        let mut op = Op::honest().minted(&refreshed().claim("name", "Ada King"));
        op.userinfo = outage.clone();
        let new = op.refresh(client(), signed_in()).unwrap().identity;
        assert_eq!((new.name.as_deref(), new.groups), (Some("Ada King"), signed_in().identity.groups));
        let thin = Mint::thin().without("nonce").claim("groups", json!(["staff"]));
        let mut op = Op::honest().minted(&thin);
        op.userinfo = outage;
        let new = op.refresh(client(), signed_in()).unwrap().identity;
        assert_eq!(
            (new.groups.as_slice(), new.email),
            (&["staff".to_owned()][..], signed_in().identity.email)
        );
    }
    for answer in [
        Answer::Body(401, "text/plain", Vec::new()),
        Answer::Body(200, "text/html", b"<html>".to_vec()),
        Answer::json(&json!({"sub": "victim"})),
    ] {
        for mut op in [without_id_token(), Op::honest().minted(&refreshed())] {
            op.userinfo = answer.clone();
            assert!(op.refresh(client(), signed_in()).is_err(), "an answer that is wrong is no outage");
        }
    }
}

#[test]
fn a_refusal_is_told_from_an_outage() {
    let with = |status, body: &str| {
        let mut op = Op::honest();
        op.token = Answer::Body(status, "application/json", body.as_bytes().to_vec());
        op.refresh(client(), signed_in()).unwrap_err()
    };
    assert_eq!(with(400, r#"{"error":"invalid_grant"}"#), ProviderError::Refused(OAuthError::InvalidGrant));
    assert_eq!(with(503, ""), ProviderError::Unavailable { purpose: Purpose::Refresh, status: 503 });
    let mut no_token = signed_in();
    no_token.tokens.refresh_token = None;
    let op = Op::honest();
    assert_eq!(op.refresh(builder().build().unwrap(), no_token).unwrap_err(), ProviderError::Unsupported);
    assert!(op.asked().is_empty());
}
