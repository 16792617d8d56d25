//! Userinfo: half an identity is none, and a large one has a limit.

use serde_json::{Value, json};
use vestibule::{config::Keep, limits::SESSION_BYTES_MAX};
use vestibule_conformance::{Answer, Behaviour, Edit, Endpoint, Lie, Object, Person, Site, Trap};

use crate::times;

#[tokio::test]
async fn nd_12_se_35_userinfo_that_does_not_come_whole_signs_nobody_in() {
    let site = Site::start().await;
    let trap = Trap::set().await;
    let json_body = |text: &str| vec![Behaviour::Answer(Answer::new(200).json(text))];
    let raw = |text: &str| vec![Behaviour::Raw(text.as_bytes().to_vec())];
    let rows = [
        ("provider_answer_invalid", vec![Behaviour::Redirect { status: 302, to: trap.url("userinfo") }]),
        ("provider_answer_invalid", vec![Behaviour::Redirect { status: 307, to: trap.url("userinfo") }]),
        (
            "provider_answer_invalid",
            vec![Behaviour::Answer(Answer::new(401).header("www-authenticate", "Bearer"))],
        ),
        ("provider_answer_invalid", vec![Behaviour::Status(401)]),
        ("provider_answer_invalid", vec![Behaviour::Status(403)]),
        ("provider_answer_invalid", vec![Behaviour::Status(204)]),
        ("provider_unreachable", vec![Behaviour::Answer(Answer::new(429).header("retry-after", "1"))]),
        ("provider_unreachable", vec![Behaviour::Status(500)]),
        ("provider_answer_invalid", json_body("<html>")),
        ("provider_answer_invalid", json_body("")),
        ("provider_answer_invalid", json_body("[]")),
        ("provider_answer_invalid", json_body("{}")),
        ("provider_answer_invalid", json_body(r#"{"error":"invalid_token"}"#)),
        ("provider_answer_invalid", json_body(r#"{"sub":"1001","sub":"1001"}"#)),
        ("provider_answer_invalid", vec![Behaviour::Gzip]),
        ("provider_answer_invalid", vec![Behaviour::Padded(10 << 20)]),
        ("provider_answer_invalid", vec![Behaviour::Endless]),
        ("provider_unreachable", vec![Behaviour::Header("x-long".into(), "x".repeat(1 << 20))]),
        ("provider_unreachable", vec![Behaviour::Reset]),
        ("provider_unreachable", vec![Behaviour::CloseAfter(9)]),
        ("provider_unreachable", raw("")),
        ("provider_unreachable", raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}")),
    ];
    for (code, behaviours) in rows {
        let before = times(&site, Endpoint::Userinfo);
        site.provider().fail_next_with(Endpoint::Userinfo, behaviours.clone());
        let case: String = format!("{behaviours:?}").chars().take(80).collect();
        site.sign_in().await.refused(code, &case);
        assert_eq!(times(&site, Endpoint::Userinfo) - before, 1, "{case}: asked once");
    }
    assert!(site.sign_in().await.is_signed_in());
    trap.untouched("userinfo").await;
}

#[tokio::test]
async fn se_35_userinfo_of_another_subject_is_nobodys() {
    let site = Site::start().await;
    for lie in [
        Lie::UserinfoOf("1002".into()),
        Lie::member(Object::Userinfo, "sub", Edit::Append("invalid".into())),
        Lie::member(Object::Userinfo, "sub", Edit::Append(" ".into())),
        Lie::member(Object::Userinfo, "sub", Edit::Append("\u{301}".into())),
        Lie::member(Object::Userinfo, "sub", Edit::Set(json!(""))),
    ] {
        site.provider().honest().lie(lie.clone());
        site.sign_in().await.refused("subject_mismatch", lie);
    }
    for value in [Value::Null, json!(1001), json!(["1001"]), json!({"sub": "1001"})] {
        site.provider().honest().lie(Lie::member(Object::Userinfo, "sub", Edit::Set(value.clone())));
        site.sign_in().await.refused("provider_answer_invalid", value);
    }
    site.provider().honest().lie(Lie::member(Object::Userinfo, "sub", Edit::Remove));
    site.sign_in().await.refused("provider_answer_invalid", "none");
    // Subjects are compared byte by byte: neither case nor normalisation makes two of them one.
    site.provider().person(Person::new("Case", "cased")).honest().sign_in_as(Some("cased"));
    site.provider().lie(Lie::member(Object::Userinfo, "sub", Edit::Set(json!("case"))));
    site.sign_in().await.refused("subject_mismatch", "another case");
}

#[tokio::test]
async fn the_access_token_travels_in_the_header_and_nowhere_else() {
    let site = Site::start().await;
    site.sign_in().await.session();
    let requests = site.provider().requests_to(Endpoint::Userinfo);
    let [asked] = requests.as_slice() else { panic!("{requests:?}") };
    assert!(asked.header("authorization").unwrap().starts_with("Bearer "));
    assert!(asked.query.is_empty() && asked.body.is_empty() && asked.method == "GET");
}

/// A person about whom there is far more to say than a cookie holds.
fn famous() -> Person {
    let groups = (0..8_000).map(|number| format!("group-{number:014}"));
    Person::new("2001", "famous").name("Famous").groups(groups).with("biography", "x".repeat(20_000))
}

#[tokio::test]
async fn nd_13_huge_claims_stay_within_the_cookies_limits_or_are_refused_by_name() {
    let site = Site::start().await;
    site.provider().person(famous()).sign_in_as(Some("famous"));
    let outcome = site.sign_in().await;
    assert!(outcome.session().identity.groups.is_empty(), "nobody asked for them");
    for line in outcome.response.set_cookies() {
        let (pair, _) = line.split_once(';').unwrap();
        assert!(pair.len() <= SESSION_BYTES_MAX, "{} bytes", pair.len());
    }
    assert_eq!(site.auth(&outcome.browser), 202);

    let named = Site::builder().site(|site| site.groups(["group-00000000004711"])).start().await;
    named.provider().person(famous()).sign_in_as(Some("famous"));
    assert_eq!(named.sign_in().await.session().identity.groups, ["group-00000000004711"]);

    for keep in [
        |site: vestibule::config::Builder| site.keep_groups(Keep::All),
        |site: vestibule::config::Builder| site.keep_claims(Keep::named(["biography"])),
    ] {
        let site = Site::builder().site(keep).start().await;
        site.provider().person(famous()).sign_in_as(Some("famous"));
        site.sign_in().await.refused("session_too_large", "more than a cookie holds");
    }
}

#[tokio::test]
async fn nd_13_a_huge_name_is_not_cut_but_refused() {
    let site = Site::start().await;
    for (bytes, code) in
        [(2_000, None), (4_000, Some("session_too_large")), (300_000, Some("provider_answer_invalid"))]
    {
        site.provider().person(Person::new("2002", "long").name("x".repeat(bytes))).sign_in_as(Some("long"));
        let outcome = site.sign_in().await;
        match code {
            None => assert_eq!(outcome.session().identity.name.as_ref().map(String::len), Some(bytes)),
            Some(code) => outcome.refused(code, bytes),
        }
    }
}
