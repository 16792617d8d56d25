//! For whom, by whom, and about whom a token was made.

use serde_json::json;
use vestibule::provider::ProviderError;

use crate::{
    mint::{ACCESS_TOKEN, CLIENT, ISSUER, Mint, NONCE, SUBJECT, base64url, keyring},
    op::{Op, accepted, builder, client, no_session, no_session_for, refused, refused_at_sign_in},
};

#[test]
fn jt_12_the_issuer_is_compared_as_a_text() {
    for issuer in [
        json!(format!("{ISSUER}1")),
        json!(format!("{ISSUER}/")),
        json!("https://OP.example"),
        json!("HTTPS://op.example"),
        json!("https://op.example:443"),
        json!("https://op.exampl"),
        json!("op.example"),
        json!("http://op.example"),
        json!(format!("{ISSUER}?")),
        json!(format!(" {ISSUER}")),
        json!([ISSUER]),
        json!({"iss": ISSUER}),
        json!(null),
        json!(1),
        json!(""),
    ] {
        refused(Mint::thin().claim("iss", issuer.clone()).sign(), issuer);
    }
    refused(Mint::thin().without("iss").sign(), "no issuer");
}

#[test]
fn jt_12_a_final_slash_belongs_to_the_issuer() {
    let with_slash = "https://op.example/test/a/alias/";
    let oidc = || vestibule_oidc::Oidc::builder(with_slash, CLIENT).build().unwrap();
    let op = || Op::honest().metadata("issuer", with_slash);
    assert!(op().minted(&Mint::sound().claim("iss", with_slash)).sign_in_to(oidc()).is_ok());
    let without = Mint::thin().claim("iss", "https://op.example/test/a/alias");
    no_session_for(&op().minted(&without), oidc(), "without the slash");
}

#[test]
fn jt_13_the_audience_is_this_client() {
    for audience in [
        json!(format!("{CLIENT}1")),
        json!("clien"),
        json!("CLIENT"),
        json!(format!("{CLIENT} other")),
        json!(""),
        json!([]),
        json!(["other"]),
        json!([[CLIENT]]),
        json!([CLIENT, 1]),
        json!(null),
        json!(1),
        json!({}),
        json!({"client": true}),
        json!([format!("{CLIENT}1")]),
    ] {
        refused(Mint::thin().claim("aud", audience.clone()).sign(), audience);
    }
    refused(Mint::thin().without("aud").sign(), "no audience");
    accepted(Mint::sound().claim("aud", json!([CLIENT])).sign(), "a list of one");
}

#[test]
fn jt_13_another_audience_is_another_who_could_use_the_token() {
    let both = |mint: Mint| mint.claim("aud", json!([CLIENT, "other"])).claim("azp", CLIENT);
    refused_at_sign_in(both(Mint::thin()).sign(), "an audience that nobody trusts");
    let trusting = || builder().trusted_audience("other").build().unwrap();
    assert!(Op::honest().minted(&both(Mint::sound())).sign_in_to(trusting()).is_ok());
    let three = Mint::thin().claim("aud", json!([CLIENT, "other", "third"])).claim("azp", CLIENT);
    no_session_for(&Op::honest().minted(&three), trusting(), "a third");
    no_session_for(&Op::honest().minted(&Mint::thin().claim("aud", "other")), trusting(), "only the other");
}

#[test]
fn jt_14_whoever_it_was_made_for_is_us() {
    for party in
        [json!("other"), json!(format!("{CLIENT}1")), json!(null), json!([CLIENT]), json!(1), json!("")]
    {
        refused_at_sign_in(Mint::thin().claim("azp", party.clone()).sign(), &party);
        refused_at_sign_in(
            Mint::thin().claim("aud", json!([CLIENT])).claim("azp", party.clone()).sign(),
            party,
        );
    }
    accepted(Mint::sound().claim("azp", CLIENT).sign(), "one audience and azp");
    let trusting = || builder().trusted_audience("other").build().unwrap();
    let both = json!([CLIENT, "other"]);
    no_session_for(
        &Op::honest().minted(&Mint::thin().claim("aud", both.clone())),
        trusting(),
        "two and no azp",
    );
    let for_the_other = Mint::thin().claim("aud", both).claim("azp", "other");
    no_session_for(&Op::honest().minted(&for_the_other), trusting(), "two and the other's azp");
}

