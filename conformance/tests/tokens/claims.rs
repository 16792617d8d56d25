//! What a token says.

use std::time::Duration;

use serde_json::{Value, json};
use vestibule_conformance::{Edit, Lie, Log, Object, Secret, Site, client};

use crate::{accepts, accepts_the_truth, now, refuses};

fn edit(name: &str, edit: Edit) -> Lie {
    Lie::member(Object::Claims, name, edit)
}

fn append(name: &str, suffix: &str) -> Lie {
    edit(name, Edit::Append(suffix.into()))
}

#[tokio::test]
async fn jt_09_end_to_end_a_time_of_the_wrong_type_does_not_pass_for_an_absent_one() {
    let site = Site::start().await;
    for name in ["exp", "iat", "nbf"] {
        for text in [
            "\"4102444800\"",
            "\"NaN\"",
            "null",
            "true",
            "[4102444800]",
            "{}",
            "-1",
            "1e300",
            "1e999",
            "9007199254740993",
            "9223372036854775808",
            "18446744073709551616",
        ] {
            refuses(&site, edit(name, Edit::Text(text.into())), (name, text)).await;
        }
    }
    accepts(&site, edit("iat", Edit::Text(format!("{}.5", now() - 1))), "half a second").await;
    accepts(&site, edit("exp", Edit::Text("4.1024448e9".into())), "an exponent").await;
}

#[tokio::test]
async fn jt_10_end_to_end_a_token_is_for_now() {
    let site = Site::start().await;
    for (name, seconds, case) in [
        ("exp", -61, "it ended before the leeway"),
        ("exp", -1_000_000, "it ended long ago"),
        ("iat", 65, "it was issued in the future"),
        ("iat", -25 * 3_600, "it was issued yesterday"),
        ("nbf", 65, "it begins in the future"),
    ] {
        refuses(&site, Lie::claim(name, now() + seconds), case).await;
    }
    for name in ["exp", "iat"] {
        refuses(&site, Lie::no_claim(name), name).await;
    }
    accepts(&site, Lie::claim("exp", now() - 50), "it ended within the leeway").await;
    accepts(&site, Lie::claim("iat", now() + 55), "its clock is early").await;
    accepts(&site, Lie::claim("nbf", now() + 55), "its clock is early").await;
    site.provider().honest().lie(Lie::claim("exp", now() + 100 * 365 * 86_400));
    let session = site.sign_in().await.session().clone();
    assert!(
        session.expires.since(session.signed_in) <= Duration::from_secs(7 * 86_400),
        "our limit, not theirs"
    );
}

#[tokio::test]
async fn jt_11_end_to_end_a_minute_between_the_clocks_is_nothing_and_ten_are_named() {
    for seconds in [-57, 57] {
        let site =
            Site::builder().provider(|provider| provider.id_token_life(Duration::from_secs(5))).start().await;
        site.provider().shift_clock(seconds);
        assert!(site.sign_in().await.is_signed_in(), "{seconds}");
    }
    for seconds in [-600, 600] {
        let log = Log::listen();
        let site = Site::start().await;
        site.provider().shift_clock(seconds);
        site.sign_in().await.refused_id_token(seconds);
        let log = log.text();
        assert_eq!(log.lines().filter(|line| line.contains("the clocks differ")).count(), 1, "{log}");
    }
}

#[tokio::test]
async fn jt_12_end_to_end_the_issuer_is_compared_to_the_letter() {
    let site = Site::start().await;
    let issuer = site.provider().issuer().to_owned();
    for other in [
        json!(format!("{issuer}1")),
        json!(format!("{issuer}/")),
        json!(issuer.to_uppercase()),
        json!(issuer.replace("http://", "https://")),
        json!(issuer.replace("127.0.0.1", "localhost")),
        json!(&issuer[..issuer.len() - 1]),
        json!([issuer]),
        json!(null),
        json!(7),
        json!(""),
    ] {
        refuses(&site, Lie::claim("iss", other.clone()), other).await;
    }
    refuses(&site, Lie::no_claim("iss"), "none").await;
    accepts_the_truth(&site).await;
}

#[tokio::test]
async fn jt_13_jt_14_end_to_end_the_audience_is_this_client_and_nobody_else() {
    let site = Site::start().await;
    for audience in [
        json!("another"),
        json!(format!("{}1", client::ID)),
        json!(&client::ID[1..]),
        json!(client::ID.to_uppercase()),
        json!(["another"]),
        json!([]),
        json!([client::ID, "another"]),
        json!(null),
        json!(7),
        json!({}),
        json!(""),
    ] {
        refuses(&site, Lie::claim("aud", audience.clone()), audience).await;
    }
    refuses(&site, Lie::no_claim("aud"), "none").await;
    accepts(&site, Lie::claim("aud", json!([client::ID])), "a list of one").await;
    for party in [json!("another"), json!(null), json!([client::ID]), json!("")] {
        refuses(&site, Lie::claim("azp", party.clone()), party).await;
    }
    accepts(&site, Lie::claim("azp", client::ID), "made for us").await;

    let several = Site::builder()
        .provider(|provider| provider.more_audience("trusted"))
        .client(|client| client.trusted_audience("trusted"))
        .start()
        .await;
    accepts_the_truth(&several).await;
    refuses(&several, Lie::no_claim("azp"), "for several, and nobody says for whom").await;
    refuses(&several, Lie::claim("azp", "trusted"), "made for the other").await;
    refuses(&several, Lie::claim("aud", json!([client::ID, "trusted", "another"])), "a third").await;
}

