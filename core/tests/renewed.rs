//! A driver that is renewed while it works, and whoever is told what happens at it.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    thread,
};

use async_trait::async_trait;
use vestibule::{
    config::Builder,
    conversation::Http,
    driver::{AdmitAll, Driver, HookError},
    exchange::{Freshness, HttpFailure, Purpose},
    flow::Decision,
    identity::SignIn,
    observe::{Asked, Observer, OnAnswered},
    provider::{Answered, AuthorizationRequest, Begun, Provider, ProviderError},
    request::PlainHead,
    response::Event,
};
use world::{
    Plain, builder, refused,
    threads::{Threads, callback, send},
};

fn plain() -> Builder {
    builder().provider(Plain::new("plain"))
}

fn driver(host: &Threads) -> Driver {
    Driver::new(plain().build().unwrap(), host.clone(), AdmitAll)
}

async fn nobody(_: SignIn) -> Result<Decision, HookError> {
    Ok(Decision::deny("closed"))
}

#[test]
fn a_renewed_driver_goes_by_its_own_configuration_and_hook() {
    let host = Threads::default();
    let old = driver(&host);
    let head = callback(&old, "c").0;
    let new = old.renewed(plain().cookie_name("other").build().unwrap(), AdmitAll);
    assert_eq!(refused(&send(&new, &head)).1, "attempt_missing", "its cookies have other names");
    let stricter = old.renewed(plain().build().unwrap(), nobody);
    assert_eq!(refused(&send(&stricter, &head)), (403, "denied_by_application".into()));
    let (head, _) = callback(&old, "d");
    assert_eq!(send(&old, &head).status, 303, "the old one is as it was");
}

#[test]
fn an_attempt_that_was_answered_stays_answered_when_the_driver_is_renewed() {
    let host = Threads::default();
    let old = driver(&host);
    let head = callback(&old, "c").0;
    assert_eq!(send(&old, &head).status, 303);
    let asked = host.asked.load(Ordering::SeqCst);
    let new = old.renewed(plain().build().unwrap(), AdmitAll);
    assert_eq!(refused(&send(&new, &head)), (400, "attempt_already_answered".into()));
    assert_eq!(host.asked.load(Ordering::SeqCst), asked, "nobody was asked again");
}

#[test]
fn a_run_under_way_ends_as_it_began_and_its_copies_get_its_answer() {
    let host = Threads::default();
    let old = driver(&host);
    let head = callback(&old, "c").0;
    let closed = host.gate.lock().unwrap();
    let running = {
        let (old, head) = (old.clone(), head.clone());
        thread::spawn(move || send(&old, &head))
    };
    while host.asked.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    let new = old.renewed(plain().build().unwrap(), nobody);
    drop(old);
    let copy = {
        let new = new.clone();
        thread::spawn(move || send(&new, &head))
    };
    drop(closed);
    assert_eq!(running.join().unwrap().status, 303, "by the hook that it began with");
    let copy = copy.join().unwrap();
    assert!(copy.status == 303 || refused(&copy).1 == "attempt_already_answered", "{copy:?}");
    assert_eq!(host.asked.load(Ordering::SeqCst), 2, "one token call, one profile call");
}

/// A provider that needs a document to begin.
struct Described;

#[async_trait]
impl Provider for Described {
    fn id(&self) -> &str {
        "described"
    }

    fn label(&self) -> &str {
        "Described"
    }

    async fn begin(&self, http: &Http, _request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        let url = url::Url::parse("https://described.example/metadata?canary").unwrap();
        let failed = |failure| ProviderError::Unreachable { purpose: Purpose::Metadata, failure };
        http.document(Purpose::Metadata, &url, Freshness::Cached).await.map_err(failed)?;
        Ok(Begun::at(url))
    }

    async fn finish(&self, _http: &Http, _answered: &Answered) -> Result<SignIn, ProviderError> {
        Err(ProviderError::Unsupported)
    }
}