#[test]
fn jt_15_the_subject_is_a_short_plain_text() {
    for subject in [
        json!(""),
        json!(null),
        json!(248_289_761_001_i64),
        json!({}),
        json!([SUBJECT]),
        json!(true),
        json!("s".repeat(256)),
        json!("s".repeat(300)),
        json!("a\u{0}b"),
        json!("a\nb"),
        json!("a\u{7f}"),
        json!("é"),
    ] {
        refused(Mint::thin().claim("sub", subject.clone()).sign(), subject);
    }
    refused(Mint::thin().without("sub").sign(), "no subject");
    let longest = "s".repeat(255);
    let signed_in = Op::honest().minted(&Mint::sound().claim("sub", longest.clone())).sign_in().unwrap();
    assert_eq!(signed_in.identity.subject, longest);
}

#[test]
fn jt_15_so_is_the_name_of_the_provider_s_session() {
    for session in [json!(""), json!(1), json!(null), json!("a\nb"), json!("s".repeat(256))] {
        refused(Mint::thin().claim("sid", session.clone()).sign(), session);
    }
    let signed_in = Op::honest().minted(&Mint::sound().claim("sid", "s-1")).sign_in().unwrap();
    assert_eq!(signed_in.idp_session.as_deref(), Some("s-1"));
}

#[test]
fn jt_21_another_issuer_s_key_signs_nothing_here() {
    // The other issuer is configured beside this one, has the same key id, and says that it is this one.
    let theirs = Mint::thin().sign_with(&keyring().other_rsa);
    refused(theirs, "another issuer's key");
    refused(Mint::thin().claim("iss", "https://other.example").sign(), "another issuer's name");
}

fn hash_of(token: &str, half: std::ops::Range<usize>) -> String {
    use aws_lc_rs::digest::{SHA256, digest};
    base64url(&digest(&SHA256, token.as_bytes()).as_ref()[half])
}

#[test]
fn jt_31_at_hash_is_that_of_the_access_token() {
    use aws_lc_rs::digest::{SHA512, digest};
    accepted(Mint::sound().claim("at_hash", hash_of(ACCESS_TOKEN, 0..16)).sign(), "the right one");
    accepted(Mint::sound().sign(), "none, which the code flow allows");
    let sound = hash_of(ACCESS_TOKEN, 0..16);
    for hash in [
        json!(hash_of("another token", 0..16)),
        json!(hash_of(ACCESS_TOKEN, 16..32)),
        json!(hash_of(ACCESS_TOKEN, 0..32)),
        json!(sound[..sound.len() - 1]),
        json!(format!("{sound}==")),
        json!(base64url(&digest(&SHA512, ACCESS_TOKEN.as_bytes()).as_ref()[..32])),
        json!(base64url(&digest(&SHA512, ACCESS_TOKEN.as_bytes()).as_ref()[..16])),
        json!(""),
        json!(1),
        json!(null),
        json!([sound]),
    ] {
        refused_at_sign_in(Mint::thin().claim("at_hash", hash.clone()).sign(), hash);
    }
}

