//! The log: one event, one line, with the code that the page shows, and nothing secret at any level.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use std::{
    io,
    sync::{Arc, Mutex},
};

use vestibule::{
    driver::{AdmitAll, Driver},
    request::PlainHead,
};
use world::{
    Plain, SECRET, builder, refused,
    threads::{Threads, callback, send},
};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn lk_01_a_refusal_is_one_line_with_its_code_and_nothing_secret_is_written_at_any_level() {
    let lines = Lines::default();
    let writer = lines.clone();
    // Runs go on in threads of their own, so that the subscriber has to be everybody's.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let driver =
        Driver::new(builder().provider(Plain::new("plain")).build().unwrap(), Threads::default(), AdmitAll);

    let (head, asked) = callback(&driver, "canary-code");
    let signed_in = send(&driver, &head);
    assert_eq!(signed_in.status, 303);
    let again = send(&driver, &head);
    assert_eq!(refused(&again).1, "attempt_already_answered");
    let foreign =
        send(&driver, &PlainHead::navigation("/oauth2/callback?code=canary-code&state=canary%0astate"));
    assert_eq!(refused(&foreign).1, "attempt_missing");

    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let count = |needle: &str| log.lines().filter(|line| line.contains(needle)).count();
    assert_eq!(count("signed in"), 1, "{log}");
    assert_eq!(count("code=\"attempt_already_answered\""), 1, "{log}");
    assert_eq!(count("code=\"attempt_missing\""), 1, "{log}");
    assert_eq!(count("purpose=\"token\" status=200"), 1, "{log}");
    let mut secrets = vec!["canary".to_owned(), SECRET.to_owned(), asked.parameter("state")];
    secrets.extend(
        signed_in
            .set_cookies()
            .filter_map(|line| Some(line.split_once('=')?.1.split(';').next()?.to_owned())),
    );
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