#[test]
fn a_document_that_was_fetched_is_not_fetched_again_when_the_driver_is_renewed() {
    let host = Threads::default();
    let vestibule = || builder().provider(Described).build().unwrap();
    let old = Driver::new(vestibule(), host.clone(), AdmitAll);
    let start = PlainHead::navigation("/oauth2/sign_in");
    assert_eq!(send(&old, &start).status, 303);
    let elsewhere = Threads::default();
    let new = old.renewed(vestibule(), AdmitAll).hosted_by(elsewhere.clone());
    assert_eq!(send(&new, &start).status, 303);
    let asked = |host: &Threads| host.asked.load(Ordering::SeqCst);
    assert_eq!((asked(&host), asked(&elsewhere)), (1, 0));
    let fresh = Driver::new(vestibule(), elsewhere.clone(), AdmitAll);
    assert_eq!((send(&fresh, &start).status, asked(&elsewhere)), (303, 1), "a driver of its own knows none");
}

/// Writes down all that it is told.
#[derive(Default)]
struct Notes {
    events: Mutex<Vec<Event>>,
    asked: Mutex<Vec<(Purpose, String)>>,
    answered: Arc<Mutex<Vec<Result<u16, HttpFailure>>>>,
}

impl Observer for Notes {
    fn event(&self, event: &Event) {
        self.events.lock().unwrap().push(event.clone());
    }

    fn asks(&self, asked: Asked<'_>) -> Option<OnAnswered> {
        self.asked.lock().unwrap().push((asked.purpose, asked.host.to_owned()));
        let answered = Arc::clone(&self.answered);
        Some(Box::new(move |result| answered.lock().unwrap().push(result)))
    }
}

#[test]
fn lk_05_an_observer_is_told_every_event_and_every_exchange_and_nothing_secret() {
    let host = Threads::default();
    let notes = Arc::new(Notes::default());
    // A renewed driver, and one with another host, tell the same observer.
    let driver = driver(&host)
        .observed_by(Arc::clone(&notes) as Arc<dyn Observer>)
        .renewed(plain().build().unwrap(), AdmitAll)
        .hosted_by(host.clone());
    let (head, _) = callback(&driver, "canary-code");
    assert_eq!(send(&driver, &head).status, 303);
    assert_eq!(refused(&send(&driver, &head)).1, "attempt_already_answered");
    driver.turn_back(&PlainHead::fetch("/"), vestibule::refusal::Refusal::SignInRequired);

    let events = notes.events.lock().unwrap();
    let [began, signed_in, late, turned_back] = events.as_slice() else { panic!("{events:?}") };
    assert!(matches!(began, Event::Began { provider } if provider == "plain"));
    assert!(matches!(signed_in, Event::SignedIn { provider, .. } if provider == "plain"));
    let code = |event: &Event| match event {
        Event::Refused { refusal, .. } => refusal.code(),
        other => panic!("{other:?}"),
    };
    assert_eq!((code(late), code(turned_back)), ("attempt_already_answered", "sign_in_required"));
    let asked = [Purpose::Token, Purpose::Profile].map(|purpose| (purpose, "plain.example".to_owned()));
    assert_eq!(*notes.asked.lock().unwrap(), asked);
    assert_eq!(*notes.answered.lock().unwrap(), [Ok(200), Ok(200)]);
    let all = format!("{events:?} {:?}", notes.asked.lock().unwrap());
    assert!(!all.contains("canary"), "{all}");
}

#[test]
fn documents_are_exchanges_that_an_observer_is_told_about() {
    let notes = Arc::new(Notes::default());
    let vestibule = builder().provider(Described).build().unwrap();
    let driver = Driver::new(vestibule, Threads::default(), AdmitAll);
    let driver = driver.observed_by(Arc::clone(&notes) as Arc<dyn Observer>);
    assert_eq!(send(&driver, &PlainHead::navigation("/oauth2/sign_in")).status, 303);
    assert_eq!(*notes.asked.lock().unwrap(), [(Purpose::Metadata, "described.example".to_owned())]);
    assert_eq!(*notes.answered.lock().unwrap(), [Ok(200)]);
}
