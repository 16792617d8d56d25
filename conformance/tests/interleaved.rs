//! Ten thousand sign-ins of two hundred people, all at once: two instances that share a store, and a provider that takes
//! its time, another one at each call. The delays come from a seed, and the clock of the runtime jumps over them.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::stream;
use tokio::task::JoinSet;
use vestibule::{
    Vestibule,
    driver::{AdmitAll, Driver, Host},
    entropy::Seed,
    exchange::{HttpFailure, HttpRequest, HttpResponse},
    request::PlainHead,
    response::Response,
    seal::KeyRing,
    store::MemoryStore,
    testkit::{CookieJar, MemoryHost, MemoryProvider, Person},
    time::Timestamp,
};

const PEOPLE: u64 = 200;
const SIGN_INS_OF_EACH: u64 = 50;

/// A host whose provider is slow. Clones are one.
#[derive(Clone)]
struct Slow {
    host: MemoryHost,
    chance: Arc<AtomicU64>,
    /// How many calls are under way, and how many there were at most.
    under_way: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Slow {
    /// Between nothing and a second.
    fn delay(&self) -> Duration {
        // SplitMix64: any stream that is the same in every run will do.
        let state = self.chance.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Duration::from_millis((mixed ^ (mixed >> 31)) % 1_000)
    }
}

#[async_trait]
impl Host for Slow {
    fn now(&self) -> Timestamp {
        self.host.now()
    }

    fn seed(&self) -> Seed {
        self.host.seed()
    }

    async fn exchange(&self, request: HttpRequest, timeout: Duration) -> Result<HttpResponse, HttpFailure> {
        self.most.fetch_max(self.under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(self.delay()).await;
        let answer = self.host.exchange(request, timeout).await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        answer
    }

    async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        tokio::spawn(task);
    }
}

async fn send(driver: &Driver, jar: &mut CookieJar, head: PlainHead) -> Response {
    let head = match jar.header() {
        Some(cookies) => head.with("cookie", cookies),
        None => head,
    };
    let answer = driver.answer(&head, stream::empty::<Result<&[u8], Infallible>>()).await;
    jar.take(answer.set_cookies());
    answer
}

/// One person signs in again and again, in a new browser each time, and looks at all of them in the end.
async fn person(number: u64, instances: [Driver; 2]) {
    let person = Person::new(number).username(format!("person-{number}"));
    let mut jars = Vec::new();
    for round in 0..SIGN_INS_OF_EACH {
        let at = |step: u64| &instances[usize::try_from((number + round + step) % 2).unwrap()];
        let mut jar = CookieJar::default();
        let away = send(at(0), &mut jar, PlainHead::navigation("/oauth2/sign_in?rd=/deep")).await;
        let back = MemoryProvider::sign_in(away.get("location").unwrap(), &person).unwrap();
        let target = format!("{}?{}", back.path(), back.query().unwrap());
        let landed = send(at(1), &mut jar, PlainHead::navigation(&target)).await;
        assert_eq!(landed.get("location"), Some("https://app.example/deep"), "{landed:?}");
        jars.push(jar);
    }
    for (round, jar) in jars.iter().enumerate() {
        let head = PlainHead::fetch("/").with("cookie", jar.header().unwrap());
        let session = instances[round % 2].session(&head).await.unwrap();
        assert_eq!(session.identity.subject, number.to_string());
        assert_eq!(session.identity.username, Some(format!("person-{number}")));
    }
}

#[tokio::test(start_paused = true)]
async fn se_24_ten_thousand_sign_ins_of_two_hundred_people_end_each_in_its_own_persons_session() {
    let host = Slow {
        host: MemoryHost::new(),
        chance: Arc::new(AtomicU64::new(8)),
        under_way: Arc::default(),
        most: Arc::default(),
    };
    let clock = host.clone();
    let store = Arc::new(MemoryStore::new(move || clock.now()));
    let instances = [(); 2].map(|()| {
        let keys = KeyRing::new(["a secret of at least 32 bytes, kept"]).unwrap();
        let builder = Vestibule::builder("https://app.example/oauth2/callback").keys(keys);
        let builder = builder.provider(MemoryProvider::new("slow")).store(store.clone());
        Driver::new(builder.build().unwrap(), host.clone(), AdmitAll)
    });
    let mut people = JoinSet::new();
    for number in 1..=PEOPLE {
        people.spawn(person(number, instances.clone()));
    }
    while let Some(done) = people.join_next().await {
        done.unwrap();
    }
    let (number, subject) = (PEOPLE / 2, (PEOPLE / 2).to_string());
    let issuer = "https://slow.memory.example";
    let listed = instances[0].sessions(issuer, &subject).await.unwrap();
    assert_eq!(listed.len() as u64, SIGN_INS_OF_EACH, "person {number} has every session that they began");
    let most = host.most.load(Ordering::SeqCst);
    assert!(100 < most, "they were interleaved: {most} calls at once");
}
