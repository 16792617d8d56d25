//! What the provider says of itself: broken, missing, changing.

use serde_json::{Value, json};
use vestibule_conformance::{Answer, Behaviour, Edit, Endpoint, Lie, Object, Site};

use crate::{UNTIL_DOCUMENTS_ARE_GONE, UNTIL_DOCUMENTS_ARE_OLD, UNTIL_FAILURES_ARE_FORGOTTEN, times};

fn set(name: &str, value: impl Into<Value>) -> Lie {
    Lie::member(Object::Metadata, name, Edit::Set(value.into()))
}

/// The description as it is sent.
async fn description(site: &Site) -> Vec<u8> {
    use vestibule::driver::Host as _;
    let request = http::Request::get(site.provider().url(Endpoint::Metadata)).body(Vec::new()).unwrap();
    site.host().exchange(request, std::time::Duration::from_secs(10)).await.unwrap().into_body()
}

#[tokio::test]
async fn nd_04_what_is_no_description_sends_nobody_anywhere() {
    let site = Site::start().await;
    let honest = description(&site).await;
    let answer = |body: Vec<u8>| vec![Behaviour::Answer(Answer::new(200).json(body))];
    for behaviours in [
        answer(b"<html>Welcome</html>".to_vec()),
        answer(Vec::new()),
        answer(b"[]".to_vec()),
        answer(b"null".to_vec()),
        answer([b"\xef\xbb\xbf", honest.as_slice()].concat()),
        answer([honest.as_slice(), b"}"].concat()),
        vec![Behaviour::Padded(10 << 20)],
        vec![Behaviour::Endless],
        vec![Behaviour::Gzip],
        // 50 MiB of spaces are 50 KiB on the way.
        vec![Behaviour::Padded(50 << 20), Behaviour::Gzip],
        vec![Behaviour::Status(404)],
        vec![Behaviour::Status(201)],
    ] {
        site.provider().fail_next_with(Endpoint::Metadata, behaviours.clone());
        let outcome = site.sign_in().await;
        outcome.refused("provider_answer_invalid", &behaviours);
        assert_eq!(outcome.asked, [Endpoint::Metadata], "{behaviours:?}");
        site.wait(UNTIL_FAILURES_ARE_FORGOTTEN);
    }
    for behaviour in [
        Behaviour::Status(429),
        Behaviour::Status(500),
        Behaviour::Status(503),
        Behaviour::Reset,
        Behaviour::Raw(Vec::new()),
        Behaviour::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        Behaviour::CloseAfter(20),
    ] {
        site.provider().fail_next(Endpoint::Metadata, behaviour.clone());
        site.sign_in().await.refused("provider_unreachable", behaviour);
        site.wait(UNTIL_FAILURES_ARE_FORGOTTEN);
    }
    site.provider()
        .fail_next(Endpoint::Metadata, Behaviour::Header("content-type".into(), "text/plain".into()));
    assert!(site.sign_in().await.is_signed_in(), "the media type is not what makes it JSON");
}

#[tokio::test]
async fn nd_04_what_is_required_is_there_once_and_of_the_right_type() {
    let site = Site::start().await;
    let required = ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"];
    let edits = || {
        [
            Edit::Remove,
            Edit::Set(Value::Null),
            Edit::Set(json!(7)),
            Edit::Double(json!("https://evil.example")),
        ]
    };
    let all =
        required.into_iter().flat_map(|name| edits().map(|edit| Lie::member(Object::Metadata, name, edit)));
    let issuer = site.provider().issuer();
    let others = [
        set("issuer", format!("{issuer}INVALID")),
        set("issuer", format!("{issuer}/")),
        set("issuer", issuer.replace("127.0.0.1", "localhost")),
        set("token_endpoint", json!([site.provider().url(Endpoint::Token)])),
        Lie::member(Object::Metadata, "id_token_signing_alg_values_supported", Edit::Remove),
    ];
    for lie in all.chain(others) {
        site.wait(UNTIL_DOCUMENTS_ARE_OLD);
        site.provider().honest().lie(lie.clone());
        let outcome = site.sign_in().await;
        // Of two members of one name neither counts, whatever they say: then what was there before goes on.
        if !matches!(&lie, Lie::Member { edit: Edit::Double(_), .. }) || !outcome.is_signed_in() {
            outcome.refused("provider_answer_invalid", &lie);
            assert_eq!(outcome.asked, [Endpoint::Metadata], "{lie:?}");
        }
    }
    site.wait(UNTIL_DOCUMENTS_ARE_OLD);
    site.provider().honest().lie(set("id_token_signing_alg_values_supported", json!(["ES256"])));
    site.sign_in().await.refused("provider_misconfigured", "it signs otherwise than agreed");
    site.wait(UNTIL_DOCUMENTS_ARE_OLD);
    // OAuth 2.1: what is not known is passed over.
    site.provider().honest().lie(set("something_new", json!({"nested": [1, 2, 3]})));
    assert!(site.sign_in().await.is_signed_in());
}

