//! People that a test signs in: what is made of them meets the same check, limits and rules as everybody's.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::{convert::Infallible, future::pending, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_executor::block_on;
use futures_util::stream;
use vestibule::{
    Vestibule,
    config::{Builder, Keep},
    driver::{AdmitAll, Driver, HookError, Host as _},
    exchange::HttpFailure,
    flow::Decision,
    guarded::Condition,
    identity::{SignIn, Tokens},
    refusal::Refusal,
    request::PlainHead,
    response::Response,
    seal::KeyRing,
    session::{ApplicationData, Session},
    store::{MemoryStore, Record, Replaced, SessionStore, StoreError, StoreKey},
    testkit::{CookieJar, MemoryHost, MemoryProvider, Person},
};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn builder() -> Builder {
    Vestibule::builder("https://app.example/oauth2/callback")
        .keys(KeyRing::new([SECRET]).unwrap())
        .provider(MemoryProvider::new("memory"))
}

fn driver(builder: Builder) -> Driver {
    Driver::new(builder.build().unwrap(), MemoryHost::new(), AdmitAll)
}

fn head(driver: &Driver, person: &Person) -> PlainHead {
    PlainHead::fetch("/").with("cookie", person.cookie_header(driver))
}

fn session(driver: &Driver, person: &Person) -> Result<Session, Refusal> {
    driver.vestibule().session(&head(driver, person), driver.now())
}

fn ada() -> Person {
    Person::new(7).username("ada").name("Ada").email("ada@a.example").group("staff").claim("plan", "gold")
}

fn send(driver: &Driver, jar: &mut CookieJar, target: &str) -> Response {
    let mut head = PlainHead::navigation(target);
    if let Some(cookies) = jar.header() {
        head = head.with("cookie", cookies);
    }
    let response = block_on(driver.answer(&head, stream::empty::<Result<&[u8], Infallible>>()));
    jar.take(response.set_cookies());
    response
}

/// Begins a sign-in, and says where the browser is sent.
fn away(driver: &Driver, jar: &mut CookieJar) -> String {
    send(driver, jar, "/oauth2/sign_in?rd=/deep").get("location").unwrap().to_owned()
}

fn come_back(driver: &Driver, jar: &mut CookieJar, back: &url::Url) -> Response {
    send(driver, jar, &format!("{}?{}", back.path(), back.query().unwrap()))
}

#[test]
fn a_person_is_who_the_test_says_and_signed_in_when_it_says() {
    let driver = driver(builder().keep_groups(Keep::All).keep_claims(Keep::All));
    let session = session(&driver, &ada().data(2, &[1, 2]).signed_in_ago(Duration::from_secs(60))).unwrap();
    let identity = &session.identity;
    assert_eq!((identity.subject.as_str(), identity.username.as_deref()), ("7", Some("ada")));
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("ada@a.example"), true));
    assert_eq!(
        (identity.groups.as_slice(), &identity.claims["plan"]),
        (&["staff".to_owned()][..], &"gold".into())
    );
    assert_eq!(
        (session.provider.as_str(), identity.issuer.as_str()),
        ("memory", "https://memory.memory.example")
    );
    assert_eq!(driver.now().since(session.signed_in), Duration::from_secs(60));
    assert_eq!(session.expires, session.signed_in.after(vestibule::limits::SESSION_AGE_DEFAULT));
    assert_eq!(session.data::<Vec<u8>>(2), Some(vec![1, 2]));
}

#[test]
fn whoever_may_not_enter_is_refused_as_in_life() {
    let closed = driver(builder().email_domains(["a.example"]).groups(["staff"]));
    assert!(session(&closed, &ada()).is_ok());
    for (person, refusal) in [
        (Person::new(8).email("ada@b.example").group("staff"), Refusal::EmailNotAllowed),
        (Person::new(8).unverified_email("ada@a.example").group("staff"), Refusal::EmailUnverified),
        (Person::new(8).email("ada@a.example").group("guests"), Refusal::GroupNotAllowed),
    ] {
        assert_eq!(session(&closed, &person).err(), Some(refusal));
    }
}

