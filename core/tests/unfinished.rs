//! People who begin to sign in and never come back: a hundred thousand of them, and the process holds what it held.
//!
//! One test to this program, since what is looked at is the memory of the whole of it.
#![cfg(target_os = "linux")]

mod world;

use std::{fs, sync::Arc, time::Duration};

use vestibule::{
    Vestibule,
    config::Builder,
    driver::{AdmitAll, Driver, Host as _},
    exchange::HttpFailure,
    request::PlainHead,
    store::MemoryStore,
    testkit::MemoryHost,
};
use world::{Asked, Browser, Plain, builder, refused, threads::send};

const UNFINISHED: u64 = 100_000;
/// Of each kind that takes longer to do.
const FEWER: u64 = 20_000;
/// Two hundred bytes kept of each would be 19 MiB.
const GROWTH_MAX: u64 = 8 << 20;

/// Bytes that are no file's.
fn held() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the kernel tells what a process holds");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("this among it");
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number of kilobytes");
    kilobytes * 1_024
}

/// Does it so often that whatever is kept once is there, and then `count` times: the memory must not have grown.
fn stays_flat(what: &str, count: u64, mut each: impl FnMut(u64)) {
    (0..count / 10).for_each(&mut each);
    let before = held();
    (count / 10..count / 10 + count).for_each(&mut each);
    let growth = held().saturating_sub(before);
    assert!(growth < GROWTH_MAX, "{growth} bytes more are held after {count} times {what}");
}

fn driver(builder: Builder, host: &MemoryHost) -> Driver {
    let vestibule: Vestibule = builder.build().expect("the set-up is a whole one");
    Driver::new(vestibule, host.clone(), AdmitAll)
}

fn begin(driver: &Driver, number: u64) -> vestibule::response::Response {
    let away = send(driver, &PlainHead::navigation(&format!("/oauth2/start?rd=%2Fpage%2F{number}")));
    assert_eq!(away.status, 303, "{away:?}");
    away
}

#[test]
fn memory_stays_flat_under_a_hundred_thousand_unfinished_sign_ins() {
    // It answers no token call, and says so at once: how long that takes is another matter.
    let host = MemoryHost::new().answering(|_| Err(HttpFailure::TimedOut));
    let site = driver(builder().provider(Plain::new("plain")), &host);
    stays_flat("beginning", UNFINISHED, |number| drop(begin(&site, number)));
    stays_flat("a callback whose state never was", FEWER, |number| {
        let stray = PlainHead::navigation(&format!("/oauth2/callback?code=c&state={number:043}"));
        assert_eq!(refused(&send(&site, &stray)).1, "attempt_missing");
    });
    stays_flat("a callback whose token call is not answered", FEWER, |number| {
        let away = begin(&site, number);
        let mut browser = Browser::default();
        browser.take(&away);
        let back = browser.with_cookies(PlainHead::navigation(&Asked::of(&away).callback("code=c")));
        assert_eq!(refused(&send(&site, &back)).1, "provider_unreachable");
        // An attempt that was answered is remembered while it could be answered again.
        host.pass(Duration::from_secs(1));
    });

    let clock = host.clone();
    let store = Arc::new(MemoryStore::new(move || clock.now()));
    let kept = driver(builder().provider(Plain::new("plain")).store(Arc::clone(&store) as _), &host);
    stays_flat("beginning where sessions are kept", FEWER, |number| drop(begin(&kept, number)));
    assert!(store.is_empty(), "nothing is kept of whoever has not come back: {store:?}");
}