#[tokio::test]
async fn nd_05_a_provider_that_is_down_at_first_is_found_when_it_comes() {
    let site = Site::start().await;
    site.provider().stop().await;
    for _ in 0..3 {
        site.sign_in().await.refused("provider_unreachable", "down");
    }
    site.provider().reopen().await.unwrap();
    site.wait(UNTIL_FAILURES_ARE_FORGOTTEN);
    let outcome = site.sign_in().await;
    assert!(outcome.is_signed_in(), "a moment later, and without a restart: {:?}", outcome.code());
}

#[tokio::test]
async fn nd_05_a_description_that_cannot_be_used_is_not_kept_once_there_is_a_better_one() {
    let site = Site::start().await;
    // A provider that starts, and says so in JSON with status 200.
    site.provider()
        .fail_next(Endpoint::Metadata, Behaviour::Answer(Answer::new(200).json(r#"{"status":"starting"}"#)));
    site.sign_in().await.refused("provider_answer_invalid", "starting");
    let outcome = site.sign_in().await;
    assert!(outcome.is_signed_in(), "it has started: {:?}", outcome.code());

    // One bad answer in place of the good one that is known.
    site.wait(UNTIL_DOCUMENTS_ARE_OLD);
    let broken = Answer::new(200).json(json!({"issuer": site.provider().issuer()}).to_string());
    site.provider().fail_next(Endpoint::Metadata, Behaviour::Answer(broken));
    let outcome = site.sign_in().await;
    assert!(outcome.is_signed_in(), "with the one from before: {:?}", outcome.code());
    assert_eq!(outcome.asked[0], Endpoint::Metadata);
    let outcome = site.sign_in().await;
    assert!(outcome.is_signed_in(), "and still: {:?}", outcome.code());
}

#[tokio::test]
async fn nd_05_a_downtime_costs_nobody_a_session_and_a_reopened_provider_is_found_at_once() {
    let site = Site::start().await;
    let outcome = site.sign_in().await;
    let waiting = site.begin().await;
    let callback = waiting.ask_provider().await;
    site.provider().stop().await;
    assert_eq!(site.auth(&outcome.browser), 202, "who is signed in stays so");
    waiting.come_back(&callback).await.refused("provider_unreachable", "down in the middle");
    assert_eq!(site.begin().await.begun.status, 303, "the description is known; the browser finds out");
    site.provider().reopen().await.unwrap();
    assert!(site.sign_in().await.is_signed_in());
}

#[tokio::test]
async fn nd_05_an_old_description_goes_on_while_there_is_no_new_one_and_not_for_ever() {
    let site = Site::start().await;
    assert!(site.sign_in().await.is_signed_in());
    site.wait(UNTIL_DOCUMENTS_ARE_OLD);
    site.provider().forget_requests();
    site.provider().lie(Lie::At(Endpoint::Metadata, Behaviour::Status(500)));
    site.provider().lie(Lie::At(Endpoint::Keys, Behaviour::Status(500)));
    for _ in 0..10 {
        assert!(site.sign_in().await.is_signed_in());
    }
    assert_eq!(
        (times(&site, Endpoint::Metadata), times(&site, Endpoint::Keys)),
        (1, 1),
        "not at every sign-in"
    );
    site.wait(31);
    assert!(site.sign_in().await.is_signed_in());
    assert_eq!(
        (times(&site, Endpoint::Metadata), times(&site, Endpoint::Keys)),
        (2, 2),
        "but again after a while"
    );
    site.wait(UNTIL_DOCUMENTS_ARE_GONE);
    site.sign_in().await.refused("provider_unreachable", "a description of last week");
}

#[tokio::test]
async fn nd_05_a_new_description_is_picked_up_within_the_hour() {
    let site = Site::start().await;
    assert!(site.sign_in().await.elsewhere.is_empty());
    let moved = site.provider().url(Endpoint::Token).replace("127.0.0.1", "localhost");
    site.provider().lie(set("token_endpoint", moved.as_str()));
    assert!(site.sign_in().await.elsewhere.is_empty(), "not yet");
    site.wait(UNTIL_DOCUMENTS_ARE_OLD);
    let outcome = site.sign_in().await;
    assert!(outcome.is_signed_in());
    assert_eq!(outcome.elsewhere.iter().map(url::Url::as_str).collect::<Vec<_>>(), [moved]);
}