#[test]
fn a_session_keeps_what_it_keeps_of_everybody_and_ends_when_everybody_s_does() {
    let driver = driver(builder().session_age(Duration::from_secs(60)));
    let kept = session(&driver, &ada()).unwrap();
    assert!(kept.identity.groups.is_empty() && kept.identity.claims.is_empty());
    assert!(session(&driver, &ada().signed_in_ago(Duration::from_secs(59))).is_ok());
    let ended = session(&driver, &ada().signed_in_ago(Duration::from_secs(60)));
    assert_eq!(ended.err(), Some(Refusal::SignInRequired));
}

#[test]
fn only_the_site_s_own_keys_make_a_session() {
    let ours = driver(builder());
    let theirs = driver(builder().keys(KeyRing::new(["another secret of at least 32 bytes"]).unwrap()));
    let forged = ours.vestibule().session(&head(&theirs, &ada()), ours.now());
    assert_eq!(forged.err(), Some(Refusal::SignInRequired));
}

#[test]
fn tokens_are_there_where_the_site_keeps_them() {
    let tokens = |driver: &Driver, person: Person| {
        let kept = driver.vestibule().tokens(&head(driver, &person), driver.now());
        kept.and_then(|kept| kept.access).map(|access| access.expose().to_owned())
    };
    let (keeps, forgets) = (driver(builder().keep_tokens()), driver(builder()));
    let with_token = || ada().tokens(Tokens::new("canary"));
    assert_eq!(tokens(&keeps, with_token()).as_deref(), Some("canary"));
    assert_eq!(tokens(&keeps, ada()), None);
    assert_eq!(tokens(&forgets, with_token()), None);
}

#[test]
#[should_panic(expected = "the site has no provider `other`")]
fn somebody_of_a_provider_that_the_site_does_not_have_is_a_mistake_of_the_test_s() {
    let _ = ada().provider("other").cookie_header(&driver(builder()));
}

#[test]
#[should_panic(expected = "the largest part is: application data")]
fn what_fits_into_no_session_fits_into_none_here() {
    let _ = ada().data(1, &"x".repeat(4_000)).cookie_header(&driver(builder()));
}

#[test]
fn where_a_store_keeps_sessions_the_person_has_one_there() {
    let store = Arc::new(MemoryStore::new(|| MemoryHost::new().now()));
    let driver = driver(builder().store(store).keep_tokens().keep_groups(Keep::All));
    let tokens = Tokens::new("canary-access");
    let person = ada().tokens(tokens).data(1, &"a basket");
    let head = head(&driver, &person);
    let session = block_on(driver.session(&head)).unwrap();
    assert_eq!(session.identity.username.as_deref(), Some("ada"));
    assert_eq!(session.data::<String>(1).as_deref(), Some("a basket"));
    let kept = block_on(driver.tokens(&head)).unwrap().unwrap();
    assert_eq!(kept.access.unwrap().expose(), "canary-access");
    let (issuer, subject) = (session.identity.issuer.as_str(), session.identity.subject.as_str());
    assert_eq!(block_on(driver.sessions(issuer, subject)).unwrap().len(), 1);
    // It ends there, and the next one is another.
    assert_eq!(block_on(driver.end_sessions(issuer, subject, None)), Ok(1));
    assert_eq!(block_on(driver.session(&head)).unwrap_err(), Refusal::SignInRequired);
    assert!(block_on(driver.session(&self::head(&driver, &person))).is_ok());
}

#[test]
fn a_session_in_a_store_ends_and_gets_old_as_every_other() {
    let store = Arc::new(MemoryStore::new(|| MemoryHost::new().now()));
    let hour = Duration::from_secs(3_600);
    let driver = driver(builder().store(store).session_age(24 * hour));
    let admitted = |ago| {
        let fresh = Condition::new().signed_in_within(hour);
        let head = head(&driver, &ada().signed_in_ago(ago));
        (block_on(driver.session(&head)).is_ok(), block_on(driver.admit(&head, &fresh)).is_ok())
    };
    assert_eq!(admitted(hour / 2), (true, true));
    assert_eq!(
        admitted(2 * hour),
        (true, false),
        "whoever has signed in long ago does it again for what is guarded"
    );
    assert_eq!(admitted(25 * hour), (false, false));
}

