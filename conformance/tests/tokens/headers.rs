//! What stands in a token's header beside the algorithm.

use serde_json::{Value, json};
use vestibule_conformance::{Alg, Edit, Lie, Object, Site};

use crate::{accepts, accepts_the_truth, refuses};

fn header(name: &str, value: impl Into<Value>) -> Lie {
    Lie::member(Object::Header, name, Edit::Set(value.into()))
}

#[tokio::test]
async fn jt_05_end_to_end_a_key_id_is_a_name_and_nothing_more() {
    let site = Site::start().await;
    for kid in [
        json!(null),
        json!(["a"]),
        json!({"kid": "a"}),
        json!(7),
        json!(""),
        json!("../../../../dev/null"),
        json!("' OR 1=1--"),
        json!("\u{0}"),
        json!("k".repeat(9_000)),
    ] {
        let case = kid.to_string().chars().take(40).collect::<String>();
        refuses(&site, header("kid", kid), case).await;
    }
    // The key that signed is in the set under that name, but for encryption.
    let mut for_encryption = site.provider().public_key(Alg::Rs256);
    (for_encryption["kid"], for_encryption["use"]) = (json!("enc"), json!("enc"));
    site.wait(4_000);
    site.provider().honest().lie(Lie::ExtraKeys(vec![for_encryption])).lie(header("kid", "enc"));
    site.sign_in().await.refused_id_token("a key for encryption");
    accepts_the_truth(&site).await;
}

#[tokio::test]
async fn jt_06_end_to_end_what_is_critical_and_unknown_is_refused() {
    let site = Site::start().await;
    for crit in [
        json!(["exp"]),
        json!(["b64"]),
        json!(["unknown"]),
        json!([]),
        json!("exp"),
        json!([1]),
        json!(["exp", "exp"]),
    ] {
        refuses(&site, header("crit", crit.clone()), &crit).await;
    }
    site.provider().honest().lie(header("crit", json!(["b64"]))).lie(header("b64", false));
    site.sign_in().await.refused_id_token("an unencoded payload");
    accepts_the_truth(&site).await;
}

#[tokio::test]
async fn jt_07_end_to_end_a_token_of_another_kind_is_not_an_id_token() {
    let site = Site::start().await;
    for typ in [json!("at+jwt"), json!("logout+jwt"), json!("dpop+jwt"), json!(7), json!(null)] {
        refuses(&site, header("typ", typ.clone()), &typ).await;
    }
    for typ in ["JWT", "jwt"] {
        accepts(&site, header("typ", typ), typ).await;
    }
    accepts(&site, Lie::member(Object::Header, "typ", Edit::Remove), "no typ").await;
}

#[tokio::test]
async fn jt_08_end_to_end_nothing_may_stand_twice() {
    let site = Site::start().await;
    for (name, first) in [("alg", json!("none")), ("alg", json!("RS256")), ("kid", json!("another"))] {
        refuses(&site, Lie::member(Object::Header, name, Edit::Double(first.clone())), (name, first)).await;
    }
    for (name, first) in [
        ("sub", json!("1002")),
        ("iss", json!("https://evil.example")),
        ("aud", json!("another")),
        ("exp", json!(4_102_444_800_u64)),
        ("nonce", json!("another")),
    ] {
        refuses(&site, Lie::member(Object::Claims, name, Edit::Double(first.clone())), (name, first)).await;
    }
    accepts_the_truth(&site).await;
}
