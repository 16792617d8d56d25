//! Userinfo as a signed token.

use serde_json::json;
use vestibule_conformance::{Alg, Behaviour, Edit, Endpoint, HmacKey, Lie, Object, Signing, Site};

use crate::accepts_the_truth;

/// Nobody is signed in, although the ID token was sound.
async fn refuses_userinfo(site: &Site, code: &str, lies: impl IntoIterator<Item = Lie>) {
    site.provider().honest();
    let lies: Vec<_> = lies.into_iter().collect();
    for lie in &lies {
        site.provider().lie(lie.clone());
    }
    let outcome = site.sign_in().await;
    outcome.refused(code, &lies);
    assert_eq!(outcome.asked_since_callback()[0], Endpoint::Token);
    let asked = outcome.asked.iter().filter(|asked| **asked == Endpoint::Userinfo).count();
    assert_eq!(asked, 1, "{lies:?}: userinfo is asked once");
}

fn claim(name: &str, edit: Edit) -> Lie {
    Lie::member(Object::Userinfo, name, edit)
}

#[tokio::test]
async fn jt_38_end_to_end_userinfo_that_is_not_the_issuers_for_us_says_nothing() {
    let site = Site::start().await;
    let signed = || Lie::SignedUserinfo(Signing::With(Alg::Rs256));
    site.provider().honest().lie(signed());
    assert_eq!(site.sign_in().await.session().identity.username.as_deref(), Some("alice"));
    for signing in [
        Signing::Unsigned,
        Signing::Corrupted,
        Signing::OtherKey,
        Signing::EmbeddedKey,
        Signing::With(Alg::Es256),
        Signing::Hmac(Alg::Hs256, HmacKey::PublicPem),
        Signing::Hmac(Alg::Hs256, HmacKey::ClientSecret),
    ] {
        refuses_userinfo(&site, "provider_answer_invalid", [Lie::SignedUserinfo(signing)]).await;
    }
    for lie in [
        claim("iss", Edit::Append("1".into())),
        claim("iss", Edit::Remove),
        claim("aud", Edit::Append("1".into())),
        claim("aud", Edit::Remove),
        claim("aud", Edit::Set(json!(["conformance", "another"]))),
        claim("exp", Edit::Set(json!(1))),
        claim("exp", Edit::Set(json!("4102444800"))),
    ] {
        refuses_userinfo(&site, "provider_answer_invalid", [signed(), lie]).await;
    }
}

#[tokio::test]
async fn jt_39_end_to_end_what_a_body_says_it_is_decides_how_it_is_read() {
    let says_jwt = || Behaviour::Header("content-type".into(), "application/jwt".into());
    let site = Site::start().await;
    let lie = Lie::At(Endpoint::Userinfo, says_jwt());
    refuses_userinfo(&site, "provider_answer_invalid", [lie]).await;
    let says_json = Behaviour::Header("content-type".into(), "application/json".into());
    let signed = Lie::SignedUserinfo(Signing::With(Alg::Rs256));
    refuses_userinfo(
        &site,
        "provider_answer_invalid",
        [signed.clone(), Lie::At(Endpoint::Userinfo, says_json)],
    )
    .await;

    let strict = Site::builder().client(|client| client.signed_user_info()).start().await;
    refuses_userinfo(&strict, "provider_answer_invalid", []).await;
    strict.provider().lie(signed);
    assert!(strict.sign_in().await.is_signed_in());
}

#[tokio::test]
async fn jt_40_end_to_end_signed_userinfo_is_about_the_same_subject() {
    let site = Site::start().await;
    let signed = || Lie::SignedUserinfo(Signing::With(Alg::Rs256));
    refuses_userinfo(&site, "subject_mismatch", [signed(), Lie::UserinfoOf("1002".into())]).await;
    refuses_userinfo(&site, "subject_mismatch", [signed(), claim("sub", Edit::Append("invalid".into()))])
        .await;
    refuses_userinfo(&site, "provider_answer_invalid", [signed(), claim("sub", Edit::Remove)]).await;
    for body in ["[]", "", "null", "\"1001\""] {
        let lie = Lie::At(Endpoint::Userinfo, Behaviour::answer(200, body));
        refuses_userinfo(&site, "provider_answer_invalid", [lie]).await;
    }
    let lie = Lie::At(Endpoint::Userinfo, Behaviour::Status(204));
    refuses_userinfo(&site, "provider_answer_invalid", [lie]).await;
    accepts_the_truth(&site).await;
}