#[test]
#[should_panic(expected = "give the site a `MemoryStore`")]
fn a_store_that_has_to_be_waited_for_is_none_for_a_test() {
    let _ = ada().cookie_header(&driver(builder().store(Arc::new(Slow))));
}

/// A store that answers in its own time.
struct Slow;

#[async_trait]
impl SessionStore for Slow {
    async fn load(&self, _: &StoreKey) -> Result<Option<Record>, StoreError> {
        pending().await
    }

    async fn insert(&self, _: &StoreKey, _: &[u8], _: Duration, _: &[StoreKey]) -> Result<bool, StoreError> {
        pending().await
    }

    async fn replace(&self, _: &StoreKey, _: u64, _: &[u8], _: Duration) -> Result<Replaced, StoreError> {
        pending().await
    }

    async fn remove(&self, _: &StoreKey, _: &[StoreKey]) -> Result<bool, StoreError> {
        pending().await
    }

    async fn listed(&self, _: &StoreKey) -> Result<Vec<StoreKey>, StoreError> {
        pending().await
    }
}

#[test]
fn a_chosen_person_goes_through_the_whole_sign_in_and_is_the_same_account() {
    let hook = |sign_in: SignIn| async move {
        let data = ApplicationData::new(1, &sign_in.identity.username)?;
        Ok::<_, HookError>(Decision::allow_with(data))
    };
    let driver = Driver::new(builder().build().unwrap(), MemoryHost::new(), hook);
    let mut jar = CookieJar::default();
    let back = MemoryProvider::sign_in(&away(&driver, &mut jar), &ada()).unwrap();
    let landed = come_back(&driver, &mut jar, &back);
    assert_eq!(landed.get("location"), Some("https://app.example/deep"), "{landed:?}");
    let head = PlainHead::fetch("/").with("cookie", jar.header().unwrap());
    let real = driver.vestibule().session(&head, driver.now()).unwrap();
    assert_eq!(real.identity, session(&driver, &ada()).unwrap().identity);
    assert_eq!(real.data::<String>(1).as_deref(), Some("ada"));
}

#[test]
fn a_person_who_cancels_and_a_code_that_was_given_to_another_attempt_lead_to_no_session() {
    let driver = driver(builder());
    let mut jar = CookieJar::default();
    let cancelled = MemoryProvider::cancel(&away(&driver, &mut jar)).unwrap();
    assert_eq!(come_back(&driver, &mut jar, &cancelled).status, 403);

    let stolen = MemoryProvider::sign_in(&away(&driver, &mut jar), &ada()).unwrap();
    let own = MemoryProvider::sign_in(&away(&driver, &mut jar), &ada()).unwrap();
    let code = |url: &url::Url| url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let swapped = own.as_str().replace(&code(&own), &code(&stolen)).parse().unwrap();
    let answer = come_back(&driver, &mut jar, &swapped);
    assert!(answer.status >= 400 && !answer.set_cookies().any(|line| line.starts_with("__Host-vestibule=")));
}

#[test]
fn another_provider_is_none_of_memory_s_and_time_passes_when_told() {
    assert!(MemoryProvider::sign_in("https://op.example/authorize?state=x", &ada()).is_none());
    assert!(MemoryProvider::sign_in("https://memory.example/authorize?state=x", &ada()).is_none());
    let host = MemoryHost::new().answering(|_| Err(HttpFailure::Broken));
    let request = http::Request::get("https://op.example/user").body(Vec::new()).unwrap();
    assert_eq!(block_on(host.exchange(request, Duration::ZERO)).unwrap_err(), HttpFailure::Broken);
    let before = host.now();
    host.clone().pass(Duration::from_secs(5));
    assert_eq!(host.now(), before.after(Duration::from_secs(5)));
    assert_ne!(host.seed(), host.clone().seed());
}