#[test]
fn jt_31_the_hash_is_that_of_the_algorithm() {
    use aws_lc_rs::digest::{SHA384, SHA512, digest};
    let keys = keyring();
    let half = |hash: aws_lc_rs::digest::Digest| base64url(&hash.as_ref()[..hash.as_ref().len() / 2]);
    let sha384 = half(digest(&SHA384, ACCESS_TOKEN.as_bytes()));
    let sha512 = half(digest(&SHA512, ACCESS_TOKEN.as_bytes()));
    let sha256 = hash_of(ACCESS_TOKEN, 0..16);
    for (algorithm, pinned, signer, right) in [
        ("ES384", vestibule_oidc::Algorithm::Es384, &keys.p384, &sha384),
        ("EdDSA", vestibule_oidc::Algorithm::EdDsa, &keys.ed25519, &sha512),
    ] {
        let sign_in = |hash: &str| {
            let token = Mint::sound().header("alg", algorithm).claim("at_hash", hash).sign_with(signer);
            let op = Op::honest().keys([signer.jwk("k1")]).id_token(token);
            op.sign_in_to(builder().algorithms([pinned]).build().unwrap())
        };
        assert!(sign_in(right).is_ok(), "{algorithm}");
        assert!(sign_in(&sha256).is_err(), "{algorithm} with SHA-256");
    }
}

#[test]
fn jt_32_the_nonce_is_the_one_of_this_attempt() {
    for nonce in [
        json!(format!("{NONCE}1")),
        json!(NONCE[..NONCE.len() - 1]),
        json!("nonce-of-another-tab"),
        json!(""),
        json!(null),
        json!([NONCE]),
        json!(1),
    ] {
        refused_at_sign_in(Mint::thin().claim("nonce", nonce.clone()).sign(), nonce);
    }
    refused_at_sign_in(Mint::thin().without("nonce").sign(), "no nonce");
}

#[test]
fn jt_33_a_way_of_signing_in_that_was_asked_for_is_looked_at() {
    let strict = || builder().acr_values(["urn:mfa", "phr"]).build().unwrap();
    for acr in ["urn:mfa", "phr"] {
        let op = Op::honest().minted(&Mint::sound().claim("acr", acr));
        assert_eq!(op.sign_in_to(strict()).unwrap().identity.claims["acr"], acr);
    }
    for acr in [json!("pwd"), json!("urn:mfa phr"), json!(["urn:mfa"]), json!(""), json!(null), json!(0)] {
        no_session_for(&Op::honest().minted(&Mint::thin().claim("acr", acr.clone())), strict(), acr);
    }
    no_session_for(&Op::honest().minted(&Mint::thin()), strict(), "no acr");
    accepted(Mint::sound().claim("acr", "pwd").sign(), "nobody asked");
}

#[test]
fn jt_35_a_token_of_an_earlier_sign_in_is_of_no_use() {
    let earlier = Mint::thin().claim("nonce", "nonce-of-yesterday").sign();
    let error = no_session(&Op::honest().id_token(earlier), "an earlier sign-in's");
    assert_eq!(error, ProviderError::IdToken("its nonce is not the one of this sign-in"));
    refused(Mint::thin().claim("iss", "https://staging.op.example").sign(), "another environment's");
}

#[test]
fn a_reply_without_an_id_token_is_no_sign_in() {
    let mut op = Op::honest();
    op.token = crate::op::Answer::json(&json!({"access_token": "t", "token_type": "Bearer"}));
    assert_eq!(no_session(&op, "no ID token"), ProviderError::IdToken("the token reply has none"));
    assert!(Op::honest().sign_in_to(client()).is_ok());
}

#[test]
fn claims_that_prove_nothing_may_be_null_or_in_another_dialect() {
    let dialect = Mint::sound()
        .claim("name", json!(null))
        .claim("picture", json!(null))
        .claim("email_verified", "true")
        .claim("updated_at", "2023-11-14T22:13:20.000Z")
        .claim("groups", json!(null));
    accepted(dialect.sign(), "what Logto, Cognito and Auth0 write");
    let identity = Op::honest().minted(&dialect).sign_in().unwrap().identity;
    assert!(!identity.email_verified, "the text is not taken for the flag unless that is configured");
    let known = Op::honest()
        .minted(&Mint::sound().claim("acr", "mfa").claim("amr", json!(["otp"])))
        .sign_in()
        .unwrap();
    assert_eq!(
        (&known.identity.claims["acr"], &known.identity.claims["amr"]),
        (&json!("mfa"), &json!(["otp"]))
    );
}