#[tokio::test]
async fn jt_15_end_to_end_the_subject_is_a_short_plain_text() {
    let site = Site::start().await;
    for subject in [
        json!(""),
        json!(null),
        json!(1001),
        json!({}),
        json!("x".repeat(300)),
        json!("a\u{0}"),
        json!("a\nb"),
    ] {
        refuses(&site, Lie::claim("sub", subject.clone()), subject).await;
    }
    refuses(&site, Lie::no_claim("sub"), "none").await;
    accepts_the_truth(&site).await;
}

#[tokio::test]
async fn jt_31_end_to_end_the_access_token_is_the_one_that_came_with_the_id_token() {
    let site = Site::start().await;
    let strange: [Value; 4] = [json!(""), json!(7), json!(null), json!("AAAAAAAAAAAAAAAAAAAAAA")];
    for hash in strange {
        refuses(&site, Lie::claim("at_hash", hash.clone()), hash).await;
    }
    refuses(&site, append("at_hash", "A"), "longer").await;
    // Another access token in the same answer: the one that an attacker has, beside the victim's ID token.
    let other = Lie::member(Object::TokenAnswer, "access_token", Edit::Append("x".into()));
    refuses(&site, other, "another access token").await;
    accepts(&site, Lie::no_claim("at_hash"), "in the code flow it may be left out").await;
}

#[tokio::test]
async fn jt_32_se_07_end_to_end_the_nonce_is_the_one_of_this_attempt() {
    let site = Site::start().await;
    let before = site.begin().await;
    let earlier = before.parameter("nonce");
    assert!(before.finish().await.is_signed_in());
    for nonce in [json!(earlier), json!(""), json!(null), json!([earlier]), json!(7)] {
        refuses(&site, Lie::claim("nonce", nonce.clone()), nonce).await;
    }
    refuses(&site, append("nonce", "1"), "longer").await;
    refuses(&site, Lie::no_claim("nonce"), "none").await;
    accepts_the_truth(&site).await;
}

#[tokio::test]
async fn jt_35_se_07_end_to_end_the_id_token_of_an_earlier_sign_in_signs_nobody_in() {
    let site = Site::start().await;
    assert!(site.sign_in().await.is_signed_in());
    let issued = site.provider().issued();
    let earlier = issued.iter().find(|issued| issued.kind == Secret::IdToken).unwrap().value.clone();
    // Signed, not over, for this client and this person: all that is wrong with it is that it was used.
    refuses(&site, Lie::RawIdToken(earlier), "an earlier one").await;

    // As good a token, but of the provider's twin elsewhere: same client, same person, same nonce.
    let staging = Site::start().await;
    let round = site.begin().await;
    let claims = json!({
        "iss": staging.provider().issuer(), "sub": "1001", "aud": client::ID, "exp": now() + 60, "iat": now(),
        "nonce": round.parameter("nonce"),
    });
    let signing = vestibule_conformance::Signing::With(vestibule_conformance::Alg::Rs256);
    let token = staging.provider().sign(client::ID, "JWT", &claims, &signing);
    site.provider().honest().lie(Lie::RawIdToken(token));
    round.finish().await.refused_id_token("another environment's");
}

#[tokio::test]
async fn jt_33_end_to_end_how_and_when_the_person_signed_in_is_looked_at_where_it_was_asked() {
    let recent = Site::builder().client(|client| client.max_age(Duration::from_secs(60))).start().await;
    accepts_the_truth(&recent).await;
    assert_eq!(recent.begin().await.parameter("max_age"), "60");
    refuses(&recent, Lie::no_claim("auth_time"), "nobody says when").await;
    refuses(&recent, Lie::claim("auth_time", now() - 125), "too long ago").await;
    refuses(&recent, Lie::claim("auth_time", now() + 3_600), "in an hour").await;
    refuses(&recent, Lie::claim("auth_time", now().to_string()), "as a text").await;
    accepts(&recent, Lie::claim("auth_time", now() - 110), "within the leeway").await;

    let strong = Site::builder().client(|client| client.acr_values(["urn:mfa"])).start().await;
    refuses(&strong, Lie::no_claim("acr"), "nobody says how").await;
    for acr in [json!("pwd"), json!(["urn:mfa"]), json!("urn:mfa pwd")] {
        refuses(&strong, Lie::claim("acr", acr.clone()), acr).await;
    }
    accepts(&strong, Lie::claim("acr", "urn:mfa"), "as asked").await;
}
