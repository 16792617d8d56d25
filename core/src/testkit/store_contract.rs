//! What every [`SessionStore`] must do, as one list of tests for whoever writes one.

use std::time::Duration;

use futures_util::future::join_all;

use crate::store::{Replaced, SessionStore, StoreKey};

/// Runs `store` through everything that the core relies on, with records that live for `life` (a second or more).
/// `pass` lets that much of the store's time go by. Records of other runs in the same store do no harm: give each run
/// a `salt` of its own.
///
/// # Panics
/// The store does something else than [`SessionStore`] says; the message says what.
pub async fn store_contract<P: Future<Output = ()>>(
    store: &dyn SessionStore,
    salt: &str,
    life: Duration,
    pass: impl Fn(Duration) -> P,
) {
    let key = |name: &str| StoreKey::new("test", &[salt.as_bytes(), name.as_bytes()]);
    a_record_is_inserted_once_and_found_until_it_is_removed(store, &key).await;
    only_the_version_that_was_read_is_replaced(store, &key).await;
    what_was_removed_does_not_come_back(store, &key).await;
    of_many_at_once_one_wins(store, &key).await;
    lists_name_what_is_there(store, &key).await;
    any_bytes_are_kept(store, &key).await;
    a_record_ends(store, &key, life, pass).await;
}

async fn a_record_is_inserted_once_and_found_until_it_is_removed(
    store: &dyn SessionStore,
    key: &impl Fn(&str) -> StoreKey,
) {
    let (key, life) = (key("once"), LONG);
    assert_eq!(store.load(&key).await, Ok(None), "there is nothing before anything is inserted");
    assert_eq!(store.insert(&key, b"first", life, &[]).await, Ok(true));
    assert_eq!(store.insert(&key, b"second", life, &[]).await, Ok(false), "a record is there already");
    let record = store.load(&key).await.expect("the store answers").expect("the record is there");
    assert_eq!(record.value, b"first", "an insert that did not happen changes nothing");
    assert_eq!(store.remove(&key, &[]).await, Ok(true));
    assert_eq!(store.remove(&key, &[]).await, Ok(false), "it is gone already");
    assert_eq!(store.load(&key).await, Ok(None));
}

async fn only_the_version_that_was_read_is_replaced(
    store: &dyn SessionStore,
    key: &impl Fn(&str) -> StoreKey,
) {
    let key = key("versions");
    assert_eq!(store.insert(&key, b"a", LONG, &[]).await, Ok(true));
    let first = store.load(&key).await.expect("the store answers").expect("the record is there").version;
    let Ok(Replaced::Now(second)) = store.replace(&key, first, b"b", LONG).await else {
        panic!("the version that was read is replaced");
    };
    assert_ne!(first, second, "a replaced record has another version");
    assert_eq!(store.replace(&key, first, b"c", LONG).await, Ok(Replaced::Changed));
    let record = store.load(&key).await.expect("the store answers").expect("the record is there");
    assert_eq!((record.version, record.value.as_slice()), (second, &b"b"[..]));
    assert_eq!(store.remove(&key, &[]).await, Ok(true));
}

async fn what_was_removed_does_not_come_back(store: &dyn SessionStore, key: &impl Fn(&str) -> StoreKey) {
    let key = key("removed");
    assert_eq!(store.replace(&key, 1, b"x", LONG).await, Ok(Replaced::Gone), "it never was there");
    assert_eq!(store.insert(&key, b"a", LONG, &[]).await, Ok(true));
    let read = store.load(&key).await.expect("the store answers").expect("the record is there").version;
    assert_eq!(store.remove(&key, &[]).await, Ok(true));
    assert_eq!(store.replace(&key, read, b"b", LONG).await, Ok(Replaced::Gone));
    assert_eq!(store.load(&key).await, Ok(None));
    // Another record of the same key is another record: the version of the first one means nothing there.
    assert_eq!(store.insert(&key, b"new", LONG, &[]).await, Ok(true));
    assert_eq!(store.replace(&key, read, b"old", LONG).await, Ok(Replaced::Changed));
    assert_eq!(store.remove(&key, &[]).await, Ok(true));
}

