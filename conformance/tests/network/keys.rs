//! Key sets: broken, huge, changing, and asked for by a flood.

use futures_util::future::join_all;
use serde_json::{Value, json};
use vestibule::limits::{DOCUMENT_REFETCH_BURST, DOCUMENT_REFETCH_INTERVAL, KEYS_MAX};
use vestibule_conformance::{Alg, Behaviour, Edit, Endpoint, Lie, Object, Site, strange_keys};

use crate::{UNTIL_DOCUMENTS_ARE_GONE, UNTIL_DOCUMENTS_ARE_OLD, UNTIL_FAILURES_ARE_FORGOTTEN, times};

fn body(text: &str) -> Behaviour {
    Behaviour::answer(200, text)
}

/// What is no key set, and what a sign-in without any other comes to.
fn broken_sets() -> Vec<(Behaviour, &'static str)> {
    let crowd = json!({"keys": vec![json!({}); 100_000]}).to_string();
    vec![
        (Behaviour::Status(500), "provider_unreachable"),
        (Behaviour::Status(404), "provider_answer_invalid"),
        (body(""), "provider_answer_invalid"),
        (body("{}"), "provider_answer_invalid"),
        (body(r#"{"keys":[]}"#), "provider_answer_invalid"),
        (body(r#"{"keys":{}}"#), "provider_answer_invalid"),
        (body(r#"{"keys":null}"#), "provider_answer_invalid"),
        (body("[]"), "provider_answer_invalid"),
        (body("<html>"), "provider_answer_invalid"),
        (body(r#"{"keys":[{}],"keys":[{}]}"#), "provider_answer_invalid"),
        (body(&crowd), "provider_answer_invalid"),
        (Behaviour::Padded(10 << 20), "provider_answer_invalid"),
        (Behaviour::Endless, "provider_answer_invalid"),
        (Behaviour::Gzip, "provider_answer_invalid"),
        (Behaviour::Reset, "provider_unreachable"),
        (Behaviour::CloseAfter(9), "provider_unreachable"),
        (Behaviour::Raw(Vec::new()), "provider_unreachable"),
    ]
}

#[tokio::test]
async fn nd_06_what_is_no_key_set_proves_nothing() {
    let site = Site::start().await;
    for (behaviour, code) in broken_sets() {
        site.provider().honest().lie(Lie::At(Endpoint::Keys, behaviour.clone()));
        let outcome = site.sign_in().await;
        let case: String = format!("{behaviour:?}").chars().take(80).collect();
        outcome.refused(code, &case);
        assert_eq!(outcome.asked_since_callback(), [Endpoint::Token, Endpoint::Keys], "{case}");
        site.wait(UNTIL_FAILURES_ARE_FORGOTTEN);
    }
    site.provider().honest();
    assert!(site.sign_in().await.is_signed_in());
}

#[tokio::test]
async fn nd_06_the_last_good_set_is_kept_whatever_comes_after_it() {
    let site = Site::start().await;
    assert!(site.sign_in().await.is_signed_in());
    for (behaviour, _) in broken_sets() {
        site.wait(UNTIL_DOCUMENTS_ARE_OLD);
        site.provider().honest().lie(Lie::At(Endpoint::Keys, behaviour.clone()));
        let outcome = site.sign_in().await;
        let case: String = format!("{behaviour:?}").chars().take(80).collect();
        assert!(outcome.is_signed_in(), "{case}: {:?}", outcome.code());
        assert!(outcome.asked.contains(&Endpoint::Keys), "{case}: it was asked for");
    }
    site.wait(UNTIL_DOCUMENTS_ARE_GONE);
    site.sign_in().await.refused("provider_unreachable", "the keys of last week");
}

#[tokio::test]
async fn nd_06_a_key_that_cannot_be_used_does_not_spoil_the_set() {
    let site = Site::start().await;
    site.provider().lie(Lie::ExtraKeys(strange_keys()));
    assert!(site.sign_in().await.is_signed_in(), "among keys of every kind");
    let mut private = site.provider().public_key(Alg::Rs256);
    private["d"] = json!("AQAB");
    site.wait(UNTIL_DOCUMENTS_ARE_GONE);
    site.provider().honest().lie(Lie::ExtraKeys(vec![private]));
    assert!(
        site.sign_in().await.is_signed_in(),
        "the twin that everybody has the private part of is not looked at"
    );
    let crowd = |count: usize| Lie::ExtraKeys(vec![json!({"kty": "AKP"}); count]);
    for (count, found) in [(KEYS_MAX - 1, true), (KEYS_MAX, false), (10_000, false)] {
        site.wait(UNTIL_DOCUMENTS_ARE_GONE);
        site.provider().honest().lie(crowd(count));
        assert_eq!(site.sign_in().await.is_signed_in(), found, "{count}");
    }
}

#[tokio::test]
async fn nd_07_keys_may_be_new_at_any_moment() {
    let site = Site::start().await;
    assert!(site.sign_in().await.is_signed_in());
    for overlap in [false, true] {
        if overlap {
            site.provider().rotate_keys_with_overlap();
        } else {
            site.provider().rotate_keys();
        }
        let outcome = site.sign_in().await;
        assert!(outcome.is_signed_in());
        let since = outcome.asked_since_callback();
        assert_eq!(since, [Endpoint::Token, Endpoint::Keys, Endpoint::Userinfo], "once, and immediately");
    }
    site.wait(600);
    site.provider().lie(Lie::RotateBeforeSigning);
    let outcome = site.sign_in().await;
    assert!(outcome.is_signed_in());
    assert_eq!(outcome.asked_since_callback(), [Endpoint::Token, Endpoint::Keys, Endpoint::Userinfo]);
}

#[tokio::test]
async fn nd_07_keys_that_turn_out_too_old_are_fetched_anew_even_if_they_came_a_moment_ago() {
    let site = Site::start().await;
    let stale = json!({"keys": [site.provider().public_key(Alg::Rs256)]}).to_string();
    site.provider().rotate_keys();
    // A cache before the provider that has not noticed yet.
    site.provider().fail_next(Endpoint::Keys, body(&stale));
    let outcome = site.sign_in().await;
    assert_eq!(outcome.asked_since_callback()[..3], [Endpoint::Token, Endpoint::Keys, Endpoint::Keys]);
    assert!(outcome.is_signed_in(), "{:?}", outcome.code());
}

#[tokio::test]
async fn nd_08_two_keys_of_one_name_are_both_tried_and_no_more_than_four() {
    let site = Site::start().await;
    let kid = site.provider().public_key(Alg::Rs256)["kid"].clone();
    let stranger = Site::start().await;
    let mut namesake = stranger.provider().public_key(Alg::Rs256);
    namesake["kid"] = kid;
    for (others, found) in [(1, true), (3, true), (4, false)] {
        site.wait(UNTIL_DOCUMENTS_ARE_GONE);
        site.provider().honest().lie(Lie::ExtraKeys(vec![namesake.clone(); others]));
        let outcome = site.sign_in().await;
        assert_eq!(outcome.is_signed_in(), found, "{others} others: {:?}", outcome.code());
    }
}

#[tokio::test]
async fn nd_09_a_flood_of_unknown_key_ids_does_not_become_a_flood_of_requests() {
    let burst = usize::try_from(DOCUMENT_REFETCH_BURST).unwrap();
    let interval = i64::try_from(DOCUMENT_REFETCH_INTERVAL.as_secs()).unwrap();
    let site = Site::start().await;
    assert!(site.sign_in().await.is_signed_in());
    let kid = |number: usize| {
        Lie::member(Object::Header, "kid", Edit::Set(Value::from(format!("unknown-{number}"))))
    };
    let before = times(&site, Endpoint::Keys);
    for number in 0..20 {
        site.provider().honest().lie(kid(number));
        site.sign_in().await.refused_id_token(number);
    }
    assert_eq!(times(&site, Endpoint::Keys) - before, burst);
    // Many at once, and honest people among them.
    site.provider().honest();
    let honest = [site.begin().await, site.begin().await];
    site.provider().lie(kid(20));
    let flood = join_all((0..40).map(|_| site.sign_in())).await;
    assert!(flood.iter().all(|outcome| outcome.code().as_deref() == Some("id_token_invalid")));
    site.provider().honest();
    for round in honest {
        assert!(round.finish().await.is_signed_in());
    }
    assert_eq!(times(&site, Endpoint::Keys) - before, burst, "not one more");
    site.wait(interval + 1);
    site.provider().lie(kid(21));
    for number in 0..10 {
        site.sign_in().await.refused_id_token(number);
    }
    assert_eq!(times(&site, Endpoint::Keys) - before, burst + 1, "one more after a minute");
}

#[tokio::test]
async fn nd_09_many_who_need_the_keys_at_once_fetch_them_once() {
    let site = Site::start().await;
    site.provider().lie(Lie::At(Endpoint::Keys, Behaviour::Delay(std::time::Duration::from_millis(300))));
    let all = join_all((0..30).map(|_| site.sign_in())).await;
    assert!(all.iter().all(|outcome| outcome.is_signed_in()));
    assert_eq!((times(&site, Endpoint::Metadata), times(&site, Endpoint::Keys)), (1, 1));
}
