//! Functions of the core alone, on one thread, on the request that a browser sends.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt as _;
use url::Url;
use vestibule::{
    Vestibule,
    check::Verdict,
    errand::Errand,
    flow::{Answer, Effect, Step},
    request::WithSession,
    return_target::{ReturnPolicy, ReturnTarget},
    store::MemoryStore,
    time::Timestamp,
};
use vestibule_axum::Head;
use vestibule_bench::{
    browser,
    figures::{self, Figure},
    site::{self, Account},
    stored,
};

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

fn who(vestibule: &Vestibule, head: Head<'_>) -> usize {
    vestibule.check(&head, black_box(NOW), |verdict| match verdict {
        Verdict::SignedIn(session) => session.subject.len(),
        _ => 0,
    })
}

fn check(criterion: &mut Criterion) {
    let vestibule = site::vestibule(2);
    let session = site::sign_in(&vestibule, NOW);
    let mut check = |figure: Figure, vestibule: &Vestibule, cookies: &str, signed_in: bool| {
        let parts = site::request(site::AUTH, cookies);
        assert_eq!(who(vestibule, Head(&parts)) > 0, signed_in, "{}", figure.id);
        criterion.bench_function(figure.id, |bencher| {
            bencher.iter(|| who(black_box(vestibule), Head(black_box(&parts))));
        });
    };
    check(figures::CHECK, &vestibule, &format!("{session}; {}", browser::OTHER_COOKIES), true);
    for (others, figure) in figures::CHECK_BESIDE {
        check(figure, &vestibule, &browser::cookies_beside(&session, others), true);
    }
    check(figures::CHECK_NOBODY, &vestibule, browser::OTHER_COOKIES, false);
    let forged = format!("{}AAAA", &session[..session.len() - 4]);
    check(figures::CHECK_FORGED, &vestibule, &forged, false);
    let large = site::vestibule(100);
    check(figures::CHECK_LARGE, &large, &site::sign_in(&large, NOW), true);
}

/// Everything that a session in a store takes but for the store itself.
fn stored(criterion: &mut Criterion) {
    let store = Arc::new(MemoryStore::new(|| NOW));
    let vestibule = stored::vestibule(2, Arc::clone(&store) as _);
    let account = Account::typical();
    let signed_in = stored::sign_in(&vestibule, Some(&*store), &account, 0, NOW).now_or_never();
    let signed_in = signed_in.expect("a store in memory answers at once");
    let ticket = stored::session_cookie(&signed_in).expect("the sign-in ends with a ticket");
    let parts = site::request(site::AUTH, &format!("{ticket}; {}", browser::OTHER_COOKIES));
    let head = Head(&parts);
    let asked = |vestibule: &Arc<Vestibule>| match vestibule.recognise(&head, NOW, site::seed(7)) {
        Some(Errand::Needs(Effect::Store(request), underway)) => Some((request, underway)),
        _ => None,
    };
    let (request, _) = asked(&vestibule).expect("the ticket names a record");
    let reply = request.ask(&*store).now_or_never().expect("a store in memory answers at once");
    let check = |vestibule: &Arc<Vestibule>| {
        let (_, underway) = asked(vestibule)?;
        let Errand::Done(Some(Ok(found))) = underway.step(Answer::Store(reply.clone()), NOW) else {
            return None;
        };
        let head = WithSession::new(&head, found.session.as_deref());
        vestibule.check(&head, NOW, |verdict| match verdict {
            Verdict::SignedIn(session) => Some(session.subject.len()),
            _ => None,
        })
    };
    assert!(check(&vestibule).is_some(), "the session is found");
    criterion.bench_function(figures::CHECK_STORED.id, |bencher| {
        bencher.iter(|| check(black_box(&vestibule)));
    });
}

fn answers(criterion: &mut Criterion) {
    let vestibule = site::vestibule(2);
    let cookies = format!("{}; {}", site::sign_in(&vestibule, NOW), browser::OTHER_COOKIES);
    let auth = site::request(site::AUTH, &cookies);
    criterion.bench_function(figures::GRANT.id, |bencher| {
        bencher.iter(|| black_box(&vestibule).grant(&Head(black_box(&auth)), black_box(NOW)));
    });
    criterion.bench_function(figures::SESSION.id, |bencher| {
        bencher.iter(|| black_box(&vestibule).session(&Head(black_box(&auth)), black_box(NOW)));
    });
    let mut nobody = site::request(site::AUTH, browser::OTHER_COOKIES);
    let wanted = http::HeaderValue::from_static("/projects/42/board?view=week");
    nobody.headers.insert("x-auth-request-redirect", wanted);
    criterion.bench_function(figures::REFUSE.id, |bencher| {
        bencher.iter(|| black_box(&vestibule).handle(&Head(black_box(&nobody)), b"", NOW, site::seed(3)));
    });
}

fn sign_in(criterion: &mut Criterion) {
    let vestibule = site::vestibule(2);
    let start = site::request(site::START, browser::OTHER_COOKIES);
    criterion.bench_function(figures::START.id, |bencher| {
        bencher.iter(|| black_box(&vestibule).handle(&Head(black_box(&start)), b"", NOW, site::seed(4)));
    });
    let (attempt, callback) = site::begin(&vestibule, NOW);
    let answered = site::request(&callback, &format!("{attempt}; {}", browser::OTHER_COOKIES));
    criterion.bench_function(figures::CALLBACK.id, |bencher| {
        bencher.iter(|| {
            match black_box(&vestibule).handle(&Head(black_box(&answered)), b"", NOW, site::seed(5)) {
                Step::Needs(claim, machine) => site::answered(claim, machine, NOW),
                done @ Step::Done(_) => done,
            }
        });
    });
    let stray = site::request(&callback, browser::OTHER_COOKIES);
    criterion.bench_function(figures::CALLBACK_STRAY.id, |bencher| {
        bencher.iter(|| black_box(&vestibule).handle(&Head(black_box(&stray)), b"", NOW, site::seed(6)));
    });
    criterion.bench_function(figures::SIGN_IN.id, |bencher| {
        bencher.iter(|| site::sign_in(black_box(&vestibule), NOW));
    });
}

fn return_targets(criterion: &mut Criterion) {
    let own = Url::parse("https://app.example.com/oauth2/callback").expect("the address is a literal");
    let policy = ReturnPolicy::new(&own).never("/oauth2", ["/oauth2/auth".to_owned()]);
    for (figure, text) in [
        (figures::TARGET, "/projects/42/board?view=week&filter=mine%20only#card-7"),
        (figures::TARGET_HOSTILE, "/%2509//evil.example/%2f..?x=https://evil.example"),
    ] {
        criterion.bench_function(figure.id, |bencher| {
            bencher.iter(|| ReturnTarget::parse(black_box(text), black_box(&policy)));
        });
    }
}

criterion_group! {
    name = core;
    config = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots();
    targets = check, stored, answers, sign_in, return_targets
}
criterion_main!(core);