async fn of_many_at_once_one_wins(store: &dyn SessionStore, key: &impl Fn(&str) -> StoreKey) {
    let (inserted, replaced) = (key("race to insert"), key("race to replace"));
    let inserts = join_all((0..20u8).map(|number| {
        let inserted = &inserted;
        async move { store.insert(inserted, &[number], LONG, &[]).await }
    }));
    assert_eq!(
        inserts.await.into_iter().filter(|won| *won == Ok(true)).count(),
        1,
        "one insert of many wins"
    );
    assert_eq!(store.insert(&replaced, b"", LONG, &[]).await, Ok(true));
    let read = store.load(&replaced).await.expect("the store answers").expect("the record is there").version;
    let replaces = join_all((0..20u8).map(|number| {
        let replaced = &replaced;
        async move { store.replace(replaced, read, &[number], LONG).await }
    }));
    let won = replaces.await.into_iter().filter(|won| matches!(won, Ok(Replaced::Now(_)))).count();
    assert_eq!(won, 1, "of many replaces of one version one wins");
    for key in [inserted, replaced] {
        assert_eq!(store.remove(&key, &[]).await, Ok(true));
    }
}

async fn lists_name_what_is_there(store: &dyn SessionStore, key: &impl Fn(&str) -> StoreKey) {
    let (person, session) = (key("index of a person"), key("index of a session"));
    let (one, two) = (key("listed one"), key("listed two"));
    let listed = async |index: &StoreKey| {
        let mut keys = store.listed(index).await.expect("the store answers");
        keys.sort();
        keys
    };
    assert_eq!(listed(&person).await, []);
    assert_eq!(store.insert(&one, b"1", LONG, &[person.clone(), session.clone()]).await, Ok(true));
    assert_eq!(store.insert(&two, b"2", LONG, std::slice::from_ref(&person)).await, Ok(true));
    let mut both = vec![one.clone(), two.clone()];
    both.sort();
    assert_eq!(listed(&person).await, both);
    assert_eq!(listed(&session).await, std::slice::from_ref(&one));
    let read = store.load(&one).await.expect("the store answers").expect("the record is there").version;
    assert!(matches!(store.replace(&one, read, b"1b", LONG).await, Ok(Replaced::Now(_))));
    assert_eq!(listed(&person).await, both, "a replaced record stays listed");
    assert_eq!(store.remove(&one, &[person.clone(), session.clone()]).await, Ok(true));
    assert_eq!(listed(&person).await, std::slice::from_ref(&two));
    assert_eq!(listed(&session).await, []);
    assert_eq!(store.remove(&two, std::slice::from_ref(&person)).await, Ok(true));
    assert_eq!(listed(&person).await, []);
}

async fn any_bytes_are_kept(store: &dyn SessionStore, key: &impl Fn(&str) -> StoreKey) {
    let key = key("bytes");
    let every: Vec<u8> = (0..=u8::MAX).cycle().take(64 * 1_024).collect();
    for value in [&every[..], b"", b"\r\n\0"] {
        assert_eq!(store.insert(&key, value, LONG, &[]).await, Ok(true));
        let record = store.load(&key).await.expect("the store answers").expect("the record is there");
        assert!(record.value == value, "{} bytes come out as they went in", value.len());
        assert_eq!(store.remove(&key, &[]).await, Ok(true));
    }
}

async fn a_record_ends<P: Future<Output = ()>>(
    store: &dyn SessionStore,
    key: &impl Fn(&str) -> StoreKey,
    life: Duration,
    pass: impl Fn(Duration) -> P,
) {
    let (short, renewed, index) = (key("short"), key("renewed"), key("index of the short-lived"));
    assert_eq!(store.insert(&short, b"s", life, std::slice::from_ref(&index)).await, Ok(true));
    assert_eq!(store.insert(&renewed, b"r", life, &[]).await, Ok(true));
    let read = store.load(&renewed).await.expect("the store answers").expect("the record is there").version;
    assert!(matches!(store.replace(&renewed, read, b"r2", LONG).await, Ok(Replaced::Now(_))));
    pass(life + SLACK).await;
    assert_eq!(store.load(&short).await, Ok(None), "its life is over");
    assert_eq!(store.replace(&short, read, b"s2", LONG).await, Ok(Replaced::Gone), "its life is over");
    assert!(store.load(&renewed).await.is_ok_and(|record| record.is_some()), "replacing gives a new life");
    assert_eq!(store.insert(&short, b"again", LONG, &[]).await, Ok(true), "the place is free again");
    for key in [short, renewed] {
        assert_eq!(store.remove(&key, std::slice::from_ref(&index)).await, Ok(true));
    }
    assert_eq!(store.listed(&index).await, Ok(Vec::new()));
}

/// What a life may last too long: a server counts it by a clock of its own, in steps of its own.
const SLACK: Duration = Duration::from_secs(1);

/// Longer than any test.
const LONG: Duration = Duration::from_secs(600);
